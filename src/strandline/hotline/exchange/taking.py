"""Taking a delivery in, and taking it back: each in one transaction, all of it or nothing.

What the delivery says is laid ready before (see :mod:`.staging`), so that others wait only for the
rows to be written. The transaction begins with the row of due work, so whoever holds it cannot be
overtaken, and a worker that is killed in the middle leaves nothing: the next one begins anew.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from django.db.models import Exists, Q

from strandline.formats import HashRow
from strandline.hotline.audit import chain
from strandline.hotline.exchange import files, vouching
from strandline.hotline.exchange.models import Delivery, Mention, Source
from strandline.hotline.exchange.staging import Staged, staged
from strandline.hotline.exchange.vouching import Act
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
    ended, waiting = _end(delivery, ready.gone(), now)
    outcome = {
        "listed": came.added,
        "vouched for": delivery.mentions.filter(says=Says.VOUCHES).count() - came.added,
        "quarantined until confirmed": waiting + _hold(delivery, came.batch, now),
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
    """Leave the list as if the delivery had not been taken in.

    What nobody else vouches for is withdrawn, what too few vouch for without it waits again, and
    what it contested or ended comes back.
    """
    with due.finish(delivery):
        Delivery.objects.filter(pk=delivery.pk).update(state=State.TAKEN_BACK)
        outcome = {name: count for name, count in _take_back(delivery, now).items() if count}
        if delivery.batch_id is not None:
            Import.objects.filter(pk=delivery.batch_id).update(reverted_at=now)
        Delivery.objects.filter(pk=delivery.pk).update(
            outcome={
                **delivery.outcome,
                **{f"{name}, on taking back": n for name, n in outcome.items()},
            }
        )
        _record(delivery, "take_back", now, reason=delivery.reason, **outcome)


def _take_back(delivery: Delivery, now: datetime) -> dict[str, int]:
    act = Act(delivery, now)
    reason = f"{str(delivery).capitalize()} from {delivery.source.name} was taken back"[:250]
    relisted = _relist(delivery, now)
    ended = Mention.objects.filter(ended_by=delivery)
    vouched_again = list(ended.values_list("entry_id", flat=True).distinct())
    ended.update(ended_by=None)
    vouched = Entry.objects.filter(
        mentions__delivery=delivery, mentions__says=Says.VOUCHES, mentions__ended_by=None
    )
    contested = Entry.objects.filter(mentions__delivery=delivery, mentions__says=Says.CONTESTS)
    withdrawn = services.withdraw_many(
        vouching.unvouched(vouched), why=Why.REVERTED, reason=reason, **act.more
    )
    restored, waiting = vouching.clear(contested, reason, act)
    waiting += vouching.wait(vouching.left_by(delivery.source, vouched), act)
    restored += vouching.free(contested, reason, act)
    for some in portions(relisted, _NAMED):
        back = Entry.objects.filter(pk__in=some)
        still = back.filter(Exists(vouching.live(Says.CONTESTS)))
        vouching.contradict(still, "Another source still", act)
        waiting += vouching.wait(back, act)
    for some in portions(vouched_again, _NAMED):
        restored += vouching.free(Entry.objects.filter(pk__in=some), reason, act)
    return {
        "withdrawn": withdrawn,
        "restored": restored,
        "listed again": len(relisted),
        "quarantined until confirmed": waiting,
    }


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
    return vouching.hold(Entry.objects.filter(batch=batch), Act(delivery, now))


def _confirm(delivery: Delivery, now: datetime) -> int:
    """Let what one source alone had be matched, now that another has the same."""
    mentioned = Entry.objects.filter(mentions__delivery=delivery)
    reason = f"{delivery.source.name} has it too"
    return vouching.free(mentioned, reason, Act(delivery, now))


def _contest(delivery: Delivery, numbers: Iterable[int], now: datetime) -> int:
    """Quarantine what the delivery contradicts, if that was decided; never our own assessments."""
    if delivery.contested != Delivery.Contested.QUARANTINE:
        return 0
    contested = 0
    for some in portions(sorted(numbers), _NAMED):
        # In quarantine already: only what waits or another list contests, not what members dispute.
        also = vouching.HELD | vouching.CONTRADICTED
        entries = Entry.objects.filter(Q(state=Entry.State.LISTED) | also, pk__in=some)
        mentions = [
            Mention(delivery=delivery, entry=entry, says=Says.CONTESTS)
            for entry in entries.exclude(vouching.HERE)
        ]
        Mention.objects.bulk_create(mentions)
        contested += vouching.contradict(
            Entry.objects.filter(pk__in=[mention.entry_id for mention in mentions]),
            delivery.source.name,
            Act(delivery, now),
        )
    return contested


def _end(delivery: Delivery, rows: Iterable[HashRow], now: datetime) -> tuple[int, int]:
    """End what the source vouched for and takes back: how many that withdrew, and how many wait."""
    withdrawn, waiting, act = 0, 0, Act(delivery, now)
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
            left = Entry.objects.filter(pk__in={entry for _, entry in part})
            withdrawn += services.withdraw_many(
                vouching.unvouched(left),
                why=Why.SOURCE_WITHDREW,
                reason=f"{delivery.source.name} withdrew it"[:250],
                **act.more,
            )
            waiting += vouching.wait(vouching.left_by(delivery.source, left), act)
    return withdrawn, waiting


def _relist(delivery: Delivery, now: datetime) -> list[int]:
    """List again what was withdrawn because the source took it back in this delivery."""
    ended = Mention.objects.filter(ended_by=delivery)
    gone = (
        Entry.objects.filter(
            pk__in=ended.values("entry_id"),
            state=Entry.State.WITHDRAWN,
            why=Why.SOURCE_WITHDREW,
        )
        .select_related("fingerprint", "listed_class")
        .order_by("source", "batch_id", "pk")
    )
    listed: list[int] = []
    for (source, batch), entries in groupby(list(gone), lambda each: (each.source, each.batch_id)):
        came = list(entries)
        services.import_entries(
            map(_identity, came), source=source, by=delivery.decided_by, now=now
        )
        # They still are what the delivery that first brought them brought.
        for some in portions([entry.pk for entry in came], _NAMED):
            Entry.objects.filter(pk__in=some).update(batch_id=batch)
            listed.extend(some)
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
