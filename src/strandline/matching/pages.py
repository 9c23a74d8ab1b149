"""Checksums of an index file's pages, compared when a page is first looked at.

Reading a whole file before its first answer would take as long as its disk; so each page of 16 KiB
has a sum, and nothing on a page is believed before the sum was found right.
"""

import functools
import sys
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from strandline.matching.layout import PAGE, Layout, damaged

_WORDS = PAGE // 8
#: Pages fewer than this are summed by numpy, so that short lists never wait for numba.
_FEW = 512
#: Pages that are looked at in one go without being needed: 16 MiB, some milliseconds.
_SETTLED_AT_ONCE = 1024


@functools.cache
def kernels() -> ModuleType:
    """The compiled loops."""
    from strandline.matching import _kernels  # noqa: PLC0415 - takes half a second: long lists only

    return _kernels


def kernels_loaded() -> bool:
    """Whether this process has the compiled loops already, so that using them costs nothing."""
    return "strandline.matching._kernels" in sys.modules


def sums_of(words: NDArray[np.uint64], first: int, *, compiled: bool) -> NDArray[np.uint64]:
    """Checksums of whole pages of 64-bit words, of which the first has the number ``first``."""
    if not compiled:
        return _sums(words, first)
    out = np.empty(words.size // _WORDS, np.uint64)
    kernels().sum_pages(words, first, out)
    return out


def _sums(words: NDArray[np.uint64], first: int) -> NDArray[np.uint64]:
    """The same as ``_kernels.page_sum``, for all pages at once."""
    steps = words.reshape(-1, _WORDS // 8, 8)
    prime, left, right = np.uint64(0x9E3779B97F4A7C15), np.uint64(29), np.uint64(35)
    numbers = np.arange(first, first + len(steps), dtype=np.uint64)
    lanes = (numbers[:, None] + np.arange(8, dtype=np.uint64)).astype(np.uint64)
    for step in range(steps.shape[1]):
        lanes = (lanes ^ steps[:, step]) * prime
        lanes = (lanes << left) | (lanes >> right)
    total = np.zeros(len(steps), np.uint64)
    for lane in lanes.T:
        total = (total ^ lane) * prime
        total = (total << left) | (total >> right)
    return total


class Pages:
    """Which pages of one image were found to be as they were written."""

    def __init__(
        self, layout: Layout, data: NDArray[np.uint64], sums: NDArray[np.uint64] | None
    ) -> None:
        """Without ``sums`` the image was made by this process and nothing is checked."""
        self._layout = layout
        self._data = data
        self.sums = np.zeros(1, np.uint64) if sums is None else sums
        self.sums.flags.writeable = False  # as a mapped file's: one compiled loop serves both
        self.seen = np.zeros(len(self.sums), np.uint8)
        self.seen[0] = 1  # the header and the commit slots have their own checksums
        #: Whether there are pages that nobody has checked yet.
        self.checking = sums is not None
        if self.checking and not layout.bands:
            self.need_all()

    def need(self, start: int, end: int) -> None:
        """Make sure of the bytes from ``start`` up to ``end``; raises IndexDamaged."""
        if self.checking and end > start:
            for page in range(start // PAGE, (end - 1) // PAGE + 1):
                if not self.seen[page]:
                    self._check(page, page + 1)

    def need_all(self) -> None:
        """Make sure of every page; from then on nothing is checked again."""
        if self.checking:
            for first in range(1, len(self.sums), 4096):
                self._check(first, min(first + 4096, len(self.sums)))
            self.checking = False

    def settle(self) -> None:
        """Check some pages that no query needed yet; stop checking once every page was.

        Queries are a tenth faster then. A wrong page stays as it is, for the query that needs it.
        """
        if not self.checking:
            return
        unseen = np.flatnonzero(self.seen == 0)[:_SETTLED_AT_ONCE]
        for run in np.split(unseen, np.flatnonzero(np.diff(unseen) > 1) + 1):
            if run.size:
                first, end = int(run[0]), int(run[-1]) + 1
                self.seen[first:end] = ~self._wrong(first, end)
        if self.seen.all():
            self.checking = False

    def refuse(self, page: int) -> None:
        """Raise the error for a page that is not as it was written."""
        raise damaged(self._layout.section_at(page), "its checksum is wrong")

    def _check(self, first: int, end: int) -> None:
        wrong = self._wrong(first, end)
        if wrong.any():
            self.refuse(first + int(wrong.argmax()))
        self.seen[first:end] = 1

    def _wrong(self, first: int, end: int) -> NDArray[np.bool_]:
        """Which of these pages are not as they were written."""
        compiled = bool(self._layout.bands) or end - first >= _FEW
        words = self._data[first * _WORDS : end * _WORDS]
        wrong: NDArray[np.bool_] = sums_of(words, first, compiled=compiled) != self.sums[first:end]
        return wrong
