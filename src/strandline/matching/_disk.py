"""The only calls that change an index file, so that tests can stop them at any point."""

import os
from pathlib import Path


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of ``data`` at ``offset``."""
    rest = memoryview(data).cast("B")
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


def sync(descriptor: int) -> None:
    """Wait until what was written is kept through a loss of power."""
    os.fdatasync(descriptor)


def shorten(descriptor: int, size: int) -> None:
    """Take away what was written at the end, and count for nothing, beyond ``size``."""
    os.ftruncate(descriptor, size)


def rename(source: Path, target: Path) -> None:
    """Put ``source``, already synced, in the place of ``target``, whole or not at all."""
    source.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
