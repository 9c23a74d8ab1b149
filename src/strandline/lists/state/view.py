"""One consistent look at a store: the arrays, what changed since, and how queries are answered."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strandline.hashing import MIN_QUALITY, FilmHash
from strandline.lists.published.classes import Column
from strandline.lists.state.generations import Generation
from strandline.lists.state.hits import COLLIDING, EXACT, Hit, Query, in_order
from strandline.lists.state.outcome import ABSENT, Numbers, Prior
from strandline.lists.state.recent import Batch, Recent
from strandline.lists.state.table import (
    FRAME,
    KINDS,
    LIVE,
    QUARANTINED,
    Part,
    Row,
    Words,
    merged,
    table_of,
)
from strandline.matching.films import Seconds, joined

#: Seconds for which the last frame of a film is taken to be seen.
_LAST = 1.0
#: What else of an entry is read when it was found by a digest.
_TELLING = {column: (Column.SHA256,) if column in COLLIDING else () for column in EXACT}
#: Entries of each class, by its place among the words: live, and under quarantine.
Tally = dict[int, tuple[int, int]]


@dataclass
class View:
    """What a store held at one time; changes are put in, and a new generation is a new view."""

    generation: Generation
    edition: int
    sequence: int
    words: Words
    recent: Recent = field(default_factory=Recent)
    #: Bytes of batches that were put in.
    length: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.tally = self._counted()

    def _counted(self) -> Tally:
        table = self.generation.table
        both = table.scalar("entry_class").astype(np.uint32) * 4 + table.scalar("state")
        counts = np.bincount(both, minlength=4 * len(self.words.classes)).tolist()
        return {
            place: (counts[4 * place + LIVE], counts[4 * place + QUARANTINED])
            for place in range(len(self.words.classes))
        }

    def put(self, batch: Batch) -> None:
        """Let a batch count, which is all of it or nothing to whoever asks meanwhile."""
        with self._lock:
            numbers = np.array([row.number for row in batch.rows], np.uint64)
            prior = self.prior(numbers)
            states = np.array([row.state for row in batch.rows], np.uint8)
            classes = np.array([row.entry_class for row in batch.rows], np.uint16)
            self.tally = tallied(self.tally, prior, Prior(states, classes))
            self.words = batch.words
            self.recent.put(batch.rows)
            self.edition, self.sequence = batch.edition, batch.sequence

    def prior(self, numbers: Numbers) -> Prior:
        """State and class of these entries; what changed since the arrays comes first."""
        table = self.generation.table
        places = table.find(numbers)
        there = places >= 0
        state, entry_class = np.zeros(len(numbers), np.uint8), np.zeros(len(numbers), np.uint16)
        state[there] = table.scalar("state")[places[there]]
        entry_class[there] = table.scalar("entry_class")[places[there]]
        if self.recent.rows:
            for at, number in enumerate(numbers.tolist()):
                row = self.recent.rows.get(number)
                if row is not None:
                    state[at], entry_class[at] = row.state, row.entry_class
        return Prior(state, entry_class)

    def row(self, number: int) -> Row | None:
        """One entry, live or under quarantine; None when it is not there."""
        with self._lock:
            row = self.recent.rows.get(number)
        if row is None:
            place = int(self.generation.table.find(np.array([number], np.uint64))[0])
            return None if place < 0 else self.generation.table.row(place)
        return None if row.state == ABSENT else row

    def rows(self, after: int) -> Iterator[Row]:
        """All entries that are there, behind a number, in rising order."""
        table = self.generation.table
        with self._lock:
            late = sorted(self.recent.rows.items(), key=lambda each: each[0])
        hidden = {number for number, _ in late}
        waiting = [row for number, row in late if number > after and row.state != ABSENT]
        numbers = table.scalar("number")
        begin = int(np.searchsorted(numbers, np.uint64(after), side="right"))
        waiting.reverse()
        for place in range(begin, len(table)):
            number = int(numbers[place])
            while waiting and waiting[-1].number < number:
                yield waiting.pop()
            if number not in hidden:
                yield table.row(place)
        yield from reversed(waiting)

    def merged(self, numbers: Numbers | None) -> Iterator[tuple[str, NDArray[Any]]]:
        """By name the arrays of all entries that are there, or of those of ``numbers`` that are."""
        table = self.generation.table
        with self._lock:
            late = [row for _, row in sorted(self.recent.rows.items()) if row.state != ABSENT]
            hidden = np.fromiter(self.recent.rows.keys(), np.uint64, len(self.recent.rows))
        held = table.scalar("number")
        chosen = ~np.isin(held, hidden)
        if numbers is not None:
            chosen &= np.isin(held, numbers)
            wanted = set(numbers.tolist())
            late = [row for row in late if row.number in wanted]
        parts = [Part(table, np.flatnonzero(chosen)), Part(table_of(late), np.arange(len(late)))]
        return merged(parts)

    # Questions.

    def find(self, queries: Sequence[Query], radius: int, threads: int | None) -> list[list[Hit]]:
        """The hits of each query, in order."""
        found: list[list[Hit]] = [[] for _ in queries]
        for column in EXACT:
            self._find_digests(queries, column, found)
        asked = [
            (place, query.pdq)
            for place, query in enumerate(queries)
            if query.pdq is not None and query.quality >= MIN_QUALITY
        ]
        near = self.near([pdq for _, pdq in asked], radius, threads)
        for (place, _), hits in zip(asked, near, strict=True):
            found[place] += hits
        return [in_order(hits) for hits in found]

    def _find_digests(
        self, queries: Sequence[Query], column: Column, found: list[list[Hit]]
    ) -> None:
        asked = [(n, raw) for n, query in enumerate(queries) if (raw := query.raw(column))]
        rows = self.generation.with_digests(column, [raw for _, raw in asked])
        with self._lock:
            for (place, raw), held in zip(asked, rows, strict=True):
                entries = [row for at in held if (row := self._unchanged(at, _TELLING[column]))]
                for row in (*entries, *self.recent.with_digest(column, raw)):
                    # Of two files with one md5, sha256 tells which of them is listed.
                    known = row.values.get(Column.SHA256), queries[place].raw(Column.SHA256)
                    if column in COLLIDING and all(known) and known[0] != known[1]:
                        continue
                    found[place].append(self._hit(row, column, 0, 0))

    def near(self, hashes: Sequence[str], radius: int, threads: int | None) -> list[list[Hit]]:
        """Pictures, and films by their frames, within the radius of each hash."""
        pictures = self.generation.near(hashes, radius, threads)
        frames = self.generation.near_frames(hashes, radius, threads)
        answers: list[list[Hit]] = []
        with self._lock:
            late = self.recent.near(hashes, radius)
            late_frames = self.recent.near_frames(hashes, radius)
            for n in range(len(hashes)):
                found = [(row, d) for at, d in pictures[n] if (row := self._unchanged(at))]
                hits = [self._hit(row, Column.PDQ, d, radius) for row, d in (*found, *late[n])]
                shown = [
                    (row, f, d)
                    for at, f, d in frames[n]
                    if (row := self._unchanged(at, frames=True))
                ]
                hits += self._films([*shown, *late_frames[n]], radius)
                answers.append(hits)
        return answers

    def _unchanged(
        self, place: int, columns: Sequence[Column] = (), *, frames: bool = False
    ) -> Row | None:
        """A row of the arrays with what is wanted, unless something newer is known of its entry."""
        table = self.generation.table
        number = table.scalar("number").item(place)
        return None if number in self.recent.rows else table.part(place, columns, frames=frames)

    def _films(self, frames: Sequence[tuple[Row, int, int]], radius: int) -> list[Hit]:
        by_film: defaultdict[int, list[tuple[Row, int, int]]] = defaultdict(list)
        for each in frames:
            by_film[each[0].number].append(each)
        hits = []
        for found in by_film.values():
            row, distance = found[0][0], min(each[2] for each in found)
            ranges = joined([_seconds(row, frame) for _, frame, _ in found])
            hits.append(replace(self._hit(row, Column.VIDEO, distance, radius), ranges=ranges))
        return hits

    def _hit(self, row: Row, column: Column, distance: int, radius: int) -> Hit:
        return Hit(
            row.number,
            self.words.classes[row.entry_class],
            KINDS[row.kind - 1],
            column,
            distance,
            radius,
            row.edition,
            row.sequence,
            self.words.pipelines[row.pipeline],
        )

    def find_film(self, film: FilmHash, radius: int, threads: int | None) -> list[Hit]:
        """Films and stills that a film shows, with the share it has of each."""
        seen: dict[tuple[int, Column], Hit] = {}
        asked: defaultdict[tuple[int, Column], list[Seconds]] = defaultdict(list)
        near = self.near([frame.pdq for frame in film.frames], radius, threads)
        for frame, hits in zip(film.frames, near, strict=True):
            for hit in hits:
                key = hit.number, hit.column
                asked[key].append(Seconds(frame.start, frame.end))
                before = seen.get(key, hit)
                nearest = min(before, hit, key=lambda each: each.distance)
                ranges = joined((*before.ranges, *hit.ranges))
                seen[key] = replace(nearest, ranges=ranges)
        whole = sum(frame.end - frame.start for frame in film.frames)
        answers = []
        for key, hit in seen.items():
            ranges = joined(asked[key])
            share = sum(end - start for start, end in ranges) / whole if whole else 0.0
            answers.append(replace(hit, query_ranges=ranges, share=min(1.0, share)))
        return in_order(answers)


def tallied(before: Tally, was: Prior, now: Prior) -> Tally:
    """The tally once entries that were in one state are in another."""
    after = dict(before)
    for prior, step in ((was, -1), (now, 1)):
        both = prior.entry_class.astype(np.uint32) * 4 + prior.state
        counts = np.bincount(both).tolist()
        for place in range(0, len(counts), 4):
            live, quarantined = (
                step * counts[place + each] if place + each < len(counts) else 0
                for each in (LIVE, QUARANTINED)
            )
            if live or quarantined:
                held = after.get(place // 4, (0, 0))
                after[place // 4] = (held[0] + live, held[1] + quarantined)
    return after


def _seconds(row: Row, frame: int) -> Seconds:
    """From when to when a frame is taken to be seen: until the next one."""
    frames = np.frombuffer(row.frames, FRAME)
    start = int(frames[frame]["ms"]) / 1000
    end = int(frames[frame + 1]["ms"]) / 1000 if frame + 1 < len(frames) else start + _LAST
    return Seconds(start, max(start, end))
