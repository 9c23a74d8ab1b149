"""Writing an edition so that a kill at any instruction leaves nothing half done.

*Prepare* commits what the edition will be: its number, its time, its last event and its counts.
*Write* derives every byte from that row and the events alone; the same row gives the same bytes.
Whoever comes after a kill finds the prepared row and goes on from there. ``releasing`` then logs
the manifest and tells members.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from strandline.errors import ListRefused
from strandline.hotline.audit import chain
from strandline.hotline.config import Config
from strandline.hotline.hashlist import reading
from strandline.hotline.hashlist.events import last_sequence
from strandline.hotline.hashlist.models import Edition, EditionClass, Publication
from strandline.hotline.hashlist.scheduling import (
    first_unpublished,
    release_now,
    schedule,
    unfinished,
)
from strandline.hotline.hashlist.trust import list_signer, policy_of, sole_publisher
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.editions import (
    MANIFEST,
    Counts,
    EditionPlan,
    edition_path,
    index_path,
    snapshot_path,
    write_edition,
)
from strandline.lists.published.index_file import parse_index
from strandline.lists.published.manifests import Manifest, parse_manifest
from strandline.lists.published.placing import flush_folders, place
from strandline.transparency.notes import split_note
from strandline.transparency.tiles import MAX_ENTRY

_NOTHING = reading.Held(0, 0, 0)


def publish(row: Publication, tools: Tools, now: datetime) -> None:
    """Handle the due row: write what changed, then wait for the next change."""
    write_next(tools.config, now=now)
    with due.finish(row):
        # An entry may have come while the files were written: it waits its own time. One edition
        # that still waits for witnesses makes this due again once it is published.
        if unfinished() is None:
            schedule()


def write_next(config: Config, *, now: datetime) -> Edition | None:
    """Write one edition, or finish the one that was begun; none when there is nothing to write.

    Raises:
        NotConfigured: there is no root of trust, or a key is missing.
        NoteRefused: the signing key cannot be read.
        ListRefused: the folder holds something else than the record says; it was left as it is.
    """
    with sole_publisher(config.published):
        policy_of(config)
        edition = _prepare(now)
        if edition is None:
            return None
        manifest = write(config, edition)
        return _mark(edition, manifest, now=now)


def write(config: Config, edition: Edition) -> Manifest:
    """Write the files of an edition from the record; the same bytes whenever it is done.

    The edition before must be in the folder. Raises as ``write_next``.
    """
    before = Edition.objects.filter(number=edition.number - 1).first()
    manifest = write_edition(
        config.published,
        EditionPlan(
            config.list_origin,
            edition.number,
            edition.published_at,
            manifest_of(config, before) if before else None,
        ),
        _deltas(edition, before),
        {
            row.listed_class.value: Counts(row.entries, row.quarantined)
            for row in edition.classes.select_related("listed_class")
        },
        salt_key=config.secret("list-salt").encode(),
    )
    if (manifest.entries, manifest.quarantined) != (edition.entries, edition.quarantined):
        raise ListRefused(
            f"Edition {edition.number} came to {manifest.entries} entries, and the record says "
            f"{edition.entries}. Members were not told of it."
        )
    note = list_signer(config).sign(manifest.text()).encode()
    if len(note) > MAX_ENTRY:
        raise ListRefused(
            f"The manifest of edition {edition.number} has {len(note)} bytes, more than a log can "
            f"hold ({MAX_ENTRY}): the list has too many classes. Members were not told of it."
        )
    _read_back(config, manifest)
    place(config.published, manifest_path(edition.number), note, final=True)
    flush_folders(config.published, config.published / edition_path(edition.number))
    return manifest


def manifest_path(number: int) -> str:
    """Where the signed manifest of an edition is, below the published folder."""
    return f"{edition_path(number)}/{MANIFEST}"


def manifest_of(config: Config, edition: Edition) -> Manifest:
    """The manifest of an edition that was written; raises ListRefused when it is another."""
    path = config.published / manifest_path(edition.number)
    try:
        manifest = parse_manifest(split_note(path.read_bytes())[0])
    except FileNotFoundError as error:
        raise ListRefused(
            f"{path} is missing. Nothing was published. Bring the folder back from a copy."
        ) from error
    if manifest.digest() != edition.manifest_sha256:
        raise ListRefused(
            f"{path} is not the manifest that the record knows. Nothing was published. Bring the "
            "folder back from a copy, or find out who wrote into it."
        )
    return manifest


@transaction.atomic
def _prepare(now: datetime) -> Edition | None:
    chain.lock()
    begun = unfinished()
    if begun is not None:
        return begun if begun.state == Edition.State.PREPARED else None
    if first_unpublished() is None:
        return None
    last = Edition.objects.last()
    edition = Edition(
        number=last.number + 1 if last else 1,
        up_to=last_sequence(),
        published_at=now.replace(microsecond=0),
        previous=last.manifest_sha256 if last else "",
    )
    rows = list(_holdings(edition, last))
    edition.entries = sum(row.entries for row in rows)
    edition.quarantined = sum(row.quarantined for row in rows)
    edition.save(force_insert=True)
    EditionClass.objects.bulk_create(rows, batch_size=500)
    return edition


def _holdings(edition: Edition, last: Edition | None) -> Iterator[EditionClass]:
    """What the edition holds of each class."""
    after = last.up_to if last else 0
    rows = last.classes.all() if last else EditionClass.objects.none()
    before = {
        row.listed_class_id: reading.Held(row.entries, row.quarantined, row.sequence)
        for row in rows
    }
    changed = {row.pk for row in reading.classes(after=after, up_to=edition.up_to)}
    for listed_class in reading.classes(up_to=edition.up_to):
        had = before.get(listed_class.pk, _NOTHING)
        has = (
            reading.held(listed_class, after=after, up_to=edition.up_to, before=had)
            if listed_class.pk in changed
            else had
        )
        yield EditionClass(
            edition=edition,
            listed_class=listed_class,
            entries=has.entries,
            quarantined=has.quarantined,
            sequence=has.sequence,
        )


def _deltas(
    edition: Edition, before: Edition | None
) -> Iterator[tuple[EntryClass, Iterator[Block]]]:
    after = before.up_to if before else 0
    for listed_class in reading.classes(after=after, up_to=edition.up_to):
        blocks = reading.delta(listed_class, after=after, up_to=edition.up_to)
        yield listed_class.value, blocks


def _read_back(config: Config, manifest: Manifest) -> None:
    """Check as a member would what this edition brought; raises ListRefused."""
    own = (f"{edition_path(manifest.edition)}/", f"{snapshot_path(manifest.edition)}/")
    for entry_class, state in manifest.classes:
        path = config.published / index_path(manifest.edition, entry_class)
        index = parse_index(path.read_text("utf-8"))
        files = [file for file in index.files if file.path.startswith(own)]
        if index.root() != state.root or not all(
            _sha256(config, file.path) == file.sha256 for file in files
        ):
            raise ListRefused(
                f"Edition {manifest.edition} was written, but reading it back gave something else: "
                f"look at {path.parent} and its disk. Members were not told of it."
            )


def _sha256(config: Config, path: str) -> str:
    with (config.published / path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@transaction.atomic
def _mark(edition: Edition, manifest: Manifest, *, now: datetime) -> Edition:
    chain.lock()
    Edition.objects.filter(pk=edition.pk, state=Edition.State.PREPARED).update(
        state=Edition.State.WRITTEN, manifest_sha256=manifest.digest()
    )
    release_now(now)
    edition.refresh_from_db()
    return edition
