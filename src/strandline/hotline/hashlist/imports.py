"""Entries received from other organisations: listed together, and taken back together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from strandline.hotline.assessment.models import Verdict
from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist import adding, events
from strandline.hotline.hashlist.adding import Told
from strandline.hotline.hashlist.checks import check_listed
from strandline.hotline.hashlist.events import Because, Identity, Prints
from strandline.hotline.hashlist.models import Entry, Import, ListedClass, Why
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.scheduling import schedule
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.events import Fingerprints

#: Digests that say two fingerprints are of the same thing, the one to believe first.
_IDENTIFYING = ("sha256", "sha1", "md5", "photodna", "pdq")


#: What was withdrawn for one of these may be listed again when it is sent again.
RETURNING = (Why.REVERTED, Why.SOURCE_WITHDREW)


@dataclass
class Imported:
    """What an import came to."""

    #: None when nothing was listed.
    batch: Import | None
    #: Listed now, under new numbers or, where its source had withdrawn it, under its old one.
    added: int = 0
    #: Left out: its strongest digest is in the list, or came twice.
    known: int = 0
    #: Left out: withdrawn here, by whoever judged it here.
    withdrawn_here: int = 0
    #: Of the first new entry, and how many there are: the others follow it without a gap.
    first_number: int = 0
    fresh: int = 0

    @property
    def numbers(self) -> range:
        """Of the entries that are new, in the order in which they were given."""
        return range(self.first_number, self.first_number + self.fresh)


class Judged(NamedTuple):
    """A row that is listed as it is: whoever gives it found that it is not in the list."""

    prints: Prints
    #: By its name.
    entry_class: str
    #: The withdrawn entry that it brings back; 0 for what is new.
    returns: int = 0


class _Listing:
    """One import on its way in."""

    def __init__(self, source: str, by: str, now: datetime) -> None:
        source = source.strip()
        if not source or len(source) > 120:
            raise ListChangeRefused(
                "source", "Say in at most 120 characters who the entries are from."
            )
        chain.lock()
        self._first = events.last_sequence() + 1
        self._batch = Import.objects.create(
            source=source, by=by, at=now, first_sequence=self._first, last_sequence=self._first
        )
        self._because = Because(Why.RECEIVED, f"Received from {source}", by, now)
        self._classes: dict[str, str] = {}
        self._again: list[int] = []
        self.came = Imported(self._batch, first_number=events.last_number() + 1)

    def add(self, rows: Sequence[Judged]) -> None:
        """List a few thousand rows."""
        told = [Told(row.prints, self._class_id(row.entry_class)) for row in rows]
        again = [(row.returns, one) for row, one in zip(rows, told, strict=True) if row.returns]
        fresh = [one for row, one in zip(rows, told, strict=True) if not row.returns]
        adding.add_again(again, self._because, self._batch)
        self.came.fresh += len(adding.add_new(fresh, self._because, self._batch))
        self._again.extend(number for number, _ in again)
        self.came.added += len(rows)

    def _class_id(self, name: str) -> str:
        found = self._classes.get(name)
        if found is None:
            found = self._classes[name] = ListedClass.of(EntryClass.parse(name)).pk
        return found

    def finish(self) -> Imported:
        """Record the import, and let rooms above look at what was listed."""
        came, batch = self.came, self._batch
        if not came.added:
            batch.delete()
            came.batch = None
            return came
        batch.last_sequence = events.last_sequence()
        batch.save(update_fields=["last_sequence"])
        chain.record(
            at=batch.at,
            actor=batch.by,
            action="hashlist.import",
            subject=batch.subject,
            detail={
                "source": batch.source,
                "added": came.added,
                "known": came.known,
                "withdrawn_here": came.withdrawn_here,
                "sequence": self._first,
            },
        )
        check_listed(came.numbers, now=batch.at)
        check_listed(self._again, now=batch.at)
        schedule()
        return came


@transaction.atomic
def import_judged(rows: Iterable[Judged], *, source: str, by: str, now: datetime) -> Imported:
    """List rows that were compared with the list as it is now, all of them or nothing.

    New ones get numbers one after another, in the order given; see ``Imported.numbers``.

    Raises:
        ListChangeRefused: ``source`` is empty or too long, or an entry that returns is not
            withdrawn.
    """
    listing = _Listing(source, by, now)
    for some in portions(rows, events.AT_ONCE):
        listing.add(some)
    return listing.finish()


@transaction.atomic
def import_entries(rows: Iterable[Identity], *, source: str, by: str, now: datetime) -> Imported:
    """List what another organisation sent, all of it or nothing; known rows are left out.

    ``source`` names the organisation. A few thousand rows are in memory at once.

    Raises:
        ListChangeRefused: ``source`` is empty or too long.
    """
    listing = _Listing(source, by, now)
    for some in portions(rows, events.AT_ONCE):
        listing.add(_judge(some, listing.came))
    return listing.finish()


def _judge(rows: Sequence[Identity], came: Imported) -> list[Judged]:
    """Those of these rows that are to be listed; the others are counted."""
    listed = _by_strongest(rows)
    judged: dict[tuple[str, str], Judged] = {}
    returned: set[int] = set()
    for row in rows:
        key = _strongest(row.fingerprints)
        held = listed.get(key)
        if key in judged or (held is not None and held.state != Entry.State.WITHDRAWN):
            came.known += 1
        elif held is not None and held.pk in returned:
            came.known += 1  # by another of its digests
        elif held is None or held.why in RETURNING:
            returns = held.pk if held is not None else 0
            returned.add(returns)
            judged[key] = Judged(row.prints, row.entry_class.name, returns)
        else:
            came.withdrawn_here += 1
    return list(judged.values())


@transaction.atomic
def revert_import(batch: Import, *, by: str, now: datetime, reason: str = "") -> int:
    """Withdraw every entry that came with ``batch`` and is still in the list; how many.

    Entries keep their numbers: what was published cannot be unpublished, only withdrawn. One that
    was confirmed by an assessment here since stays.

    Raises:
        ListChangeRefused: it was taken back already.
    """
    chain.lock()
    if not Import.objects.filter(pk=batch.pk, reverted_at=None).update(reverted_at=now):
        raise ListChangeRefused("import", f"Import {batch.pk} was taken back already.")
    batch.refresh_from_db()
    assessed_here = (Verdict.How.AGREED, Verdict.How.THIRD)
    entries = Entry.objects.filter(batch=batch).exclude(item__verdict__how__in=assessed_here)
    because = Because(Why.REVERTED, reason or f"Import from {batch.source} taken back", by, now)
    withdrawn = events.change_many(entries, Action.WITHDRAW, because)
    chain.record(
        at=now,
        actor=by,
        action="hashlist.revert_import",
        subject=batch.subject,
        detail={"withdrawn": withdrawn, "reason": reason},
    )
    schedule()
    return withdrawn


def known_entries(fingerprints: Iterable[Fingerprints]) -> dict[str, list[Entry]]:
    """Entries, withdrawn ones too, that share a digest with any of these, by that digest.

    For at most a few thousand fingerprints at once.
    """
    values: dict[str, set[str]] = {column: set() for column in _IDENTIFYING}
    for given in fingerprints:
        for column in _IDENTIFYING:
            value = getattr(given, column)
            if value:
                values[column].add(value)
    found: dict[str, list[Entry]] = {}
    for column, wanted in values.items():
        for some in portions(sorted(wanted), 500):
            rows = Entry.objects.filter(**{f"fingerprint__{column}__in": some})
            for entry in rows.select_related("fingerprint", "listed_class"):
                found.setdefault(getattr(entry.fingerprint, column), []).append(entry)
    return found


def _strongest(given: Fingerprints) -> tuple[str, str]:
    for column in _IDENTIFYING:
        value = getattr(given, column)
        if value:
            return column, value
    return "video", given.video[0].pdq


def _by_strongest(rows: Sequence[Identity]) -> dict[tuple[str, str], Entry]:
    """The entry of each row's strongest digest, where there is one; one in the list comes first."""
    wanted: dict[str, list[str]] = {}
    for row in rows:
        column, value = _strongest(row.fingerprints)
        if column != "video":  # a film of which nothing else is known is always taken as new
            wanted.setdefault(column, []).append(value)
    found: dict[tuple[str, str], Entry] = {}
    for column, values in wanted.items():
        for some in portions(values, 500):
            entries = Entry.objects.filter(**{f"fingerprint__{column}__in": some})
            for entry in entries.select_related("fingerprint", "listed_class"):
                key = (column, getattr(entry.fingerprint, column))
                if key not in found or entry.state != Entry.State.WITHDRAWN:
                    found[key] = entry
    return found
