"""Putting published files in place, so that a kill leaves each one whole or absent.

Files never change once their edition is published: writing one again must give the same bytes.
Everything is first written beside its place under a name that no index knows, and then renamed.
"""

import os
from pathlib import Path

from strandline.errors import ListRefused

#: Ends the name of what is being written; nobody reads it.
PART = ".part"


def place(directory: Path, path: str, data: bytes, *, final: bool = False) -> None:
    """Write ``directory/path`` unless it holds ``data`` already; its folder is flushed later.

    With ``final``, a file with other bytes is refused with ListRefused instead of replaced.
    """
    target = directory / path
    try:
        held = target.read_bytes()
    except FileNotFoundError:
        held = None
    if held == data:
        return
    if held is not None and final:
        raise ListRefused(
            f"{path} is already published with other content. It was kept; publish the changes as "
            "a further edition."
        )
    _make_folder(target.parent)
    beside = target.with_name(target.name + PART)
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)


def flush_folders(directory: Path, folder: Path) -> None:
    """Make what was placed in ``folder``, and the folders down to it, outlive a power cut."""
    for each in (folder, *folder.parents):
        descriptor = os.open(each, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if each == directory:
            return


def _make_folder(path: Path) -> None:
    # Fingerprints can be partly turned back into pictures: not for other users of the machine.
    # One at a time, since ``parents=True`` makes those above with other permissions.
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(mode=0o750, exist_ok=True)


def drop_others(folder: Path, keep: set[str]) -> None:
    """Remove what a run that was killed left in ``folder``: files that are not to be there."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in keep and path.is_file():
                path.unlink()
