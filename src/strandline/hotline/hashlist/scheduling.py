"""When an edition is due: some time after the first change that none holds, or as a person says.

What members still match and should not, because it was put under quarantine, does not wait so long.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.growing import Foreseen, foresee
from strandline.hotline.hashlist.models import Edition, Entry, Event, Publication, Release, Why
from strandline.lists.published.classes import Action

#: What members match and should not waits so long at most; disputes that come together are one
#: edition.
HURRY = timedelta(minutes=5)
#: Why an entry is put under quarantine when somebody holds it to be wrong.
CONTESTED = (Why.DISPUTED, Why.SINGLE_SOURCE, Why.INNOCENT)
#: The one row of :class:`Publication`, and of :class:`Release`.
_ONLY = 1


@transaction.atomic
def publish_now(*, knowingly: bool = False, by: str, now: datetime) -> None:
    """Make the next edition due at once; the worker, which holds the keys, publishes it.

    Raises:
        ListChangeRefused: nothing has changed since the last edition; or members will refuse this
            one, and whoever asks did not say that they know.
    """
    chain.lock()
    if not unfinished() and first_unpublished() is None:
        raise ListChangeRefused(
            "publish", "Nothing has changed since the last edition, so there is nothing to publish."
        )
    refused = foreseen()
    if refused is not None and not knowingly:
        raise ListChangeRefused("knowingly", f"{refused.sentence} Nothing was published.")
    Publication.objects.update_or_create(
        pk=_ONLY, defaults={"due_at": now, "given_up_at": None, "failures": 0}
    )
    if unfinished():
        release_now(now)
    detail = {"refused_by_members": refused.sentence} if refused else {}
    chain.record(at=now, actor=by, action="hashlist.publish_now", subject="list", detail=detail)


@transaction.atomic
def put_off(*, by: str, now: datetime) -> None:
    """Let the next edition, which members will refuse, wait for another ``publish_every``.

    Raises:
        ListChangeRefused: members will take it, so it is not to wait: withdrawals are in it.
    """
    chain.lock()
    if foreseen() is None:
        raise ListChangeRefused("publish", "Members will take the next edition; it is not put off.")
    until = now + settings.HOTLINE.publish_every
    Publication.objects.update_or_create(pk=_ONLY, defaults={"due_at": until})
    chain.record(
        at=now,
        actor=by,
        action="hashlist.put_off",
        subject="list",
        detail={"until": until.isoformat()},
    )


def foreseen(more: int = 0) -> Foreseen | None:
    """Why members will refuse the next edition, if they will; with so many changes more."""
    changes = waiting_changes() + more
    return foresee(settings.HOTLINE, changes) if changes else None


def release_now(now: datetime) -> None:
    """Make it due to log, have cosigned and tell what waits for that.

    Call it with the chain's lock held.
    """
    Release.objects.update_or_create(
        pk=_ONLY, defaults={"due_at": now, "given_up_at": None, "failures": 0}
    )


def schedule() -> None:
    """Make publishing due, ``publish_every`` after the first change that no edition holds.

    Sooner where one of these changes is urgent. Call it with the chain's lock held.
    """
    first = first_unpublished()
    row, _ = Publication.objects.get_or_create(pk=_ONLY)
    if first is None or row.due_at is not None or row.given_up_at is not None:
        return
    until = first + settings.HOTLINE.publish_every
    # It came while the edition before was written or waited for its witnesses.
    urgent = _urgent().values_list("at", flat=True).first()
    if urgent is not None and urgent + HURRY < until and foreseen() is None:
        until = urgent + HURRY
    Publication.objects.filter(pk=_ONLY).update(due_at=until)


def hurry(*, since: int, now: datetime) -> None:
    """Make publishing due soon if, from event ``since`` on, a contested entry was quarantined.

    Only for entries that members have: one that no edition listed is matched by nobody. What
    members will refuse is not hurried: that edition waits for a person. Call it with the chain's
    lock held, in the transaction of the change, after ``schedule``.
    """
    until = now + HURRY
    waits = Publication.objects.filter(pk=_ONLY, due_at__gt=until)
    if waits.exists() and _urgent(since).exists() and foreseen() is None:
        waits.update(due_at=until)


def _urgent(since: int = 0) -> QuerySet[Event]:
    """Quarantines of contested entries that members match until the next edition."""
    last = Edition.objects.last()
    published = Event.objects.filter(
        entry=OuterRef("entry"), sequence__lte=last.up_to if last else 0
    )
    return _waiting().filter(
        Exists(published),
        sequence__gte=since,
        action=Action.QUARANTINE.value,
        before=Entry.State.LISTED,
        why__in=CONTESTED,
    )


def unfinished() -> Edition | None:
    """The edition that was begun and is not published yet, if there is one."""
    return Edition.objects.exclude(state=Edition.State.PUBLISHED).first()


def first_unpublished() -> datetime | None:
    """When the first change happened that no edition holds yet; none when there is none."""
    return _waiting().values_list("at", flat=True).first()


def waiting_changes() -> int:
    """How many events the next edition will bring."""
    return _waiting().count()


def _waiting() -> QuerySet[Event]:
    last = Edition.objects.last()
    return Event.objects.filter(sequence__gt=last.up_to if last else 0).order_by("sequence")
