"""A list in one file, for networks that are connected to nothing: the same files, the same checks.

A bundle is a ZIP archive without compression (its pages are compressed already) whose members have
the published paths. Whoever holds a copy can write one. Nothing in it is believed for being there.
"""

import contextlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from strandline.errors import ListRefused, NotPublished, SourceFailed
from strandline.lists.member.holdings import Holdings
from strandline.lists.member.innocent import held_innocent
from strandline.lists.member.layout import INNOCENT, PUBLISHED, SCOPE, Layout
from strandline.lists.state import State
from strandline.lists.trust.metadata import (
    FOLDER,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    name_of,
    parse,
)
from strandline.lists.trust.pinning import PINNED
from strandline.transparency.merkle import HASH_BYTES
from strandline.transparency.tiles import WIDTH, tile_path

#: Members of a bundle: pages of a hundred million entries are fewer.
MAX_MEMBERS = 1_000_000
_DATE = (1980, 1, 1, 0, 0, 0)


class BundleSource:
    """Reads a bundle as if it were the published folder."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ListRefused("This bundle has more files than a list can have.")
        self._members = {member.filename: member for member in members}
        if len(self._members) != len(members):
            raise ListRefused("This bundle has two files of one name. It was not used.")

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open a bundle; raises ListRefused when it is none."""
        try:
            archive = zipfile.ZipFile(path)
        except OSError as error:
            raise ListRefused(f"{path} cannot be read: {error.strerror}.") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise ListRefused(f"{path} is not a bundle of a list, or it is cut off.") from error
        with archive:
            yield cls(archive)

    def has(self, path: str) -> bool:
        """Whether the bundle holds ``path``."""
        return path in self._members

    def read(self, path: str, max_bytes: int) -> bytes:
        """The file at ``path``; raises NotPublished, or SourceFailed when it is damaged."""
        member = self._members.get(path)
        if member is None:
            raise NotPublished(f"The bundle does not hold {path}.")
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > max_bytes:
            raise ListRefused(f"{path} in the bundle is longer than it may be.")
        try:
            return self._archive.read(member)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError) as error:
            raise SourceFailed(f"{path} in the bundle is damaged.") from error
        except NotImplementedError as error:
            raise ListRefused(f"{path} in the bundle cannot be read.") from error


def write_bundle(directory: Path, target: Path) -> int:
    """Write what a copy holds into a new file; returns its bytes.

    Raises ListRefused when the copy is altered or ``target`` is there; OSError when it cannot be
    written, leaving nothing.
    """
    layout = Layout(directory)
    holdings = Holdings.open(layout, State.open(layout.store, even_withheld=True).edition)
    if target.exists():
        raise ListRefused(f"{target} exists and was kept. Choose another name.")
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        # Fingerprints can be partly turned back into pictures: not for other users of the machine.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for path, data in _files(holdings):
                    member = zipfile.ZipInfo(path, _DATE)
                    member.external_attr = 0o640 << 16
                    archive.writestr(member, data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _files(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    layout = holdings.layout
    yield from _trust(layout.trust)
    if holdings.scope_note:
        yield SCOPE, layout.read(SCOPE)
    if held_innocent(layout, holdings.kept.policy):
        yield INNOCENT, layout.read(INNOCENT)
    yield "log/checkpoint", holdings.log.note.encode()
    hashes = holdings.log.hashes
    for number, start in enumerate(range(0, len(hashes), WIDTH)):
        some = hashes[start : start + WIDTH]
        data = b"".join(some)
        yield f"log/{tile_path(0, number, len(data) // HASH_BYTES)}", data
    for path in sorted(holdings.derived() | set(holdings.kept.targets)):
        if path.startswith(PUBLISHED):
            yield path, layout.read(path)


def _trust(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The signed files of trust under the names they are published by."""
    roots = [directory / PINNED, *sorted(directory.glob("root_history/*"))]
    for path, role in (
        *((path, ROOT) for path in roots),
        *((directory / name_of(role), role) for role in (TIMESTAMP, SNAPSHOT, TARGETS)),
    ):
        data = path.read_bytes()
        version = None if role == TIMESTAMP else parse(data, role).signed.version
        yield f"{FOLDER}/{name_of(role, version)}", data
