"""Taking a delivery in, and taking it back: each in one transaction, all of it or nothing.

What the delivery says is laid ready before (see :mod:`.staging`), so that others wait only for the
rows to be written. The transaction begins with the row of due work, so whoever holds it cannot be
overtaken, and a worker that is killed in the middle leaves nothing: the next one begins anew.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from django.db.models import Exists, OuterRef, Q, QuerySet

from strandline.formats import HashRow
from strandline.hotline.assessment.models import Verdict
from strandline.hotline.audit import chain
from strandline.hotline.exchange import files
from strandline.hotline.exchange.models import Delivery, Mention, Source
from strandline.hotline.exchange.staging import Staged, staged
from strandline.hotline.hashlist import events, services
from strandline.hotline.hashlist.models import Entry, Import, Why
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.services import Identity, Imported
from strandline.hotline.hashlist.writing import write_rows
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.events import Kind

State = Delivery.State
Says = Mention.Says
#: How an entry says that it was assessed here, whatever else it came with.
_ASSESSED = (Verdict.How.AGREED, Verdict.How.THIRD)
_OWN = "assessment"
#: How often rows are compared anew, because the list changed meanwhile where they speak of it.
TRIES = 3
#: Entries named in one statement.
_NAMED = 500


class _ListMoved(Exception):
    """The list changed where the delivery speaks of it, after the two were compared."""


def take_in(delivery: Delivery, tools: Tools, now: datetime) -> None:
    """List what is new, vouch for what is known, act on what contradicts and what was withdrawn.

    The rows are compared and laid ready while others work on; only writing them needs the lock.
    """
    if not any(_took_in(delivery, tools, now) for _ in range(TRIES)):
        # A list that is never quiet for long enough: compare while nobody can change it.
        with due.finish(delivery), staged(delivery, tools, locked=True) as ready:
            _take_in(delivery, ready, now)
    files.remove(delivery.pk)


def _took_in(delivery: Delivery, tools: Tools, now: datetime) -> bool:
    with staged(delivery, tools) as ready:
        try:
            with due.finish(delivery):
                _check_same(ready)
                _take_in(delivery, ready, now)
        except _ListMoved:
            return False
    return True


def _check_same(ready: Staged) -> None:
    if ready.outdated():
        raise _ListMoved


def _take_in(delivery: Delivery, ready: Staged, now: datetime) -> None:
    came = services.import_judged(
        ready.new(), source=delivery.source.name, by=delivery.decided_by, now=now
    )
    Delivery.objects.filter(pk=delivery.pk).update(state=State.TAKEN, batch=came.batch)
    _mention(delivery, ready, came)
    ended = _end(delivery, ready.gone(), now)
    outcome = {
        "listed": came.added,
        "vouched for": delivery.mentions.filter(says=Says.VOUCHES).count() - came.added,
        "quarantined until confirmed": _hold(delivery, came.batch, now),
        "confirmed": _confirm(delivery, now),
        "contested": _contest(delivery, ready.contradicted(), now),
        "withdrawn by the source": ended,
    }
    outcome = {name: count for name, count in outcome.items() if count}
    Delivery.objects.filter(pk=delivery.pk).update(outcome=outcome)
    if delivery.until is not None:
        Source.objects.filter(pk=delivery.source_id).update(checkpoint=delivery.until)
    _record(delivery, "take_in", now, **outcome)


def take_back(delivery: Delivery, now: datetime) -> None:
    """Withdraw what nobody else vouches for, restore what it contested or ended."""
    with due.finish(delivery):
        Delivery.objects.filter(pk=delivery.pk).update(state=State.TAKEN_BACK)
        reason = f"Delivery {delivery.pk} from {delivery.source.name} was taken back"[:250]
        more = {"reason": reason, "subject": delivery.subject, "by": delivery.decided_by}
        ended = Mention.objects.filter(ended_by=delivery)
        relisted = _relist(ended, delivery, now)
        ended.update(ended_by=None)
        mentioned = Entry.objects.filter(
            mentions__delivery=delivery, mentions__says=Says.VOUCHES, mentions__ended_by=None
        )
        contested = Entry.objects.filter(mentions__delivery=delivery, mentions__says=Says.CONTESTS)
        outcome = {
            "withdrawn": services.withdraw_many(
                unvouched(mentioned), why=Why.REVERTED, now=now, **more
            ),
            "restored": services.restore_many(
                contested.filter(~Exists(_live().filter(says=Says.CONTESTS))),
                why=Why.CLEARED,
                now=now,
                **more,
            ),
            "listed again": relisted,
        }
        if delivery.batch_id is not None:
            Import.objects.filter(pk=delivery.batch_id).update(reverted_at=now)
        outcome = {name: count for name, count in outcome.items() if count}
        Delivery.objects.filter(pk=delivery.pk).update(
            outcome={
                **delivery.outcome,
                **{f"{name}, on taking back": n for name, n in outcome.items()},
            }
        )
        _record(delivery, "take_back", now, reason=delivery.reason, **outcome)


def _live() -> QuerySet[Mention]:
    """What deliveries that count say of the outer entry."""
    return Mention.objects.filter(entry=OuterRef("pk"), ended_by=None, delivery__state=State.TAKEN)


def unvouched(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Those for which no delivery vouches any more, no assessment here, and no other import."""
    elsewhere = Q(batch=None) | Q(batch__delivery=None, batch__reverted_at=None)
    return (
        entries.filter(~Exists(_live().filter(says=Says.VOUCHES)))
        .exclude(source=_OWN)
        .exclude(item__verdict__how__in=_ASSESSED)
        .exclude(elsewhere)
    )


def _mention(delivery: Delivery, ready: Staged, came: Imported) -> None:
    """Write down which entries the delivery vouches for, now that what is new has a number."""
    for some in portions(ready.mentions(came.numbers), events.AT_ONCE):
        write_rows(
            Mention,
            ("delivery", "entry", "says", "source_id"),
            [(delivery.pk, number, Says.VOUCHES.value, source_id) for number, source_id in some],
        )


def _hold(delivery: Delivery, batch: Import | None, now: datetime) -> int:
    """Quarantine what only a source of little trust brought."""
    if batch is None or delivery.source.trust == Source.Trust.TRUSTED:
        return 0
    return services.quarantine_many(
        Entry.objects.filter(batch=batch),
        why=Why.SINGLE_SOURCE,
        reason=f"Only {delivery.source.name} has it so far"[:250],
        subject=delivery.subject,
        by=delivery.decided_by,
        now=now,
    )


def _confirm(delivery: Delivery, now: datetime) -> int:
    """Let what one source alone had be matched, now that another has the same."""
    others = _live().filter(says=Says.VOUCHES).exclude(delivery__source=delivery.source)
    held = Entry.objects.filter(
        mentions__delivery=delivery, state=Entry.State.QUARANTINED, why=Why.SINGLE_SOURCE
    )
    if delivery.source.trust != Source.Trust.TRUSTED:
        held = held.filter(Exists(others))
    return services.restore_many(
        held,
        why=Why.CLEARED,
        reason=f"{delivery.source.name} has it too"[:250],
        subject=delivery.subject,
        by=delivery.decided_by,
        now=now,
    )


def _contest(delivery: Delivery, numbers: Iterable[int], now: datetime) -> int:
    """Quarantine what the delivery contradicts, if that was decided; never our own assessments."""
    if delivery.contested != Delivery.Contested.QUARANTINE:
        return 0
    contested = 0
    for some in portions(sorted(numbers), _NAMED):
        # In quarantine already: only what another list contests, not what members dispute.
        contested_too = Q(state=Entry.State.QUARANTINED) & Exists(
            _live().filter(says=Says.CONTESTS)
        )
        entries = (
            Entry.objects.filter(Q(state=Entry.State.LISTED) | contested_too, pk__in=some)
            .exclude(source=_OWN)
            .exclude(item__verdict__how__in=_ASSESSED)
        )
        mentions = [
            Mention(delivery=delivery, entry=entry, says=Says.CONTESTS) for entry in entries
        ]
        Mention.objects.bulk_create(mentions)
        contested += services.quarantine_many(
            Entry.objects.filter(pk__in=[mention.entry_id for mention in mentions]),
            why=Why.DISPUTED,
            reason=f"{delivery.source.name} says otherwise"[:250],
            subject=delivery.subject,
            by=delivery.decided_by,
            now=now,
        )
    return contested


def _end(delivery: Delivery, rows: Iterable[HashRow], now: datetime) -> int:
    """End what the source vouched for and takes back; withdraw what nobody else vouches for."""
    withdrawn = 0
    for some in portions(rows, _NAMED):
        ours = Mention.objects.filter(
            delivery__source=delivery.source,
            delivery__state=State.TAKEN,
            says=Says.VOUCHES,
            ended_by=None,
        )
        ids = {row.source_id for row in some if row.source_id}
        named = Q(source_id__in=ids) if ids else Q(pk=None)
        for name in ("sha256", "sha1", "md5", "pdq"):
            if values := {value for row in some if (value := getattr(row, name))}:
                named |= Q(**{f"entry__fingerprint__{name}__in": values})
        numbers = list(ours.filter(named).values_list("pk", "entry_id"))
        for part in portions(numbers, _NAMED):
            Mention.objects.filter(pk__in=[pk for pk, _ in part]).update(ended_by=delivery)
            withdrawn += services.withdraw_many(
                unvouched(Entry.objects.filter(pk__in={entry for _, entry in part})),
                why=Why.SOURCE_WITHDREW,
                reason=f"{delivery.source.name} withdrew it"[:250],
                subject=delivery.subject,
                by=delivery.decided_by,
                now=now,
            )
    return withdrawn


def _relist(ended: QuerySet[Mention], delivery: Delivery, now: datetime) -> int:
    """List again what was withdrawn because the source took it back in this delivery."""
    gone = (
        Entry.objects.filter(
            pk__in=ended.values("entry_id"),
            state=Entry.State.WITHDRAWN,
            why=Why.SOURCE_WITHDREW,
        )
        .select_related("fingerprint", "listed_class")
        .order_by("source", "batch_id", "pk")
    )
    listed = 0
    for (source, batch), entries in groupby(list(gone), lambda each: (each.source, each.batch_id)):
        came = list(entries)
        listed += services.import_entries(
            map(_identity, came), source=source, by=delivery.decided_by, now=now
        ).added
        # They still are what the delivery that first brought them brought.
        for some in portions(came, _NAMED):
            Entry.objects.filter(pk__in=[entry.pk for entry in some]).update(batch_id=batch)
    return listed


def _identity(entry: Entry) -> Identity:
    held = entry.fingerprint
    return Identity(held.value, entry.entry_class, kind=Kind(held.kind), pipeline=held.pipeline)


def _record(delivery: Delivery, verb: str, now: datetime, **detail: object) -> None:
    chain.record(
        at=now,
        actor=delivery.decided_by,
        action=f"exchange.{verb}",
        subject=delivery.subject,
        detail=detail,
    )
