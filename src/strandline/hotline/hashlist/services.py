"""What can be done to the list: add, amend, withdraw, quarantine, restore, ask for an edition.

Each is one transaction with its entry in the audit chain. ``why`` is the word members are told,
``reason`` the text the record keeps.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist import events
from strandline.hotline.hashlist.checks import check_listed
from strandline.hotline.hashlist.classing import identity_of, make_class
from strandline.hotline.hashlist.events import Because, Identity
from strandline.hotline.hashlist.imports import (
    Imported,
    Judged,
    import_entries,
    import_judged,
    known_entries,
    revert_import,
)
from strandline.hotline.hashlist.models import Entry, Why
from strandline.hotline.hashlist.scheduling import (
    first_unpublished,
    hurry,
    publish_now,
    schedule,
    waiting_changes,
)
from strandline.hotline.reports.models import MediaItem
from strandline.lists.published.classes import Action, EntryClass

__all__ = [
    "Identity",
    "Imported",
    "Judged",
    "add_entry",
    "add_received",
    "amend",
    "entry_of",
    "first_unpublished",
    "import_entries",
    "import_judged",
    "known_entries",
    "publish_now",
    "quarantine",
    "quarantine_many",
    "restore",
    "restore_many",
    "revert_import",
    "schedule",
    "waiting_changes",
    "withdraw",
    "withdraw_many",
]


@transaction.atomic
def add_entry(
    item: MediaItem,
    *,
    category: str = "",
    labels: Iterable[str] = (),
    entry_class: EntryClass | None = None,
    by: str,
    now: datetime,
) -> Entry:
    """List a confirmed item; one that is listed already stays as it is, one withdrawn comes back.

    Give its class, or the category and labels of one in this hotline's jurisdiction. Bytes are one
    item wherever they appear: an entry received under the same sha256 becomes the item's own.
    """
    chain.lock()
    wanted = identity_of(item, entry_class or make_class(category, labels=labels))
    existing = entry_of(item)
    if existing is not None and existing.state != Entry.State.WITHDRAWN:
        return existing
    because = Because(Why.CONFIRMED, "", by, now)
    if existing is None:
        entry = events.add(wanted, because, item=item)
    else:
        entry = events.change(existing, Action.ADD, because, wanted)
    _record("add_entry", entry, because, item=item.pk, **{"class": wanted.entry_class.name})
    return _checked(entry, now)


@transaction.atomic
def add_received(what: Identity, *, source: str, by: str, now: datetime) -> Entry:
    """List one thing of which only fingerprints were received, from ``source``."""
    because = Because(Why.RECEIVED, f"Received from {source}"[:250], by, now)
    entry = events.add(what, because, source=source)
    _record("add_entry", entry, because, source=source, **{"class": what.entry_class.name})
    return _checked(entry, now)


@transaction.atomic
def amend(
    entry: Entry, what: Identity, *, why: Why = Why.REASSESSED, reason: str, by: str, now: datetime
) -> Entry:
    """Replace what is known of a listed entry, its class too; the same again changes nothing.

    A change of class reaches members as a withdrawal from the old class and an addition to the
    new one, under the same number.

    Raises:
        ListChangeRefused: it is withdrawn or quarantined, or no reason was given.
    """
    chain.lock()
    entry.refresh_from_db()
    held = entry.fingerprint
    if (entry.entry_class, held.value, held.kind, held.pipeline) == (
        what.entry_class,
        what.fingerprints,
        what.kind.value,
        what.pipeline,
    ):
        return entry
    before = entry.entry_class.name
    because = Because(why, _reason(reason), by, now)
    entry = events.change(entry, Action.AMEND, because, what)
    _record("amend", entry, because, **{"class": what.entry_class.name, "before": before})
    return _checked(entry, now)


def withdraw(entry: Entry, *, why: Why = Why.OTHER, reason: str, by: str, now: datetime) -> Entry:
    """Take an entry off the list: the next edition is without it, and the record says why.

    Raises:
        ListChangeRefused: no reason was given, or it is withdrawn already.
    """
    return _change(entry, Action.WITHDRAW, Because(why, _reason(reason), by, now))


def quarantine(
    entry: Entry, *, why: Why = Why.DISPUTED, reason: str, by: str, now: datetime
) -> Entry:
    """Keep an entry from being matched until it is restored or withdrawn.

    Raises:
        ListChangeRefused: no reason was given, or it is not listed now.
    """
    return _change(entry, Action.QUARANTINE, Because(why, _reason(reason), by, now))


def restore(entry: Entry, *, why: Why = Why.CLEARED, reason: str, by: str, now: datetime) -> Entry:
    """Let a quarantined entry be matched again.

    Raises:
        ListChangeRefused: no reason was given, or it is not quarantined.
    """
    return _change(entry, Action.RESTORE, Because(why, _reason(reason), by, now))


def withdraw_many(
    entries: QuerySet[Entry], *, why: Why, reason: str, subject: str, by: str, now: datetime
) -> int:
    """Withdraw whichever of these are in the list, in one act on ``subject``; how many."""
    return _change_many(entries, Action.WITHDRAW, Because(why, _reason(reason), by, now), subject)


def quarantine_many(
    entries: QuerySet[Entry], *, why: Why, reason: str, subject: str, by: str, now: datetime
) -> int:
    """Quarantine whichever of these are listed, in one act on ``subject``; how many."""
    return _change_many(entries, Action.QUARANTINE, Because(why, _reason(reason), by, now), subject)


def restore_many(
    entries: QuerySet[Entry], *, why: Why, reason: str, subject: str, by: str, now: datetime
) -> int:
    """Restore whichever of these are quarantined, in one act on ``subject``; how many."""
    return _change_many(entries, Action.RESTORE, Because(why, _reason(reason), by, now), subject)


@transaction.atomic
def entry_of(item: MediaItem) -> Entry | None:
    """The entry of these bytes, its own or one received under the same sha256, if there is one."""
    own = Entry.objects.filter(item=item).first()
    if own is not None:
        return own
    received = Entry.objects.filter(item=None, fingerprint__sha256=item.sha256).order_by("pk")
    # One in the list before one that was withdrawn.
    found = min(received, key=lambda entry: entry.state == Entry.State.WITHDRAWN, default=None)
    if found is not None:
        Entry.objects.filter(pk=found.pk).update(item=item)
        found.item = item
    return found


@transaction.atomic
def _change(entry: Entry, action: Action, because: Because) -> Entry:
    entry = events.change(entry, action, because)
    _record(action.value, entry, because)
    if action is Action.QUARANTINE:
        hurry(since=events.last_sequence(), now=because.at)
    return entry


@transaction.atomic
def _change_many(entries: QuerySet[Entry], action: Action, because: Because, subject: str) -> int:
    first = events.last_sequence() + 1
    changed = events.change_many(entries, action, because)
    if changed:
        chain.record(
            at=because.at,
            actor=because.by,
            action=f"hashlist.{action.value}_many",
            subject=subject,
            detail={
                "entries": changed,
                "sequence": first,
                "why": because.why.value,
                "reason": because.reason,
            },
        )
        schedule()
        if action is Action.QUARANTINE:
            hurry(since=first, now=because.at)
    return changed


def _checked(entry: Entry, now: datetime) -> Entry:
    """The entry as the checks of rooms above left it: listed, or quarantined at once."""
    check_listed([entry.pk], now=now)
    entry.refresh_from_db()
    return entry


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise ListChangeRefused(
            "reason", "Say why: the record keeps it, members see only a word for it."
        )
    if len(text) > 250:
        raise ListChangeRefused(
            "reason", f"The reason has {len(text)} characters; 250 is the most."
        )
    return text


def _record(verb: str, entry: Entry, because: Because, **detail: object) -> None:
    told = {"why": because.why.value, "reason": because.reason} if because.reason else {}
    chain.record(
        at=because.at,
        actor=because.by,
        action=f"hashlist.{verb}",
        subject=entry.subject,
        detail={**detail, **told},
    )
    schedule()
