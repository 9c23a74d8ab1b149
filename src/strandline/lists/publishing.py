"""Publishing: entries become a numbered, signed edition of static files."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from strandline.errors import ListRefused
from strandline.lists.entries import Entry, encode_entries
from strandline.lists.files import (
    ENTRIES,
    LATEST,
    MANIFEST,
    clear_incoming,
    edition_path,
    install_edition,
)
from strandline.lists.manifest import Manifest, digest, parse_manifest
from strandline.transparency import Signer, open_note


def write_edition(
    directory: str | Path,
    *,
    number: int,
    entries: Iterable[Entry],
    published_at: datetime,
    origin: str,
    signer: Signer,
    previous: str | None = None,
) -> Manifest:
    """Write edition ``number`` into ``directory`` and make it the latest.

    ``entries`` is the whole list as it now stands, in any order. ``previous`` is the
    ``latest_digest`` of the edition before (None for the first). The same arguments give the same
    bytes. Publishing the same edition twice changes nothing, so a publisher that was killed just
    runs again. Raises ListRefused, and leaves the earlier edition served, when the number does not
    follow the last one, ``previous`` is not its digest, or an entry is malformed.
    """
    directory = Path(directory)
    ordered = sorted(entries, key=lambda entry: entry.sequence)
    data = encode_entries(ordered)
    if published_at.tzinfo is None:
        raise ListRefused("The time of publishing needs a time zone. Nothing was changed.")
    manifest = Manifest(
        origin=origin,
        edition=number,
        published=published_at.astimezone(UTC).replace(microsecond=0),
        entries=len(ordered),
        first=ordered[0].sequence if ordered else 0,
        last=ordered[-1].sequence if ordered else 0,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        previous=previous,
        pipeline=tuple(sorted({entry.pipeline for entry in ordered})),
    )
    note = signer.sign(manifest.text()).encode("utf-8")
    served = _served(directory, signer)
    if served is not None and served.edition == number:
        if (directory / LATEST).read_bytes() != note:
            raise ListRefused(
                f"Edition {number} is already published with other content. It was kept; "
                f"publish the changes as edition {number + 1}."
            )
        if not _holds(directory, number, note, data):
            install_edition(directory, number, note, data)
        clear_incoming(directory)
        return manifest
    expected = 1 if served is None else served.edition + 1
    if number != expected or previous != latest_digest(directory):
        raise ListRefused(
            f"Edition {number} does not follow what is published: the next is edition {expected}, "
            "naming the sha256 of the latest manifest as the one before. Nothing was changed."
        )
    install_edition(directory, number, note, data)
    return manifest


def latest_digest(directory: str | Path) -> str | None:
    """What the next edition must name as ``previous``; None when nothing is published yet."""
    path = Path(directory) / LATEST
    return digest(path.read_bytes()) if path.exists() else None


def _served(directory: Path, signer: Signer) -> Manifest | None:
    path = directory / LATEST
    if not path.exists():
        return None
    return parse_manifest(open_note(path.read_bytes(), [signer.verifier]).text)


def _holds(directory: Path, number: int, note: bytes, data: bytes) -> bool:
    folder = directory / edition_path(number)
    try:
        return (folder / MANIFEST).read_bytes() == note and (folder / ENTRIES).read_bytes() == data
    except FileNotFoundError:
        return False
