"""Writing files so that a kill or a power cut leaves the old or the new, whole."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step, on the disk when this returns.

    One writer at a time: what a killed one left half-written is written over.
    """
    make_folder(path.parent)
    staged = path.with_name(f".{path.name}.new")
    with staged.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
    flush_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, on the disk when this returns."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Make names in this folder outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``, waiting for whoever holds it; a kill releases it."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
