"""What a copy holds, opened and checked: trust, log, scope, and the statements of its edition."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from strandline.errors import ListRefused
from strandline.lists.member.conditions import (
    Believed,
    believe,
    certificate_path,
    covered,
    manifest_path,
    open_index,
    open_scope,
)
from strandline.lists.member.layout import CHECKPOINT, HASHES, SCOPE, Layout
from strandline.lists.member.seen_log import Keys, SeenLog
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import EntryClass, Scope
from strandline.lists.published.editions import index_path
from strandline.lists.published.index_file import Index, PageFile
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.scope_note import ScopeNote
from strandline.lists.state import State, Step
from strandline.lists.trust.policy import Policy
from strandline.lists.trust.updating import Kept, held

#: Lists the files that belong, so that one that is missing is missed.
HELD = "held"


@dataclass(frozen=True)
class Holdings:
    """An edition that is held, with everything that was said about it."""

    layout: Layout
    kept: Kept
    log: SeenLog
    #: None where the publisher gives everyone everything.
    scope_note: ScopeNote | None
    believed: Believed
    #: Of each class that the scope covers.
    indexes: dict[EntryClass, Index]

    @classmethod
    def open(cls, layout: Layout, edition: int) -> Self:
        """Read and check the statements; raises ListRefused for one that does not hold."""
        kept = held(layout.trust)
        log = seen_log(layout, kept.policy)
        note = scope_note(layout, kept.policy)
        scope = note.scope if note else Scope()
        manifest = layout.read(manifest_path(edition))
        believed = believe(
            manifest,
            edition,
            kept.policy,
            log,
            read=layout.read,
            scope=scope,
            certifying=Subscription.read(layout.directory).certifying,
        )
        return cls(layout, kept, log, note, believed, indexes_of(layout, believed, scope))

    @property
    def scope(self) -> Scope:
        """What this member may have."""
        return self.scope_note.scope if self.scope_note else Scope()

    def files(self) -> Iterator[PageFile]:
        """The pages of every class that is covered, in the order they are applied."""
        for index in self.indexes.values():
            yield from index.current(self.scope.columns)

    def belonging(self) -> set[str]:
        """Every published file of the copy, by path."""
        edition = self.believed.manifest.edition
        paths = set(self.kept.targets) | set(self.believed.proofs()) | {manifest_path(edition)}
        paths |= {certificate_path(edition, each.hotline) for each in self.believed.certificates}
        paths |= {index_path(edition, each) for each in self.indexes}
        return paths | {file.path for file in self.files()}

    def steps(self) -> list[Step]:
        """The pages as blocks, which come to what the store holds; read as they are asked for."""
        return steps_of(self.layout, self.files())


def steps_of(layout: Layout, files: Iterable[PageFile]) -> list[Step]:
    """Pages as blocks: the snapshots, and the events of each edition."""
    by_edition: dict[tuple[int, bool], list[PageFile]] = {}
    for file in files:
        by_edition.setdefault((file.edition, file.is_snapshot), []).append(file)
    return [
        Step(edition, _Pages(layout, tuple(some)), snapshot)
        for (edition, snapshot), some in sorted(by_edition.items(), key=lambda each: each[0])
    ]


@dataclass(frozen=True)
class _Pages:
    """Blocks that are read, one page at a time, whenever they are gone through."""

    layout: Layout
    files: tuple[PageFile, ...]

    def __iter__(self) -> Iterator[Block]:
        return read_blocks(self.layout.read, self.files)


def seen_log(layout: Layout, policy: Policy) -> SeenLog:
    """The log as it was seen last; raises ListRefused when it is not as it was kept."""
    return SeenLog.read(layout.read(CHECKPOINT), layout.read(HASHES), Keys.of(policy))


def scope_note(layout: Layout, policy: Policy) -> ScopeNote | None:
    """The note of this member's scope; None where none was given."""
    path = layout.directory / SCOPE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    note, plain = open_scope(data, policy, None)
    if plain != data:
        raise ListRefused(f"{path} is not as it was signed.")
    return note


def indexes_of(layout: Layout, believed: Believed, scope: Scope) -> dict[EntryClass, Index]:
    """The index of each class that the scope covers."""
    manifest = believed.manifest
    return {
        each: open_index(layout.read(index_path(manifest.edition, each)), manifest, each)
        for each in covered(manifest, scope)
    }


def listing(paths: Iterable[str]) -> bytes:
    """The content of ``held``."""
    lines = "".join(f"{path}\n" for path in sorted(paths))
    return f"{lines}sha256 {hashlib.sha256(lines.encode()).hexdigest()}\n".encode()


def held_edition(layout: Layout) -> int | None:
    """The edition in the store, or the newest that was applied when the store is damaged."""
    try:
        return State.open(layout.store).edition
    except ListRefused:
        applied = [
            int(path.parent.name)
            for path in Path(layout.directory, "editions").glob("*/manifest.proof")
            if path.parent.name.isdigit()
        ]
        return max(applied, default=None)
