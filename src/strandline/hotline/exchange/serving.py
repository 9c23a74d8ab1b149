"""The published list in NCMEC's shape, for peers whose software speaks nothing else.

What is served is what members hold: the state as of the last published edition, within the peer's
scope. A window of time is turned into editions by when each became available, and those into event
numbers, which never move: pages neither lose nor repeat an entry, whatever happens meanwhile.
Signed editions say more, and prove it; this is for those who cannot read them.
"""

import io
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings

from strandline.formats import HashRow, Kind, Losses
from strandline.formats.ncmec_writing import Member as Sharer
from strandline.formats.ncmec_writing import write
from strandline.formats.values import utc_text
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.hashlist.models import Edition, Event
from strandline.hotline.hashlist.portions import portions
from strandline.lists.published.classes import Action, Column, Scope

MOST_ENTRIES = 1000
#: The peers' clients keep the newest time they saw; clocks differ, and publishing takes a while.
MARGIN = timedelta(hours=1)
#: Up to here the numbers of a window's entries are sorted in memory, and beyond read by index.
_FEW = 100_000
_LIVE = (Action.ADD, Action.AMEND, Action.RESTORE)
_COLUMNS = (Column.SHA256, Column.SHA1, Column.MD5, Column.PDQ, Column.PHOTODNA)


@dataclass(frozen=True)
class Asked:
    """Which page a peer wants."""

    since: datetime
    until: datetime
    #: How many entries of the window came on earlier pages, and the last one's number.
    start: int = 0
    after: int = 0
    size: int = MOST_ENTRIES


@dataclass(frozen=True)
class Served:
    """One page, and what it was taken from."""

    body: bytes
    #: The edition that the entries are as of; 0 before the first.
    edition: int
    entries: int
    is_last: bool


def sharer() -> Sharer:
    """Who shares these entries: this hotline."""
    return Sharer(1, settings.HOTLINE.name)


def page(asked: Asked, scope: Scope) -> Served:
    """One page of the window, within ``scope``; an entry that left the list is a deleted one."""
    editions = _Editions()
    first, last = editions.events(asked.since - MARGIN, asked.until)
    size = min(max(asked.size, 1), MOST_ENTRIES)
    numbers, in_all = _numbers(first, last, asked.after, size + 1)
    is_last = len(numbers) <= size
    rows = _rows(numbers[:size], editions, scope)
    further = ""
    if not is_last:
        query = {
            "from": utc_text(asked.since),
            "to": utc_text(asked.until),
            "start": asked.start + size,
            "size": size,
            "max": in_all,
            "after": numbers[size - 1],
        }
        further = f"/v2/entries?{urlencode(query)}"
    stream = io.BytesIO()
    write(rows, stream, Losses(), member=sharer(), written=asked.until, next_page=further)
    return Served(stream.getvalue(), editions.latest, len(rows), is_last)


class _Editions:
    """The published editions: which events each brought, and when it became available."""

    def __init__(self) -> None:
        published = Edition.objects.filter(state=Edition.State.PUBLISHED).order_by("number")
        told = list(published.values_list("number", "up_to", "published_at"))
        at = _published_at([number for number, _, _ in told])
        self.up_to = [up_to for _, up_to, _ in told]
        self._at = [at.get(number, decided) for number, _, decided in told]
        self.latest = told[-1][0] if told else 0

    def events(self, since: datetime, until: datetime) -> tuple[int, int]:
        """The last event before the window and the last in it."""
        before = [up_to for up_to, at in zip(self.up_to, self._at, strict=True) if at < since]
        within = [up_to for up_to, at in zip(self.up_to, self._at, strict=True) if at <= until]
        return max(before, default=0), max(within, default=0)

    def at(self, sequence: int) -> datetime:
        """When an event became public."""
        return self._at[bisect_left(self.up_to, sequence)]


def _published_at(numbers: Iterable[int]) -> dict[int, datetime]:
    """When each edition became public, as the chain tells; not when it was decided."""
    found: dict[int, datetime] = {}
    for some in portions(numbers, 500):
        told = AuditEntry.objects.filter(
            subject__in=[f"edition:{number}" for number in some], action="hashlist.publish_edition"
        )
        for subject, at in told.values_list("subject", "at"):
            found[int(subject.removeprefix("edition:"))] = at
    return found


def _numbers(first: int, last: int, after: int, most: int) -> tuple[list[int], int]:
    """Numbers of entries with events in the window, in order, and about how many there are."""
    events = Event.objects.filter(sequence__gt=first, sequence__lte=last).order_by()
    if last - first <= _FEW:
        every = sorted(set(events.values_list("entry_id", flat=True)))
        beyond = [number for number in every if number > after]
        return beyond[:most], len(every)
    some = events.filter(entry_id__gt=after).order_by("entry_id")
    return list(some.values_list("entry_id", flat=True).distinct()[:most]), last - first


def _rows(numbers: Sequence[int], editions: _Editions, scope: Scope) -> list[HashRow]:
    rows = []
    for some in portions(numbers, 500):
        events = Event.objects.filter(entry_id__in=some, sequence__lte=editions.up_to[-1])
        told = events.select_related("fingerprint", "listed_class").order_by("entry", "sequence")
        for number, history in groupby(told, key=lambda event: event.entry_id):
            row = _row(number, list(history), editions, scope)
            if row is not None:
                rows.append(row)
    return rows


def _row(
    number: int, history: Sequence[Event], editions: _Editions, scope: Scope
) -> HashRow | None:
    """The entry as it is now; deleted where it was within the scope once; else none."""
    last = history[-1]
    held = [event.fingerprint for event in history if event.fingerprint is not None][-1]
    kind = Kind(held.kind)
    at = editions.at(last.sequence)
    name = f"entry-{number}"
    if last.action in _LIVE and scope.covers(last.listed_class.value):
        hashes = {
            column.value: value
            for column in _COLUMNS
            if column in scope.columns and (value := getattr(held, column.value))
        }
        if not hashes:
            return None
        category = f"{last.listed_class.jurisdiction}-{last.listed_class.category}"
        return HashRow(**hashes, kind=kind, category=category, source_id=name, changed=at)
    if any(scope.covers(event.listed_class.value) for event in history):
        return HashRow(kind=kind, source_id=name, changed=at, withdrawn=True)
    return None
