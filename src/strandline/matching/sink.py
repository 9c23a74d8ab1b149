"""Where the sections of a new index go: into memory, or one after the other into a file."""

import contextlib
import fcntl
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from strandline.matching import _disk
from strandline.matching.layout import PAGE, SLOTS, Commit, Layout, pages
from strandline.matching.pages import sums_of

#: Zeros written ahead of the tail: overwriting is synced four times as fast as appending.
ROOM = 1 << 16
#: Bytes summed and written at once.
_PIECE = 1 << 26


class Sink(Protocol):
    """Takes sections in any order, from several threads."""

    def room(self, name: str) -> NDArray[np.uint8]:
        """Zeroed bytes to fill in, of the section's length and up to the end of its last page."""

    def done(self, name: str, room: NDArray[np.uint8]) -> None:
        """The room was filled in."""


class Memory:
    """An image of the file, sections at the same places."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._sections = layout.sections()
        # numpy asks for large pages, which random reads gain from.
        self.data: NDArray[np.uint64] = np.zeros(self._sections["sums"][0] // 8, np.uint64)

    def room(self, name: str) -> NDArray[np.uint8]:
        """The section's own place."""
        start, length = self._sections[name]
        return self.data.view(np.uint8)[start : start + pages(length) * PAGE]

    def done(self, name: str, room: NDArray[np.uint8]) -> None:
        """Nothing to do: the room is the image."""


class File:
    """A new file, which is nothing until :meth:`finish`."""

    def __init__(self, layout: Layout, descriptor: int) -> None:
        self._layout = layout
        self._descriptor = descriptor
        self._sections = layout.sections()
        self._sums = np.zeros(self._sections["sums"][1] // 8, np.uint64)

    def room(self, name: str) -> NDArray[np.uint8]:
        """A place in memory until the section is written."""
        return np.zeros(pages(self._sections[name][1]) * PAGE, np.uint8)

    def done(self, name: str, room: NDArray[np.uint8]) -> None:
        """Sum the pages and write them."""
        start = self._sections[name][0]
        compiled = bool(self._layout.bands)
        for low in range(0, room.size, _PIECE):
            piece = room[low : low + _PIECE]
            page = (start + low) // PAGE
            sums = sums_of(piece.view(np.uint64), page, compiled=compiled)
            self._sums[page : page + len(sums)] = sums
            _disk.write_at(self._descriptor, piece.data, start + low)

    def finish(self) -> Layout:
        """Write what makes it an index, and wait until all of it is kept."""
        sums = self._sums.tobytes()
        layout = replace(self._layout, sums_crc=zlib.crc32(sums))
        room = pages(len(sums)) * PAGE + ROOM
        _disk.write_at(self._descriptor, sums.ljust(room, b"\0"), self._sections["sums"][0])
        _disk.write_at(self._descriptor, layout.encode(), 0)
        for slot in SLOTS:
            _disk.write_at(self._descriptor, Commit(layout.identity).encode(), slot)
        _disk.sync(self._descriptor)
        return layout


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[tuple[int, Path]]:
    """An empty file beside ``path`` that only this process writes, removed unless it was renamed.

    It always has the same name, so that what a killed process left is removed, not kept. What is
    there under that name, a link to somewhere else perhaps, is never written to.

    Raises:
        BlockingIOError: another process is writing a new version.
    """
    temporary = path.with_name(f".{path.name}.new")
    descriptor = _locked(temporary)
    try:
        _like(descriptor, path)  # before there is anything in it to read
        yield descriptor, temporary
    finally:
        if is_at(descriptor, temporary, follow=False):
            temporary.unlink()
        os.close(descriptor)


def put_in_place(descriptor: int, temporary: Path, path: Path) -> None:
    """Let the new file take the place of ``path``, for those who may use that one."""
    _like(descriptor, path)
    _disk.rename(temporary, path)


def _like(descriptor: int, path: Path) -> None:
    """Give a file the owner, as far as that is allowed, and the permissions of another."""
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    new = os.fstat(descriptor)
    if new.st_uid != old.st_uid:
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, -1)
    if new.st_gid != old.st_gid:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except PermissionError:
            mode = mode & 0o707 | (mode & 0o007) << 3  # another group may do what anyone may
    os.fchmod(descriptor, mode)


def is_at(descriptor: int, path: Path, *, follow: bool = True) -> bool:
    """Whether the open file is the one that ``path`` names."""
    try:
        there = path.stat(follow_symlinks=follow)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _locked(path: Path) -> int:
    """A file that was not there before, locked."""
    while True:
        _remove_left(path)
        with contextlib.suppress(FileExistsError):  # another process was faster: look again
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            locked = False
            try:
                if locked := _lock(descriptor, path):
                    return descriptor
            finally:
                if not locked:
                    os.close(descriptor)


def _remove_left(path: Path) -> None:
    """Remove what a killed process left, or someone put there; raises BlockingIOError if in use."""
    # Only a lock is wanted of it. A link is not followed, and a pipe not waited for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return
    except OSError:
        if not path.is_symlink():
            raise
        path.unlink(missing_ok=True)
        return
    try:
        if _lock(descriptor, path):
            path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> bool:
    """Lock the file; whether it is still at ``path``, and not renamed or removed meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        message = f"Another process is writing {path}: try again when it is done."
        raise BlockingIOError(error.errno, message) from error
    return is_at(descriptor, path, follow=False)
