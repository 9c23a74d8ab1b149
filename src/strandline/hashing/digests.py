"""Digests of a file, as lists and notices exchange them: all three in one read.

MD5 alone takes as long as SHA-1 and SHA-256 together where the processor has instructions for
those, so a large file is worth a second thread (``bench/hashing.py``). A file is read, not mapped:
one that is cut short meanwhile would end the process that had mapped it.
"""

import hashlib
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from strandline.media.sources import open_regular

#: Bytes that all three see before the next are read: they stay in the cache.
_CHUNK = 2**20
#: How many chunks one thread may be ahead of the other.
_AHEAD = 15
#: From so many bytes on a second thread gains more than it costs to start.
_LARGE = 4 * _CHUNK


@dataclass(frozen=True)
class Digests:
    """Lower-case hex. MD5 and SHA-1 only find a file again; neither proves anything."""

    md5: str
    sha1: str
    sha256: str


def digests(data: bytes | bytearray | memoryview) -> Digests:
    """Return all three digests of ``data``, contiguous bytes."""
    whole = memoryview(data).cast("B") if len(data) else memoryview(b"")
    chunks = (whole[start : start + _CHUNK] for start in range(0, len(whole), _CHUNK))
    return _of(chunks, large=len(whole) >= _LARGE)


def digests_of_file(path: Path) -> Digests:
    """Return all three digests of a file's bytes, however many; 16 MiB of memory are used.

    Raises:
        OSError: it cannot be read, or it is no file: a folder, a pipe, a device.
    """
    with FileIO(open_regular(path, sys.maxsize), "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        return _of(_chunks_of(file, size), large=size >= _LARGE)


def _chunks_of(file: FileIO, size: int) -> Iterator[memoryview]:
    """Read into a ring of buffers; each is used again once no thread can still need it."""
    ring = deque(
        memoryview(bytearray(min(_CHUNK, max(size, 1))))
        for _ in range(_AHEAD + 1 if size >= _LARGE else 1)
    )
    while count := file.readinto(ring[0]):
        yield ring[0][:count]
        ring.rotate(-1)


def _of(chunks: Iterator[memoryview], *, large: bool) -> Digests:
    md5, sha1 = hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
    sha256 = hashlib.sha256()
    if large:
        with ThreadPoolExecutor(1, "digests") as beside:
            behind: deque[Future[None]] = deque()
            for chunk in chunks:
                behind.append(beside.submit(md5.update, chunk))
                sha1.update(chunk)
                sha256.update(chunk)
                if len(behind) >= _AHEAD:
                    behind.popleft().result()
            for waited in behind:
                waited.result()
    else:
        for chunk in chunks:
            for each in (md5, sha1, sha256):
                each.update(chunk)
    return Digests(md5.hexdigest(), sha1.hexdigest(), sha256.hexdigest())
