"""What left the list or was set aside, and why: from the record, in the words members are told."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet

from strandline.hotline.hashlist.models import Edition, Event, Why
from strandline.lists.published.classes import Action

#: Events that take an entry out of use. A move goes on in another class and takes nothing out.
_ACTIONS = (Action.WITHDRAW, Action.QUARANTINE)


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
        .select_related("entry")
        .order_by("-sequence")
    )


def told(events: list[Event]) -> list[Taken]:
    """The events as a page shows them; at most one query more."""
    if not events:
        return []
    ends = list(
        Edition.objects.filter(
            state=Edition.State.PUBLISHED, up_to__gte=min(e.sequence for e in events)
        )
        .order_by("number")
        .values_list("up_to", "number")
    )
    return [
        Taken(
            sequence=event.sequence,
            entry=event.entry.name,
            action=event.action,
            day=event.at.date(),
            why=Why(event.why).label,
            edition=next((number for up_to, number in ends if up_to >= event.sequence), None),
        )
        for event in events
    ]


def by_reason() -> list[ByReason]:
    """Every reason that was ever given, the most frequent first."""
    counts: dict[str, dict[str, int]] = {}
    rows = taken_out().order_by().values("why", "action").annotate(n=Count("sequence"))
    for row in rows:
        counts.setdefault(row["why"], {})[row["action"]] = row["n"]
    made = [
        ByReason(Why(why).label, n.get(Action.WITHDRAW, 0), n.get(Action.QUARANTINE, 0))
        for why, n in counts.items()
    ]
    return sorted(made, key=lambda each: (-each.withdrawn - each.quarantined, each.why))
