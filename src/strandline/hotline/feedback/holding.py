"""Who still holds what was withdrawn: from what members say they hold, and what they fetched.

A withdrawal is done when no member holds the entry any more, not when it is published. A member
holds the edition it last said; one that never says is taken to hold the last one it fetched, which
proves no more than that it tried.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback.models import Holding
from strandline.hotline.hashlist.models import Edition, Entry, Event, ListedClass
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.scopes import scope_of
from strandline.lists.published.classes import Action, Scope

#: Events after which an entry is matched.
_LIVE = frozenset({Action.ADD.value, Action.AMEND.value, Action.RESTORE.value})
_GONE = (Action.WITHDRAW.value, Action.QUARANTINE.value)
#: Removals shown, the latest first.
SHOWN = 200
#: Entries told of one member that is behind: one who is behind by more needs no longer list.
MOST = 5000


@dataclass(frozen=True)
class Holder:
    """A member that may still match an entry which was taken off."""

    member: Member
    holding: Holding


@dataclass(frozen=True)
class Removal:
    """An entry that members must not match any more, and who may still do so."""

    entry: Entry
    event: Event
    #: The first edition without it; none until one is published.
    edition: Edition | None
    holders: Sequence[Holder]


@transaction.atomic
def report(member: Member, edition: int, *, now: datetime) -> Holding:
    """A member says which edition it holds; the same again only renews the time.

    Raises:
        FeedbackRefused: there is no such edition.
    """
    if not Edition.objects.filter(pk=edition, state=Edition.State.PUBLISHED).exists():
        raise FeedbackRefused("edition", f"There is no edition {edition}. Nothing was noted.")
    chain.lock()
    holding, new = _note(member, edition, said=True, now=now)
    if new:
        chain.record(
            at=now,
            actor=member.actor,
            action="feedback.hold",
            subject=f"edition:{edition}",
        )
    return holding


def fetched(member: Member, edition: int, *, now: datetime) -> None:
    """A member fetched an edition's manifest: note it, in the caller's transaction.

    Whoever serves the file writes the download into the audit chain.
    """
    if 0 < edition < 2**31:
        _note(member, edition, said=False, now=now)


def _note(member: Member, edition: int, *, said: bool, now: datetime) -> tuple[Holding, bool]:
    before = held_by([member]).get(member.pk)
    holding, _ = Holding.objects.update_or_create(
        member=member,
        edition=edition,
        said=said,
        defaults={"last_at": now},
        create_defaults={"first_at": now, "last_at": now},
    )
    return holding, before is None or (before.edition, before.said) != (edition, said)


def held_by(members: Sequence[Member]) -> dict[int, Holding]:
    """What each member holds, by its number; members that nothing is known of are left out."""
    held: dict[int, Holding] = {}
    # In order of what to believe less: a later row replaces an earlier one.
    rows = Holding.objects.filter(member__in=members).order_by("said", "last_at", "edition")
    for row in rows.select_related("member"):
        held[row.member_id] = row
    return held


def removals() -> list[Removal]:
    """Entries taken off and not back, the latest first, with who may still match them."""
    away = Entry.objects.exclude(state=Entry.State.LISTED).select_related("listed_class")
    rows = list(away.order_by("-changed_at", "-pk")[:SHOWN])
    histories = _histories([entry.pk for entry in rows])
    members = list(Member.objects.filter(is_active=True).order_by("name"))
    editions = Published()
    holders = [
        (Holder(row.member, row), editions.up_to(row.edition), scope_of(row.member))
        for row in sorted(held_by(members).values(), key=lambda row: row.member.name)
    ]
    found = []
    for entry in rows:
        history = histories[entry.pk]
        event = _removal(history)
        if event is None:
            continue
        still = [
            holder
            for holder, seen, scope in holders
            if seen < event.sequence and _matched(history, seen, scope)
        ]
        found.append(Removal(entry, event, editions.first_with(event), still))
    return found


def still_matched(rows: Sequence[Holding]) -> list[list[tuple[int, Edition]]]:
    """For each holding, what its member matches although an edition took it off.

    Numbers of entries, each with the first edition without it; at most :data:`MOST`, the ones
    that were taken off last. Members with the same edition and scope are looked at once.
    """
    editions = Published()
    found: dict[tuple[int, Scope], list[tuple[int, Edition]]] = {}
    answers = []
    for row in rows:
        key = editions.up_to(row.edition), scope_of(row.member)
        if key not in found:
            found[key] = _still_matched(*key, editions)
        answers.append(found[key])
    return answers


def _still_matched(seen: int, scope: Scope, editions: "Published") -> list[tuple[int, Edition]]:
    covered = [each.pk for each in ListedClass.objects.all() if scope.covers(each.value)]
    before = Event.objects.filter(entry=OuterRef("entry"), sequence__lte=seen)
    gone = Event.objects.filter(
        Exists(before),
        sequence__gt=seen,
        action__in=_GONE,
        before=Entry.State.LISTED,
        listed_class__in=covered,
    ).exclude(entry__state=Entry.State.LISTED)
    last: dict[int, Event] = {}
    for event in gone.order_by("-sequence")[:MOST]:
        last.setdefault(event.entry_id, event)
    histories = _histories(list(last))
    return [
        (number, edition)
        for number, event in sorted(last.items())
        if (edition := editions.first_with(event)) and _matched(histories[number], seen, scope)
    ]


class Published:
    """The editions members can have, by the last event each holds."""

    def __init__(self) -> None:
        rows = Edition.objects.filter(state=Edition.State.PUBLISHED).order_by("number")
        self._rows = list(rows)
        self._ends = [row.up_to for row in self._rows]
        self._up_to = {row.number: row.up_to for row in self._rows}

    def up_to(self, number: int) -> int:
        """The last event that this edition holds; 0 when there is no such edition."""
        return self._up_to.get(number, 0)

    def first_with(self, event: Event) -> Edition | None:
        """The first edition that holds this event; none until one is published."""
        place = bisect_right(self._ends, event.sequence - 1)
        return self._rows[place] if place < len(self._rows) else None


def _removal(history: Sequence[Event]) -> Event | None:
    """The event with which the entry stopped being matched, for one that is not any more."""
    for event in reversed(history):
        if event.action in _GONE and event.before == Entry.State.LISTED:
            return event
    return None


def _histories(numbers: Sequence[int]) -> dict[int, list[Event]]:
    histories: dict[int, list[Event]] = defaultdict(list)
    for some in portions(numbers, 500):
        rows = Event.objects.filter(entry__in=some).select_related("listed_class")
        for event in rows.order_by("sequence"):
            histories[event.entry_id].append(event)
    return histories


def _matched(history: Sequence[Event], seen: int, scope: Scope) -> bool:
    """Whether the entry was matched, within ``scope``, by a list that ends at event ``seen``."""
    place = bisect_right(history, seen, key=lambda event: event.sequence)
    if place == 0:
        return False
    last = history[place - 1]
    return last.action in _LIVE and scope.covers(last.listed_class.value)
