"""What left the list or was set aside, and why: from the record, in the words members are told."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet

from strandline.hotline.hashlist.models import Edition, Entry, Event, Why
from strandline.lists.published.classes import Action

#: Events that take an entry out of use. A move goes on in another class and takes nothing out.
_ACTIONS = (Action.WITHDRAW, Action.QUARANTINE)
_WORDS = {why.value: why.label for why in Why}


#: What became of the entry, by its state now.
_SINCE = {
    Entry.State.LISTED: "listed again",
    Entry.State.QUARANTINED: "still set aside",
    Entry.State.WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True)
class Taken:
    """One entry that left the list or was set aside."""

    sequence: int
    entry: str
    #: ``withdraw`` or ``quarantine``.
    action: str
    day: date
    why: str
    #: The first edition without it.
    edition: int | None
    #: What became of the entry.
    since: str


@dataclass(frozen=True)
class ByReason:
    """How many entries left for one reason, in all."""

    why: str
    withdrawn: int
    quarantined: int


def taken_out() -> QuerySet[Event]:
    """The events of published editions, the latest first."""
    up_to = (
        Edition.objects.filter(state=Edition.State.PUBLISHED)
        .order_by("-number")
        .values_list("up_to", flat=True)
        .first()
    )
    return (
        Event.objects.filter(action__in=_ACTIONS, sequence__lte=up_to or 0)
        .exclude(why=Why.MOVED)
        .order_by("-sequence")
    )


def told(events: QuerySet[Event]) -> Iterator[Taken]:
    """The events as a page shows them, read a thousand at a time."""
    editions = Edition.objects.filter(state=Edition.State.PUBLISHED).order_by("number")
    ends = list(editions.values_list("up_to", "number"))
    last_events = [up_to for up_to, _ in ends]
    rows = events.values_list("sequence", "entry_id", "action", "at", "why", "entry__state")
    for sequence, number, action, at, why, state in rows.iterator(chunk_size=1000):
        place = bisect.bisect_left(last_events, sequence)
        yield Taken(
            sequence=sequence,
            entry=f"entry-{number}",
            action=action,
            day=at.date(),
            why=_WORDS.get(why, why),
            edition=ends[place][1] if place < len(ends) else None,
            since=_SINCE[Entry.State(state)],
        )


def by_reason() -> list[ByReason]:
    """Every reason that was ever given, the most frequent first."""
    counts: dict[str, dict[str, int]] = {}
    rows = taken_out().order_by().values("why", "action").annotate(n=Count("sequence"))
    for row in rows:
        counts.setdefault(row["why"], {})[row["action"]] = row["n"]
    made = [
        ByReason(_WORDS.get(why, why), n.get(Action.WITHDRAW, 0), n.get(Action.QUARANTINE, 0))
        for why, n in counts.items()
    ]
    return sorted(made, key=lambda each: (-each.withdrawn - each.quarantined, each.why))
