"""From assessments to verdicts, and from verdicts to the state of every address they touch."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from strandline.hotline.assessment import laws
from strandline.hotline.assessment.models import Assessment, Verdict
from strandline.hotline.assessment.signals import address_confirmed, item_decided
from strandline.hotline.assessment.words import ILLEGAL, Baseline, Category, Stage
from strandline.hotline.audit import chain
from strandline.hotline.reports.models import MediaItem, ReportedUrl
from strandline.hotline.reports.services import change_state
from strandline.hotline.reports.states import WAITING_FOR_ANALYSTS, State


def agree(one: Assessment, other: Assessment) -> bool:
    """Whether two assessments come to the same: category and, for what is illegal, baseline."""
    if one.category != other.category:
        return False
    return one.category not in ILLEGAL or one.baseline == other.baseline


def judge(assessment: Assessment, *, now: datetime) -> Verdict | None:
    """The verdict that this newest assessment completes, written and told; none if it does not."""
    if assessment.stage == Stage.FIRST:
        return None
    if assessment.stage == Stage.SECOND:
        first = Assessment.objects.get(item=assessment.item_id, stage=Stage.FIRST)
        if not agree(first, assessment):
            return None
    how = Verdict.How.AGREED if assessment.stage == Stage.SECOND else Verdict.How.THIRD
    verdict = Verdict(
        item=assessment.item,
        category=assessment.category,
        baseline=assessment.baseline,
        law=assessment.law,
        how=how,
        decided_at=now,
    )
    return _write(verdict, by=assessment.analyst.actor, now=now)


def adopt(
    item: MediaItem,
    *,
    category: Category,
    entry: int,
    baseline: Baseline | None = None,
    law: str = laws.CURRENT,
    by: str,
    now: datetime,
) -> Verdict:
    """Take over what a trusted entry says of exactly these bytes, so that nobody has to look.

    An item that has its verdict keeps it; every address waiting for the item is settled.
    """
    with transaction.atomic():
        chain.lock()
        decided = Verdict.objects.filter(item=item).first()
        if decided is None:
            decided = _write(
                Verdict(
                    item=item,
                    category=category,
                    baseline=baseline or "",
                    law=law,
                    how=Verdict.How.EXACT_MATCH,
                    decided_at=now,
                    entry=entry,
                ),
                by=by,
                now=now,
            )
        settle_all(item, by=by, now=now)
    return decided


def settle(address: ReportedUrl, *, by: str, now: datetime) -> None:
    """Move a waiting address as far as its items allow; doing it twice changes nothing more.

    Captured becomes assessed once every decidable item was assessed or has a verdict; assessed
    becomes confirmed, or not illegal, once every one has its verdict.
    """
    with transaction.atomic():
        chain.lock()
        address.refresh_from_db(fields=["state"])
        items = decidable(address)
        if not items.exists():
            return
        undecided = items.filter(verdict=None)
        if address.state == State.CAPTURED:
            seen = Assessment.objects.filter(item=OuterRef("pk"))
            if not undecided.filter(~Exists(seen)).exists():
                change_state(address, State.ASSESSED, by=by, now=now)
        if address.state == State.ASSESSED and not undecided.exists():
            if items.filter(verdict__category__in=ILLEGAL).exists():
                change_state(address, State.SECOND_ASSESSED, by=by, now=now)
                address_confirmed.send(ReportedUrl, address=address, now=now)
            else:
                change_state(address, State.NOT_ILLEGAL, by=by, now=now)


def settle_all(item: MediaItem, *, by: str, now: datetime) -> None:
    """Settle every waiting address at which ``item`` appears."""
    waiting = ReportedUrl.objects.filter(
        appearances__item=item, state__in=WAITING_FOR_ANALYSTS
    ).order_by("pk")
    for address in waiting:
        settle(address, by=by, now=now)


def settle_captured(*, address: ReportedUrl, now: datetime, **_: object) -> None:
    """Receiver: a captured address whose every item is known already needs nobody."""
    settle(address, by="worker", now=now)


def decidable(address: ReportedUrl) -> QuerySet[MediaItem]:
    """Items at ``address`` that can be shown to anybody at all."""
    return MediaItem.objects.filter(appearances__address=address, refusal="")


def _write(verdict: Verdict, *, by: str, now: datetime) -> Verdict:
    verdict.save(force_insert=True)
    chain.record(
        at=now,
        actor=by,
        action="assessment.decide",
        subject=f"item:{verdict.item_id}",
        detail={"category": verdict.category, "how": verdict.how, "law": verdict.law},
    )
    item_decided.send(Verdict, item=verdict.item, verdict=verdict, now=now)
    return verdict
