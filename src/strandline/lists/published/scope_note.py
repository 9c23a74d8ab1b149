"""The text of a scope note: what one member may have, as the publisher signed it.

A line for each part of the rule, always all of them and in this order, so that one scope has one
text::

    hotline.example/scope
    format 2
    member member:3
    issued 2026-03-02T09:00:00Z
    columns md5 pdq sha256
    categories A B
    provenances -
    jurisdictions -
    survivors -
    labels baseline
    without-labels -

Words stand sorted and once; ``-`` leaves a part open. ``docs/hashlist-format.md`` describes the
signed note around it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from strandline.errors import ListRefused
from strandline.lists.published.classes import Column, Scope

FORMAT = 2
#: Most words of one part: a scope names parts of classes, of which a list has few.
MAX_WORDS = 200
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_MEMBER = re.compile(r"[!-~]{1,120}")
_ORIGIN = re.compile(r"[^\s+]{1,200}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
#: Lines of words after the columns, and the field of ``Scope`` each is.
_PARTS = {
    "categories": "categories",
    "provenances": "provenances",
    "jurisdictions": "jurisdictions",
    "survivors": "survivors",
    "labels": "labels",
    "without-labels": "without_labels",
}


@dataclass(frozen=True)
class ScopeNote:
    """What ``member`` may have of the list called ``origin``; newer ones replace older ones.

    Raises ListRefused when a part cannot stand in the text.
    """

    origin: str
    #: A name the publisher knows the member by.
    member: str
    #: Whole seconds, UTC.
    issued: datetime
    scope: Scope

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin) or not _MEMBER.fullmatch(self.member):
            raise ListRefused("A scope note names a list and a member, both without spaces.")
        if self.issued.utcoffset() is None or self.issued.microsecond:
            raise ListRefused("A scope note is issued at a whole second, with its time zone.")
        if not self.scope.columns:
            raise ListRefused("A scope has at least one kind of hash.")
        for field in _PARTS.values():
            words = getattr(self.scope, field)
            if len(words) > MAX_WORDS or not all(_WORD.fullmatch(word) for word in words):
                raise ListRefused(
                    f"The {field.replace('_', ' ')} of a scope are at most {MAX_WORDS} words of "
                    "letters, digits, dots, underscores and hyphens."
                )

    def text(self) -> str:
        """The one text of this note, ready to be signed."""
        lines = [
            f"{self.origin}/scope",
            f"format {FORMAT}",
            f"member {self.member}",
            f"issued {self.issued.astimezone(UTC).strftime(_TIME)}",
            f"columns {_joined(column.value for column in self.scope.columns)}",
            *(f"{name} {_joined(getattr(self.scope, field))}" for name, field in _PARTS.items()),
        ]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text`` back; raises ListRefused unless it is canonical."""
        try:
            found = cls._read(text)
        except (KeyError, ValueError) as error:
            raise ListRefused("This is not the text of a scope note. It was not used.") from error
        if found.text() != text:
            raise ListRefused("This scope note is not in its one form. It was not used.")
        return found

    @classmethod
    def _read(cls, text: str) -> Self:
        first, *rest = text.split("\n")
        words = dict(line.split(" ", 1) for line in rest if line)
        parts = {
            field: frozenset[str]() if words[name] == "-" else frozenset(words[name].split(" "))
            for name, field in _PARTS.items()
        }
        columns = frozenset(Column(word) for word in words["columns"].split(" "))
        return cls(
            origin=first.removesuffix("/scope"),
            member=words["member"],
            issued=datetime.strptime(words["issued"], _TIME).replace(tzinfo=UTC),
            scope=Scope(columns=columns, **parts),
        )


def _joined(words: Iterable[str]) -> str:
    return " ".join(sorted(words)) or "-"
