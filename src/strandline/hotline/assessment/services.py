"""What analysts do, the room's verbs: claim an address, assess its items, give it back."""

from datetime import datetime

from django.db import transaction

from strandline.hotline.accounts.roles import Permission
from strandline.hotline.assessment import laws
from strandline.hotline.assessment.checks import faults
from strandline.hotline.assessment.claims import (
    LASTS,
    claim,
    claim_next,
    end,
    may_take_again,
    release,
    remaining,
    running,
    take_again,
)
from strandline.hotline.assessment.models import (
    Assessment,
    ChildRow,
    Claim,
    Verdict,
    act_column,
)
from strandline.hotline.assessment.verdicts import adopt, judge, settle, settle_all
from strandline.hotline.assessment.words import Baseline, Category, Observations, Stage
from strandline.hotline.audit import chain
from strandline.hotline.errors import AssessmentRefused, ClaimRefused
from strandline.hotline.reports.models import MediaItem

__all__ = [
    "adopt",
    "assess",
    "claim",
    "claim_next",
    "may_take_again",
    "release",
    "remaining",
    "running",
    "settle",
    "take_again",
]


def assess(held: Claim, item: MediaItem, seen: Observations, *, now: datetime) -> Assessment:
    """Record what the claim's analyst saw in ``item``; derive, compare, decide where that decides.

    The stage is the record's, not the claim's: whoever assesses an item that a colleague assessed
    meanwhile, elsewhere and unseen, has made its second assessment.

    Raises:
        ClaimRefused: the claim has ended or its time is up; nothing was recorded.
        AssessmentRefused: incomplete or contradictory observations (``fields`` says where), an item
            of another address, or one that needs no assessment by this person any more.
    """
    with transaction.atomic():
        chain.lock()
        held.refresh_from_db()
        if not held.runs_at(now):
            raise ClaimRefused(
                "Your turn at this address is over, so nothing was recorded. Claim it again."
            )
        if found := faults(seen):
            raise AssessmentRefused(next(iter(found.values())), found)
        stage = _stage(held, item)
        assessment = _write(held, item, stage, seen, now)
        judge(assessment, now=now)
        settle_all(item, by=held.analyst.actor, now=now)
        if not remaining(held).exists():
            end(held, Claim.Ending.FINISHED, now=now)
        else:
            Claim.objects.filter(pk=held.pk).update(until=now + LASTS)
            held.until = now + LASTS
    return assessment


def _stage(held: Claim, item: MediaItem) -> Stage:
    """Which assessment of ``item`` this would be."""
    if item.refusal or not item.appearances.filter(address=held.address_id).exists():
        raise AssessmentRefused("This item is not part of the address you are at.")
    if Verdict.objects.filter(item=item).exists():
        raise AssessmentRefused("This item was decided meanwhile; nothing more is needed.")
    before = list(Assessment.objects.filter(item=item))
    if any(earlier.analyst_id == held.analyst_id for earlier in before):
        raise AssessmentRefused("You have assessed this item already; it waits for a colleague.")
    stage = (Stage.FIRST, Stage.SECOND, Stage.THIRD)[len(before)]
    if stage == Stage.THIRD and not held.analyst.may(Permission.SETTLE_DISAGREEMENT):
        raise AssessmentRefused("This item has two assessments; a senior analyst goes on.")
    return stage


def _write(
    held: Claim, item: MediaItem, stage: Stage, seen: Observations, now: datetime
) -> Assessment:
    category = laws.derive(seen)
    assessment = Assessment.objects.create(
        item=item,
        analyst=held.analyst,
        claim=held,
        stage=stage,
        at=now,
        law=laws.CURRENT,
        category=category,
        **{act_column(act): True for act in seen.acts},
        provenance=seen.provenance or "",
        capture=seen.capture or "",
        self_generated=seen.self_generated or "",
        extortion=seen.extortion or "",
        setting=seen.setting or "",
        alone=seen.alone or "",
        generation=seen.generation or "",
        source_app_kind=seen.source_app_kind or "",
        baseline=_baseline(seen, category) or "",
        reason=seen.reason or "",
    )
    for child in seen.children:
        ChildRow.objects.create(
            assessment=assessment, age=child.age, sex=child.sex, maturity=child.maturity
        )
    # The entry says that it was assessed, never how: the second analyst must not learn that.
    chain.record(
        at=now,
        actor=held.analyst.actor,
        action="assessment.assess",
        subject=f"item:{item.pk}",
        detail={"assessment": assessment.pk, "stage": stage.value, "address": held.address_id},
    )
    return assessment


def _baseline(seen: Observations, category: Category) -> Baseline | None:
    """As recorded. What no law forbids is 'not illegal' without being asked: that is no guess."""
    if seen.baseline is None and category == Category.NOT_ILLEGAL:
        return Baseline.NOT_ILLEGAL
    return seen.baseline
