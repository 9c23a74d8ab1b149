"""Classes of entries, and the scope of a member: which classes, and which of their hashes.

A list is cut along classes, never along members: each class is the same files for everyone who
may have it, so a member with a narrow scope holds a subset of the published bytes and can show
that nothing is missing from it.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from strandline.errors import ListRefused

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
#: Stands where a class has no labels.
_NONE = "-"
#: Most labels of one class; each combination is a class of its own.
MAX_LABELS = 20


class Column(StrEnum):
    """What can be known of an entry besides that it is listed: one file of each page for each."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"
    #: Perceptual hash of a picture, with its quality.
    PDQ = "pdq"
    #: Perceptual hashes of a film's frames, with their times.
    VIDEO = "video"
    #: An opaque value received from others: kept and passed on, never computed.
    PHOTODNA = "photodna"


class Action(StrEnum):
    """What an event does to its entry."""

    ADD = "add"
    #: Replaces what was known of the entry.
    AMEND = "amend"
    WITHDRAW = "withdraw"
    #: Not to be matched until it is restored or withdrawn: somebody contests it.
    QUARANTINE = "quarantine"
    RESTORE = "restore"


@dataclass(frozen=True, order=True)
class EntryClass:
    """What an entry's members are told about it, and what scopes choose by.

    Every part is a word of letters, digits, dots, underscores and hyphens; raises ListRefused for
    anything else.
    """

    #: The verdict: ``A``, ``B``, ``C`` …
    category: str
    #: ``camera``, ``drawn``, ``ai-generated``, ``ai-manipulated`` or ``undetermined``.
    provenance: str
    #: Country of the hotline whose law the verdict follows, two lower-case letters.
    jurisdiction: str
    #: ``none``, or the kind of survivor who asked for the entry.
    survivor: str = "none"
    #: Kept sorted and without repeats.
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(sorted(set(self.labels))))
        parts = (self.category, self.provenance, self.jurisdiction, self.survivor, *self.labels)
        for part in parts:
            if not isinstance(part, str) or not _WORD.fullmatch(part):
                raise ListRefused(
                    f"{part!r} cannot be part of a class: only words of at most 60 letters, "
                    "digits, dots, underscores and hyphens can."
                )
        if len(self.labels) > MAX_LABELS:
            raise ListRefused(f"A class has at most {MAX_LABELS} labels.")

    @property
    def name(self) -> str:
        """The class in one line: ``C camera gb none baseline,series``."""
        labels = ",".join(self.labels) or _NONE
        return f"{self.category} {self.provenance} {self.jurisdiction} {self.survivor} {labels}"

    @property
    def id(self) -> str:
        """Sixteen hex digits that stand for the class in paths: SHA-256 of the name, cut."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:16]

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read ``name`` back; raises ListRefused unless it is canonical."""
        parts = name.split(" ")
        if len(parts) != 5:
            raise ListRefused(f"{name!r} is not the name of a class.")
        labels = () if parts[4] == _NONE else tuple(parts[4].split(","))
        found = cls(parts[0], parts[1], parts[2], parts[3], labels)
        if found.name != name:
            raise ListRefused(f"{name!r} is not the canonical name of a class.")
        return found


@dataclass(frozen=True)
class Scope:
    """What a member may have. An empty set of words leaves that part open.

    A class is within the scope when each of its parts is among those named, and when it has all of
    ``labels`` and none of ``without_labels``.
    """

    columns: frozenset[Column] = frozenset(Column)
    categories: frozenset[str] = frozenset()
    provenances: frozenset[str] = frozenset()
    jurisdictions: frozenset[str] = frozenset()
    survivors: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    without_labels: frozenset[str] = frozenset()

    def covers(self, entry_class: EntryClass) -> bool:
        """Whether entries of this class are within the scope."""
        chosen = (
            (self.categories, entry_class.category),
            (self.provenances, entry_class.provenance),
            (self.jurisdictions, entry_class.jurisdiction),
            (self.survivors, entry_class.survivor),
        )
        held = frozenset(entry_class.labels)
        return (
            all(not allowed or part in allowed for allowed, part in chosen)
            and self.labels <= held
            and not self.without_labels & held
        )
