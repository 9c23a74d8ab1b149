"""What a list is asked, and what it answers: hits, strongest and nearest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from strandline.errors import ListRefused
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.events import WIDTHS, Kind
from strandline.matching.films import Seconds

#: Columns by which the very same bytes are found, strongest first.
EXACT = (Column.SHA256, Column.SHA1, Column.MD5)
#: Those for which two different files with one digest can be made.
COLLIDING = frozenset({Column.SHA1, Column.MD5})
_DIGITS = re.compile(r"[0-9a-fA-F]*")
_STRENGTH = {column: rank for rank, column in enumerate((*EXACT, Column.PDQ, Column.VIDEO))}


@dataclass(frozen=True)
class Query:
    """What is known of one file; everything may be left out.

    Raises ListRefused for a hash that is not the right number of hex digits.
    """

    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None
    pdq: str | None = None
    #: PDQ quality, 0 to 100; below 50 the pdq is not compared.
    quality: int = 100

    def __post_init__(self) -> None:
        for column in (*EXACT, Column.PDQ):
            value = getattr(self, column.value)
            digits = 2 * WIDTHS[column]
            if value is None:
                continue
            if not isinstance(value, str) or len(value) != digits or not _DIGITS.fullmatch(value):
                raise ListRefused(f"{column} must be {digits} hexadecimal digits.")
            object.__setattr__(self, column.value, value.lower())

    def raw(self, column: Column) -> bytes | None:
        """The bytes of a digest or hash; None when it is not known."""
        value = getattr(self, column.value)
        return None if value is None else bytes.fromhex(value)


@dataclass(frozen=True)
class Hit:
    """One entry that a query matches, by the strongest column that does."""

    number: int
    entry_class: EntryClass
    kind: Kind
    #: By what it was found. ``video``: a frame of the listed film.
    column: Column
    #: Bits that differ, of 256; 0 for the same bytes.
    distance: int
    #: The most bits that were allowed to differ; 0 for the same bytes.
    radius: int
    #: Edition with which the entry, as it is now, reached this copy.
    edition: int
    #: Sequence number of the event that says what the entry is.
    sequence: int
    pipeline: str
    #: Where in the listed film, for ``video``.
    ranges: tuple[Seconds, ...] = ()
    #: Where in the film that was asked about.
    query_ranges: tuple[Seconds, ...] = ()
    #: Of the asked film's seconds, those that match, 0 to 1.
    share: float = 0.0

    @property
    def name(self) -> str:
        """What is reported: ``entry-17``."""
        return f"entry-{self.number}"

    @property
    def exact(self) -> bool:
        """The same bytes, as far as the digest can tell."""
        return self.column in EXACT

    @property
    def weaker(self) -> bool:
        """Found by md5 or sha1 only: others can make a file that has the same one."""
        return self.column in COLLIDING


def in_order(hits: Sequence[Hit]) -> list[Hit]:
    """Each entry once, by its strongest hit; the strongest and nearest first, then by number."""
    best: dict[int, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (_STRENGTH[hit.column], hit.distance, hit.number)):
        best.setdefault(hit.number, hit)
    return list(best.values())
