"""The sections of an index as arrays, each page made sure of before it is believed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from strandline.matching import bits, building
from strandline.matching.layout import PAGE, Layout, damaged
from strandline.matching.pages import Pages, kernels

_Words = NDArray[np.uint64]
_Rows = NDArray[np.uint32]


class Sections:
    """Sections of an index, in memory or mapped. Safe to share between threads."""

    def __init__(self, layout: Layout, data: _Words, *, checked: bool) -> None:
        """``data`` is the file up to its tail, ``checked`` when this process just made it.

        Raises:
            IndexDamaged: what is read at once is not as it was written.
        """
        self.layout = layout
        self._data = data
        self._data32 = data.view(np.uint32)
        self._sections = layout.sections()
        sums = None if checked else self._bytes("sums").view(np.uint64)
        self.pages = Pages(layout, data, sums)
        self.hashes, self.entries = layout.hashes, layout.entries
        self.heads = self._bytes("heads").view(np.uint64).reshape(-1, 2)
        self.rests = self._bytes("rests").view(np.uint64).reshape(-1, 2)
        #: Where the entries of each hash begin; None when each has one.
        self.starts = self._array("entries", np.uint32)
        self._numbers = self._array("numbers", np.uint32)
        self._id_starts = self._array("id starts", np.uint64)
        self._id_order = self._array("id order", np.uint32)
        self._labels = self._array("labels", np.uint32)

    @property
    def nbytes(self) -> int:
        """Bytes of all sections."""
        return self._data.nbytes

    def words_of(self, hashes: NDArray[np.uint8]) -> _Words:
        """Hashes (N, 32) as words (N, 4), their bits in the order of this index."""
        if not self.layout.bands:
            return bits.plain_words(hashes)
        return building.shuffled(hashes)

    def hashes_at(self, rows: NDArray[Any]) -> NDArray[np.uint8]:
        """The bytes (N, 32) of the hashes in these rows."""
        if self.pages.checking:
            for row in rows.tolist():
                self._need("heads", row, row + 1, 16)
                self._need("rests", row, row + 1, 16)
        if not self.layout.bands:
            return bits.plain_bytes(np.hstack([self.heads[rows], self.rests[rows]]))
        out = np.empty((len(rows), 32), np.uint8)
        rows = np.ascontiguousarray(rows, np.uint32)
        kernels().restore(self.heads, self.rests, rows, bits.restore_table(), out)
        return out

    def band(self, number: int) -> tuple[_Rows, _Rows]:
        """Offsets and rows of a band, of which the first is 1; see ``_sorting.fill_band``.

        Raises:
            IndexDamaged: they point beyond the hashes.
        """
        name = f"band {number} offsets"
        self._need(name, 0, 2 ** self.layout.bands[number - 1] + 1, 4)
        offsets = self._bytes(name).view(np.uint32)
        rising = (offsets[1:] >= offsets[:-1]).all()
        if offsets[0] != 0 or offsets[-1] != self.hashes or not rising:
            raise damaged(name, "it contradicts itself")
        if number == 1:
            return offsets, np.arange(self.hashes, dtype=np.uint32)
        name = f"band {number} rows"
        self._need(name, 0, self.hashes, 4)
        rows = self._bytes(name).view(np.uint32)
        if rows.max() >= self.hashes:
            raise damaged(name, "it contradicts itself")
        return offsets, rows

    def _bytes(self, name: str) -> NDArray[np.uint8]:
        start, length = self._sections[name]
        return self._data.view(np.uint8)[start : start + length]

    def _array(self, name: str, kind: type[Any]) -> NDArray[Any] | None:
        return self._bytes(name).view(kind) if name in self._sections else None

    def _need(self, name: str, first: int, end: int, size: int) -> None:
        if self.pages.checking:
            start = self._sections[name][0]
            self.pages.need(start + first * size, start + end * size)

    def _need_each(self, name: str, places: NDArray[Any], size: int) -> None:
        """Make sure of the pages of a section where these items of ``size`` bytes are."""
        if self.pages.checking:
            start = self._sections[name][0]
            for page in np.unique((start + places.astype(np.int64) * size) // PAGE).tolist():
                self.pages.need(page * PAGE, page * PAGE + 1)
