"""Likenesses to common innocent pictures are none: a logo is nobody's copy of anything.

The rule, once, for a member's copy and for the match service: what was found by likeness alone
does not count where what was asked about is within the radius of a known innocent picture. The
same bytes as an entry's are still that entry. Of a film each frame is judged by itself: an innocent
one does not hide the others.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from strandline.hashing import SAME_PICTURE
from strandline.lists.published.classes import Column
from strandline.matching import Index

#: Columns by which likeness is found, not the same bytes.
LIKENESS = frozenset({Column.PDQ, Column.VIDEO})
#: Bits of 256 that may differ from an innocent picture, whatever radius entries are asked with.
RADIUS = SAME_PICTURE


class Found(Protocol):
    """A hit, of whoever asks."""

    @property
    def column(self) -> Column:
        """By what it was found."""


F = TypeVar("F", bound=Found)


def without_likenesses(hits: Iterable[F], innocent: Callable[[F], bool]) -> list[F]:
    """The hits that count: all but likenesses of what is ``innocent``."""
    return [hit for hit in hits if hit.column not in LIKENESS or not innocent(hit)]


class Nearest(NamedTuple):
    """The innocent picture that something looks like most."""

    #: Its place among those given.
    place: int
    #: Bits of 256 in which the two differ.
    distance: int


class Innocents:
    """PDQ hashes of innocent pictures; those of which none is known keep their place."""

    def __init__(self, hashes: Iterable[str | None] = ()) -> None:
        self._index = Index.build((str(place), pdq) for place, pdq in enumerate(hashes) if pdq)

    def __len__(self) -> int:
        return len(self._index)

    def nearest(self, hashes: Sequence[str]) -> list[Nearest | None]:
        """For each PDQ hash the nearest innocent picture within the radius, if there is one."""
        if not len(self._index) or not hashes:
            return [None] * len(hashes)
        return [
            Nearest(int(matches[0].id), matches[0].distance) if matches else None
            for matches in self._index.query_many(hashes, RADIUS)
        ]
