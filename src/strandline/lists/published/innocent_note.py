"""The text of the note of innocent pictures: logos, blank pictures, memes, by their hashes.

One text for one set of pictures, as docs/feedback.md describes it::

    hotline.example/innocent
    format 2
    number 3
    issued 2026-03-02T09:00:00Z
    pictures 2
    blank - 0000…
    logo 5a1f… -

A line a picture: what it is, its sha256, its PDQ hash, ``-`` where one is not known; sorted by the
two as they are written, each pair once.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from strandline.errors import ListRefused

FORMAT = 2
#: What a picture can be.
KINDS = frozenset({"logo", "blank", "meme", "interface", "artwork", "other"})
#: Pictures of one note: whoever stole the key that signs it can hide that many at most.
MAX_PICTURES = 10_000
#: Bytes of one note with its signatures.
MAX_BYTES = 2**21
#: Numbers are given one by one; a higher one would only keep all later notes out.
MAX_NUMBER = 10**9
_HEX = re.compile(r"[0-9a-f]{64}")
_ORIGIN = re.compile(r"[^\s+]{1,200}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HEAD = ("format", "number", "issued", "pictures")


@dataclass(frozen=True)
class InnocentPicture:
    """One innocent picture. Raises ListRefused for another kind, or without any hash."""

    what: str
    #: Hex, lower case; None where it is not known.
    sha256: str | None
    pdq: str | None

    def __post_init__(self) -> None:
        known = [each for each in (self.sha256, self.pdq) if each is not None]
        if self.what not in KINDS or not known or not all(map(_HEX.fullmatch, known)):
            raise ListRefused("An innocent picture has a kind and a hash of 64 hexadecimal digits.")

    @property
    def line(self) -> str:
        """Its line in the text."""
        return f"{self.what} {self.sha256 or '-'} {self.pdq or '-'}"

    @property
    def key(self) -> str:
        """What sorts the lines, and may stand only once."""
        return self.line.partition(" ")[2]


@dataclass(frozen=True)
class InnocentNote:
    """The innocent pictures of the list called ``origin``; a higher number replaces a lower one.

    Raises ListRefused when a part cannot stand in the text.
    """

    origin: str
    #: 1, 2, 3 … with each note that is signed.
    number: int
    #: Whole seconds, UTC.
    issued: datetime
    #: Sorted, no two with the same hashes: :meth:`of` sees to it.
    pictures: tuple[InnocentPicture, ...]

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin) or not 1 <= self.number <= MAX_NUMBER:
            raise ListRefused("A note of innocent pictures names a list and has a number.")
        if self.issued.utcoffset() is None or self.issued.microsecond:
            raise ListRefused(
                "A note of innocent pictures is issued at a whole second, with its time zone."
            )
        if len(self.pictures) > MAX_PICTURES:
            raise ListRefused(
                f"A note of innocent pictures has at most {MAX_PICTURES:,} of them, and this one "
                f"{len(self.pictures):,}."
            )
        keys = [each.key for each in self.pictures]
        if any(one >= other for one, other in itertools.pairwise(keys)):
            raise ListRefused("The pictures of a note are sorted, each once.")

    @classmethod
    def of(
        cls, origin: str, number: int, issued: datetime, pictures: Iterable[InnocentPicture]
    ) -> Self:
        """The note of these pictures in whatever order; of two with the same hashes, one."""
        by_key = {each.key: each for each in sorted(pictures, key=lambda each: each.line)}
        issued = issued.astimezone(UTC).replace(microsecond=0)
        return cls(origin, number, issued, tuple(by_key[key] for key in sorted(by_key)))

    def text(self) -> str:
        """The one text of this note, ready to be signed."""
        lines = [
            f"{self.origin}/innocent",
            f"format {FORMAT}",
            f"number {self.number}",
            f"issued {self.issued.astimezone(UTC).strftime(_TIME)}",
            f"pictures {len(self.pictures)}",
            *(each.line for each in self.pictures),
        ]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text`` back; raises ListRefused unless it is canonical."""
        try:
            found = cls._read(text)
        except (KeyError, ValueError) as error:
            raise ListRefused(
                "This is not the text of a note of innocent pictures. It was not used."
            ) from error
        if found.text() != text:
            raise ListRefused(
                "This note of innocent pictures is not in its one form. It was not used."
            )
        return found

    @classmethod
    def _read(cls, text: str) -> Self:
        first, *rest = text.removesuffix("\n").split("\n")
        words = dict(line.split(" ", 1) for line in rest[: len(_HEAD)])
        pictures = (line.split(" ") for line in rest[len(_HEAD) :])
        return cls(
            origin=first.removesuffix("/innocent"),
            number=int(words["number"]),
            issued=datetime.strptime(words["issued"], _TIME).replace(tzinfo=UTC),
            pictures=tuple(
                InnocentPicture(what, _known(sha256), _known(pdq)) for what, sha256, pdq in pictures
            ),
        )


def _known(word: str) -> str | None:
    return None if word == "-" else word
