"""Entries received from other organisations: listed together, and taken back together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from strandline.hotline.assessment.models import Verdict
from strandline.hotline.audit import chain
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist import events
from strandline.hotline.hashlist.checks import check_listed
from strandline.hotline.hashlist.events import Because, Identity
from strandline.hotline.hashlist.models import Entry, Import, Why
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.scheduling import schedule
from strandline.lists.published.classes import Action
from strandline.lists.published.events import Fingerprints

#: Digests that say two fingerprints are of the same thing, the one to believe first.
_IDENTIFYING = ("sha256", "sha1", "md5", "photodna", "pdq")


#: A row withdrawn for one of these may be listed again when it is sent again.
_RETURNING = (Why.REVERTED, Why.SOURCE_WITHDREW)


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


@transaction.atomic
def import_entries(rows: Iterable[Identity], *, source: str, by: str, now: datetime) -> Imported:
    """List what another organisation sent, all of it or nothing; known rows are left out.

    ``source`` names the organisation. A few thousand rows are in memory at once.

    Raises:
        ListChangeRefused: ``source`` is empty or too long.
    """
    source = source.strip()
    if not source or len(source) > 120:
        raise ListChangeRefused("source", "Say in at most 120 characters who the entries are from.")
    chain.lock()
    first = events.last_sequence() + 1
    batch = Import.objects.create(
        source=source, by=by, at=now, first_sequence=first, last_sequence=first
    )
    because = Because(Why.RECEIVED, f"Received from {source}", by, now)
    came = Imported(batch)
    for some in portions(rows, events.AT_ONCE):
        _import_some(some, because, came)
    if not came.added:
        batch.delete()
        came.batch = None
        return came
    batch.last_sequence = events.last_sequence()
    batch.save(update_fields=["last_sequence"])
    chain.record(
        at=now,
        actor=by,
        action="hashlist.import",
        subject=batch.subject,
        detail={
            "source": source,
            "added": came.added,
            "known": came.known,
            "withdrawn_here": came.withdrawn_here,
            "sequence": first,
        },
    )
    listed = Entry.objects.filter(batch=batch).order_by("pk").values_list("pk", flat=True)
    check_listed(list(listed), now=now)
    schedule()
    return came


def _import_some(rows: Sequence[Identity], because: Because, came: Imported) -> None:
    assert came.batch is not None
    listed = _by_strongest(rows)
    fresh: dict[tuple[str, str], Identity] = {}
    for row in rows:
        key = _strongest(row.fingerprints)
        held = listed.get(key)
        if held is None and key not in fresh:
            fresh[key] = row
        elif held is None or held.state != Entry.State.WITHDRAWN:
            came.known += 1
        elif held.why in _RETURNING:
            held = events.change(held, Action.ADD, because, row)
            Entry.objects.filter(pk=held.pk).update(batch=came.batch, source=came.batch.source)
            listed[key] = held
            came.added += 1
        else:
            came.withdrawn_here += 1
    made = events.add_some(
        list(fresh.values()), because, source=came.batch.source, batch=came.batch
    )
    came.added += len(made)


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
