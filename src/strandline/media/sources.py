"""Opening and reading the files that a worker is to decode: regular ones, within the limits."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from strandline.errors import TooLarge


def open_regular(path: Path, most: int) -> int:
    """Open a file to be read and return its descriptor. A named pipe would be waited for.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
        TooLarge: it has more than ``most`` bytes.
    """
    try:
        _check(path.stat(), path, most)  # opening a device may act on it
    except ValueError as error:
        raise OSError(errno.EINVAL, "No file can have this name", str(path)) from error
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        _check(os.fstat(descriptor), path, most)  # it may have been exchanged since
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_into(whole: memoryview, path: Path, most: int) -> int:
    """Read a file into ``whole``; return how many bytes it has. Raises as ``open_regular``."""
    descriptor = open_regular(path, most)
    try:
        done = 0
        while got := os.readv(descriptor, [whole[done:most]]) if done < most else 0:
            done += got
        if done == most and os.read(descriptor, 1):  # it grew while it was read
            raise too_many_bytes(done + 1, most)
        return done
    finally:
        os.close(descriptor)


def copy_into(whole: memoryview, data: bytes) -> int:
    """Copy bytes into ``whole``; return how many."""
    whole[: len(data)] = data
    return len(data)


def read_whole(path: Path, most: int) -> bytes:
    """Return a file's bytes. Raises as ``open_regular``."""
    with os.fdopen(open_regular(path, most), "rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise too_many_bytes(len(data), most)
    return data


@contextlib.contextmanager
def in_memory(data: bytes) -> Iterator[Path]:
    """A path at which a worker that reads files finds these bytes, for as long as the block lasts.

    They stay in memory where the system can do that (Linux); elsewhere they are in a file that
    nobody else can read.

    Raises:
        OSError: there is no room for them.
    """
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            yield Path(file.name)
        return
    with os.fdopen(os.memfd_create("film", os.MFD_CLOEXEC), "wb") as file:
        file.write(data)
        file.flush()
        yield Path(f"/proc/self/fd/{file.fileno()}")


def open_again(descriptor: int, path: Path) -> BinaryIO:
    """Open the same file once more, with a position of its own.

    Raises:
        OSError: it cannot be opened, or another file has taken its place.
    """
    again = path.open("rb")
    if not os.path.samestat(os.fstat(descriptor), os.fstat(again.fileno())):
        again.close()
        raise OSError(errno.ESTALE, "It was replaced while it was opened", str(path))
    return again


def too_many_bytes(size: int, most: int) -> TooLarge:
    """The verdict on a file beyond the limit."""
    return TooLarge(
        f"The file has {size:,} bytes; at most {most:,} are read. It was not opened. "
        "Raise the limit to examine it."
    )


def _check(found: os.stat_result, path: Path, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "It is not a file", str(path))
    if found.st_size > most:
        raise too_many_bytes(found.st_size, most)
