"""One call from its body to its answer; and what a member has used."""

import atexit
import contextlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db.models import Sum

from strandline.hotline.matchservice import alarms, asking, derived
from strandline.hotline.matchservice.allowance import Allowances, Left, TooMuch, left_of
from strandline.hotline.matchservice.answering import answer, within
from strandline.hotline.matchservice.asking import AskedWrong, Item
from strandline.hotline.matchservice.innocence import one_bit, without_innocent
from strandline.hotline.matchservice.lookup import Current, Hit
from strandline.hotline.matchservice.models import Standing, Usage
from strandline.hotline.matchservice.probing import Asked, Watch
from strandline.hotline.matchservice.standing import Caller, Scopes, again

allowances = Allowances()
current = Current(derived.open_list)
scopes = Scopes()
#: What is said of each item after the one that raised an alarm.
STOPPED = (
    "Not answered: what this key asks looks like a search for the edge of the list, and it is "
    "slower from now on. Wait as long as Retry-After says, or write to the hotline."
)
_watches: dict[tuple[Path, float], Watch] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """What is sent back, and what the caller may still ask."""

    body: bytes
    left: Left
    #: Seconds to wait before items that were left unanswered are sent again.
    wait: int | None = None


class Suspended(Exception):  # an answer, not a failure: the caller turns it into one
    """The key may not ask until a manager looked at how it was used."""


class Revoked(Exception):  # likewise
    """The key was revoked while the answer was made."""


def match(caller: Caller, body: bytes, now: datetime) -> Answer:
    """Answer one call.

    Raises:
        Suspended, Revoked: nothing is told.
        AskedWrong: the call cannot be read; nothing was looked up and nothing counted.
        TooMuch: more than is allowed was asked; nothing was looked up.
        NoList: there is nothing to look up in.
    """
    if caller.state == Standing.State.SUSPENDED:
        raise Suspended
    items = asking.read(body)
    held = current.get(settings.HOTLINE.home / derived.FOLDER)
    cost = sum(item.cost for item in items)
    left = allowances.spend(caller, cost, now)
    scope = scopes.of(caller.member)
    hits = without_innocent(items, within(held.find(items, scope.columns), scope))
    asked = _asked(items, hits)
    suspicion = watch().see(caller.key, asked, now.timestamp())
    wait = None
    if suspicion is not None:
        alarm = alarms.raise_alarm(caller, suspicion, now=now)
        if alarm is not None and alarm.measure != Standing.State.GOOD:
            wait = _stop(caller, items, hits, suspicion.group)
            asked = [each for each in asked if each.group <= suspicion.group]
    told_listed = [bool(found) for found in hits]
    if not caller.entitled:
        basis = f"{held.edition} {scope}".encode()
        alike = watch().steady(caller.key, asked, basis, now.timestamp())
        told_listed = one_bit(hits, asked, alike)
    listed = sum(told_listed)
    allowances.count(caller, now, look_ups=cost, listed=listed)
    # Whoever lost the key meanwhile is told nothing, not even by a call that was under way.
    now_good = again(caller)
    if now_good is None:
        raise Revoked
    if now_good.state == Standing.State.SUSPENDED:
        raise Suspended
    told = answer(items, hits, told_listed, entitled=caller.entitled, edition=held.edition)
    return Answer(json.dumps(told, separators=(",", ":")).encode(), left, wait)


def _stop(caller: Caller, items: list[Item], hits: list[list[Hit]], last: int) -> int:
    """Leave everything after ``last`` unanswered; seconds until it may be asked again."""
    unanswered = 0
    for place in range(last + 1, len(items)):
        unanswered += items[place].cost
        items[place] = Item(items[place].id, STOPPED, cost=items[place].cost)
        hits[place] = []
    return max(1, ceil(unanswered / caller.limits.slowed().per_second))


def _asked(items: Sequence[Item], hits: Sequence[Sequence[Hit]]) -> list[Asked]:
    """What the watch counts: each perceptual hash, and its nearest entry."""
    seen = []
    for group, (item, found) in enumerate(zip(items, hits, strict=True)):
        if not item.hashes:
            continue
        near: dict[int | None, Hit] = {}
        for hit in found:
            if hit.column.value in {"pdq", "video"} and (
                hit.ms not in near or hit.distance < near[hit.ms].distance
            ):
                near[hit.ms] = hit
        for each in item.hashes:
            hit_here = near.get(each.ms)
            seen.append(
                Asked(
                    each.raw,
                    hit_here.number if hit_here else None,
                    hit_here.distance if hit_here else 0,
                    group,
                )
            )
    return seen


def watch() -> Watch:
    """The watch over this hotline's keys."""
    window = settings.HOTLINE.matching.window.total_seconds()
    name = (settings.HOTLINE.home / "match" / "watch", window)
    with _lock:
        if name not in _watches:
            _watches[name] = Watch(name[0], settings.HOTLINE.secret("django-secret"), window)
        return _watches[name]


@dataclass(frozen=True)
class Used:
    """What was used of the quotas; the member's own figures."""

    calls_today: int
    look_ups_today: int
    listed_today: int
    refused_today: int
    look_ups_this_month: int
    left: Left


def used(caller: Caller, now: datetime) -> Used:
    """What the caller's member asked today and this month, with all its keys."""
    allowances.settle(now)
    today = now.astimezone(UTC).date()
    rows = Usage.objects.filter(key__member=caller.member)
    names = ("calls", "look_ups", "listed", "refused")
    sums = rows.filter(day=today).aggregate(**{name: Sum(name, default=0) for name in names})
    month = rows.filter(day__gte=today.replace(day=1), day__lte=today)
    return Used(
        calls_today=sums["calls"],
        look_ups_today=sums["look_ups"],
        listed_today=sums["listed"],
        refused_today=sums["refused"],
        look_ups_this_month=month.aggregate(total=Sum("look_ups", default=0))["total"],
        left=left_of(caller, now),
    )


@atexit.register
def _settle_at_the_end() -> None:
    """Write the figures of the last seconds; without a database they are lost, and only they."""
    with contextlib.suppress(DatabaseTrouble, OSError):
        allowances.settle()


__all__ = ["AskedWrong", "Revoked", "Suspended", "TooMuch", "allowances", "match", "used"]
