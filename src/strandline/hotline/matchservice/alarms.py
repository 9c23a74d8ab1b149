"""What becomes of a suspicion: an alarm for a manager, and a slower key or none until then."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.audit import chain
from strandline.hotline.config import Probing
from strandline.hotline.errors import MatchChangeRefused
from strandline.hotline.matchservice.models import Alarm, Plan, Standing
from strandline.hotline.matchservice.probing import Suspicion
from strandline.hotline.matchservice.standing import Caller, Limits

BY = "match-service"
_MEASURES = {
    Probing.ALARM: Standing.State.GOOD,
    Probing.SLOW: Standing.State.SLOWED,
    Probing.SUSPEND: Standing.State.SUSPENDED,
}
_LATER = {
    Alarm.Outcome.HARMLESS: Standing.State.GOOD,
    Alarm.Outcome.SLOWED: Standing.State.SLOWED,
    Alarm.Outcome.SUSPENDED: Standing.State.SUSPENDED,
}
#: Most look-ups that can be agreed on, of anything.
MOST = 10**12


def raise_alarm(caller: Caller, suspicion: Suspicion, *, now: datetime) -> Alarm | None:
    """Tell a manager, and slow or suspend the key as the settings say; once until it is settled.

    A key that may hold the list learns nothing new by feeling for its edge, and many variants of
    one picture may be a picture that goes round: of these a manager is told, and no more.
    """
    if _is_known(caller, now):
        return None
    with transaction.atomic():
        chain.lock()
        if _is_known(caller, now):
            return None
        measure = _MEASURES[settings.HOTLINE.matching.probing]
        if caller.entitled or suspicion.kind == Alarm.Kind.VARIANTS:
            measure = Standing.State.GOOD
        measure = max(measure, caller.state, key=list(Standing.State).index)
        alarm = Alarm.objects.create(
            key_id=caller.key,
            kind=suspicion.kind,
            raised_at=now,
            listed=suspicion.listed,
            unlisted=suspicion.unlisted,
            entry=suspicion.entry,
            measure=measure,
        )
        Standing.objects.update_or_create(key_id=caller.key, defaults={"state": measure})
        chain.record(
            at=now,
            actor=BY,
            action="matchservice.raise_alarm",
            subject=alarm.subject,
            detail={
                "key": caller.key,
                "member": caller.member,
                "kind": suspicion.kind.value,
                "measure": measure.value,
            },
        )
        return alarm


def _is_known(caller: Caller, now: datetime) -> bool:
    """A manager is told already, or has looked at what was asked within this window."""
    return (
        Alarm.objects.filter(key=caller.key, settled_at=None).exists()
        or Standing.objects.filter(key=caller.key, quiet_until__gt=now).exists()
    )


@transaction.atomic
def settle_alarm(alarm: Alarm, outcome: str, *, by: str, now: datetime) -> None:
    """Decide on an alarm; what was asked until now raises none again.

    Raises:
        MatchChangeRefused: it is settled already, or the outcome is none.
    """
    chain.lock()
    if outcome not in Alarm.Outcome.values:
        raise MatchChangeRefused("outcome", "Choose one of the outcomes. Nothing was changed.")
    decided = Alarm.Outcome(outcome)
    settled = Alarm.objects.filter(pk=alarm.pk, settled_at=None).update(
        settled_at=now, settled_by=by, outcome=decided
    )
    if not settled:
        raise MatchChangeRefused(
            "outcome", "Somebody settled this alarm already. What they decided stands."
        )
    state = _LATER[decided]
    quiet = now + settings.HOTLINE.matching.window
    Standing.objects.update_or_create(
        key=alarm.key, defaults={"state": state, "quiet_until": quiet}
    )
    chain.record(
        at=now,
        actor=by,
        action="matchservice.settle_alarm",
        subject=alarm.subject,
        detail={"key": alarm.key_id, "outcome": decided.value},
    )


@transaction.atomic
def restore_key(key: ApiKey, *, by: str, now: datetime) -> None:
    """Let a slowed or suspended key ask as before.

    Raises:
        MatchChangeRefused: its alarm is still open.
    """
    chain.lock()
    if Alarm.objects.filter(key=key, settled_at=None).exists():
        raise MatchChangeRefused("key", "Settle the open alarm of this key first.")
    changed = (
        Standing.objects.filter(key=key)
        .exclude(state=Standing.State.GOOD)
        .update(state=Standing.State.GOOD)
    )
    if changed:
        chain.record(
            at=now,
            actor=by,
            action="matchservice.restore_key",
            subject=key.member.actor,
            detail={"key": key.pk},
        )


@transaction.atomic
def agree(member: Member, limits: Limits, *, by: str, now: datetime) -> None:
    """Agree with a member on how much it may ask.

    Raises:
        MatchChangeRefused: a limit that is none.
    """
    chain.lock()
    said = {
        "per_second": int(limits.per_second),
        "burst": limits.burst,
        "per_day": limits.per_day,
        "per_month": limits.per_month,
    }
    most = {"per_second": 10**6, "burst": 10**7, "per_day": MOST, "per_month": MOST}
    for name, value in said.items():
        if not 1 <= value <= most[name]:
            raise MatchChangeRefused(
                name, f"Give a whole number of 1 to {most[name]:,}. Nothing was changed."
            )
    Plan.objects.update_or_create(member=member, defaults=said)
    chain.record(at=now, actor=by, action="matchservice.agree", subject=member.actor, detail=said)
