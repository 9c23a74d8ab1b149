"""The manifest: the public, signed lines that stand for one edition of a list.

Its text has one form for one edition. It names classes and counts, and a root for the files of
each class, from which nobody learns a hash. docs/hashlist-format.md describes it.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from strandline.errors import ListRefused
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.events import MOST

#: Six digits in a folder's name; a list with an edition every hour lasts a century.
MAX_EDITION = 999_999
#: Bytes of a manifest's text: with its signatures it must fit a leaf of a log, 65,535 bytes.
MAX_TEXT = 60_000
#: Lines of counts, in order, and the attribute for each.
_COUNTS = {
    "sequence": "sequence",
    "entries": "entries",
    "quarantined": "quarantined",
    "added": "added",
    "amended": "amended",
    "withdrawn": "withdrawn",
    "quarantined-now": "quarantined_now",
    "restored": "restored",
}
_KEYS = ("format", "edition", "published", *_COUNTS, "previous", "pipeline")
_NONE = "-"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_origin(origin: str) -> bool:
    """Whether ``origin`` can name a list: a domain, or what looks like one."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}", origin) is not None


@dataclass(frozen=True)
class ClassState:
    """One class as of an edition."""

    #: Listed now, those under quarantine among them.
    entries: int
    #: Of the entries: not to be matched until restored or withdrawn.
    quarantined: int
    #: Of the last event of the class.
    sequence: int
    #: The class root, lower-case hex; see ``index_file``.
    root: str


@dataclass(frozen=True)
class Manifest:
    """What one edition holds, as its publisher signs it. Raises ListRefused when it cannot be."""

    #: Name of the list, for example ``hotline.example``.
    origin: str
    #: 1 for the first; each further edition adds one.
    edition: int
    #: In UTC, whole seconds.
    published: datetime
    #: Events of this edition, by action; an entry that moved counts as withdrawn and as added.
    added: int
    amended: int
    withdrawn: int
    quarantined_now: int
    restored: int
    #: sha256 of the text of the manifest before, None for edition 1.
    previous: str | None
    #: Every pipeline version that ever made an entry of the list, sorted.
    pipeline: tuple[str, ...]
    #: Each class that ever had an event, sorted by id.
    classes: tuple[tuple[EntryClass, ClassState], ...]

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ListRefused(f"The manifest of edition {self.edition} {problem}.")

    @property
    def entries(self) -> int:
        """Listed now, those under quarantine among them."""
        return sum(state.entries for _, state in self.classes)

    @property
    def quarantined(self) -> int:
        """Of the entries: not to be matched now."""
        return sum(state.quarantined for _, state in self.classes)

    @property
    def sequence(self) -> int:
        """Of the last event of the list; 0 before the first."""
        return max((state.sequence for _, state in self.classes), default=0)

    @property
    def events(self) -> int:
        """What happened in this edition, whatever it was."""
        return self.added + self.taken + self.restored

    @property
    def taken(self) -> int:
        """Events of this edition after which what was certified before no longer counts."""
        return self.amended + self.withdrawn + self.quarantined_now

    def states(self) -> Mapping[EntryClass, ClassState]:
        """Each class and its state."""
        return dict(self.classes)

    def text(self) -> str:
        """What is signed."""
        counts = "".join(f"{key} {getattr(self, name)}\n" for key, name in _COUNTS.items())
        classes = "".join(
            f"class {each.id} {state.entries} {state.quarantined} {state.sequence} {state.root} "
            f"{each.name}\n"
            for each, state in self.classes
        )
        return (
            f"{self.origin}/list\nformat 2\nedition {self.edition}\n"
            f"published {self.published.strftime(_TIME)}\n{counts}"
            f"previous {self.previous or _NONE}\npipeline {' '.join(self.pipeline) or _NONE}\n"
            f"{classes}"
        )

    def digest(self) -> str:
        """sha256 of the text, lower-case hex: what certificates and the next edition name."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def follows(self, before: "Manifest | None") -> str | None:
        """Why this cannot be the edition right after ``before``; None when it can.

        Whoever holds ``before`` checks this; ``None`` before edition 1.
        """
        edition = before.edition + 1 if before else 1
        sequence = before.sequence if before else 0
        entries, quarantined = (before.entries, before.quarantined) if before else (0, 0)
        held = before.states() if before else {}
        now = self.states()
        events = self.events
        left = quarantined + self.quarantined_now - self.restored - self.quarantined
        checks = {
            f"is not edition {edition}": self.edition == edition,
            "does not name the edition before it": self.previous
            == (before.digest() if before else None),
            "is dated before the edition before it": before is None
            or self.published >= before.published,
            "lost a class": now.keys() >= held.keys(),
            "goes back in a class": all(
                now[each].sequence > state.sequence or now[each] == _but_root(state, now[each])
                for each, state in held.items()
                if each in now
            ),
            "does not add up": self.entries == entries + self.added - self.withdrawn
            # an entry leaves quarantine by being restored or withdrawn
            and 0 <= left <= self.withdrawn,
            "has more events than sequence numbers": (
                (events == 0) == (self.sequence == sequence) and events <= self.sequence - sequence
            ),
        }
        return next((problem for problem, holds in checks.items() if not holds), None)

    def _problem(self) -> str | None:
        ids = [each.id for each, _ in self.classes]
        states = [state for _, state in self.classes]
        digests = [self.previous or "0" * 64, *(state.root for state in states)]
        counts = [getattr(self, name) for name in _COUNTS.values()]
        checks = {
            "has an origin that is not a domain": check_origin(self.origin),
            f"does not have a number from 1 to {MAX_EDITION}": 1 <= self.edition <= MAX_EDITION,
            "does not give its time in UTC and whole seconds": (
                self.published.tzinfo is UTC and self.published.microsecond == 0
            ),
            "does not name the edition before it": (self.edition == 1) == (self.previous is None),
            "gives counts that cannot be": all(0 <= count <= MOST for count in counts)
            and all(
                0 <= state.quarantined <= state.entries and 1 <= state.sequence <= MOST
                for state in states
            ),
            "has a digest that is not 64 hexadecimal digits": all(
                _DIGEST.fullmatch(digest) for digest in digests
            ),
            "does not name its pipelines in order": (
                list(self.pipeline) == sorted(set(self.pipeline))
                and all(re.fullmatch(r"[!-~]{1,60}", each) for each in self.pipeline)
                and _NONE not in self.pipeline
            ),
            "does not name its classes in order": ids == sorted(set(ids)),
            "has more classes than a leaf of a log can hold; use fewer combinations of labels": (
                len(self.text()) <= MAX_TEXT
            ),
        }
        return next((problem for problem, holds in checks.items() if not holds), None)


def parse_manifest(text: str) -> Manifest:
    """Read the text of a manifest whose signature was verified; raises ListRefused.

    Strict: only a text that ``Manifest.text`` would give again is read.
    """
    lines = text[: MAX_TEXT + 1].split("\n")
    origin = lines[0].removesuffix("/list")
    pairs = [line.partition(" ") for line in lines[1 : 1 + len(_KEYS)]]
    if lines[0] == origin or tuple(key for key, _, _ in pairs) != _KEYS or pairs[0][2] != "2":
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
            added=_number(values["added"]),
            amended=_number(values["amended"]),
            withdrawn=_number(values["withdrawn"]),
            quarantined_now=_number(values["quarantined-now"]),
            restored=_number(values["restored"]),
            previous=None if values["previous"] == _NONE else values["previous"],
            pipeline=() if pipeline == _NONE else tuple(pipeline.split(" ")),
            classes=tuple(_parse_class(line) for line in lines[1 + len(_KEYS) : -1]),
        )
    except ValueError:
        raise ListRefused(
            "A number or time in the manifest is malformed. It was not used."
        ) from None
    if manifest.text() != text:
        raise ListRefused("The manifest is not in its canonical form. It was not used.")
    return manifest


def _parse_class(line: str) -> tuple[EntryClass, ClassState]:
    word, _, entries, quarantined, sequence, root, name = line.split(" ", 6)
    if word != "class":
        raise ValueError(line)
    state = ClassState(_number(entries), _number(quarantined), _number(sequence), root)
    return EntryClass.parse(name), state


def _but_root(state: ClassState, now: ClassState) -> ClassState:
    """A class without new events is as it was, but for a snapshot that may have become due."""
    return ClassState(state.entries, state.quarantined, state.sequence, now.root)


def _number(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", text):
        raise ValueError(text)
    return int(text)
