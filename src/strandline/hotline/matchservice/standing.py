"""Who asks: a key, its member, what it is good for, and how much it may ask."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.hashlist.scopes import scope_of
from strandline.hotline.matchservice.models import Plan, Standing
from strandline.lists.classes import Scope

#: A slowed key may ask this part of what its member may.
SLOWED = 10


@dataclass(frozen=True)
class Limits:
    """How much may be asked, in look-ups."""

    per_second: float
    burst: int
    per_day: int
    per_month: int


@dataclass(frozen=True)
class Caller:
    """A key that may ask, as it was when the call came."""

    key: ApiKey
    member: Member
    #: May be told entries; others one bit.
    entitled: bool
    state: Standing.State
    quiet_until: datetime | None
    limits: Limits

    @property
    def bucket(self) -> str:
        """Whose allowance is used: the member's; while a key is slowed, its own small one."""
        if self.state == Standing.State.SLOWED:
            return f"key:{self.key.pk}"
        return f"member:{self.member.pk}"

    def scope(self) -> Scope:
        """What of the list this member's questions are held against."""
        return scope_of(self.member)


def caller_of(token: str) -> Caller | None:
    """Who asks with this key, in one read; none when it may not ask at all."""
    row = (
        ApiKey.objects.select_related("member", "member__match_plan", "match_standing")
        .filter(digest=hashlib.sha256(token.encode()).hexdigest())
        .first()
    )
    if row is None or not row.may(Permission.ASK_MATCHES):
        return None
    # The other side of a one-to-one is an attribute that may be missing.
    standing: Standing | None = getattr(row, "match_standing", None)
    state = Standing.State(standing.state) if standing else Standing.State.GOOD
    limits = limits_of(row.member)
    if state == Standing.State.SLOWED:
        limits = Limits(
            limits.per_second / SLOWED,
            max(1, limits.burst // SLOWED),
            max(1, limits.per_day // SLOWED),
            max(1, limits.per_month // SLOWED),
        )
    return Caller(
        key=row,
        member=row.member,
        entitled=row.may(Permission.READ_LIST),
        state=state,
        quiet_until=standing.quiet_until if standing else None,
        limits=limits,
    )


def still_good(key: ApiKey) -> bool:
    """Whether a key may still ask, now: it may have been revoked while an answer was made."""
    row = (
        ApiKey.objects.select_related("member")
        .exclude(match_standing__state=Standing.State.SUSPENDED)
        .filter(pk=key.pk)
        .first()
    )
    return row is not None and row.may(Permission.ASK_MATCHES)


def limits_of(member: Member) -> Limits:
    """What was agreed with this member, or what the settings say."""
    plan: Plan | None = getattr(member, "match_plan", None)
    if plan is not None:
        return Limits(plan.per_second, plan.burst, plan.per_day, plan.per_month)
    policy = settings.HOTLINE.matching
    return Limits(policy.per_second, policy.burst, policy.per_day, policy.per_month)
