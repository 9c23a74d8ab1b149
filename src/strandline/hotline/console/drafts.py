"""The assessing form as it was typed: kept whatever happens, read as observations when asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from django.db.models import TextChoices
from django.http import QueryDict

from strandline.hotline.assessment import words
from strandline.hotline.assessment.checks import MOST_CHILDREN

C = TypeVar("C", bound=Enum)

_AGE_OF_ROW = re.compile(r"child-([0-9]{1,4})-age")


@dataclass(frozen=True)
class Question:
    """One question with one answer, as the form asks it."""

    name: str
    legend: str
    choices: type[TextChoices]
    #: Chosen beforehand. Only ever 'undetermined': nobody has said otherwise yet.
    default: str = ""


QUESTIONS: Sequence[Question] = (
    Question("provenance", "How the picture came to be", words.Provenance),
    Question("capture", "Recorded from", words.Capture, "undetermined"),
    Question("self_generated", "Self-generated", words.Answer, "undetermined"),
    Question("extortion", "Extortion", words.Answer, "undetermined"),
    Question("setting", "Setting", words.Setting, "undetermined"),
    Question("alone", "Child alone in the picture", words.YesNo),
    Question("generation", "Seen before?", words.Generation),
    Question("source_app_kind", "Kind of application", words.SourceAppKind, "undetermined"),
    Question("baseline", "Where it is illegal", words.Baseline),
)


@dataclass(frozen=True)
class ChildDraft:
    """One child's row as typed."""

    age: str = ""
    sex: str = ""
    maturity: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing was chosen: the row does not count."""
        return not (self.age or self.sex or self.maturity)

    def child(self) -> words.Child | None:
        """The row as a value; none while it is incomplete."""
        age = _pick(words.AgeBand, self.age)
        sex = _pick(words.Sex, self.sex)
        maturity = _pick(words.Maturity, self.maturity)
        return words.Child(age, sex, maturity) if age and sex and maturity else None


@dataclass(frozen=True)
class Draft:
    """The whole form as typed."""

    acts: frozenset[str] = frozenset()
    answers: dict[str, str] = field(
        default_factory=lambda: {question.name: question.default for question in QUESTIONS}
    )
    children: tuple[ChildDraft, ...] = (ChildDraft(),)
    reason: str = ""
    style: str = ""

    def with_one_more_child(self) -> "Draft":
        """The same form with a further empty row, up to the most that can be recorded."""
        if self.is_full:
            return self
        return replace(self, children=(*self.children, ChildDraft()))

    def without_child(self, index: int) -> "Draft":
        """The same form without the row at ``index``; the last row is only emptied."""
        rows = (*self.children[:index], *self.children[index + 1 :])
        return replace(self, children=rows or (ChildDraft(),))

    @property
    def is_full(self) -> bool:
        """There are as many rows as children that can be recorded, or more."""
        return len(self.children) >= MOST_CHILDREN

    def faults(self) -> dict[str, str]:
        """Rows that were begun and not finished; everything else is the room's to judge."""
        for number, row in enumerate(self.children, start=1):
            if not row.is_empty and row.child() is None:
                return {"children": f"Child {number}: choose age, sex and maturity, or clear it."}
        return {}

    def observations(self) -> words.Observations:
        """What was typed, as observations; what is not a choice counts as not chosen."""
        answers = self.answers
        return words.Observations(
            acts=frozenset(act for act in words.Act if act.value in self.acts),
            children=tuple(child for row in self.children if (child := row.child())),
            provenance=_pick(words.Provenance, answers["provenance"]),
            capture=_pick(words.Capture, answers["capture"]),
            self_generated=_pick(words.Answer, answers["self_generated"]),
            extortion=_pick(words.Answer, answers["extortion"]),
            setting=_pick(words.Setting, answers["setting"]),
            alone=_pick(words.YesNo, answers["alone"]),
            generation=_pick(words.Generation, answers["generation"]),
            source_app_kind=_pick(words.SourceAppKind, answers["source_app_kind"]),
            baseline=_pick(words.Baseline, answers["baseline"]),
            reason=_pick(words.Reason, self.reason),
        )


def read(posted: QueryDict) -> Draft:
    """The form as it came in: every row of it (Django bounds how many fields there can be)."""
    numbers = sorted(int(found[1]) for name in posted if (found := _AGE_OF_ROW.fullmatch(name)))
    rows = [
        ChildDraft(
            age=posted.get(f"child-{number}-age", ""),
            sex=posted.get(f"child-{number}-sex", ""),
            maturity=posted.get(f"child-{number}-maturity", ""),
        )
        for number in numbers
    ]
    return Draft(
        acts=frozenset(posted.getlist("acts")),
        answers={question.name: posted.get(question.name, "") for question in QUESTIONS},
        children=tuple(rows) or (ChildDraft(),),
        reason=posted.get("reason", ""),
        style=posted.get("style", ""),
    )


def _pick(choices: type[C], value: str) -> C | None:
    try:
        return choices(value)
    except ValueError:
        return None
