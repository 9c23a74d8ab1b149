"""Who asks: a key, its member, what it is good for, and how much it may ask.

Read with every call and never remembered, so that a key that is revoked or suspended is refused at
once; in one statement written out here, because making it anew takes longer than answering it.
"""

import hashlib
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.accounts.roles import Permission, allowed
from strandline.hotline.hashlist.scopes import scope_of
from strandline.hotline.matchservice.models import Plan, Standing
from strandline.lists.published.classes import Scope

#: A slowed key may ask this part of what its member may.
SLOWED = 10
#: Seconds for which a process remembers a member's scope: a change of it takes so long.
SCOPE_KEPT = 5.0

_READ = f"""
SELECT k.id, k.role, m.id, p.per_second, p.burst, p.per_day, p.per_month, s.state
FROM {ApiKey._meta.db_table} k
JOIN {Member._meta.db_table} m ON m.id = k.member_id AND m.is_active AND k.revoked_at IS NULL
LEFT JOIN {Plan._meta.db_table} p ON p.member_id = m.id
LEFT JOIN {Standing._meta.db_table} s ON s.key_id = k.id
WHERE k.digest = %s
"""  # noqa: S608 - names of tables


@dataclass(frozen=True)
class Limits:
    """How much may be asked, in look-ups."""

    per_second: float
    burst: int
    per_day: int
    per_month: int

    def slowed(self) -> "Limits":
        """A tenth, and one at least."""
        return Limits(
            self.per_second / SLOWED,
            max(1, self.burst // SLOWED),
            max(1, self.per_day // SLOWED),
            max(1, self.per_month // SLOWED),
        )


@dataclass(frozen=True)
class Caller:
    """A key that may ask, as it was when the call came."""

    #: Number of the key, and of its member.
    key: int
    member: int
    #: May be told entries; others one bit.
    entitled: bool
    state: Standing.State
    limits: Limits
    #: By which the key is found again.
    digest: str = ""

    @property
    def bucket(self) -> str:
        """Whose allowance is used: the member's; while a key is slowed, its own small one."""
        if self.state == Standing.State.SLOWED:
            return f"key:{self.key}"
        return f"member:{self.member}"


def caller_of(token: str) -> Caller | None:
    """Who asks with this key; none when it may not ask at all."""
    return _read(hashlib.sha256(token.encode(errors="replace")).hexdigest())


def again(caller: Caller) -> Caller | None:
    """The key as it is now; it may have been revoked or suspended while an answer was made."""
    return _read(caller.digest)


def _read(digest: str) -> Caller | None:
    with connection.cursor() as cursor:
        cursor.execute(_READ, [digest])
        row = cursor.fetchone()
    if row is None or not allowed(row[1], Permission.ASK_MATCHES):
        return None
    state = Standing.State(row[7] or Standing.State.GOOD)
    limits = Limits(*row[3:7]) if row[3] is not None else usual_limits()
    return Caller(
        key=row[0],
        member=row[2],
        entitled=allowed(row[1], Permission.READ_LIST),
        state=state,
        limits=limits.slowed() if state == Standing.State.SLOWED else limits,
        digest=digest,
    )


def usual_limits() -> Limits:
    """What a member may ask where nothing else was agreed."""
    policy = settings.HOTLINE.matching
    return Limits(policy.per_second, policy.burst, policy.per_day, policy.per_month)


class Scopes:
    """What of the list each member's questions are held against."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[float, Scope]] = {}

    def of(self, member: int) -> Scope:
        """The member's scope, as it is or was a few seconds ago."""
        now = time.monotonic()
        kept = self._kept.get(member)
        if kept is None or now - kept[0] > SCOPE_KEPT:
            kept = now, scope_of(Member.objects.get(pk=member))
            with self._lock:
                self._kept[member] = kept
        return kept[1]
