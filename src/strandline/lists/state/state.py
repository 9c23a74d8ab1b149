"""The store of a list that is open: asked from any thread, changed by one process at a time."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from strandline.errors import ListRefused
from strandline.hashing import SAME_PICTURE, FilmHash
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.events import Fingerprints, Kind
from strandline.lists.state import generations
from strandline.lists.state.generations import Generation
from strandline.lists.state.hits import Hit, Query
from strandline.lists.state.outcome import Happened, Numbers, Outcome, Prior, come_to
from strandline.lists.state.recent import Batch, pack, unpack
from strandline.lists.state.store import Current, Seen, Store
from strandline.lists.state.table import (
    KINDS,
    QUARANTINED,
    Part,
    Row,
    Table,
    Words,
    merged,
    table_of,
)
from strandline.lists.state.taking import happened
from strandline.lists.state.view import Tally, View, tallied

#: Changed entries kept beside the arrays: so many at least before the arrays are written anew, …
RECENT_LEAST = 10_000
#: … so many at most; between these, one in fifty of the list.
RECENT_MOST = 100_000
_SHARE = 50


@dataclass(frozen=True)
class Step:
    """Blocks that bring a list to an edition: those of a snapshot, or its events."""

    edition: int
    #: Of whatever classes, in any order; may be gone through more than once.
    blocks: Iterable[Block]
    snapshot: bool = False


@dataclass(frozen=True)
class Count:
    """Entries of one class: live, and under quarantine."""

    live: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class Held:
    """One entry as it is held."""

    number: int
    entry_class: EntryClass
    kind: Kind
    pipeline: str
    #: Of the event that says what the entry is.
    sequence: int
    #: Edition with which it reached this copy.
    edition: int
    #: Under quarantine it is not matched.
    quarantined: bool
    #: None where the copy has no column in which the entry has a value.
    fingerprints: Fingerprints | None

    @property
    def name(self) -> str:
        """What a match reports: ``entry-17``."""
        return f"entry-{self.number}"


#: Looks at what each class would come to; raises ListRefused to have nothing applied.
Check = Callable[[dict[EntryClass, Count]], None]


class State:
    """Make it with :meth:`build` or :meth:`open`.

    Other processes see what was applied with their next question. Everything raises ListRefused
    when the files are not as they were written, and OSError when they cannot be written.

    What is held may be withheld, with a sentence: then every question is refused with it, unless
    it was opened ``even_withheld``, to be looked at and not to be answered from.
    """

    def __init__(self, directory: Path, *, even_withheld: bool = False) -> None:
        self.directory = directory
        self._even_withheld = even_withheld
        self._lock = threading.RLock()
        self._store = Store(directory)
        self._seen, self._view = self._looked()

    @classmethod
    def open(cls, directory: Path, *, even_withheld: bool = False) -> Self:
        """Open what is held in ``directory``; raises ListRefused when there is nothing."""
        return cls(directory, even_withheld=even_withheld)

    @classmethod
    def build(
        cls,
        directory: Path,
        steps: Sequence[Step],
        *,
        edition: int | None = None,
        check: Check | None = None,
        withheld: str = "",
    ) -> Self:
        """Hold what the steps come to and nothing else, whatever was held before.

        ``edition`` is where they lead, when that is further than the last step. All or nothing:
        until it is complete, whoever has the store open is answered from before. With a sentence
        ``withheld`` nobody is answered from it then.
        Raises ListRefused when events contradict each other.
        """
        words, events, last = _gathered(steps, Words(), _scratch(directory))
        last = replace(last, edition=max(last.edition, edition or 0))
        outcome = come_to(events, _nothing)
        tally = tallied({}, _nothing(outcome.numbers), _now(outcome))
        if check:
            check(_counts(tally, words))
        store = Store(directory)
        with store.sole():
            _write(store, [outcome.fresh(events.table)], words, last, withheld)
        return cls(directory, even_withheld=bool(withheld))

    def apply(
        self,
        steps: Sequence[Step],
        *,
        edition: int | None = None,
        check: Check | None = None,
        withheld: str = "",
    ) -> None:
        """Apply the events of one edition or more: all of it, or nothing.

        ``edition`` is where they lead, when that is further than the last step. Few events take
        milliseconds and are found by the next question, unless they are ``withheld``.
        Raises ListRefused when they contradict what is held, or go back behind it.
        """
        with self._store.sole():
            view = self._fresh()
            words, events, last = _gathered(steps, view.words, self.directory)
            first = events.table.scalar("sequence").min() if len(events) else view.sequence + 1
            if max(last.edition, edition or 0) < view.edition or int(first) <= view.sequence:
                raise ListRefused(
                    f"These events go back behind edition {view.edition}, which is held. "
                    "Nothing of them was applied."
                )
            last = replace(
                last,
                edition=max(last.edition, edition or 0),
                sequence=max(last.sequence, view.sequence),
            )
            outcome = come_to(events, view.prior)
            if check:
                before = view.prior(outcome.numbers)
                check(_counts(tallied(view.tally, before, _now(outcome)), words))
            changed = _Changed(events.table, outcome)
            room = min(max(RECENT_LEAST, len(view.generation.table) // _SHARE), RECENT_MOST)
            if len(view.recent) + len(outcome.numbers) <= room:
                rows = list(changed.rows(view))
                self._store.append(pack(replace(last, words=words, rows=rows)), withheld)
            else:
                _write(self._store, changed.parts(view), words, last, withheld)
        self._fresh()

    def _looked(self) -> tuple[Seen, View]:
        while True:
            seen = self._see()
            current = seen.current
            try:
                generation = Generation(self._store.folder(current), current.header)
                view = View(generation, current.edition, current.sequence, generation.words)
                self._catch_up(view, current)
            except ListRefused:
                if self._store.changed(seen):
                    continue  # a writer put another generation in place meanwhile
                raise
            return seen, view

    def _see(self) -> Seen:
        seen = self._store.see()
        if seen.current.withheld and not self._even_withheld:
            raise ListRefused(seen.current.withheld)
        return seen

    def _catch_up(self, view: View, current: Current) -> None:
        data = self._store.batches(current, view.length)
        batches = list(unpack(data))
        for batch in batches:
            view.put(batch)
        view.length = current.length

    def _fresh(self) -> View:
        """What counts now."""
        with self._lock:
            while self._store.changed(self._seen):
                seen = self._see()
                same = seen.current.generation == self._seen.current.generation
                if same and seen.current.length >= self._view.length:
                    try:
                        self._catch_up(self._view, seen.current)
                    except ListRefused:
                        if self._store.changed(seen):
                            continue
                        raise
                    self._seen = seen
                else:
                    self._seen, self._view = self._looked()
            return self._view

    # What is held.

    @property
    def withheld(self) -> str:
        """Why nothing may be answered from what is held; empty when it may."""
        with self._lock:
            self._fresh()
            return self._seen.current.withheld

    def withhold(self, withheld: str) -> None:
        """Withhold what is held, with a sentence, or without one let it be answered from."""
        with self._store.sole():
            self._store.withhold(withheld)

    @property
    def edition(self) -> int:
        """The edition that was applied last."""
        return self._fresh().edition

    @property
    def sequence(self) -> int:
        """Highest sequence number applied."""
        return self._fresh().sequence

    def counts(self) -> dict[EntryClass, Count]:
        """Entries of each class that has any."""
        view = self._fresh()
        return _counts(view.tally, view.words)

    def __len__(self) -> int:
        """Entries that are there, those under quarantine included."""
        return sum(live + quarantined for live, quarantined in self._fresh().tally.values())

    def entry(self, number: int) -> Held | None:
        """One entry; None when it is not on the list (any more)."""
        view = self._fresh()
        row = view.row(number)
        return None if row is None else _held(row, view.words)

    def entries(self, *, after: int = 0) -> Iterator[Held]:
        """All entries in rising order of their numbers, from behind ``after`` on, streamed."""
        view = self._fresh()
        for row in view.rows(after):
            yield _held(row, view.words)

    # Questions.

    def find(
        self,
        *,
        sha256: str | None = None,
        sha1: str | None = None,
        md5: str | None = None,
        pdq: str | None = None,
        quality: int = 100,
        radius: int = SAME_PICTURE,
    ) -> list[Hit]:
        """The live entries that a file matches, each once, strongest and nearest first.

        sha256 decides. A match by md5 or sha1 alone says so in ``Hit.weaker``, and is none when
        both sha256 are known and differ. A pdq of a quality below 50 is not compared.

        Raises ListRefused for a hash of another length, ValueError for a radius outside 0 to 256.
        """
        query = Query(sha256, sha1, md5, pdq, quality)
        return self.find_many([query], radius=radius, threads=1)[0]

    def find_many(
        self, queries: Sequence[Query], *, radius: int = SAME_PICTURE, threads: int | None = None
    ) -> list[list[Hit]]:
        """Answer :meth:`find` for each query, in order; ``threads`` is the number of cores."""
        return self._fresh().find(queries, radius, threads)

    def find_film(
        self, film: FilmHash, *, radius: int = SAME_PICTURE, threads: int | None = None
    ) -> list[Hit]:
        """The listed films and stills that a film shows, and where: see ``Hit.share``.

        Digests of the file are not looked at: ask :meth:`find` for them.
        """
        return self._fresh().find_film(film, radius, threads)

    def check_snapshots(self, steps: Sequence[Step]) -> None:
        """Raise ListRefused unless snapshots agree with what is held of the same time.

        A row that bears a sequence number that was applied here already must be held here, as it
        is there.
        """
        view = self._fresh()
        words = view.words.copy()
        # Of an older snapshot, entries may have changed since, in ways that are held here.
        told = [step for step in steps if step.snapshot and step.edition >= view.edition]
        given = ((step.edition, step.blocks, True) for step in told)
        events = happened(given, words, _scratch(self.directory)).table
        old = np.flatnonzero(events.scalar("sequence") <= view.sequence)
        theirs = merged([Part(events, old)])
        ours = view.merged(events.scalar("number")[old])
        if not _agree(theirs, ours, {"edition", "state"}):
            raise ListRefused(
                "The snapshots that are published contradict what is held of the same time: the "
                "publisher's history was changed."
            )

    def comes_to(self, steps: Sequence[Step]) -> bool:
        """Whether what is held is what the steps come to, entry by entry and byte by byte."""
        view = self._fresh()
        words, events, _ = _gathered(steps, view.words, _scratch(self.directory))
        outcome = come_to(events, _nothing)
        theirs = merged([outcome.fresh(events.table)])
        return words == view.words and _agree(theirs, view.merged(None), {"edition"})

    def verify(self) -> None:
        """Read every byte of the store; raises ListRefused for one that is not as written."""
        view = self._fresh()
        self._store.verify(self._seen.current)
        view.generation.verify()


@dataclass(frozen=True)
class _Changed:
    """Rows as events leave them, and those of before that are not touched."""

    events: Table
    outcome: Outcome

    def rows(self, view: View) -> Iterator[Row]:
        """The touched entries, one by one; those of state 0 are withdrawn."""
        outcome = self.outcome
        places = zip(
            outcome.numbers.tolist(), outcome.state.tolist(), outcome.rows.tolist(), strict=True
        )
        for number, state, place in places:
            row = self.events.row(place) if place >= 0 else view.row(number)
            if row is None:  # it came and went within these events, telling nothing
                continue
            yield replace(row, state=state)

    def parts(self, view: View) -> list[Part]:
        """Everything that is there from now on."""
        table = view.generation.table
        recent = view.recent.rows
        hidden = np.union1d(
            self.outcome.numbers, np.fromiter(recent.keys(), np.uint64, len(recent))
        )
        untouched = np.flatnonzero(~np.isin(table.scalar("number"), hidden))
        touched = set(self.outcome.numbers.tolist())
        numbers, states = self.outcome.kept()
        kept = []
        for number, state in zip(numbers.tolist(), states.tolist(), strict=True):
            row = view.row(number)
            assert row is not None  # an entry in another state is one that was there
            kept.append(replace(row, state=state))
        kept += [row for row in recent.values() if row.state and row.number not in touched]
        others = table_of(sorted(kept, key=lambda row: row.number))
        return [
            Part(table, untouched),
            Part(others, np.arange(len(others))),
            self.outcome.fresh(self.events),
        ]


def _agree(
    theirs: Iterable[tuple[str, NDArray[Any]]],
    ours: Iterable[tuple[str, NDArray[Any]]],
    but: set[str],
) -> bool:
    """Whether two tables are one; one array of each is in memory at a time."""
    return all(
        name == other and (name in but or np.array_equal(array, its))
        for (name, array), (other, its) in zip(theirs, ours, strict=True)
    )


def _scratch(directory: Path) -> Path:
    """A folder for files without names: on the store's disk, unless that may only be read."""
    near = (folder for folder in (directory, directory.parent) if os.access(folder, os.W_OK))
    return next(near, Path(tempfile.gettempdir()))


def _gathered(steps: Sequence[Step], known: Words, scratch: Path) -> tuple[Words, Happened, Batch]:
    """All events of the steps, the words they name, and where they lead, without rows."""
    words = known.copy()
    given = ((step.edition, step.blocks, step.snapshot) for step in steps)
    events = happened(given, words, scratch)
    sequence = int(events.table.scalar("sequence").max()) if len(events) else 0
    edition = max((step.edition for step in steps), default=0)
    return words, events, Batch(edition, sequence, words, ())


def _write(store: Store, parts: Sequence[Part], words: Words, last: Batch, withheld: str) -> None:
    name = store.next_generation()
    digest = generations.write(store.stage(name), parts, words)
    store.switch(name, digest, last.edition, last.sequence, withheld)


def _nothing(numbers: Numbers) -> Prior:
    return Prior(np.zeros(len(numbers), np.uint8), np.zeros(len(numbers), np.uint16))


def _now(outcome: Outcome) -> Prior:
    return Prior(outcome.state, outcome.entry_class)


def _counts(tally: Tally, words: Words) -> dict[EntryClass, Count]:
    return {
        words.classes[place]: Count(live, quarantined)
        for place, (live, quarantined) in sorted(tally.items())
        if live or quarantined
    }


def _held(row: Row, words: Words) -> Held:
    return Held(
        row.number,
        words.classes[row.entry_class],
        KINDS[row.kind - 1],
        words.pipelines[row.pipeline],
        row.sequence,
        row.edition,
        row.state == QUARANTINED,
        row.fingerprints(),
    )
