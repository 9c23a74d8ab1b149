"""The unchanging part of an index: its sections, in memory or mapped, and the search in them."""

import functools
import itertools
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strandline.matching import bits, building
from strandline.matching.building import cores, cut, fingerprint
from strandline.matching.columns import Columns, gather, number_of
from strandline.matching.entries import Entry, Match, checked_labels
from strandline.matching.layout import PAGE, Layout, damaged, parsed
from strandline.matching.pages import Pages, kernels
from strandline.matching.planning import Plan, plan_for

_Words = NDArray[np.uint64]
_Rows = NDArray[np.uint32]
#: Rows compared at once by numpy: 4 MB of words.
_PIECE = 1 << 17
#: Entries of one hash whose ids are looked at one after the other.
_LISTED = 16


@dataclass(frozen=True)
class Found:
    """Rows within the radius of one query, and their distances."""

    rows: _Rows
    distances: _Rows


@functools.cache
def _pool(_process: int) -> ThreadPoolExecutor:
    """Threads that share a scan; a forked process makes its own."""
    return ThreadPoolExecutor(cores(), "matching")


class _Room(threading.local):
    """Memory that a thread's queries write into, kept so that it is not asked for again."""

    def __init__(self) -> None:
        self.spans = np.empty((0, 3), np.int64)
        self.resize(4096)

    def resize(self, matches: int) -> None:
        self.rows = np.empty(matches, np.uint32)
        self.distances = np.empty(matches, np.uint32)


class Base:
    """Sections of an index, seen as arrays. Safe to share between threads."""

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
        self._room = _Room()
        self._plans: dict[int, Plan] = {}

    def _bytes(self, name: str) -> NDArray[np.uint8]:
        start, length = self._sections[name]
        return self._data.view(np.uint8)[start : start + length]

    def _array(self, name: str, kind: type[Any]) -> NDArray[Any] | None:
        return self._bytes(name).view(kind) if name in self._sections else None

    def _need(self, name: str, first: int, end: int, size: int) -> None:
        if self.pages.checking:
            start = self._sections[name][0]
            self.pages.need(start + first * size, start + end * size)

    # Searching.

    def plan(self, radius: int) -> Plan:
        """How this radius is searched."""
        if radius not in self._plans:
            places = {name: start for name, (start, _) in self._sections.items()}
            self._plans[radius] = plan_for(self.layout.bands, radius, self.hashes, places)
        return self._plans[radius]

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

    def search(self, query: _Words, radius: int, threads: int | None = None) -> Found:
        """Find the rows within ``radius`` of one query (4 words).

        Raises:
            IndexDamaged: a page that was needed is not as it was written.
        """
        if not self.layout.bands:
            return self._scan_short(query, radius)
        plan, room, pages = self.plan(radius), self._room, self.pages
        if plan.limit < 0:
            return self._scan(query, radius, threads)
        if len(room.spans) < plan.lookups + 1:
            room.spans = np.empty((plan.lookups + 1, 3), np.int64)
        while True:
            found, page = kernels().search(
                self._data, self._data32, plan.bands, plan.masks, query, radius, plan.limit,
                pages.sums, pages.seen, pages.checking, room.spans, room.rows, room.distances,
            )  # fmt: skip
            if found == kernels().TOO_MANY:
                return self._scan(query, radius, threads)
            if found == kernels().DAMAGED:
                pages.refuse(page)
            if found <= room.rows.size:
                return Found(room.rows[:found].copy(), room.distances[:found].copy())
            room.resize(2 * found)

    def search_many(self, queries: _Words, radius: int, threads: int | None = None) -> list[Found]:
        """Find the rows within ``radius`` of each query (Q, 4)."""
        if not self.layout.bands or self.plan(radius).limit < 0:
            return [self.search(query, radius, threads) for query in queries]
        parts = cut(len(queries), min(threads or cores(), max(1, len(queries) // 16)))
        answers = building.at_once(
            lambda part: self._search_run(queries[slice(*part)], radius), parts, threads
        )
        self.pages.settle()
        found = [each for answer in answers for each in answer]
        return [
            self._scan(queries[place], radius, threads) if each is None else each
            for place, each in enumerate(found)
        ]

    def _search_run(self, queries: _Words, radius: int) -> list[Found | None]:
        """In one thread; None where the bands cost more than a scan."""
        plan, pages = self.plan(radius), self.pages
        answers: list[Found | None] = []
        spans = np.empty((plan.lookups + 1, 3), np.int64)
        size = max(4096, 4 * len(queries))
        while len(answers) < len(queries):
            left = queries[len(answers) :]
            rows, distances = np.empty(size, np.uint32), np.empty(size, np.uint32)
            counts = np.zeros(len(left), np.int64)
            done, more = kernels().search_many(
                self._data, self._data32, plan.bands, plan.masks, left, radius, plan.limit,
                pages.sums, pages.seen, pages.checking, spans, rows, distances, counts,
            )  # fmt: skip
            if done == kernels().DAMAGED:
                pages.refuse(more)
            end = 0
            for count in counts[:done].tolist():
                start, end = end, end + max(count, 0)
                answers.append(None if count < 0 else Found(rows[start:end], distances[start:end]))
            size = max(size, 2 * more)
        return answers

    def _scan(self, query: _Words, radius: int, threads: int | None) -> Found:
        """Compare every hash, in pieces, all threads at once."""
        head, pages = self.plan(radius).bands, self.pages

        def piece(part: tuple[int, int]) -> Found:
            size = 4096
            while True:
                rows, distances = np.empty(size, np.uint32), np.empty(size, np.uint32)
                found, page = kernels().scan(
                    self._data, head, query, radius, *part, pages.sums, pages.seen, pages.checking,
                    rows, distances,
                )  # fmt: skip
                if found == kernels().DAMAGED:
                    pages.refuse(page)
                if found <= size:
                    return Found(rows[:found], distances[:found])
                size = found

        count = threads or cores()
        parts = cut(self.hashes, count if count == 1 else 4 * count)
        work = map(piece, parts) if count == 1 else _pool(os.getpid()).map(piece, parts)
        return _joined(list(work))

    def _scan_short(self, query: _Words, radius: int) -> Found:
        found = []
        for low in range(0, self.hashes, _PIECE):
            heads, rests = self.heads[low : low + _PIECE], self.rests[low : low + _PIECE]
            # Half a hash differs in at most 128 bits, which a byte holds, and settles most of them.
            half = np.bitwise_count(heads[:, 0] ^ query[0])
            half += np.bitwise_count(heads[:, 1] ^ query[1])
            near = np.flatnonzero(half <= radius)
            distances = np.bitwise_count(rests[near] ^ query[2:]).sum(axis=1, dtype=np.uint32)
            distances += half[near]
            within = distances <= radius
            found.append(Found((near[within] + low).astype(np.uint32), distances[within]))
        return _joined(found)

    # Entries.

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
        if entries.size <= _LISTED:
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

    def _id_bytes(self, entry: int) -> bytes:
        assert self._id_starts is not None
        self._need("id starts", entry, entry + 2, 8)
        start, end = int(self._id_starts[entry]), int(self._id_starts[entry + 1])
        if not start <= end <= self.layout.text:
            raise damaged("id starts", "it contradicts itself")
        self._need("ids", start, end, 1)
        first = self._sections["ids"][0]
        return self._data.view(np.uint8)[first + start : first + end].tobytes()

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

    def entry(self, number: int) -> Entry:
        """One entry, whole."""
        row = self.row_of(number)
        text = self.hashes_at(np.array([row]))[0].tobytes().hex()
        return Entry(self.id_of(number), text, self.labels_of(number))

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

    def labels_of(self, entry: int) -> tuple[str, ...]:
        """The labels of an entry."""
        return self.label_sets[self.label_set_of(entry)]

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

    @property
    def nbytes(self) -> int:
        """Bytes of all sections."""
        return self._data.nbytes

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

    def entry_at(self, raw: bytes, name: str) -> int | None:
        """The entry of this hash and id."""
        query = self.words_of(np.frombuffer(raw, np.uint8).reshape(1, 32))[0]
        for row in self.search(query, 0).rows.tolist():
            entries = self.entries_of(row)
            if (entry := self._entry_among(entries, name)) is not None:
                return entry
        return None

    def _entry_among(self, entries: range, name: str) -> int | None:
        """The entry of this id among those of one hash, which can be very many."""
        if len(entries) <= _LISTED:
            names = self.ids_of(np.arange(entries.start, entries.stop))
            return entries[names.index(name)] if name in names else None
        if self._numbers is None:
            entry = next(self._entries_with_text(name.encode(), entries.start), entries.stop)
            return entry if entry in entries else None
        if (number := number_of(name)) is None:
            return None
        self._need("numbers", entries.start, entries.stop, 4)
        held = self._numbers[entries.start : entries.stop] == number
        place = int(held.argmax())
        return entries[place] if held[place] else None

    def columns(self, hidden: Collection[int]) -> Columns:
        """All entries but the hidden ones."""
        self.pages.need_all()
        self.verify_ids()
        self.verify_labels()
        entries = np.ones(self.entries, bool)
        entries[list(hidden)] = False
        kept = np.flatnonzero(entries)
        rows = np.repeat(np.arange(self.hashes), self.sizes)
        text, starts = np.zeros(0, np.uint8), np.zeros(1, np.int64)
        if self._id_starts is not None:
            text, starts = gather(self._bytes("ids"), self._id_starts, kept)
        return Columns(
            self.hashes_at(rows[kept]),
            None if self._numbers is None else self._numbers[kept],
            text,
            starts,
            None if self._labels is None else self._labels[kept],
            self.label_sets,
        )

    # Matches.

    def matches(
        self, answers: Sequence[Found], hidden: Collection[int], labels: frozenset[str] | None
    ) -> list[list[Match]]:
        """For each answer the entries of its rows, but hidden ones and those of other labels."""
        found = _joined(list(answers))
        if not found.rows.size:
            return [[] for _ in answers]
        sets = self.label_sets
        plain = len(sets) == 1 and not hidden and labels is None
        if found.rows.size == len(answers) == 1 and plain and self.starts is None:
            return [self._one_match(found)]  # as most answers are, in a third of the time
        firsts, sizes = self._spans(found.rows)
        ends = np.cumsum(sizes)
        # Which row each entry belongs to.
        owner = np.repeat(np.arange(sizes.size), sizes)
        entries = np.arange(owner.size) + np.repeat(firsts - (ends - sizes), sizes)
        upto = np.concatenate([[0], ends])[np.cumsum([0, *(each.rows.size for each in answers)])]
        filed = self._label_numbers(entries) if len(sets) > 1 else np.zeros(entries.size, np.uint32)
        if hidden or labels is not None:
            kept = self._allowed(entries, filed, hidden, labels)
            upto = np.concatenate([[0], np.cumsum(kept)])[upto]
            owner, entries, filed = owner[kept], entries[kept], filed[kept]
        packed = self.hashes_at(found.rows).tobytes().hex()
        texts = [packed[at : at + 64] for at in range(0, len(packed), 64)]
        made = list(
            map(
                Match,
                self.ids_of(entries),
                [texts[place] for place in owner.tolist()],
                found.distances[owner].tolist(),
                [sets[number] for number in filed.tolist()],
            )
        )
        return [made[low:high] for low, high in itertools.pairwise(upto.tolist())]

    def _one_match(self, found: Found) -> list[Match]:
        text = self.hashes_at(found.rows).tobytes().hex()
        return [Match(self.id_of(int(found.rows[0])), text, int(found.distances[0]))]

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

    def _allowed(
        self,
        entries: NDArray[np.int64],
        filed: NDArray[np.uint32],
        hidden: Collection[int],
        labels: frozenset[str] | None,
    ) -> NDArray[np.bool_]:
        kept = np.ones(entries.size, bool)
        if hidden:
            kept &= np.fromiter((each not in hidden for each in entries.tolist()), bool)
        if labels is not None:
            fits = np.array([not labels.isdisjoint(each) for each in self.label_sets])
            kept &= fits[filed]
        return kept

    def _need_each(self, name: str, places: NDArray[Any], size: int) -> None:
        """Make sure of the pages of a section where these items of ``size`` bytes are."""
        if self.pages.checking:
            start = self._sections[name][0]
            for page in np.unique((start + places.astype(np.int64) * size) // PAGE).tolist():
                self.pages.need(page * PAGE, page * PAGE + 1)


def _joined(found: list[Found]) -> Found:
    if len(found) == 1:
        return found[0]
    none = np.zeros(0, np.uint32)
    return Found(
        np.concatenate([none, *(each.rows for each in found)]),
        np.concatenate([none, *(each.distances for each in found)]),
    )
