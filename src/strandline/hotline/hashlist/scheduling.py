"""When an edition is due: some time after the first change that none holds, or as a person says."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.growing import Foreseen, foresee
from strandline.hotline.hashlist.models import Edition, Event, Publication, Release

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

    Call it with the chain's lock held.
    """
    first = first_unpublished()
    row, _ = Publication.objects.get_or_create(pk=_ONLY)
    if first is None or row.due_at is not None or row.given_up_at is not None:
        return
    Publication.objects.filter(pk=_ONLY).update(due_at=first + settings.HOTLINE.publish_every)


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
