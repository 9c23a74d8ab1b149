"""A member's sync: fetch the latest edition, believe only what is signed, switch in one step."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strandline.errors import ListRefused, NoteRefused
from strandline.fetching import Fetcher
from strandline.lists import files
from strandline.lists.holding import (
    MAX_MANIFEST,
    TRUST,
    Trust,
    check_entries,
    held_manifests,
    load,
    open_manifest,
    read_manifest,
    read_trust,
)
from strandline.lists.manifest import Manifest, digest
from strandline.lists.source import Progress, Source, open_source
from strandline.transparency import Verifier

#: Bytes; about two million entries. More than this in one file is no list of ours.
MAX_ENTRIES_FILE = 2**30


@dataclass(frozen=True)
class Synced:
    """What a sync came to."""

    #: The edition now held.
    manifest: Manifest
    #: False when it was held, intact, already.
    changed: bool


def sync(
    url: str,
    directory: str | Path,
    *,
    vkey: str | None = None,
    api_key: str | None = None,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
) -> Synced:
    """Bring ``directory`` to the latest edition published at ``url``.

    The first sync needs ``vkey``, the publisher's verifier key, had in a way you trust; the folder
    remembers it. ``api_key`` is sent as a bearer token. Without ``fetcher``, exactly the addresses
    of the host in ``url`` are reached, private ones too since you named it, and no redirect is
    followed.

    Raises ListRefused, keeping the edition held before, when the list cannot be fetched, is not
    signed by that key, is older than what is held, or differs from what was signed.
    """
    directory = Path(directory)
    kept = "No list is held yet."
    with _sole_sync(directory):
        try:
            trust = read_trust(directory)
            held = _newest(directory, trust) if trust else None
            if held:
                kept = f"Edition {held[0].edition} is kept and stays in use."
            vkey = _settle_key(directory, trust, vkey)
            with open_source(url, api_key=api_key, fetcher=fetcher, progress=progress) as source:
                return _fetch(source, directory, trust, vkey, held)
        except (ListRefused, NoteRefused) as error:
            raise ListRefused(f"{error.message} {kept}") from error
        except OSError as error:
            raise ListRefused(
                f"The list could not be written to {directory}: {error.strerror}. {kept}"
            ) from error


def _fetch(
    source: Source,
    directory: Path,
    trust: Trust | None,
    vkey: str,
    held: tuple[Manifest, bytes] | None,
) -> Synced:
    note = source.read(files.LATEST, MAX_MANIFEST)
    manifest = open_manifest(note, trust) if trust else read_manifest(note, vkey)
    if held:
        _refuse_a_step_back(manifest, *held)
        if manifest == held[0] and _intact(directory, manifest):
            files.drop_other_editions(directory, manifest.edition)  # left by a sync that was killed
            return Synced(manifest, changed=False)
    if manifest.size > MAX_ENTRIES_FILE:
        raise ListRefused(f"The list's {manifest.size} bytes are more than this program accepts.")
    folder = files.edition_path(manifest.edition)
    data = source.read(f"{folder}/{files.ENTRIES}", manifest.size)
    check_entries(manifest, data)
    if trust is None:
        files.replace_file(directory, TRUST, Trust(manifest.origin, vkey).encode())
    files.install_edition(directory, manifest.edition, note, data)
    files.drop_other_editions(directory, manifest.edition)
    return Synced(manifest, changed=True)


def _settle_key(directory: Path, trust: Trust | None, vkey: str | None) -> str:
    """The one key to believe: typed at the first sync, remembered afterwards."""
    if trust is None:
        if vkey is None:
            raise ListRefused(
                f"The first sync into {directory} needs the publisher's verifier key, "
                "which looks like name+1a2b3c4d+AbC…: give it with --key."
            )
        return Verifier.from_vkey(vkey).vkey
    if vkey not in {None, trust.vkey}:
        raise ListRefused(
            f"{directory} holds the list of another key, {trust.vkey}. To trust the new key "
            "instead, sync into a new folder."
        )
    return trust.vkey


def _newest(directory: Path, trust: Trust) -> tuple[Manifest, bytes] | None:
    manifests = held_manifests(directory, trust)
    return max(manifests, key=lambda found: found[0].edition, default=None)


def _refuse_a_step_back(offered: Manifest, held: Manifest, held_note: bytes) -> None:
    if offered.edition < held.edition:
        raise ListRefused(
            f"The publisher offers edition {offered.edition}, older than what is held: "
            "an old copy is being served, by mistake or to hide entries."
        )
    if offered.edition == held.edition and offered != held:
        raise ListRefused(
            f"The publisher offers another edition {offered.edition} than the one that is held: "
            "two different lists were signed under one number. Tell the publisher."
        )
    follows = offered.edition == held.edition + 1
    if follows and offered.previous != digest(held_note):
        raise ListRefused(
            f"The publisher's edition {offered.edition} does not follow the edition that is held: "
            "two different histories were signed. Tell the publisher."
        )


def _intact(directory: Path, manifest: Manifest) -> bool:
    try:
        return load(directory)[0] == manifest
    except ListRefused:
        return False  # damaged since: fetched again


@contextlib.contextmanager
def _sole_sync(directory: Path) -> Iterator[None]:
    """Keep a second sync out, so that an older answer cannot replace a newer one."""
    existed = directory.exists()
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ListRefused(
            f"Another sync into {directory} is at work. It was left alone."
        ) from error
    finally:
        os.close(descriptor)
        if not existed:
            with contextlib.suppress(OSError):  # not empty: the sync came to something
                directory.rmdir()
