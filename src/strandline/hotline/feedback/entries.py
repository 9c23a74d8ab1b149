"""Entries as this room needs them: found within a scope, changed by the list's own verbs."""

import re
import threading
from collections.abc import Iterable
from datetime import datetime

from strandline.hotline.hashlist import services
from strandline.hotline.hashlist.models import Edition, Entry, Why
from strandline.hotline.hashlist.near import NearIndex
from strandline.lists.published.classes import Scope

#: How the record names what this room does by itself.
BY = "feedback"
_index = NearIndex()
_lock = threading.Lock()
_NAME = re.compile(r"(?:entry-)?([0-9]{1,18})")


def number_of(name: str) -> int | None:
    """The number in ``entry-17`` or ``17``; none for anything else."""
    found = _NAME.fullmatch(name.strip())
    return int(found[1]) if found else None


def within(numbers: Iterable[int], scope: Scope) -> dict[int, Entry]:
    """Those of these entries that exist and are within a member's scope, by number."""
    rows = Entry.objects.select_related("listed_class").in_bulk(set(numbers))
    return {number: row for number, row in rows.items() if scope.covers(row.entry_class)}


def listed_in_all() -> int:
    """How many entries the list has, as the last edition says; counted where there is none yet."""
    last = Edition.objects.order_by("-number").values_list("entries", flat=True).first()
    if last is not None:
        return last
    return Entry.objects.exclude(state=Entry.State.WITHDRAWN).count()


def quarantine(entry: Entry, why: Why, reason: str, *, by: str = BY, now: datetime) -> None:
    """Have an entry not matched any more; nothing happens unless it is listed."""
    if entry.state == Entry.State.LISTED:
        services.quarantine(entry, why=why, reason=reason[:250], by=by, now=now)


def restore(entry: Entry, reason: str, *, by: str = BY, now: datetime) -> None:
    """Have an entry matched again; nothing happens unless it is quarantined."""
    if entry.state == Entry.State.QUARANTINED:
        services.restore(entry, why=Why.CLEARED, reason=reason[:250], by=by, now=now)


def withdraw(entry: Entry, why: Why, reason: str, *, by: str, now: datetime) -> None:
    """Take an entry off the list; nothing happens if it is off already."""
    if entry.state != Entry.State.WITHDRAWN:
        services.withdraw(entry, why=why, reason=reason[:250], by=by, now=now)


def near(pdq: str) -> list[tuple[int, int]]:
    """Listed entries that look like this hash: number and distance in bits, nearest first."""
    with _lock:
        return [(int(match.id), match.distance) for match in _index.query(pdq)]
