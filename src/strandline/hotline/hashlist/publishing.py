"""Publishing an edition so that a kill at any instruction leaves nothing half done.

Three steps, each safe to repeat. *Prepare* commits what the edition will be: its number, its time,
its highest sequence number and the edition it follows. *Write* derives every byte from that row
alone and switches the folder in one rename; the same row gives the same bytes. *Publish* reads the
files back, checks them as a member would, and marks the row together with its audit entry. Whoever
comes after a kill finds the prepared row and goes on from there.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from strandline import lists
from strandline.hotline.audit import chain
from strandline.hotline.config import Config
from strandline.hotline.hashlist.events import last_sequence
from strandline.hotline.hashlist.models import Edition, Entry, Publication
from strandline.hotline.hashlist.reading import live_entries
from strandline.hotline.hashlist.scheduling import first_unpublished, schedule
from strandline.hotline.hashlist.signals import edition_published
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.files import ENTRIES, LATEST, edition_path
from strandline.lists.holding import check_entries, read_manifest
from strandline.transparency import Signer

BY = "worker"


def publish(row: Publication, tools: Tools, now: datetime) -> None:
    """Handle the due row: publish what changed, then wait for the next change."""
    publish_edition(tools.config, by=BY, now=now)
    with due.finish(row):
        # An entry may have come while the files were written: it waits its own time.
        schedule()


def publish_edition(config: Config, *, by: str, now: datetime) -> Edition | None:
    """Publish one edition, or finish the one that was begun; none when nothing changed.

    Raises:
        NoteRefused: the signing key cannot be read.
        ListRefused: the folder holds something else than the record says; it was left as it is.
    """
    with _sole_publisher(config.published):
        edition = _prepare(now)
        if edition is None:
            return None
        manifest_sha256 = _write(edition, config)
        return _mark(edition, manifest_sha256, by=by, now=now)


@transaction.atomic
def _prepare(now: datetime) -> Edition | None:
    chain.lock()
    begun = Edition.objects.filter(state=Edition.State.PREPARED).first()
    if begun is not None:
        return begun
    if first_unpublished() is None:
        return None
    last = Edition.objects.last()
    edition = Edition(
        number=last.number + 1 if last else 1,
        up_to=last_sequence(),
        published_at=now.replace(microsecond=0),
        previous=last.manifest_sha256 if last else "",
        entries=0,
    )
    edition.entries = contents(edition).count()
    edition.save(force_insert=True)
    return edition


def _write(edition: Edition, config: Config) -> str:
    """Write the files, read them back, and return the manifest's sha256."""
    signer = Signer.load(config.secret_path("list-signer"))
    wanted = lists.write_edition(
        config.published,
        number=edition.number,
        entries=[listed(entry) for entry in contents(edition).iterator(chunk_size=5000)],
        published_at=edition.published_at,
        origin=config.list_origin,
        signer=signer,
        previous=edition.previous or None,
    )
    note = (config.published / LATEST).read_bytes()
    manifest = read_manifest(note, signer.vkey)
    data = (config.published / edition_path(edition.number) / ENTRIES).read_bytes()
    held = check_entries(manifest, data)
    if manifest != wanted or len(held) != edition.entries:
        raise lists.ListRefused(
            f"Edition {edition.number} was written, but reading it back gave something else. "
            f"Look at {config.published}: members were not told of it by the record."
        )
    return hashlib.sha256(note).hexdigest()


@transaction.atomic
def _mark(edition: Edition, manifest_sha256: str, *, by: str, now: datetime) -> Edition:
    chain.lock()
    marked = Edition.objects.filter(pk=edition.pk, state=Edition.State.PREPARED).update(
        state=Edition.State.PUBLISHED, manifest_sha256=manifest_sha256
    )
    if marked:
        chain.record(
            at=now,
            actor=by,
            action="hashlist.publish_edition",
            subject=edition.subject,
            detail={"entries": edition.entries, "manifest_sha256": manifest_sha256},
        )
        edition_published.send(Edition, edition=edition, now=now)
    edition.refresh_from_db()
    return edition


def contents(edition: Edition) -> QuerySet[Entry]:
    """What an edition holds, whenever it is asked: events never move."""
    return live_entries(edition.up_to).select_related("fingerprint", "listed_class")


def listed(entry: Entry) -> lists.Entry:
    """An entry as members receive it; without a perceptual hash where it would say too little."""
    held = entry.fingerprint
    return lists.Entry(
        sequence=entry.number,
        id=entry.name,
        kind=held.kind,
        sha256=held.sha256,
        sha1=held.sha1,
        md5=held.md5,
        pdq=held.pdq or None,
        quality=held.quality,
        pipeline="none" if held.pipeline == "-" else held.pipeline,
        category=entry.listed_class.category,
        labels=tuple(entry.listed_class.labels),
    )


@contextmanager
def _sole_publisher(published: Path) -> Iterator[None]:
    """Keep a second publisher on this machine waiting: one whose lease ran out, for example."""
    published.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(published, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
