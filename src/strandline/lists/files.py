"""Where the files of a list lie, and writing them so that a kill leaves the old or the new, whole.

The publisher's folder and a member's copy have the same layout::

    latest                        the manifest of the edition that counts, replaced last
    editions/000001/manifest
    editions/000001/entries.jsonl

Everything is first written under ``incoming/``, which nobody reads, and then renamed into place.
"""

import contextlib
import os
import shutil
from pathlib import Path

LATEST = "latest"
MANIFEST = "manifest"
ENTRIES = "entries.jsonl"
EDITIONS = "editions"
INCOMING = "incoming"


def edition_path(number: int) -> str:
    """Folder of an edition, relative to the list's: ``editions/000001``."""
    return f"{EDITIONS}/{number:06d}"


def install_edition(directory: Path, number: int, manifest: bytes, entries: bytes) -> None:
    """Put an edition into ``directory`` and make it the latest.

    Whoever reads meanwhile, or after a kill at any instruction, finds the earlier edition or this.
    """
    target = directory / edition_path(number)
    staged = directory / INCOMING / "edition"
    _make_folder(target.parent)
    clear_incoming(directory)
    _make_folder(staged)
    _write(staged / ENTRIES, entries)
    _write(staged / MANIFEST, manifest)
    _flush_folder(staged)
    if target.exists():
        # Left by a publisher that was killed, or damaged since: nothing sound points to it.
        for name in (ENTRIES, MANIFEST):
            (staged / name).replace(target / name)
        _flush_folder(target)
    else:
        staged.rename(target)
    _flush_folder(target.parent)
    replace_file(directory, LATEST, manifest)
    clear_incoming(directory)


def replace_file(directory: Path, name: str, data: bytes) -> None:
    """Write ``directory/name`` in one step: the old content or the new, never a part."""
    staged = directory / INCOMING / name
    _make_folder(staged.parent)
    _write(staged, data)
    staged.replace(directory / name)
    _flush_folder(directory)


def clear_incoming(directory: Path) -> None:
    """Remove what an interrupted write left."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory / INCOMING)


def drop_other_editions(directory: Path, number: int) -> None:
    """Remove every edition but ``number``, each folder at once."""
    for folder in (directory / EDITIONS).iterdir():
        if folder != directory / edition_path(number):
            _make_folder(directory / INCOMING)
            folder.rename(directory / INCOMING / folder.name)
    clear_incoming(directory)


def _make_folder(path: Path) -> None:
    # Fingerprints can be partly turned back into pictures: not for other users of the machine.
    path.mkdir(mode=0o750, parents=True, exist_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Make renames in this folder outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
