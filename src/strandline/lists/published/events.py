"""Events: the one way in which a list changes, and the entry that an event speaks of."""

import re
from dataclasses import dataclass
from enum import StrEnum

from strandline.errors import ListRefused
from strandline.lists.published.classes import Action, Column, EntryClass

#: Bytes of one value. ``video`` has many values for each entry; see :class:`Frame`.
WIDTHS = {
    Column.SHA256: 32,
    Column.SHA1: 20,
    Column.MD5: 16,
    Column.PDQ: 32,
    Column.PHOTODNA: 144,
}
#: Numbers must survive a reader whose only number is a double.
MOST = 2**53 - 1
MAX_FRAMES = 100_000
_PIPELINE = re.compile(r"[!-~]{1,60}")
_REASON = re.compile(r"[a-z][a-z0-9-]{0,39}|")
#: Events that say what the entry is; the others only name it.
TELLING = frozenset({Action.ADD, Action.AMEND})


class Kind(StrEnum):
    """What was fingerprinted."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True)
class Frame:
    """One frame of a film, or a run of frames that look alike."""

    #: Milliseconds from the beginning of the film.
    ms: int
    #: 0 to 100.
    quality: int
    #: 64 lower-case hex digits.
    pdq: str


@dataclass(frozen=True)
class Fingerprints:
    """What identifies an entry: lower-case hex, and None where a value is not known."""

    sha256: str | None = None
    sha1: str | None = None
    md5: str | None = None
    pdq: str | None = None
    #: PDQ quality, 0 to 100; below 50 the pdq is not compared.
    quality: int = 0
    #: In order of time.
    video: tuple[Frame, ...] = ()
    #: 288 hex digits, received from others.
    photodna: str | None = None

    def __post_init__(self) -> None:
        for column, width in WIDTHS.items():
            value = getattr(self, column.value)
            if value is not None and not _is_hex(value, 2 * width):
                raise ListRefused(f"{column} must be {2 * width} lower-case hexadecimal digits.")
        qualities = (self.quality, *(frame.quality for frame in self.video))
        if not all(0 <= quality <= 100 for quality in qualities):
            raise ListRefused("A quality must be between 0 and 100.")
        if len(self.video) > MAX_FRAMES:
            raise ListRefused(f"A film has at most {MAX_FRAMES} fingerprinted frames.")
        if not all(_is_hex(frame.pdq, 64) and 0 <= frame.ms < 2**32 for frame in self.video):
            raise ListRefused("A frame of a film has no valid fingerprint or time.")
        if not (self.video or any(getattr(self, column.value) for column in WIDTHS)):
            raise ListRefused("An entry must have at least one fingerprint.")


@dataclass(frozen=True)
class Entry:
    """One listed picture or film: fingerprints, never the picture."""

    #: 1 or more; given once, never reused.
    number: int
    entry_class: EntryClass
    kind: Kind
    #: Version of decoding and hashing that made the perceptual hashes; ``-`` when there are none.
    pipeline: str
    fingerprints: Fingerprints

    def __post_init__(self) -> None:
        if not 1 <= self.number <= MOST:
            raise ListRefused("The number of an entry must be 1 or more.")
        if not _PIPELINE.fullmatch(self.pipeline):
            raise ListRefused("A pipeline version is 1 to 60 printable characters, without spaces.")

    @property
    def name(self) -> str:
        """What a match reports: ``entry-17``."""
        return f"entry-{self.number}"


@dataclass(frozen=True)
class Event:
    """One change. Resume from its sequence number, never from a time."""

    #: 1 or more, rising through the whole list.
    sequence: int
    action: Action
    #: Of the entry it is about.
    number: int
    entry_class: EntryClass
    #: A word for why; empty where none is needed. ``moved``: the entry goes on in another class.
    reason: str = ""
    #: The entry as it is from now on; only of an ``add`` or an ``amend``.
    entry: Entry | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.sequence <= MOST:
            raise ListRefused("The sequence number of an event must be 1 or more.")
        if not _REASON.fullmatch(self.reason):
            raise ListRefused(f"{self.reason!r} is not a reason: a word in lower case is.")
        if (self.entry is not None) != (self.action in TELLING):
            raise ListRefused("An entry comes with its addition or amendment, and only then.")
        entry = self.entry
        if entry is not None and (entry.number, entry.entry_class) != (
            self.number,
            self.entry_class,
        ):
            raise ListRefused("An event and its entry must name the same number and class.")


def _is_hex(value: object, digits: int) -> bool:
    return (
        isinstance(value, str)
        and len(value) == digits
        and re.fullmatch(r"[0-9a-f]+", value) is not None
    )
