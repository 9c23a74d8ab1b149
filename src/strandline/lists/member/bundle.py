"""A list in one file, for networks that are connected to nothing: the same files, the same checks.

A bundle is a ZIP archive without compression (its pages are compressed already) whose members have
the published paths. Whoever holds a copy can write one. Nothing in it is believed for being there.
"""

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from strandline.errors import ListRefused, NotPublished, SourceFailed
from strandline.lists.denied import told
from strandline.lists.member.checking import check_innocent, differs
from strandline.lists.member.holdings import HELD, Holdings, is_statement, settled
from strandline.lists.member.layout import INNOCENT, PUBLISHED, SCOPE, Layout, sole
from strandline.lists.published.editions import index_path
from strandline.lists.published.reading import check_file
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
from strandline.transparency.merkle import HASH_BYTES, leaf_hash
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
            raise NotPublished(
                f"The bundle does not hold {path}; it holds what the copy held that it was made of."
            )
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

    Every file is checked as it is packed, and no sync changes the copy meanwhile. Raises
    ListRefused when the copy is altered or ``target`` is there; OSError when it cannot be written,
    leaving nothing.
    """
    layout = Layout(directory)
    State.open(layout.store, even_withheld=True)  # before a lock, which would make the folder
    if target.exists():
        raise ListRefused(f"{target} exists and was kept. Choose another name.")
    with sole(directory):
        edition = State.open(layout.store, even_withheld=True).edition
        return _write(Holdings.open(layout, edition), target)


def _write(holdings: Holdings, target: Path) -> int:
    # Fingerprints can be partly turned back into pictures: this makes a file for its owner alone.
    descriptor, name = tempfile.mkstemp(prefix=".bundle-", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for path, data in _readable(_files(holdings)):
                    member = zipfile.ZipInfo(path, _DATE)
                    member.external_attr = 0o640 << 16
                    archive.writestr(member, data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _readable(files: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The same; what may not be read is told with a sentence, what may not be written is not."""
    with told():
        yield from files


def _files(holdings: Holdings) -> Iterator[tuple[str, bytes]]:
    layout = holdings.layout
    belonging = settled(layout)
    if belonging is None and not layout.interrupted:
        raise differs(layout.directory / HELD)
    yield from _trust(layout.trust)
    if holdings.scope_note:
        yield SCOPE, layout.read(SCOPE)
    if check_innocent(holdings, belonging or {}):
        yield INNOCENT, layout.read(INNOCENT)
    yield "log/checkpoint", holdings.log.note.encode()
    hashes = holdings.log.hashes
    for number, start in enumerate(range(0, len(hashes), WIDTH)):
        some = hashes[start : start + WIDTH]
        data = b"".join(some)
        yield f"log/{tile_path(0, number, len(data) // HASH_BYTES)}", data
    yield from _published(holdings, belonging or {})


def _published(
    holdings: Holdings, belonging: Mapping[str, str | None]
) -> Iterator[tuple[str, bytes]]:
    """The published files that are held, each as it was published, and all proofs of statements."""
    layout, believed = holdings.layout, holdings.believed
    pages = {file.path: file for file in holdings.files()}
    exact = believed.proofs()
    for entry_class, index in holdings.indexes.items():
        exact[index_path(believed.manifest.edition, entry_class)] = index.text().encode()
    held = holdings.derived() | set(holdings.kept.targets)
    leaves = {leaf: index for index, leaf in enumerate(holdings.log.hashes)}
    for path in sorted(each for each in held if each.startswith(PUBLISHED)):
        data = layout.read(path)
        if path in pages:
            check_file(pages[path], data)
        elif path in exact:
            if data != exact[path]:
                raise differs(layout.directory / path)
        elif not (
            holdings.names(path, data) or belonging.get(path) == hashlib.sha256(data).hexdigest()
        ):
            raise differs(layout.directory / path)
        yield path, data
        # Of an edition that waits for a certificate this copy needs no proofs, but whoever is to
        # be told why it waits does.
        proof, leaf = f"{path}.proof", leaf_hash(data)
        if is_statement(path) and proof not in held and leaf in leaves:
            yield proof, holdings.log.prove(leaves[leaf]).encode()


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
