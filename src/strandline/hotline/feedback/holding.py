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

from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback.models import Holding
from strandline.hotline.hashlist.models import Edition, Entry, Event
from strandline.hotline.hashlist.scopes import scope_of
from strandline.lists.classes import Action, Scope

#: Events after which an entry is matched.
_LIVE = frozenset({Action.ADD.value, Action.AMEND.value, Action.RESTORE.value})
_GONE = (Action.WITHDRAW.value, Action.QUARANTINE.value)
#: Removals looked at, the latest first.
SHOWN = 200


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


def removals(*, since: datetime | None = None) -> list[Removal]:
    """Entries taken off and not back, the latest first, with who may still match them."""
    gone = Event.objects.filter(action__in=_GONE, before=Entry.State.LISTED).exclude(
        entry__state=Entry.State.LISTED
    )
    if since is not None:
        gone = gone.filter(at__gt=since)
    last: dict[int, Event] = {}
    rows = gone.select_related("entry", "listed_class").order_by("-sequence")
    for event in rows[: 2 * SHOWN]:
        last.setdefault(event.entry_id, event)
    events = list(last.values())[:SHOWN]
    return _with_holders(events)


def _with_holders(events: Sequence[Event]) -> list[Removal]:
    members = Member.objects.filter(is_active=True).order_by("name")
    held = held_by(list(members))
    editions = list(Edition.objects.filter(state=Edition.State.PUBLISHED).order_by("number"))
    up_to = {edition.number: edition.up_to for edition in editions}
    ends = [edition.up_to for edition in editions]
    holders = [
        (Holder(row.member, row), up_to.get(row.edition, 0), scope_of(row.member))
        for row in held.values()
    ]
    histories = _histories([event.entry_id for event in events])
    found = []
    for event in events:
        place = bisect_right(ends, event.sequence - 1)
        first_without = editions[place] if place < len(editions) else None
        still = [
            holder
            for holder, seen, scope in holders
            if seen < event.sequence and _matched(histories[event.entry_id], seen, scope)
        ]
        still.sort(key=lambda holder: holder.member.name)
        found.append(Removal(event.entry, event, first_without, still))
    return found


def _histories(numbers: Sequence[int]) -> dict[int, list[Event]]:
    histories: dict[int, list[Event]] = defaultdict(list)
    rows = Event.objects.filter(entry__in=numbers).select_related("listed_class")
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
