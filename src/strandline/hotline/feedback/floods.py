"""Floods: one member disputing more than is plausible. Its disputes wait until a manager looked.

Without this a member could empty the list: each dispute alone may quarantine an entry.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import entries, sources, weighing
from strandline.hotline.feedback.models import Flood, Statement
from strandline.hotline.feedback.words import Outcome, Say, Standing
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

#: However short the list, so many disputes are no flood.
LEAST = 5
#: Disputes that take effect in one transaction: other writers wait for it.
AT_ONCE = 100


def allowed_disputes() -> int:
    """How many entries one member may dispute within the window."""
    policy = settings.HOTLINE.feedback
    share = int(entries.listed_in_all() * policy.flood_percent / 100)
    return min(policy.flood_disputes, max(LEAST, share))


def notice(member: Member, *, now: datetime) -> Flood | None:
    """Hold back a member's undecided disputes if they are a flood; the flood, if there is one.

    In the caller's transaction, after new disputes were written and before they are weighed.
    """
    flood = Flood.objects.filter(member=member, outcome="").first()
    if flood is None:
        recent = _recent(member, now)
        disputed, allowed = recent.values("entry").distinct().count(), allowed_disputes()
        if disputed <= allowed:
            return None
        flood = Flood.objects.create(
            member=member, opened_at=now, disputes=disputed, allowed=allowed
        )
        chain.record(
            at=now,
            actor=entries.BY,
            action="feedback.flood",
            subject=flood.subject,
            detail={"member": member.pk, "disputes": disputed, "allowed": allowed},
        )
    _hold_back(member, flood, now)
    return flood


def _recent(member: Member, now: datetime) -> QuerySet[Statement]:
    """Disputes that speak for a flood: not those proved right, nor those of a settled one."""
    since = now - settings.HOTLINE.feedback.flood_window
    return Statement.objects.filter(
        member=member, say=Say.DISPUTE, at__gt=since, flood=None
    ).exclude(review__outcome=Outcome.WITHDRAWN)


def _hold_back(member: Member, flood: Flood, now: datetime) -> None:
    undecided = _recent(member, now).filter(
        Q(review=None) | Q(review__outcome=""), standing=Standing.COUNTED
    )
    held = dict(undecided.values_list("pk", "entry_id"))
    Statement.objects.filter(pk__in=held).update(
        standing=Standing.HELD_BACK, flood=flood, review=None
    )
    # What this flood alone has quarantined by now is matched again.
    weighing.weigh(held.values(), now=now)


@transaction.atomic
def settle_flood(flood: Flood, *, count: bool, by: str, now: datetime) -> None:
    """What a manager decided: the disputes count after all, or are set aside for good.

    Those that count take effect by the worker's hand, a portion at a time.

    Raises:
        FeedbackRefused: it was settled already.
    """
    chain.lock()
    outcome = Flood.Outcome.COUNTED if count else Flood.Outcome.SET_ASIDE
    settled = Flood.objects.filter(pk=flood.pk, outcome="").update(
        outcome=outcome, decided_at=now, decided_by=by, due_at=now if count else None
    )
    if not settled:
        raise FeedbackRefused("flood", "This flood was settled already. Nothing was changed.")
    held = _held(flood)
    chain.record(
        at=now,
        actor=by,
        action="feedback.settle_flood",
        subject=flood.subject,
        detail={"outcome": outcome.value, "disputes": held.count()},
    )
    if not count:
        held.update(standing=Standing.SET_ASIDE)
    flood.refresh_from_db()


def let_through(flood: Flood, tools: Tools, now: datetime) -> None:  # noqa: ARG001 - of due work
    """Handle the due row: let the next portion of held-back disputes take effect."""
    with transaction.atomic():
        chain.lock()
        rows = dict(_held(flood).order_by("pk").values_list("pk", "entry_id")[:AT_ONCE])
        more = now if len(rows) == AT_ONCE else None
        with due.finish(flood, next_due=more):
            Statement.objects.filter(pk__in=rows).update(standing=Standing.COUNTED)
            weighing.weigh(rows.values(), now=now)
            sources.notice(rows.values(), now=now)


def _held(flood: Flood) -> QuerySet[Statement]:
    return Statement.objects.filter(flood=flood, standing=Standing.HELD_BACK)
