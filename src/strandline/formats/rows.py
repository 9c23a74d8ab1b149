"""What a row of anybody's list says, in one neutral shape: theirs in words, ours in none.

A row keeps the source's own words for category and labels. What they mean to a hotline is for the
hotline to say; see ``hotline/exchange``.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from strandline.errors import FormatRefused


class Kind(StrEnum):
    """What was hashed, where the source says so."""

    IMAGE = "image"
    VIDEO = "video"


#: Hexadecimal digits of each digest, in the order in which a row is named by them.
DIGITS = {"sha256": 64, "sha1": 40, "md5": 32, "pdq": 64, "photodna": 288}
_HEX = {name: re.compile(f"[0-9a-f]{{{digits}}}") for name, digits in DIGITS.items()}

#: Longest text of one field, in characters, and most labels of one row.
LONGEST_TEXT = 500
MOST_LABELS = 50


@dataclass(frozen=True, slots=True)
class HashRow:
    """One picture or film as somebody else listed it.

    Digests are lower-case hex or None. Raises FormatRefused for a digest that is none, and for a
    row that has none and is not withdrawn.
    """

    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None
    pdq: str | None = None
    #: 0 to 100; None where the source does not say.
    quality: int | None = None
    #: 288 hex digits of 144 opaque bytes, passed on and never computed.
    photodna: str | None = None
    kind: Kind | None = None
    #: In the source's own words; empty where it gives none.
    category: str = ""
    #: Tags and series of the source, without repeats, in its order.
    labels: tuple[str, ...] = ()
    #: What the source answers with yes or no, by our names for it, sorted:
    #: ``("distributed", True)``, ``("victim-identified", False)`` …
    facts: tuple[tuple[str, bool], ...] = ()
    #: The number or name the source gives this row; empty where it gives none.
    source_id: str = ""
    #: Who contributed the row, in the source's words.
    contributor: str = ""
    #: When the source last changed it; always with a time zone.
    changed: datetime | None = None
    #: Bytes of the file that was hashed.
    size: int | None = None
    #: The source took it back. Such a row may have no digest, only a ``source_id``.
    withdrawn: bool = False
    #: Where it stood in the file it was read from: ``line 7``, ``element 12``.
    place: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name, shape in _HEX.items():
            value = getattr(self, name)
            if value is not None and shape.fullmatch(value) is None:
                raise FormatRefused(
                    self.place, f"{name} is not {DIGITS[name]} lower-case hexadecimal digits."
                )
        if not self.withdrawn and not (
            self.md5 or self.sha1 or self.sha256 or self.pdq or self.photodna
        ):
            raise FormatRefused(self.place, "There is no hash here.")
        if self.changed is not None and self.changed.tzinfo is None:
            raise FormatRefused(self.place, "The time of a change has no time zone.")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One row that says nothing usable, in a file that can be read otherwise."""

    place: str
    #: A sentence that repeats no hash.
    reason: str
