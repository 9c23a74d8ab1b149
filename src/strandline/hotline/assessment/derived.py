"""What follows from verdicts and is never stored: an address's category, youngest age and sex."""

from dataclasses import dataclass

from strandline.hotline.assessment import laws
from strandline.hotline.assessment.models import ChildRow, Verdict
from strandline.hotline.assessment.words import AgeBand, Category, Child, Stage
from strandline.hotline.reports.models import ReportedUrl


@dataclass(frozen=True)
class Findings:
    """What an address is, taken over its decided items."""

    #: The worst of its items'; none before any is decided.
    category: Category | None
    #: The youngest child's, over illegal items.
    age: AgeBand | None
    #: 'girl', 'boy', 'both', 'undetermined' or ''.
    sex: str
    decided: int


def findings(address: ReportedUrl) -> Findings:
    """What the decided items of ``address`` say together.

    Children are read from the assessments that carry each illegal item's verdict: both that
    agreed, or the third alone.
    """
    verdicts = list(Verdict.objects.filter(item__appearances__address=address))
    illegal = [verdict for verdict in verdicts if verdict.illegal]
    seen = children_of(illegal)
    return Findings(
        category=laws.worst(Category(v.category) for v in verdicts) if verdicts else None,
        age=laws.youngest(seen),
        sex=laws.sexes(seen),
        decided=len(verdicts),
    )


def children_of(verdicts: list[Verdict]) -> list[Child]:
    """Every child row that the verdicts rest on."""
    stages = {
        Verdict.How.AGREED: (Stage.FIRST, Stage.SECOND),
        Verdict.How.THIRD: (Stage.THIRD,),
        Verdict.How.EXACT_MATCH: (),
    }
    found: list[Child] = []
    for how, of_stage in stages.items():
        items = [verdict.item_id for verdict in verdicts if verdict.how == how]
        rows = ChildRow.objects.filter(assessment__item__in=items, assessment__stage__in=of_stage)
        found.extend(row.child for row in rows)
    return found
