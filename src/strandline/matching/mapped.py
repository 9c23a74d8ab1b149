"""An index file that is open: mapped, its tail read as far as it was committed."""

import contextlib
import fcntl
import mmap
import os
import struct
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from strandline.matching import _disk
from strandline.matching.base import Base
from strandline.matching.layout import (
    HEADER,
    SLOTS,
    Commit,
    Layout,
    damaged,
    newest_commit,
)
from strandline.matching.sink import ROOM, is_at
from strandline.matching.tail import Change, changes_in
from strandline.matching.version import Version

_SLOT_ROOM = 64
#: Where the sequence number lies in a slot.
_SEQUENCE = struct.Struct("<Q")
_SEQUENCE_AT = 16


class Mapped(Version):
    """One version of an index file: its base, mapped, and its tail so far."""

    def __init__(self, path: Path) -> None:
        """Open and check the file; raises OSError or IndexDamaged."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        #: Closes the file once: when told to, or with the last user of an index nobody closed.
        self._finalizer = weakref.finalize(self, os.close, self._descriptor)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        status = os.fstat(self._descriptor)
        self._key = (status.st_dev, status.st_ino)
        self.layout = Layout.decode(os.pread(self._descriptor, HEADER, 0), status.st_size)
        self._end = self.layout.tail
        self._map = mmap.mmap(self._descriptor, self._end, access=mmap.ACCESS_READ)
        # A query reads all over the file, and with small pages spends a fifth of its time finding
        # them. Not every system has large ones for files.
        with contextlib.suppress(OSError):
            self._map.madvise(mmap.MADV_HUGEPAGE)
        data = np.frombuffer(self._map, np.uint64)
        start, length = self.layout.sections()["sums"]
        if zlib.crc32(memoryview(self._map)[start : start + length]) != self.layout.sums_crc:
            raise damaged("sums", "its checksum is wrong")
        super().__init__(Base(self.layout, data, checked=False))
        self._commit = Commit(self.layout.identity)
        self._slots: list[bytes] = []
        self.catch_up()

    def close(self) -> None:
        """Let go of the file; what was mapped goes with the last array that shows it."""
        self._descriptor = -1  # the number may soon be another file's
        self._finalizer()

    def is_current(self, path: Path) -> bool:
        """Whether ``path`` still names this file; raises IndexDamaged when it was cut short."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return True  # nothing newer: what is open goes on answering
        if (status.st_dev, status.st_ino) != self._key:
            return False
        if status.st_size < self._end:
            raise damaged("sums", "the file was cut short while it was open")
        return True

    def catch_up(self) -> None:
        """Put in force what was committed since; raises IndexDamaged."""
        seen = [self._map[at + _SEQUENCE_AT : at + _SEQUENCE_AT + 8] for at in SLOTS]
        if seen == self._slots:
            return
        commit = self._newest()
        if commit.sequence < self._commit.sequence or commit.length < self._commit.length:
            raise damaged("tail", "the commit slot went back")
        if commit != self._commit:
            start = self._commit.length
            tail = self._read(start, commit.length - start)
            if zlib.crc32(tail, self._commit.crc) != commit.crc:
                raise damaged("tail", "its checksum is wrong")
            changes = list(changes_in(tail, self.layout.entries))
            for change in changes:
                self.tail.apply(change)
            self._commit = commit
        self._slots = seen

    def _newest(self) -> Commit:
        for _ in range(50):  # the other slot is whole while one is written: twice is plenty
            slots = [self._map[at : at + _SLOT_ROOM] for at in SLOTS]
            commit = newest_commit(slots, self.layout.identity)
            if commit:
                return commit
        raise damaged("tail", "neither commit slot can be read")

    def _read(self, offset: int, length: int) -> bytes:
        size = os.fstat(self._descriptor).st_size
        if self.layout.tail + offset + length > size:
            raise damaged("tail", "the file was cut short")
        pieces = []
        while length:
            piece = os.pread(self._descriptor, length, self.layout.tail + offset)
            if not piece:
                raise damaged("tail", "the file was cut short")
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)

    def commit(self, change: Change, descriptor: int | None) -> None:
        """Keep one change and put it in force; the caller holds the file's lock.

        The record is kept before the first slot is written, and the first slot before the second:
        wherever this stops, one of them is whole and speaks of a whole tail.
        """
        assert descriptor is not None
        record = change.encode()
        end = self.layout.tail + self._commit.length
        size = os.fstat(descriptor).st_size
        try:
            if end + len(record) > size:
                _disk.write_at(descriptor, bytes(end + len(record) + ROOM - size), size)
            _disk.write_at(descriptor, record, end)
            _disk.sync(descriptor)
        except OSError:
            # A full disk is not to stay full of this. No slot speaks of it, so nobody reads it.
            with contextlib.suppress(OSError):
                _disk.shorten(descriptor, size)
            raise
        commit = Commit(
            self.layout.identity,
            self._commit.sequence + 1,
            self._commit.length + len(record),
            zlib.crc32(record, self._commit.crc),
        )
        slot = commit.encode()
        _disk.write_at(descriptor, slot, SLOTS[0])
        _disk.sync(descriptor)
        _disk.write_at(descriptor, slot, SLOTS[1])
        self.catch_up()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[int]:
    """The file at ``path``, open for writing, that no other process writes meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)
