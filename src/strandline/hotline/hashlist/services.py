"""What can be done to the list: add an entry, withdraw one, ask for an edition."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q

from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.models import Edition, Entry, Publication
from strandline.hotline.reports.models import MediaItem

#: The one row of :class:`Publication`.
_ONLY = 1


@transaction.atomic
def add_entry(
    item: MediaItem, *, category: str, labels: Iterable[str] = (), by: str, now: datetime
) -> Entry:
    """List a confirmed item; the same item again gives the entry it has, changing nothing.

    Numbers have no gap: whoever adds holds the audit chain's lock until the end of the
    transaction, so the next one sees this number, or that it was never given.
    """
    chain.lock()
    existing = Entry.objects.filter(item=item).first()
    if existing is not None:
        return existing
    entry = Entry.objects.create(
        sequence=_last_sequence() + 1,
        item=item,
        category=category,
        labels=sorted(set(labels)),
        added_at=now,
    )
    chain.record(
        at=now,
        actor=by,
        action="hashlist.add_entry",
        subject=entry.subject,
        detail={"item": item.pk, "category": category},
    )
    schedule()
    return entry


@transaction.atomic
def withdraw(entry: Entry, *, reason: str, by: str, now: datetime) -> Entry:
    """Take an entry off the list: the next edition is without it, and the record says why.

    Raises:
        ListChangeRefused: no reason was given, or it is withdrawn already.
    """
    reason = reason.strip()
    if not reason:
        raise ListChangeRefused(
            "reason", "Say why it is withdrawn: the record keeps it, members do not see it."
        )
    if len(reason) > 250:
        raise ListChangeRefused(
            "reason", f"The reason has {len(reason)} characters; 250 is the most."
        )
    chain.lock()
    last = Edition.objects.last()
    withdrawn = Entry.objects.filter(pk=entry.pk, status=Entry.Status.ACTIVE).update(
        status=Entry.Status.WITHDRAWN,
        withdrawn_at=now,
        withdrawn_reason=reason,
        withdrawn_from=(last.number if last else 0) + 1,
    )
    if not withdrawn:
        raise ListChangeRefused("entry", f"Entry {entry.sequence} is withdrawn already.")
    chain.record(
        at=now,
        actor=by,
        action="hashlist.withdraw",
        subject=entry.subject,
        detail={"reason": reason},
    )
    schedule()
    entry.refresh_from_db()
    return entry


@transaction.atomic
def publish_now(*, by: str, now: datetime) -> None:
    """Make the next edition due at once; the worker, which holds the key, publishes it.

    Raises:
        ListChangeRefused: nothing has changed since the last edition.
    """
    chain.lock()
    unfinished = Edition.objects.filter(state=Edition.State.PREPARED).exists()
    if not unfinished and first_unpublished() is None:
        raise ListChangeRefused(
            "publish", "Nothing has changed since the last edition, so there is nothing to publish."
        )
    Publication.objects.update_or_create(
        pk=_ONLY, defaults={"due_at": now, "given_up_at": None, "failures": 0}
    )
    chain.record(at=now, actor=by, action="hashlist.publish_now", subject="list")


def schedule() -> None:
    """Make publishing due, ``publish_every`` after the first change that no edition holds.

    Call it with the chain's lock held.
    """
    first = first_unpublished()
    row, _ = Publication.objects.get_or_create(pk=_ONLY)
    if first is None or row.due_at is not None or row.given_up_at is not None:
        return
    Publication.objects.filter(pk=_ONLY).update(due_at=first + settings.HOTLINE.publish_every)


def first_unpublished() -> datetime | None:
    """When the first change happened that no edition holds yet; none when there is none."""
    last = Edition.objects.last()
    up_to, number = (last.up_to, last.number) if last else (0, 0)
    added = Entry.objects.filter(sequence__gt=up_to).aggregate(at=Min("added_at"))["at"]
    gone = Entry.objects.filter(withdrawn_from=number + 1, sequence__lte=up_to).aggregate(
        at=Min("withdrawn_at")
    )["at"]
    return min((at for at in (added, gone) if at is not None), default=None)


def waiting_changes() -> int:
    """How many additions and withdrawals the next edition will bring."""
    last = Edition.objects.last()
    up_to, number = (last.up_to, last.number) if last else (0, 0)
    return Entry.objects.filter(
        Q(sequence__gt=up_to, status=Entry.Status.ACTIVE)
        | Q(sequence__lte=up_to, withdrawn_from=number + 1)
    ).count()


def _last_sequence() -> int:
    return Entry.objects.aggregate(last=Max("sequence"))["last"] or 0
