"""Listing by the thousand: what is new under a number of its own, what returns under its old one.

As in :mod:`.events`, everything runs inside the caller's transaction, under the chain's lock.
"""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.events import (
    EVENT_COLUMNS,
    PRINT_COLUMNS,
    Because,
    Prints,
    last_number,
    last_sequence,
)
from strandline.hotline.hashlist.models import Entry, Event, Fingerprint, Import
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.writing import moment, next_keys, write_rows
from strandline.lists.published.classes import Action

_ENTRY_COLUMNS = (
    *("number", "batch", "source", "state", "listed_class", "fingerprint"),
    *("added_at", "changed_at", "why", "reason"),
)
#: Entries named in one statement.
_NAMED = 500


class Told(NamedTuple):
    """What is listed: the columns of a fingerprint and the id of a class that has its row."""

    prints: Prints
    listed_class: str


def add_new(rows: Sequence[Told], because: Because, batch: Import) -> range:
    """List each of these under a number of its own, in order; the numbers."""
    chain.lock()
    at, tail = moment(because.at), because.tail
    why, reason = because.columns.values()
    numbers = range(last_number() + 1, last_number() + 1 + len(rows))
    prints = _write_prints([row.prints for row in rows])
    write_rows(
        Entry,
        _ENTRY_COLUMNS,
        (
            (number, batch.pk, batch.source, "listed", row.listed_class, key, at, at, why, reason)
            for number, key, row in zip(numbers, prints, rows, strict=True)
        ),
    )
    write_rows(
        Event,
        EVENT_COLUMNS,
        (
            (sequence, number, Action.ADD.value, row.listed_class, "", *tail, key)
            for sequence, number, key, row in zip(
                count(last_sequence() + 1), numbers, prints, rows, strict=False
            )
        ),
    )
    return numbers


def add_again(rows: Sequence[tuple[int, Told]], because: Because, batch: Import) -> None:
    """List these withdrawn entries again, by number, as what each is told to be from now on.

    Raises:
        ListChangeRefused: one of them is not withdrawn.
    """
    chain.lock()
    for some in portions(rows, _NAMED):
        _add_again(dict(some), because, batch)


def _add_again(told: dict[int, Told], because: Because, batch: Import) -> None:
    entries = Entry.objects.filter(pk__in=told, state=Entry.State.WITHDRAWN)
    held = {entry.pk: entry for entry in entries.select_related("fingerprint").order_by("pk")}
    if len(held) < len(told):
        missing = min(told.keys() - held.keys())
        raise ListChangeRefused("entry", f"Entry {missing} is not withdrawn. Nothing was changed.")
    was_in = set(
        Event.objects.filter(entry__in=told).order_by().values_list("entry", "listed_class")
    )
    other = [number for number, entry in held.items() if prints_of(entry) != told[number].prints]
    fresh = dict(zip(other, _write_prints([told[n].prints for n in other]), strict=True))
    sequence, tail = count(last_sequence() + 1), because.tail
    events = []
    for number, entry in held.items():
        row = told[number]
        entry.fingerprint_id = fresh.get(number, entry.fingerprint_id)
        entry.listed_class_id = row.listed_class
        before = Entry.State.WITHDRAWN.value if (number, row.listed_class) in was_in else ""
        events.append(
            (
                *(next(sequence), number, Action.ADD.value, row.listed_class, before),
                *(*tail, entry.fingerprint_id),
            )
        )
    write_rows(Event, EVENT_COLUMNS, events)
    Entry.objects.bulk_update(held.values(), ["listed_class", "fingerprint"])
    Entry.objects.filter(pk__in=told).update(
        state=Entry.State.LISTED,
        batch=batch,
        source=batch.source,
        changed_at=because.at,
        **because.columns,
    )


def prints_of(entry: Entry) -> Prints:
    """The columns of an entry's fingerprint, to compare with others."""
    held = entry.fingerprint
    return tuple(
        bytes(value) if isinstance(value := getattr(held, name), memoryview) else value
        for name in PRINT_COLUMNS
    )


def _write_prints(prints: Sequence[Prints]) -> Sequence[int]:
    if not prints:
        return ()
    keys = next_keys(Fingerprint, len(prints))
    write_rows(
        Fingerprint,
        ("id", *PRINT_COLUMNS),
        ((key, *columns) for key, columns in zip(keys, prints, strict=True)),
    )
    return keys
