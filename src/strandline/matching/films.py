"""Films and stills in one index: a film's ranges as entries, matches as ranges of time.

A range of a film is an entry whose id is the film's, ``#``, and its seconds, as in
``lake#12.000-15.000``. Ids of stills have no such ending. So one search of one index finds a film
by a still, a still by a film, and a film by a film.

Only :func:`prefilter` reads a file, through the sandbox of ``strandline.media``.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from strandline.hashing.film import FilmHash, Policy, hash_film
from strandline.matching.entries import Entry, Match
from strandline.matching.index import Index
from strandline.media import Sandbox

_RANGE = re.compile(r"(?P<film>.+)#(?P<start>\d+\.\d{3})-(?P<end>\d+\.\d{3})", re.DOTALL)
#: Ranges this near, in seconds, are told as one.
_TOUCHING = 0.05
#: After a key frame that is found, so many seconds are looked at closely, if no other key frame
#: comes before: the frames that decode without any from before it.
REACH = 4


class Seconds(NamedTuple):
    """From when to when, in seconds from a film's start."""

    start: float
    end: float


@dataclass(frozen=True)
class Found:
    """A listed film or still that a query shows."""

    #: The film's or the still's id, as it was given to the index.
    id: str
    #: Of the nearest frame: how many bits differ.
    distance: int
    #: Where in the listed film; empty for a still.
    ranges: tuple[Seconds, ...]
    #: Where in the film that was asked about; empty for a still.
    query_ranges: tuple[Seconds, ...] = ()
    #: Share of the asked film's seconds that match, 0 to 1, of those that can be fingerprinted.
    share: float = 0.0
    labels: tuple[str, ...] = ()

    @property
    def is_film(self) -> bool:
        """A film, not a still, is what was listed."""
        return bool(self.ranges)


def entries_of(film: FilmHash, id: str, labels: Iterable[str] = ()) -> Iterator[Entry]:  # noqa: A002
    """Yield an index entry for each range of a film."""
    kept = tuple(labels)
    for frame in film.frames:
        yield Entry(f"{id}#{frame.start:.3f}-{frame.end:.3f}", frame.pdq, kept)


def split_id(id: str) -> tuple[str, Seconds | None]:  # noqa: A002 - the field's word
    """Return the id of the film and the range that an entry's id names; None for a still."""
    named = _RANGE.fullmatch(id)
    if named is None:
        return id, None
    return named["film"], Seconds(float(named["start"]), float(named["end"]))


def find_still(index: Index, pdq: str, radius: int = 31) -> list[Found]:
    """Find the films that show a still and when, and the stills that look like it, nearest first.

    Raises:
        ValueError: ``pdq`` is not 64 hex digits.
    """
    gathered = _Gathered()
    for match in index.query(pdq, radius):
        gathered.add(match, None)
    return gathered.found(0.0)


def find_film(index: Index, film: FilmHash, radius: int = 31) -> list[Found]:
    """Find the films and stills that a film shows, nearest first, with the share it has of each."""
    gathered = _Gathered()
    answers = index.query_many([frame.pdq for frame in film.frames], radius)
    for frame, matches in zip(film.frames, answers, strict=True):
        for match in matches:
            gathered.add(match, Seconds(frame.start, frame.end))
    return gathered.found(sum(frame.end - frame.start for frame in film.frames))


def prefilter(
    index: Index, path: Path, sandbox: Sandbox | None = None, *, radius: int = 31
) -> tuple[list[Found], FilmHash | None]:
    """Look at a film's key frames; where one is found, look closely at the seconds after it.

    Returns what the closer look found, with what it saw; nothing and None where no key frame is
    found: then most, but not all, films have nothing to find (``docs/film.md``).

    Raises:
        Undecodable, TooLarge, TimedOut: the verdict on this file.
        NoFilmDecoder: PyAV is not installed.
        OSError: the file cannot be read.
    """
    keys = hash_film(path, sandbox, policy=Policy.KEYFRAMES)
    answers = index.query_many([frame.pdq for frame in keys.frames], radius)
    hits = [frame for frame, matches in zip(keys.frames, answers, strict=True) if matches]
    if not hits:
        return [], None
    ranges: list[tuple[int, int]] = []
    for hit in hits:
        first = -int(-hit.start // 1)
        last = max(first + 1, min(first + REACH, -int(-hit.end // 1)))
        if ranges and first <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
    close = hash_film(path, sandbox, ranges=ranges, digests=keys.digests)
    gathered = _Gathered()
    for hit in hits:
        until = min(hit.end, float(-int(-hit.start // 1)))  # the closer look begins there
        for match in index.query(hit.pdq, radius):
            gathered.add(match, Seconds(hit.start, until))
    for frame in close.frames:
        for match in index.query(frame.pdq, radius):
            gathered.add(match, Seconds(frame.start, frame.end))
    return gathered.found(sum(end - first for first, end in ranges)), close


@dataclass
class _Seen:
    distance: int
    labels: tuple[str, ...]
    ranges: list[Seconds] = field(default_factory=list)
    asked: list[Seconds] = field(default_factory=list)


class _Gathered:
    """Matches of entries, gathered by the film or still they belong to."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bool], _Seen] = {}

    def add(self, match: Match, asked: Seconds | None) -> None:
        name, at = split_id(match.id)
        seen = self._seen.setdefault((name, at is None), _Seen(match.distance, match.labels))
        seen.distance = min(seen.distance, match.distance)
        if at is not None:
            seen.ranges.append(at)
        if asked is not None:
            seen.asked.append(asked)

    def found(self, seconds: float) -> list[Found]:
        answers = []
        for (name, _), seen in self._seen.items():
            asked = joined(seen.asked)
            shared = sum(end - start for start, end in asked)
            share = min(1.0, shared / seconds) if seconds else 0.0
            answers.append(
                Found(name, seen.distance, joined(seen.ranges), asked, share, seen.labels)
            )
        return sorted(answers, key=lambda found: (found.distance, found.id))


def joined(ranges: Sequence[Seconds]) -> tuple[Seconds, ...]:
    """Join ranges that overlap or touch; in order of time."""
    whole: list[Seconds] = []
    for start, end in sorted(ranges):
        if whole and start <= whole[-1].end + _TOUCHING:
            whole[-1] = Seconds(whole[-1].start, max(end, whole[-1].end))
        else:
            whole.append(Seconds(start, end))
    return tuple(whole)
