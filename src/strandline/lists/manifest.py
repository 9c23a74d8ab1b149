"""The manifest: the few signed lines that stand for one edition of a list.

Its text is an origin line and ``key value`` lines in a fixed order, so that one edition has one
text. docs/hashlist-format.md describes it for people who write other readers.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from strandline.errors import ListRefused

_KEYS = (
    "edition",
    "published",
    "entries",
    "first",
    "last",
    "sha256",
    "size",
    "previous",
    "pipeline",
)
#: Stands where there is nothing to name: no previous edition, no entries and so no pipeline.
_NONE = "-"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
#: Six digits in a folder's name; a list with an edition every hour lasts a century.
MAX_EDITION = 999_999


@dataclass(frozen=True)
class Manifest:
    """What one edition holds, as its publisher signed it. Raises ListRefused when it cannot be."""

    #: Schema-less name of the publisher's list, for example ``strandline.example``.
    origin: str
    #: 1 for the first; each further edition adds one.
    edition: int
    #: In UTC, whole seconds.
    published: datetime
    #: Number of entries.
    entries: int
    #: Lowest and highest sequence number; both 0 when there are no entries.
    first: int
    last: int
    #: Of the entries file: lower-case hex, and bytes.
    sha256: str
    size: int
    #: sha256 of the manifest file of the edition before, None for edition 1.
    previous: str | None
    #: Every pipeline version that made an entry, sorted.
    pipeline: tuple[str, ...]

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ListRefused(f"The manifest of edition {self.edition} {problem}.")

    def text(self) -> str:
        """What is signed."""
        values: dict[str, object] = {
            "edition": self.edition,
            "published": self.published.strftime(_TIME),
            "entries": self.entries,
            "first": self.first,
            "last": self.last,
            "sha256": self.sha256,
            "size": self.size,
            "previous": self.previous or _NONE,
            "pipeline": " ".join(self.pipeline) or _NONE,
        }
        return f"{self.origin}/list\n" + "".join(f"{key} {values[key]}\n" for key in _KEYS)

    def _problem(self) -> str | None:
        digests = [self.sha256, self.previous or self.sha256]
        empty = (self.first, self.last, self.size) == (0, 0, 0) and not self.pipeline
        spans = 1 <= self.first <= self.last and self.last - self.first + 1 >= self.entries
        checks = {
            "has an origin that is not a plain name without spaces or plus signs": re.fullmatch(
                r"[!-*,-~]{1,200}", self.origin
            ),
            f"does not have a number from 1 to {MAX_EDITION}": 1 <= self.edition <= MAX_EDITION,
            "does not give its time in UTC and whole seconds": (
                self.published.tzinfo is UTC and self.published.microsecond == 0
            ),
            "does not name the edition before it": (self.edition == 1) == (self.previous is None),
            "gives counts that do not fit each other": (
                spans and self.pipeline if self.entries else empty
            ),
            "has a sha256 that is not 64 hexadecimal digits": all(
                re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests
            ),
            "does not name its pipelines in order": (
                list(self.pipeline) == sorted(set(self.pipeline))
            ),
        }
        return next((problem for problem, holds in checks.items() if not holds), None)


def parse_manifest(text: str) -> Manifest:
    """Read the text of a manifest whose signature was verified; raises ListRefused.

    Strict: only a text that ``Manifest.text`` would give again is read.
    """
    lines = text.split("\n")
    origin = lines[0].removesuffix("/list")
    pairs = [line.partition(" ") for line in lines[1:-1]]
    if lines[0] == origin or tuple(key for key, _, _ in pairs) != _KEYS:
        raise ListRefused(
            "What was signed is not the manifest of a list in the form this version knows. "
            "It was not used; a newer strandline may read it."
        )
    values = {key: value for key, _, value in pairs}
    pipeline = values["pipeline"]
    try:
        manifest = Manifest(
            origin=origin,
            edition=_number(values["edition"]),
            published=datetime.strptime(values["published"], _TIME).replace(tzinfo=UTC),
            entries=_number(values["entries"]),
            first=_number(values["first"]),
            last=_number(values["last"]),
            sha256=values["sha256"],
            size=_number(values["size"]),
            previous=None if values["previous"] == _NONE else values["previous"],
            pipeline=() if pipeline == _NONE else tuple(pipeline.split(" ")),
        )
    except ValueError:
        raise ListRefused(
            "A number or time in the manifest is malformed. It was not used."
        ) from None
    if manifest.text() != text:
        raise ListRefused("The manifest is not in its canonical form. It was not used.")
    return manifest


def digest(manifest_note: bytes) -> str:
    """What the next edition names as ``previous``: sha256 of the manifest file, in hex."""
    return hashlib.sha256(manifest_note).hexdigest()


def _number(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", text):
        raise ValueError(text)
    return int(text)
