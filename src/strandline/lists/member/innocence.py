"""Setting likenesses aside that are those of innocent pictures, by the note that a copy holds.

One key signs the note, and no other hotline certifies it. So it hides less than an edition takes
away: nothing of an entry that is innocent itself by that note. Such an entry is for its hotline to
quarantine, in an edition that is logged, certified and bounded.

A note that is missing, damaged or signed by another key hides nothing; ``list verify`` tells.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from strandline.errors import ListRefused
from strandline.hashing import MIN_QUALITY, FilmHash
from strandline.lists.member.innocent import open_innocent
from strandline.lists.member.layout import INNOCENT, Layout
from strandline.lists.published.classes import Column
from strandline.lists.published.events import Fingerprints
from strandline.lists.published.innocent_note import InnocentPicture
from strandline.lists.state import Hit, Query, State
from strandline.lists.state.innocence import LIKENESS, Innocents, Nearest, without_likenesses
from strandline.lists.trust.pinning import kept_policies
from strandline.matching.films import Seconds


@dataclass(frozen=True)
class SetAside:
    """A likeness that is no match, because of a known innocent picture."""

    hit: Hit
    #: What the innocent picture is: ``logo``, ``blank``, ``meme`` and so on.
    what: str
    #: Bits of 256 in which it differs from what was asked about; of a film, from its nearest frame.
    distance: int


@dataclass(frozen=True)
class Judged:
    """What counts, and what does not."""

    hits: list[Hit]
    aside: list[SetAside]


class Known:
    """The innocent pictures of one note."""

    def __init__(self, pictures: Sequence[InnocentPicture] = ()) -> None:
        self.pictures = pictures
        self._innocents = Innocents(each.pdq for each in pictures)

    def __len__(self) -> int:
        return len(self._innocents)

    def near(self, told: Fingerprints | None, column: Column | None = None) -> tuple[int, int]:
        """How many hashes of an entry, those of ``column`` or all, are innocent; of how many."""
        pdq = [told.pdq] if told and told.pdq and column is not Column.VIDEO else []
        frames = told.video if told and column is not Column.PDQ else ()
        hashes = pdq + [each.pdq for each in frames if each.quality >= MIN_QUALITY]
        found = self._innocents.nearest(hashes)
        return sum(each is not None for each in found), len(hashes)

    def contested(self, state: State, number: int, column: Column) -> bool:
        """Whether an entry is innocent itself, by more than half of its own hashes."""
        entry = state.entry(number)
        near, of = self.near(entry.fingerprints, column) if entry else (0, 0)
        return 2 * near > of

    def still(self, state: State, pdq: str | None, hits: list[Hit]) -> Judged:
        """Judge what a picture with this hash was found to match."""
        likely = pdq is not None and any(hit.column in LIKENESS for hit in hits)
        [near] = self._innocents.nearest([pdq]) if likely and pdq else [None]
        if near is None:
            return Judged(hits, [])
        kept = without_likenesses(
            hits, lambda hit: not self.contested(state, hit.number, hit.column)
        )
        return Judged(kept, [self._aside(hit, near) for hit in hits if hit not in kept])

    def film(self, state: State, film: FilmHash, radius: int) -> Judged:
        """Find what a film matches by the frames that are not innocent, and judge it."""
        hits = state.find_film(film, radius=radius)
        near = self._innocents.nearest([each.pdq for each in film.frames]) if hits else []
        if not any(near):
            return Judged(hits, [])
        rest = tuple(frame for frame, found in zip(film.frames, near, strict=True) if found is None)
        part = sum(each.end - each.start for each in rest)
        whole = sum(each.end - each.start for each in film.frames)
        others = {
            hit.number: replace(hit, share=hit.share * part / whole if whole else 0.0)
            for hit in (state.find_film(replace(film, frames=rest), radius=radius) if rest else ())
        }
        kept, aside = [], []
        for hit in hits:
            if self.contested(state, hit.number, hit.column):
                kept.append(hit)
            elif hit.number in others:
                kept.append(others[hit.number])
            else:
                shown = [
                    found
                    for frame, found in zip(film.frames, near, strict=True)
                    if found is not None and _within(frame.start, hit.query_ranges)
                ]
                aside.append(self._aside(hit, min(shown, key=lambda each: each.distance)))
        return Judged(kept, aside)

    def against(self, state: State) -> list[int]:
        """Numbers of entries that are innocent themselves by the note, and so are not hidden."""
        asked = [Query(pdq=each.pdq) for each in self.pictures if each.pdq]
        found = {
            (hit.number, hit.column)
            for hits in (state.find_many(asked) if asked else ())
            for hit in hits
        }
        return sorted({n for n, column in found if self.contested(state, n, column)})

    def _aside(self, hit: Hit, near: Nearest) -> SetAside:
        return SetAside(hit, self.pictures[near.place].what, near.distance)


class Innocence:
    """The innocent pictures of a copy, from any thread; a later sync's with the next question."""

    def __init__(self, directory: Path | None = None) -> None:
        """Without a ``directory`` there are none."""
        self._layout = Layout(directory) if directory else None
        self._lock = threading.Lock()
        self._seen: object = None
        self._known = Known()

    def now(self) -> Known:
        """Those that count now."""
        if self._layout is None:
            return self._known
        try:
            told = (self._layout.directory / INNOCENT).stat()
            seen = (told.st_ino, told.st_size, told.st_mtime_ns)
        except OSError:
            seen = None
        with self._lock:
            if seen != self._seen:
                self._known, self._seen = Known(self._read()), seen
            return self._known

    def _read(self) -> Sequence[InnocentPicture]:
        assert self._layout is not None
        try:
            data = (self._layout.directory / INNOCENT).read_bytes()
            note, _ = open_innocent(data, kept_policies(self._layout.trust)[0])
        except (OSError, ListRefused):
            return ()
        return note.pictures


def merged(first: Judged, *others: Judged) -> Judged:
    """One answer of several: each entry once, and aside only where nothing else found it."""
    hits = _once(hit for each in (first, *others) for hit in each.hits)
    known = {hit.number for hit in hits}
    aside: dict[int, SetAside] = {}
    for each in (first, *others):
        for found in each.aside:
            if found.hit.number not in known:
                aside.setdefault(found.hit.number, found)
    return Judged(hits, list(aside.values()))


def _once(hits: Iterable[Hit]) -> list[Hit]:
    found: dict[int, Hit] = {}
    for hit in hits:
        found.setdefault(hit.number, hit)
    return list(found.values())


def _within(moment: float, ranges: Sequence[Seconds]) -> bool:
    return any(start <= moment <= end for start, end in ranges)
