"""A member's copy of a list: whom it trusts, what it holds, and whether it is intact."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from strandline.errors import ListRefused, NoteRefused
from strandline.lists.entries import Entry, decode_entries
from strandline.lists.files import EDITIONS, ENTRIES, INCOMING, LATEST, MANIFEST, edition_path
from strandline.lists.manifest import Manifest, parse_manifest
from strandline.transparency import Verifier, open_note

TRUST = "trust.json"
#: Bytes. A manifest is under a kilobyte; this leaves room for signatures of witnesses.
MAX_MANIFEST = 64 * 1024

T = TypeVar("T")


@dataclass(frozen=True)
class Trust:
    """Whose list this is, settled at the first sync and never changed by a later one."""

    origin: str
    vkey: str

    def encode(self) -> bytes:
        """The content of trust.json."""
        return (json.dumps(asdict(self), sort_keys=True, indent=1) + "\n").encode()


def read_trust(directory: Path) -> Trust | None:
    """What the first sync settled, None before it; raises ListRefused when the file was altered."""
    path = directory / TRUST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        trust = Trust(**json.loads(data))
        Verifier.from_vkey(trust.vkey)
        intact = trust.encode() == data
    except (ValueError, TypeError, AttributeError, RecursionError, NoteRefused):
        intact = False
    if not intact:
        raise ListRefused(
            f"{path} was altered, so nobody's signature can be trusted for this list. "
            "Nothing was used: sync into a new folder with the publisher's key."
        )
    return trust


def open_manifest(note: bytes, trust: Trust) -> Manifest:
    """Verify a manifest file; raises NoteRefused or ListRefused."""
    manifest = read_manifest(note, trust.vkey)
    if manifest.origin != trust.origin:
        raise ListRefused(
            f"The manifest is of the list {manifest.origin}, not of {trust.origin}, "
            "which this folder holds."
        )
    return manifest


def read_manifest(note: bytes, vkey: str) -> Manifest:
    """Verify a manifest file of a list of whatever origin; raises NoteRefused or ListRefused."""
    if len(note) > MAX_MANIFEST:
        raise ListRefused("The manifest is larger than a manifest can be.")
    return parse_manifest(open_note(note, [Verifier.from_vkey(vkey)]).text)


def check_entries(manifest: Manifest, data: bytes) -> list[Entry]:
    """Read an entries file; raises ListRefused unless it is the one the manifest stands for."""
    number = manifest.edition
    if len(data) != manifest.size:
        raise ListRefused(
            f"The entries of edition {number} have {len(data)} bytes where its signed manifest "
            f"says {manifest.size}."
        )
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        raise ListRefused(f"The entries of edition {number} do not fit its signed manifest.")
    entries = decode_entries(data)
    first, last = (entries[0].sequence, entries[-1].sequence) if entries else (0, 0)
    pipeline = tuple(sorted({entry.pipeline for entry in entries}))
    counted = (len(entries), first, last, pipeline)
    if counted != (manifest.entries, manifest.first, manifest.last, manifest.pipeline):
        raise ListRefused(f"The manifest of edition {number} miscounts its entries.")
    return entries


def held_manifests(directory: Path, trust: Trust) -> Iterator[tuple[Manifest, bytes]]:
    """Every manifest in the copy that verifies, with its bytes: what was held, even if damaged."""
    for path in [directory / LATEST, *sorted((directory / EDITIONS).glob(f"*/{MANIFEST}"))]:
        try:
            note = path.read_bytes()
            yield open_manifest(note, trust), note
        except (OSError, NoteRefused, ListRefused):
            continue  # a damaged file tells nothing about what was held


def load(directory: str | Path) -> tuple[Manifest, list[Entry]]:
    """The edition in use, verified; raises ListRefused when there is none or it was altered."""
    return _undisturbed(Path(directory), _load)


def verify(directory: str | Path) -> Manifest:
    """Check every file of a member's copy and return what it holds.

    Raises ListRefused with the first file that differs by a byte from what was signed, is missing,
    or does not belong. ``incoming/``, where an interrupted sync leaves its work, is never read and
    not judged.
    """
    return _undisturbed(Path(directory), _verify)


def _load(directory: Path) -> tuple[Manifest, list[Entry]]:
    trust = read_trust(directory)
    if trust is None:
        raise ListRefused(f"{directory} holds no list. Fetch one first: strandline list sync")
    with _naming(directory / LATEST) as path:
        note = path.read_bytes()
        manifest = open_manifest(note, trust)
    return manifest, _load_edition(directory, manifest, note)


def _load_edition(directory: Path, manifest: Manifest, note: bytes) -> list[Entry]:
    folder = directory / edition_path(manifest.edition)
    with _naming(folder / MANIFEST) as path:
        if path.read_bytes() != note:
            raise ListRefused("it is not the manifest signed for this edition")
    with _naming(folder / ENTRIES) as path:
        return check_entries(manifest, path.read_bytes())


def _verify(directory: Path) -> Manifest:
    manifest, _ = _load(directory)
    trust = read_trust(directory)
    assert trust is not None  # _load has read it
    belong = {directory / TRUST, directory / LATEST, directory / EDITIONS}
    # A sync that was killed may leave a second edition; it must be whole and signed as well.
    for folder in (directory / EDITIONS).iterdir():
        if folder != directory / edition_path(manifest.edition):
            with _naming(folder / MANIFEST) as path:
                note = path.read_bytes()
                other = open_manifest(note, trust)
            if folder != directory / edition_path(other.edition):
                raise ListRefused(f"{folder} holds edition {other.edition}: it was renamed.")
            _load_edition(directory, other, note)
        belong |= {folder, folder / MANIFEST, folder / ENTRIES}
    for path in _walk(directory):
        if path not in belong or path.is_symlink():
            raise ListRefused(
                f"{path} does not belong to the list. Nothing was changed: remove it, or sync "
                "into a new folder."
            )
    return manifest


def _walk(directory: Path) -> Iterator[Path]:
    """Everything under ``directory`` but the work of a sync; symbolic links are not followed."""
    for path in sorted(directory.rglob("*")):
        if path.relative_to(directory).parts[0] != INCOMING:
            yield path


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[Path]:
    """Say which file a refusal is about."""
    try:
        yield path
    except (NoteRefused, ListRefused) as error:
        raise ListRefused(
            f"{path} is not as it was signed: {error.message} Nothing in it was used; sync again."
        ) from error
    except OSError as error:
        raise ListRefused(
            f"{path} cannot be read: {error.strerror}. Nothing was used; sync again."
        ) from error


def _undisturbed(directory: Path, read: Callable[[Path], T]) -> T:
    """Read again when a sync put a new edition in place meanwhile."""
    while True:
        before = _latest(directory)
        try:
            return read(directory)
        except ListRefused:
            if _latest(directory) == before:
                raise


def _latest(directory: Path) -> bytes | None:
    try:
        return (directory / LATEST).read_bytes()
    except OSError:
        return None
