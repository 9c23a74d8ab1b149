"""Writing events: which change may follow which state, and numbers without a gap.

Every function here runs inside the caller's transaction and takes the audit chain's lock first, so
that whoever writes an event sees the last number given, or that it never was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.models import (
    Entry,
    Event,
    Fingerprint,
    ListedClass,
    Why,
)
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.writing import moment, write_rows
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.events import Fingerprints, Kind

#: Rows written by one statement.
AT_ONCE = 5_000

#: The state of the entry before ('' when it was never listed) and what is done: the state after.
CHANGES: Mapping[tuple[str, Action], Entry.State] = {
    ("", Action.ADD): Entry.State.LISTED,
    (Entry.State.WITHDRAWN, Action.ADD): Entry.State.LISTED,
    (Entry.State.LISTED, Action.AMEND): Entry.State.LISTED,
    (Entry.State.LISTED, Action.WITHDRAW): Entry.State.WITHDRAWN,
    (Entry.State.QUARANTINED, Action.WITHDRAW): Entry.State.WITHDRAWN,
    (Entry.State.LISTED, Action.QUARANTINE): Entry.State.QUARANTINED,
    (Entry.State.QUARANTINED, Action.RESTORE): Entry.State.LISTED,
}
#: What a fingerprint says, and what an event does, in the order in which rows are written.
PRINT_COLUMNS = (
    *("kind", "sha256", "sha1", "md5", "pdq", "quality", "photodna", "video", "pipeline"),
)
EVENT_COLUMNS = (
    *("sequence", "entry", "action", "listed_class", "before", "why", "reason"),
    *("by", "at", "fingerprint"),
)
Prints = tuple[Any, ...]
#: Past participles, for sentences.
_DONE = {
    Action.ADD: "listed",
    Action.AMEND: "amended",
    Action.WITHDRAW: "withdrawn",
    Action.QUARANTINE: "quarantined",
    Action.RESTORE: "restored",
}


@dataclass(frozen=True)
class Because:
    """Why, by whom and when: what every event carries."""

    why: Why
    #: For the record; members do not see it.
    reason: str
    by: str
    at: datetime

    @property
    def columns(self) -> dict[str, str]:
        """What entries and events both keep."""
        return {"why": self.why.value, "reason": self.reason}

    @property
    def tail(self) -> tuple[Any, ...]:
        """The same of an event, as ``EVENT_COLUMNS`` has them before the fingerprint."""
        return self.why.value, self.reason, self.by, moment(self.at)


@dataclass(frozen=True)
class Identity:
    """What identifies something that is to be listed, and the class it belongs in."""

    fingerprints: Fingerprints
    entry_class: EntryClass
    kind: Kind = Kind.IMAGE
    #: Version of decoding and hashing; ``-`` when nothing perceptual is known.
    pipeline: str = "-"

    @property
    def prints(self) -> Prints:
        """The columns of its fingerprint, in the order of ``PRINT_COLUMNS``."""
        told = self.fingerprints
        return (
            *(self.kind.value, told.sha256 or "", told.sha1 or "", told.md5 or ""),
            *(told.pdq or "", told.quality, told.photodna or ""),
            *(self.row().video if told.video else b"", self.pipeline),
        )

    def row(self) -> Fingerprint:
        """The fingerprints as a row that is not saved yet."""
        return Fingerprint.of(self.fingerprints, kind=self.kind, pipeline=self.pipeline)


def last_sequence() -> int:
    """The highest sequence number given so far; 0 before the first event."""
    return Event.objects.aggregate(last=Max("sequence"))["last"] or 0


def last_number() -> int:
    """The highest number given to an entry so far; 0 before the first."""
    return Entry.objects.aggregate(last=Max("number"))["last"] or 0


def add(what: Identity, because: Because, **facts: Any) -> Entry:  # noqa: ANN401 - columns
    """Give a number to something new and list it; ``facts`` are further columns of the entry."""
    chain.lock()
    fingerprint = what.row()
    fingerprint.save(force_insert=True)
    row = ListedClass.of(what.entry_class)
    entry = Entry(
        number=last_number() + 1,
        listed_class=row,
        fingerprint=fingerprint,
        added_at=because.at,
        changed_at=because.at,
        **because.columns,
        **facts,
    )
    entry.save(force_insert=True)
    _event(entry, Action.ADD, because, before="", listed_class=row, fingerprint=fingerprint)
    return entry


def change(entry: Entry, action: Action, because: Because, what: Identity | None = None) -> Entry:
    """Write the event of ``action`` and what it makes of the entry.

    ``what`` says what the entry is from now on, for an addition or an amendment; one that changes
    the class is written as a withdrawal from the old and an addition to the new.

    Raises:
        ListChangeRefused: the entry's state does not allow it.
    """
    chain.lock()
    entry.refresh_from_db()
    after = CHANGES.get((entry.state, action))
    if after is None:
        raise ListChangeRefused("entry", _refusal(entry, action))
    before: str = entry.state
    if what is not None:
        if not _tells_the_same(entry, what):
            entry.fingerprint = what.row()
            entry.fingerprint.save(force_insert=True)
        row = ListedClass.of(what.entry_class)
        if action is Action.AMEND and row != entry.listed_class:
            moved = Because(Why.MOVED, because.reason, because.by, because.at)
            _event(entry, Action.WITHDRAW, moved, before=before, listed_class=entry.listed_class)
            action = Action.ADD
        if row != entry.listed_class:
            entry.listed_class, before = row, _before_in(entry, row)
    telling = entry.fingerprint if action in {Action.ADD, Action.AMEND} else None
    _event(
        entry, action, because, before=before, listed_class=entry.listed_class, fingerprint=telling
    )
    entry.state = after
    entry.changed_at, entry.why, entry.reason = because.at, because.why.value, because.reason
    entry.save(
        update_fields=["state", "listed_class", "fingerprint", "changed_at", "why", "reason"]
    )
    return entry


def change_many(entries: QuerySet[Entry], action: Action, because: Because) -> int:
    """Write the same event for each of ``entries`` whose state allows it; how many that were.

    For withdrawals, quarantines and restorations by the thousand: a few thousand rows are in
    memory at once, whatever the number of entries.
    """
    assert action not in {Action.ADD, Action.AMEND}, "these say what an entry is"
    chain.lock()
    changed, last = 0, 0
    allowed = [before for before, done in CHANGES if done is action]
    rest = entries.filter(state__in=allowed).order_by("pk")
    tail = because.tail
    wanted = rest.values_list("pk", "state", "listed_class")
    while some := list(wanted.filter(pk__gt=last)[:AT_ONCE]):
        last = some[-1][0]
        write_rows(
            Event,
            EVENT_COLUMNS,
            (
                (sequence, number, action.value, listed_class, before, *tail, None)
                for sequence, (number, before, listed_class) in enumerate(some, last_sequence() + 1)
            ),
        )
        for after in {CHANGES[before, action] for _, before, _ in some}:
            pks = [number for number, before, _ in some if CHANGES[before, action] == after]
            for part in portions(pks, 500):
                Entry.objects.filter(pk__in=part).update(
                    state=after, changed_at=because.at, **because.columns
                )
        changed += len(some)
    return changed


def _tells_the_same(entry: Entry, what: Identity) -> bool:
    held = entry.fingerprint
    return held.value == what.fingerprints and (held.kind, held.pipeline) == (
        what.kind.value,
        what.pipeline,
    )


def _before_in(entry: Entry, row: ListedClass) -> str:
    """The state of an entry in a class it comes (back) to: an entry leaves one by withdrawal."""
    was_here = Event.objects.filter(entry=entry, listed_class=row).exists()
    return Entry.State.WITHDRAWN if was_here else ""


def _event(
    entry: Entry,
    action: Action,
    because: Because,
    *,
    before: str,
    listed_class: ListedClass,
    fingerprint: Fingerprint | None = None,
) -> None:
    Event.objects.create(
        sequence=last_sequence() + 1,
        entry=entry,
        action=action.value,
        listed_class=listed_class,
        before=before,
        by=because.by,
        at=because.at,
        fingerprint=fingerprint,
        **because.columns,
    )


def _refusal(entry: Entry, action: Action) -> str:
    done = _DONE[action]
    if entry.state == done:
        return f"Entry {entry.number} is {done} already."
    return (
        f"Entry {entry.number} is {entry.get_state_display().lower()}, so it cannot be {done}. "
        "Nothing was changed."
    )
