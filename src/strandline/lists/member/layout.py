"""A member's copy of a list on the disk, and the order in which it changes.

::

    subscription                 where the list comes from
    trust/                       the pinned root and what followed from it (``pinning``)
    scope                        the publisher's note of what this member may have
    innocent                     its note of common innocent pictures
    log/checkpoint  log/hashes   the log as it was seen last: its signed state, a hash for each leaf
    editions/ snapshots/         the published files that are held, under their published paths
    store/                       what they come to (``state``), derived
    incoming/                    work under way; not there when nothing was interrupted

The one step that changes which edition is held is the store's. Files that are new lie in
``incoming/files/`` until then and are moved into place afterwards, by this sync or the next.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from strandline.errors import ListRefused
from strandline.lists import disk
from strandline.lists.denied import told

SUBSCRIPTION, TRUST, SCOPE, LOG, STORE = "subscription", "trust", "scope", "log", "store"
INNOCENT = "innocent"
CHECKPOINT, HASHES = f"{LOG}/checkpoint", f"{LOG}/hashes"
INCOMING, NEW = "incoming", "incoming/files"
#: Where published files are held.
PUBLISHED = ("editions", "snapshots")


class Layout:
    """The files of one copy."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = directory / STORE
        self.trust = directory / TRUST

    @property
    def interrupted(self) -> bool:
        """Whether a sync is at work, or was stopped."""
        return (self.directory / INCOMING).exists()

    def held(self, path: str) -> bytes | None:
        """The bytes held of a published file, wherever a sync left it; None when it is not."""
        for place in (self.directory / path, self.directory / NEW / path):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                return place.read_bytes()
        return None

    def size(self, path: str) -> int | None:
        """Bytes held of a published file; None when it is not."""
        for place in (self.directory / path, self.directory / NEW / path):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                return place.stat().st_size
        return None

    def read(self, path: str) -> bytes:
        """The same; raises ListRefused when it is not held."""
        try:
            with told():
                data = self.held(path)
        except OSError as error:
            raise ListRefused(
                f"{self.directory / path} cannot be read: {error.strerror}."
            ) from error
        if data is None:
            raise ListRefused(f"{self.directory / path} is missing. Sync again.")
        return data

    def stage(self, path: str, data: bytes) -> None:
        """Keep a verified file until it counts; a kill leaves it whole or not at all."""
        target = self.directory / NEW / path
        disk.make_folder(target.parent)
        part = target.with_name(f"{target.name}.part")
        disk.write_new(part, data)
        part.replace(target)

    def put(self, path: str, data: bytes) -> None:
        """Replace a file of the copy in one step, unless it is as wanted."""
        target = self.directory / path
        with contextlib.suppress(FileNotFoundError):
            if target.read_bytes() == data:
                return
        disk.make_folder(target.parent)
        disk.replace(target, data, self.directory / INCOMING)

    def put_or_remove(self, path: str, data: bytes | None) -> None:
        """The same; without bytes the file is there no more."""
        if data is not None:
            self.put(path, data)
        else:
            (self.directory / path).unlink(missing_ok=True)

    def settle(self, belong: set[str]) -> None:
        """Move staged files that belong into place and remove published ones that do not."""
        staged = self.directory / NEW
        for place in sorted(staged.rglob("*")) if staged.exists() else ():
            path = place.relative_to(staged).as_posix()
            if path in belong:
                target = self.directory / path
                disk.make_folder(target.parent)
                place.replace(target)
        for top in PUBLISHED:
            self._prune(self.directory / top, belong)
        disk.flush_folder(self.directory)

    def _prune(self, folder: Path, belong: set[str]) -> None:
        if not folder.is_dir():
            return
        for place in list(folder.iterdir()):
            if place.is_dir() and not place.is_symlink():
                self._prune(place, belong)
            elif place.relative_to(self.directory).as_posix() not in belong:
                place.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
        else:
            disk.flush_folder(folder)

    def finish(self) -> None:
        """Nothing is under way any more."""
        disk.remove_tree(self.directory / INCOMING)


@contextlib.contextmanager
def sole(directory: Path) -> Iterator[None]:
    """Keep a second sync out, so that an older answer cannot replace a newer one."""
    with told():
        disk.make_folder(directory)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ListRefused(
            f"Another sync into {directory}, or a bundle of it, is at work. It was left alone."
        ) from error
    finally:
        os.close(descriptor)
