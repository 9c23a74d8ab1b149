"""A memory area shared with one worker: the parent writes a file there, the worker reads it.

Handing a file over this way takes 0.1 ms a megabyte where a pipe takes 2 (``bench/sandbox.py``):
it is copied once, out of the page cache. The worker's mapping comes from a descriptor that is
open for reading only, which it cannot make writable and cannot open again, so what the parent
reads there (for digests) is what it put there. The size is sealed: nobody can cut the area off
under a reader.
"""

import errno
import mmap
import os
import sys
from collections.abc import Callable
from typing import Self

#: Pages beyond this are given back after each file; taking them anew costs 1.4 ms a megabyte.
_KEPT = 8 * 2**20
#: Not executable, ever; a system may insist on that (``vm.memfd_noexec``).
_NOEXEC_SEAL = 0x8


class SharedArea:
    """``size`` bytes, of which only those written take memory. Not safe to share by threads."""

    def __init__(self, size: int) -> None:
        if sys.platform != "linux":
            raise OSError(errno.ENOSYS, "no anonymous files on this system")
        import fcntl  # noqa: PLC0415 - of this system only

        self._used = 0
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        try:
            writing = os.memfd_create("strandline", flags | _NOEXEC_SEAL)
        except OSError:  # before Linux 6.3
            writing = os.memfd_create("strandline", flags)
        try:
            os.ftruncate(writing, size)
            seals = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
            fcntl.fcntl(writing, fcntl.F_ADD_SEALS, seals)
            self._map = mmap.mmap(writing, size)
            # F_SEAL_FUTURE_WRITE would keep the worker from writing too, but no page could be
            # given back to the system then.
            self.descriptor = os.open(f"/proc/self/fd/{writing}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(writing)

    @classmethod
    def where_possible(cls, size: int) -> Self | None:
        """Return an area, or None on a system that has no such thing."""
        try:
            return cls(size)
        except (OSError, ValueError, OverflowError, AttributeError):
            return None

    def fill(self, write: Callable[[memoryview], int]) -> memoryview:
        """Have ``write`` put bytes at the start and say how many; return these, to be released."""
        with memoryview(self._map) as whole:
            self._used = len(whole)  # until it is known, and when it is never told
            self._used = write(whole)
            return whole[: self._used]

    def give_back(self) -> None:
        """Return the memory of a large file to the system."""
        if self._used > _KEPT:
            self._map.madvise(mmap.MADV_REMOVE, _KEPT, len(self._map) - _KEPT)
        self._used = 0

    def close(self) -> None:
        """Free the area, once nothing reads it any longer, in this process and in its worker."""
        os.close(self.descriptor)
        del self._map


def view_in_worker(descriptor: int) -> memoryview:
    """Map the area read-only in the worker, and close its descriptor."""
    try:
        return memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))
    finally:
        os.close(descriptor)
