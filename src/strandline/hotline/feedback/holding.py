"""Who still holds what was withdrawn: from what members say they hold, and what they fetched.

A withdrawal is done when no member holds the entry any more, not when it is published. A member
holds the edition it last said; one that never says is taken to hold the last one it fetched, which
proves no more than that it tried.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from django.db import transaction
from django.db.models import OuterRef, Subquery

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


class Removals(Sequence[Removal]):
    """Entries taken off and not back: those somebody still matches first, then the latest first.

    All of them are known by number; what is said of one is read when it is asked for.
    """

    def __init__(self) -> None:
        self._editions = Published()
        members = list(Member.objects.filter(is_active=True).order_by("name"))
        found: dict[tuple[int, Scope], dict[int, int]] = {}
        self._holders: list[tuple[Holder, dict[int, int]]] = []
        for row in sorted(held_by(members).values(), key=lambda row: row.member.name):
            key = self._editions.up_to(row.edition), scope_of(row.member)
            if key not in found:
                found[key] = _still_matched(*key)
            self._holders.append((Holder(row.member, row), found[key]))
        away = Entry.objects.exclude(state=Entry.State.LISTED).annotate(removed=_removed())
        away = away.exclude(removed=None).order_by("-changed_at", "-pk")
        self._removed = dict(away.values_list("pk", "removed"))
        still = {number for matched in found.values() for number in matched}
        #: How many of them somebody still matches.
        self.held = len(still & self._removed.keys())
        self._numbers = sorted(self._removed, key=lambda number: number not in still)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Removal: ...
    @overload
    def __getitem__(self, place: slice) -> list[Removal]: ...
    def __getitem__(self, place: int | slice) -> Removal | list[Removal]:
        if isinstance(place, slice):
            return self._read(self._numbers[place])
        return self._read([self._numbers[place]])[0]

    def _read(self, numbers: Sequence[int]) -> list[Removal]:
        entries: dict[int, Entry] = {}
        events: dict[int, Event] = {}
        for some in portions(numbers, 500):
            entries |= Entry.objects.in_bulk(some)
            events |= Event.objects.in_bulk([self._removed[number] for number in some])
        return [
            Removal(
                entries[number],
                (event := events[self._removed[number]]),
                self._editions.first_with(event.sequence),
                [holder for holder, matched in self._holders if number in matched],
            )
            for number in numbers
        ]


def still_matched(rows: Sequence[Holding]) -> list[list[tuple[int, Edition]]]:
    """For each holding, what its member matches although an edition took it off.

    Numbers of entries, each with the first edition without it. Members with the same edition and
    scope are looked at once.
    """
    editions = Published()
    found: dict[tuple[int, Scope], list[tuple[int, Edition]]] = {}
    answers = []
    for row in rows:
        key = editions.up_to(row.edition), scope_of(row.member)
        if key not in found:
            found[key] = [
                (number, edition)
                for number, removed in sorted(_still_matched(*key).items())
                if (edition := editions.first_with(removed))
            ]
        answers.append(found[key])
    return answers


def _removed() -> Subquery:
    """The event with which an entry stopped being matched, in a query of entries."""
    removed = Event.objects.filter(
        entry=OuterRef("pk"), action__in=_GONE, before=Entry.State.LISTED
    ).order_by("-sequence")
    return Subquery(removed.values("sequence")[:1])


def _still_matched(seen: int, scope: Scope) -> dict[int, int]:
    """What a list that ends at event ``seen`` matches within ``scope`` and should not any more.

    By number, with the event that took it off.
    """
    covered = [each.pk for each in ListedClass.objects.all() if scope.covers(each.value)]
    last = Event.objects.filter(entry=OuterRef("pk"), sequence__lte=seen).order_by("-sequence")
    rows = Entry.objects.exclude(state=Entry.State.LISTED).annotate(
        removed=_removed(),
        then=Subquery(last.values("action")[:1]),
        among=Subquery(last.values("listed_class")[:1]),
    )
    rows = rows.filter(removed__gt=seen, then__in=_LIVE, among__in=covered).order_by()
    return dict(rows.values_list("pk", "removed"))


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

    def first_with(self, sequence: int) -> Edition | None:
        """The first edition that holds this event; none until one is published."""
        place = bisect_right(self._ends, sequence - 1)
        return self._rows[place] if place < len(self._rows) else None
