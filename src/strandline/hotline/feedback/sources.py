"""A source whose entries turn out contested: an alarm, and quarantine of what rests on it alone.

A source is whoever an entry came from, as the entry names it. When one is compromised, waiting for
each of its entries to be disputed would take as long as the harm lasts.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import entries
from strandline.hotline.feedback.models import Review, SourceAlarm, Statement
from strandline.hotline.feedback.words import KEEPS_LISTED, Outcome, Say, Standing
from strandline.hotline.hashlist import services
from strandline.hotline.hashlist.models import Entry, Why
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

State = SourceAlarm.State

#: However few entries a source brought, so many contested ones are chance.
LEAST = 5
#: Entries changed in one transaction: other writers wait for it.
AT_ONCE = 2000


def notice(numbers: Iterable[int], *, now: datetime) -> None:
    """Raise, or act on, the alarms of whatever brought these entries; in the transaction."""
    brought_by = Entry.objects.filter(pk__in=list(numbers)).order_by()
    for source in brought_by.values_list("source", flat=True).distinct():
        _notice(source, now)


def _notice(source: str, now: datetime) -> None:
    policy = settings.HOTLINE.feedback
    contested = _contested(source)
    if contested < LEAST:
        return
    last = SourceAlarm.objects.filter(source=source).order_by("-pk").first()
    if last is not None and last.state == State.QUARANTINED:
        return
    brought = Entry.objects.filter(source=source).count()
    proved = _contested(source, proved=True)
    act = proved >= LEAST and proved * 100 > brought * policy.source_quarantine_percent
    warn = contested * 100 > brought * policy.source_alarm_percent
    if not act and not warn:
        return
    alarm = last if last is not None and last.state == State.OPEN else None
    if alarm is None:
        if last is not None and contested < 2 * last.contested:
            return  # somebody looked, and it has not become much worse
        alarm = SourceAlarm.objects.create(
            source=source, opened_at=now, contested=contested, brought=brought
        )
        _record(alarm, "source_alarm", entries.BY, now, contested=contested, brought=brought)
    if act:
        reason = f"{proved} of {brought} entries were disputed by a quorum or withdrawn."
        _decide(alarm, State.QUARANTINED, reason, entries.BY, now)


def _contested(source: str, *, proved: bool = False) -> int:
    """Entries of a source that members hold to be wrong, and no review has kept.

    ``proved``: those alone for which more than one member's word stands. Counted from the reviews,
    of which there are few, not from the entries.
    """
    doubts = Statement.objects.filter(
        entry=OuterRef("entry"), say=Say.DISPUTE, standing=Standing.COUNTED
    ).exclude(reason__in=KEEPS_LISTED)
    against = Q(outcome=Outcome.WITHDRAWN)
    against |= Q(outcome="", by_quorum=True) if proved else Q(outcome="")
    reviews = Review.objects.filter(against, Exists(doubts), entry__source=source)
    return reviews.values("entry").distinct().count()


def resting_on(source: str) -> QuerySet[Entry]:
    """Listed entries that nobody but this source vouches for."""
    confirmed = Statement.objects.filter(
        entry=OuterRef("pk"), say=Say.CONFIRM, standing=Standing.COUNTED
    )
    return Entry.objects.filter(~Exists(confirmed), source=source, state=Entry.State.LISTED)


@transaction.atomic
def decide_alarm(
    alarm: SourceAlarm, state: SourceAlarm.State, *, reason: str, by: str, now: datetime
) -> None:
    """What a manager decided: ``quarantined`` or ``dismissed``; then ``restored`` or ``withdrawn``.

    Entries are changed by the worker, a portion at a time.

    Raises:
        FeedbackRefused: no reason was given, or the alarm is not where this decision begins.
    """
    reason = reason.strip()
    if not reason or len(reason) > 250:
        raise FeedbackRefused("reason", "Say why, in at most 250 characters.")
    chain.lock()
    alarm.refresh_from_db()
    possible = {
        State.OPEN.value: {State.QUARANTINED, State.DISMISSED},
        State.QUARANTINED.value: {State.RESTORED, State.WITHDRAWN},
    }
    if state not in possible.get(alarm.state, set()):
        raise FeedbackRefused("alarm", "This alarm was decided meanwhile. Nothing was changed.")
    _decide(alarm, state, reason, by, now)


def _decide(
    alarm: SourceAlarm, state: SourceAlarm.State, reason: str, by: str, now: datetime
) -> None:
    alarm.state, alarm.reason = state, reason
    alarm.decided_by, alarm.decided_at, alarm.changed = by, now, 0
    alarm.due_at = None if state == State.DISMISSED else now
    alarm.given_up_at, alarm.failures = None, 0
    # A worker in the midst of the decision before this one loses its lease.
    alarm.attempt += 1
    alarm.lease_until, alarm.leased_by = None, ""
    alarm.save()
    _record(alarm, "decide_source_alarm", by, now, decision=state.value, reason=reason)


def act(alarm: SourceAlarm, tools: Tools, now: datetime) -> None:  # noqa: ARG001 - of due work
    """Handle the due row: do the next portion of what was decided."""
    with transaction.atomic():
        chain.lock()
        changed = _portion(alarm, now)
        more = now if changed == AT_ONCE else None
        with due.finish(alarm, next_due=more):
            SourceAlarm.objects.filter(pk=alarm.pk).update(changed=alarm.changed + changed)


def _portion(alarm: SourceAlarm, now: datetime) -> int:
    if alarm.state == State.QUARANTINED:
        return services.quarantine_many(
            _first(resting_on(alarm.source)),
            why=Why.SINGLE_SOURCE,
            reason=alarm.mark,
            subject=alarm.subject,
            by=alarm.decided_by,
            now=now,
        )
    marked = Entry.objects.filter(
        source=alarm.source, state=Entry.State.QUARANTINED, reason=alarm.mark
    ).exclude(reviews__outcome="")
    do = services.restore_many if alarm.state == State.RESTORED else services.withdraw_many
    why = Why.CLEARED if alarm.state == State.RESTORED else Why.SOURCE_WITHDREW
    return do(
        _first(marked),
        why=why,
        reason=alarm.reason,
        subject=alarm.subject,
        by=alarm.decided_by,
        now=now,
    )


def _first(rows: QuerySet[Entry]) -> QuerySet[Entry]:
    """The first portion: named one by one, for the change makes them leave the query."""
    numbers = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return Entry.objects.filter(pk__in=numbers)


def _record(alarm: SourceAlarm, verb: str, by: str, now: datetime, **detail: object) -> None:
    chain.record(
        at=now,
        actor=by,
        action=f"feedback.{verb}",
        subject=alarm.subject,
        detail={"source": alarm.source, **detail},
    )
