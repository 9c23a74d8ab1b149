"""The unchanging part of an index, and the search in it."""

import functools
import itertools
import os
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strandline.matching import building
from strandline.matching.building import cores, cut
from strandline.matching.columns import Columns, gather, number_of
from strandline.matching.entries import Match
from strandline.matching.filing import LISTED, Filing
from strandline.matching.layout import Layout
from strandline.matching.pages import kernels, kernels_loaded
from strandline.matching.planning import Plan, plan_for

_Words = NDArray[np.uint64]
_Rows = NDArray[np.uint32]
#: Rows compared at once by numpy: 4 MB of words.
_PIECE = 1 << 17
#: Scans of a short list after which the compiled loops are loaded for the next.
_WORTH_LOADING = 4000
#: Queries after which it is looked whether every page was checked by now.
_SETTLED_EVERY = 512


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
        #: Queries answered.
        self.asked = 0
        self.resize(4096)

    def resize(self, matches: int) -> None:
        self.rows = np.empty(matches, np.uint32)
        self.distances = np.empty(matches, np.uint32)


class Base(Filing):
    """Everything that was built, to be searched. Safe to share between threads."""

    def __init__(self, layout: Layout, data: _Words, *, checked: bool) -> None:
        """See :class:`Sections`."""
        super().__init__(layout, data, checked=checked)
        self._room = _Room()
        self._plans: dict[int, Plan] = {}
        #: Queries of a short list that were answered by numpy.
        self._scanned = 0

    def plan(self, radius: int) -> Plan:
        """How this radius is searched."""
        if radius not in self._plans:
            places = {name: start for name, (start, _) in self._sections.items()}
            self._plans[radius] = plan_for(self.layout.bands, radius, self.hashes, places)
        return self._plans[radius]

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
                room.asked += 1
                if room.asked % _SETTLED_EVERY == 0:
                    pages.settle()
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
        """Compare every hash of a short list: by numpy, until the compiled loops are worth a wait.

        These are four times as fast, and loading them takes as long as thousands of such scans.
        """
        self._scanned += 1
        if self._scanned > _WORTH_LOADING or kernels_loaded():
            return self._scan(query, radius, 1)
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
        if len(entries) <= LISTED:
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


def _joined(found: list[Found]) -> Found:
    if len(found) == 1:
        return found[0]
    none = np.zeros(0, np.uint32)
    return Found(
        np.concatenate([none, *(each.rows for each in found)]),
        np.concatenate([none, *(each.distances for each in found)]),
    )
