"""What managers see of the service: each member's use, and the alarms."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, Sum

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.matchservice.models import Plan, Standing, Usage
from strandline.hotline.matchservice.standing import Limits, usual_limits

#: Days that the page counts, today among them.
DAYS = 30
_SUMMED = ("calls", "look_ups", "listed", "refused")


@dataclass(frozen=True)
class KeyFigures:
    """One key, and whether it is as it should be."""

    key: ApiKey
    entitled: bool
    state: Standing.State

    @property
    def restorable(self) -> bool:
        """It is slowed or suspended."""
        return self.state != Standing.State.GOOD


@dataclass(frozen=True)
class MemberFigures:
    """One member's use, and how much it may ask."""

    member: Member
    calls: int
    look_ups: int
    listed: int
    refused: int
    today: int
    limits: Limits
    #: Something else than the settings say was agreed.
    agreed: bool
    keys: tuple[KeyFigures, ...]

    @property
    def share(self) -> str:
        """Items answered 'listed' among look-ups, in words."""
        return f"1 in {self.look_ups // self.listed:,}" if self.listed else "none"


def of_members(today: date) -> list[MemberFigures]:
    """Every member with a key that may ask, those who asked most first."""
    since = today - timedelta(days=DAYS - 1)
    sums = {
        row["key__member"]: row
        for row in Usage.objects.filter(day__gte=since)
        .values("key__member")
        .annotate(
            **{f"sum_of_{name}": Sum(name) for name in _SUMMED},
            sum_of_today=Sum("look_ups", filter=Q(day=today), default=0),
        )
    }
    states = {row.key_id: Standing.State(row.state) for row in Standing.objects.all()}
    plans = {plan.member_id: plan for plan in Plan.objects.all()}
    names = (*_SUMMED, "today")
    figures = []
    for member in Member.objects.prefetch_related("keys").order_by("name"):
        keys = tuple(
            KeyFigures(key, key.may(Permission.READ_LIST), states.get(key.pk, Standing.State.GOOD))
            for key in member.keys.all()
            if key.may(Permission.ASK_MATCHES)
        )
        row = sums.get(member.pk, {})
        used = {name: row.get(f"sum_of_{name}", 0) for name in names}
        if not keys and not used["calls"]:
            continue
        plan = plans.get(member.pk)
        limits = (
            Limits(plan.per_second, plan.burst, plan.per_day, plan.per_month)
            if plan
            else usual_limits()
        )
        figures.append(
            MemberFigures(
                member=member,
                limits=limits,
                agreed=plan is not None,
                keys=keys,
                **used,
            )
        )
    return sorted(figures, key=lambda each: (-each.look_ups, each.member.name))
