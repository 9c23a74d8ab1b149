"""What is filed under each hash of an index: its entries, their ids and labels."""

import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from strandline.matching import building
from strandline.matching.building import fingerprint
from strandline.matching.columns import gather, number_of
from strandline.matching.entries import Entry, checked_labels
from strandline.matching.layout import damaged, parsed
from strandline.matching.sections import Sections

#: Entries whose ids are looked at one after the other.
LISTED = 16


class Filing(Sections):
    """Sections, read as entries. Every method raises IndexDamaged for what contradicts itself."""

    def entries_of(self, row: int) -> range:
        """The entries of a hash."""
        if self.starts is None:
            return range(row, row + 1)
        self._need("entries", row, row + 2, 4)
        start, end = int(self.starts[row]), int(self.starts[row + 1])
        if not start < end <= self.entries:
            raise damaged("entries", "it contradicts itself")
        return range(start, end)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many entries each hash has; raises IndexDamaged."""
        if self.starts is None:
            return np.ones(self.hashes, np.int64)
        self._need("entries", 0, self.hashes + 1, 4)
        starts = self.starts.astype(np.int64)
        sizes = starts[1:] - starts[:-1]
        if starts[0] != 0 or starts[-1] != self.entries or (sizes < 1).any():
            raise damaged("entries", "it contradicts itself")
        return sizes

    def row_of(self, entry: int) -> int:
        """The hash of an entry."""
        if self.starts is None:
            return entry
        self._need("entries", 0, self.hashes + 1, 4)
        return int(np.searchsorted(self.starts, entry, side="right")) - 1

    def id_of(self, entry: int) -> str:
        """The id of an entry."""
        if self._numbers is not None:
            self._need("numbers", entry, entry + 1, 4)
            return str(int(self._numbers[entry]))
        try:
            return self._id_bytes(entry).decode()
        except UnicodeDecodeError as error:
            raise damaged("ids", "it cannot be read") from error

    def ids_of(self, entries: NDArray[np.int64]) -> list[str]:
        """The ids of these entries."""
        if self._numbers is not None:
            self._need_each("numbers", entries, 4)
            return list(map(str, self._numbers[entries].tolist()))
        if entries.size <= LISTED:
            return list(map(self.id_of, entries.tolist()))
        # Packed first: a hash can have a hundred thousand entries, mostly side by side.
        assert self._id_starts is not None
        self._need_each("id starts", entries, 8)
        self._need_each("id starts", entries + 1, 8)
        spans = np.stack([self._id_starts[entries], self._id_starts[entries + 1]]).astype(np.int64)
        if (spans < 0).any() or (spans[0] > spans[1]).any() or (spans[1] > self.layout.text).any():
            raise damaged("id starts", "it contradicts itself")
        if self.pages.checking:
            for low, high in spans.T.tolist():
                self._need("ids", low, high, 1)
        text, starts = gather(self._bytes("ids"), self._id_starts, entries)
        packed = text.tobytes()
        try:
            return [packed[low:high].decode() for low, high in itertools.pairwise(starts.tolist())]
        except UnicodeDecodeError as error:
            raise damaged("ids", "it cannot be read") from error

    def entry(self, number: int) -> Entry:
        """One entry, whole."""
        row = self.row_of(number)
        text = self.hashes_at(np.array([row]))[0].tobytes().hex()
        return Entry(self.id_of(number), text, self.labels_of(number))

    @functools.cached_property
    def label_sets(self) -> tuple[tuple[str, ...], ...]:
        """The different sets of labels; set 0 is empty."""
        if self._labels is None:
            return ((),)
        self._need("label sets", 0, self.layout.label_sets, 1)
        said = parsed("label sets", self._bytes("label sets").tobytes())
        try:
            sets = tuple(checked_labels(labels) for labels in said)
        except (ValueError, TypeError) as error:
            raise damaged("label sets", "it cannot be read") from error
        # Only lists equal the lists of what was checked: sorted texts, each once.
        if said != [list(labels) for labels in sets] or not sets or sets[0]:
            raise damaged("label sets", "it contradicts itself")
        return sets

    def label_set_of(self, entry: int) -> int:
        """Which set of labels an entry has."""
        if self._labels is None:
            return 0
        self._need("labels", entry, entry + 1, 4)
        number = int(self._labels[entry])
        if number >= len(self.label_sets):
            raise damaged("labels", "it contradicts itself")
        return number

    def labels_of(self, entry: int) -> tuple[str, ...]:
        """The labels of an entry."""
        return self.label_sets[self.label_set_of(entry)]

    def entries_with(self, ids: Sequence[str]) -> Iterator[int]:
        """All entries of these ids."""
        if self._numbers is not None:
            wanted = [n for name in ids if (n := number_of(name)) is not None]
            if wanted and self.entries:
                self._need("numbers", 0, self.entries, 4)
                held = np.isin(self._numbers, np.array(wanted, np.uint32))
                yield from np.flatnonzero(held).tolist()
            return
        for name in ids:
            yield from self._entries_with_text(name.encode())

    def verify_ids(self) -> None:
        """Hold the ids against their offsets and their order; raises IndexDamaged."""
        if self._id_starts is None or self._id_order is None:
            return
        starts = self._id_starts.astype(np.int64)
        if starts[0] != 0 or starts[-1] != self.layout.text or (np.diff(starts) < 0).any():
            raise damaged("id starts", "it contradicts itself")
        text = self._bytes("ids").tobytes()
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise damaged("ids", "it cannot be read") from error
        if ((self._bytes("ids")[starts[:-1][np.diff(starts) > 0]] & 0xC0) == 0x80).any():
            raise damaged("id starts", "it contradicts the ids")
        order = self._id_order
        seen = np.zeros(self.entries, bool)
        seen[order[order < self.entries]] = True
        if not seen.all():
            raise damaged("id order", "it contradicts itself")
        prints = building.fingerprints_of(self._bytes("ids"), starts)[order]
        if (prints[1:] < prints[:-1]).any():
            raise damaged("id order", "it contradicts the ids")

    def verify_labels(self) -> None:
        """Hold the labels against their sets; raises IndexDamaged."""
        if self._labels is not None and (self._labels >= len(self.label_sets)).any():
            raise damaged("labels", "it contradicts itself")

    def _id_bytes(self, entry: int) -> bytes:
        assert self._id_starts is not None
        self._need("id starts", entry, entry + 2, 8)
        start, end = int(self._id_starts[entry]), int(self._id_starts[entry + 1])
        if not start <= end <= self.layout.text:
            raise damaged("id starts", "it contradicts itself")
        self._need("ids", start, end, 1)
        first = self._sections["ids"][0]
        return self._data.view(np.uint8)[first + start : first + end].tobytes()

    def _entries_with_text(self, name: bytes, first: int = 0) -> Iterator[int]:
        """The entries of an id from ``first`` on, in order."""
        wanted, low, high = fingerprint(name), 0, self.entries
        while low < high:
            middle = (low + high) // 2
            # Entries of one fingerprint follow each other in order: the sort was a stable one.
            entry = self._by_id(middle)
            if (fingerprint(self._id_bytes(entry)), entry) < (wanted, first):
                low = middle + 1
            else:
                high = middle
        for place in range(low, self.entries):
            entry = self._by_id(place)
            held = self._id_bytes(entry)
            if held == name:
                yield entry
            elif fingerprint(held) != wanted:
                return

    def _by_id(self, place: int) -> int:
        assert self._id_order is not None
        self._need("id order", place, place + 1, 4)
        entry = int(self._id_order[place])
        if entry >= self.entries:
            raise damaged("id order", "it contradicts itself")
        return entry

    def _spans(self, rows: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first entry of each of these hashes, and how many it has."""
        if self.starts is None:
            return rows.astype(np.int64), np.ones(rows.size, np.int64)
        self._need_each("entries", rows, 4)
        self._need_each("entries", rows + np.uint32(1), 4)
        firsts = self.starts[rows].astype(np.int64)
        ends = self.starts[rows + np.uint32(1)].astype(np.int64)
        if (firsts >= ends).any() or (ends > self.entries).any():
            raise damaged("entries", "it contradicts itself")
        return firsts, ends - firsts

    def _label_numbers(self, entries: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Which set of labels each of these entries has."""
        assert self._labels is not None
        self._need_each("labels", entries, 4)
        numbers = self._labels[entries]
        if (numbers >= len(self.label_sets)).any():
            raise damaged("labels", "it contradicts itself")
        return numbers
