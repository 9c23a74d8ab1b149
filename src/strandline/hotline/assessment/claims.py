"""Whose turn it is at an address: taking one, giving it back.

Writers queue (``audit.chain.lock``) and the database holds two unique constraints, so that two
analysts can never have the same address.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.assessment.models import Assessment, Claim
from strandline.hotline.assessment.words import Stage
from strandline.hotline.audit import chain
from strandline.hotline.errors import ClaimRefused, NotAllowed
from strandline.hotline.reports.models import MediaItem, ReportedUrl
from strandline.hotline.reports.states import WAITING_FOR_ANALYSTS, State

#: A claim nobody worked on for this long is up; each assessment starts it anew.
LASTS = timedelta(minutes=45)
#: An address somebody skipped is not offered to the same person for this long.
REST_AFTER_SKIP = timedelta(hours=12)
#: Addresses read at once while looking for one this analyst may still assess.
_CHUNK = 200


def claim_next(analyst: Person, *, now: datetime) -> Claim | None:
    """The analyst's running claim, or a new one on the most urgent address open to them.

    Returns:
        None when nothing is waiting that this analyst may do.

    Raises:
        NotAllowed: the person's role does not assess.
    """
    _check_role(analyst)
    with transaction.atomic():
        chain.lock()
        _end_expired(now)
        if held := running(analyst, now=now):
            return held
        fresh = _waiting(State.CAPTURED, analyst, now).first()
        begun = _assessed_waiting(analyst, now, before=fresh)
        if begun is not None:
            return _take(*begun, analyst, now)
        # 'captured' itself says that an item was never assessed: no look at items is needed.
        return _take(fresh, Stage.FIRST, analyst, now) if fresh else None


def claim(address: ReportedUrl, analyst: Person, *, now: datetime) -> Claim:
    """A claim on this very address; the running one if the analyst already has it.

    Raises:
        NotAllowed: the person's role does not assess.
        ClaimRefused: somebody is at it, it is not this person's turn, or they are at another one.
    """
    _check_role(analyst)
    with transaction.atomic():
        chain.lock()
        _end_expired(now)
        held = running(analyst, now=now)
        if held and held.address_id == address.pk:
            return held
        if held:
            raise ClaimRefused(
                "You are still at another address. Finish it or stop there first; then come back."
            )
        if Claim.objects.filter(address=address, ended_at=None).exists():
            raise ClaimRefused("Somebody is at this address now. Claim the next one instead.")
        row = ReportedUrl.objects.get(pk=address.pk)
        if row.state in WAITING_FOR_ANALYSTS:
            for stage in stages_of(analyst):
                if open_items(row, analyst, stage).exists():
                    return _take(row, stage, analyst, now)
        raise ClaimRefused(
            "There is nothing for you to assess at this address: it is decided, it waits for a "
            "colleague who has not seen it, or it has no pictures."
        )


def take_again(held: Claim, *, now: datetime) -> Claim:
    """The claim to go on with: ``held`` while it runs; once its time was up, a new one like it.

    Raises:
        ClaimRefused: it was finished, skipped or stopped; somebody took the address meanwhile; or
            what waits there is not what this claim was for.
    """
    with transaction.atomic():
        chain.lock()
        held.refresh_from_db()
        if held.runs_at(now):
            return held
        if not held.ran_out_by(now):
            raise ClaimRefused("Your turn at this address is over. Claim it again to go on.")
        again = claim(held.address, held.analyst, now=now)
        if again.stage != held.stage:
            raise ClaimRefused("A colleague was at this address meanwhile; nothing more is needed.")
        return again


def may_take_again(held: Claim, *, now: datetime) -> bool:
    """Whether :func:`take_again` would find ``held`` run out, its work undone and nobody at it."""
    others = Claim.objects.filter(address=held.address_id, ended_at=None, until__gt=now)
    return held.ran_out_by(now) and not others.exists() and remaining(held).exists()


def release(held: Claim, *, skip: bool, by: str, now: datetime) -> None:
    """Give an address back. ``skip`` keeps it from being offered to the same person today."""
    ending = Claim.Ending.SKIPPED if skip else Claim.Ending.STOPPED
    with transaction.atomic():
        chain.lock()
        if end(held, ending, now=now):
            chain.record(
                at=now,
                actor=by,
                action="assessment.release",
                subject=held.address.subject,
                detail={"claim": held.pk},
            )


def end(held: Claim, ending: Claim.Ending, *, now: datetime) -> bool:
    """End a running claim; false when it had ended already."""
    ended = Claim.objects.filter(pk=held.pk, ended_at=None).update(ended_at=now, ending=ending)
    held.refresh_from_db()
    return bool(ended)


def running(analyst: Person, *, now: datetime) -> Claim | None:
    """The claim this analyst is at, if any."""
    return (
        Claim.objects.select_related("address")
        .filter(analyst=analyst, ended_at=None, until__gt=now)
        .first()
    )


def stages_of(analyst: Person) -> Sequence[Stage]:
    """The stages this person's role may do."""
    if analyst.may(Permission.SETTLE_DISAGREEMENT):
        return (Stage.FIRST, Stage.SECOND, Stage.THIRD)
    return (Stage.FIRST, Stage.SECOND)


def open_items(address: ReportedUrl, analyst: Person, stage: Stage) -> QuerySet[MediaItem]:
    """Items at ``address`` that wait for this stage and that this analyst has not judged."""
    return _open_to(analyst, stage).filter(appearances__address=address).order_by("appearances__pk")


def remaining(held: Claim) -> QuerySet[MediaItem]:
    """Items this claim is still for, in the order of the page."""
    return open_items(held.address, held.analyst, Stage(held.stage))


def _open_to(analyst: Person, stage: Stage) -> QuerySet[MediaItem]:
    items = MediaItem.objects.filter(refusal="", verdict=None)
    of_item = Assessment.objects.filter(item=OuterRef("pk"))
    first, second = (of_item.filter(stage=s) for s in (Stage.FIRST, Stage.SECOND))
    if stage == Stage.FIRST:
        return items.filter(~Exists(first))
    not_mine = items.filter(~Exists(of_item.filter(analyst=analyst)))
    if stage == Stage.SECOND:
        return not_mine.filter(Exists(first), ~Exists(second))
    return not_mine.filter(Exists(second))


def _waiting(state: State, analyst: Person, now: datetime) -> QuerySet[ReportedUrl]:
    """Addresses in ``state`` nobody is at and this analyst did not skip, in the queue's order."""
    at_it = Claim.objects.filter(address=OuterRef("pk"), ended_at=None)
    skipped = Claim.objects.filter(
        address=OuterRef("pk"),
        analyst=analyst,
        ending=Claim.Ending.SKIPPED,
        ended_at__gt=now - REST_AFTER_SKIP,
    )
    return ReportedUrl.objects.filter(~Exists(at_it), ~Exists(skipped), state=state).order_by(
        "-priority", "id"
    )


def _assessed_waiting(
    analyst: Person, now: datetime, *, before: ReportedUrl | None
) -> tuple[ReportedUrl, Stage] | None:
    """The first assessed address this analyst may go on with; none if ``before`` comes sooner."""
    later = [stage for stage in stages_of(analyst) if stage != Stage.FIRST]
    for chunk in _chunks(_waiting(State.ASSESSED, analyst, now)):
        stage_of: dict[int, Stage] = {}
        for stage in later:
            hits = _open_to(analyst, stage).filter(appearances__address__in=chunk)
            for pk in hits.values_list("appearances__address", flat=True):
                stage_of.setdefault(pk, stage)
        for address in chunk:
            if before is not None and _place(before) < _place(address):
                return None
            if address.pk in stage_of:
                return address, stage_of[address.pk]
    return None


def _place(address: ReportedUrl) -> tuple[int, int]:
    return -address.priority, address.pk


def _chunks(addresses: QuerySet[ReportedUrl]) -> Iterator[list[ReportedUrl]]:
    """The queue in pieces, each a read along its index."""
    rows = list(addresses[:_CHUNK])
    while rows:
        yield rows
        last = rows[-1]
        rest = addresses.filter(priority__lte=last.priority).exclude(
            priority=last.priority, id__lte=last.pk
        )
        rows = list(rest[:_CHUNK])


def _take(address: ReportedUrl, stage: Stage, analyst: Person, now: datetime) -> Claim:
    taken = Claim.objects.create(
        address=address, analyst=analyst, stage=stage, taken_at=now, until=now + LASTS
    )
    chain.record(
        at=now,
        actor=analyst.actor,
        action="assessment.claim",
        subject=address.subject,
        detail={"claim": taken.pk, "stage": stage.value},
    )
    return taken


def _end_expired(now: datetime) -> None:
    Claim.objects.filter(ended_at=None, until__lte=now).update(
        ended_at=F("until"), ending=Claim.Ending.EXPIRED
    )


def _check_role(analyst: Person) -> None:
    if not analyst.may(Permission.ASSESS):
        raise NotAllowed("Your role does not assess.")
