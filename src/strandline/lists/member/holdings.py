"""What a copy holds, opened and checked: trust, log, scope, and the statements of its edition."""

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from strandline.errors import ListRefused, StrandlineError
from strandline.lists.denied import is_denied, told
from strandline.lists.member.conditions import (
    Believed,
    believe,
    certificate_path,
    covered,
    manifest_path,
    open_index,
    open_scope,
)
from strandline.lists.member.layout import CHECKPOINT, HASHES, INNOCENT, SCOPE, TRUST, Layout
from strandline.lists.member.seen_log import Keys, SeenLog
from strandline.lists.member.subscription import Subscription
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import EntryClass, Scope
from strandline.lists.published.editions import index_path
from strandline.lists.published.index_file import Index, PageFile
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.scope_note import ScopeNote
from strandline.lists.state import State, Step
from strandline.lists.trust.metadata import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, name_of
from strandline.lists.trust.pinning import HISTORY, PINNED, kept_policies
from strandline.lists.trust.policy import Policy
from strandline.lists.trust.updating import Kept, held

#: Lists the files that belong, so that one that is missing is missed.
HELD = "held"
#: Manifests and certificates: they are settled with their digests, since trust moves on and no
#: longer names those of older editions.
_STATEMENT = re.compile(r"editions/[0-9]{6}/(manifest|certificate\.[A-Za-z0-9.-]+(?<!\.proof))")


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
    @told()
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

    def derived(self) -> set[str]:
        """Every file that must be there for the edition held, by path below the copy."""
        edition = self.believed.manifest.edition
        paths = set(self.believed.proofs()) | {manifest_path(edition), CHECKPOINT, HASHES}
        paths |= {certificate_path(edition, each.hotline) for each in self.believed.certificates}
        paths |= {index_path(edition, each) for each in self.indexes}
        paths |= {SCOPE} if self.scope_note else set()
        return paths | {file.path for file in self.files()} | self.trusted()

    def trusted(self) -> set[str]:
        """The files of trust: the pinned root, those after it, and what the newest one signs."""
        first = self.kept.pinned + 1
        names = {PINNED, *(name_of(role) for role in (TIMESTAMP, SNAPSHOT, TARGETS))}
        names |= {f"{HISTORY}/{name_of(ROOT, n)}" for n in range(first, self.kept.root + 1)}
        return {f"{TRUST}/{name}" for name in names}

    def settling(self) -> dict[str, str | None]:
        """What belongs from now on: what must, and the statements that trust names and are here."""
        found: dict[str, str | None] = dict.fromkeys(self.derived())
        for path in {*found, *self.kept.targets}:
            data = self.layout.held(path) if is_statement(path) else None
            if data is not None and (path in found or self.names(path, data)):
                found[path] = hashlib.sha256(data).hexdigest()
        if (note := self.layout.held(INNOCENT)) is not None:
            found[INNOCENT] = hashlib.sha256(note).hexdigest()
        return found

    def names(self, path: str, data: bytes) -> bool:
        """Whether trust, as it is now, names this file."""
        return self.kept.targets.get(path) == (len(data), hashlib.sha256(data).hexdigest())

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


def last_seen(layout: Layout, policy: Policy) -> SeenLog | None:
    """The log as it was seen last; None when it never was, or when nothing of it can be read.

    Then, too, the edition held must be in the log that is shown.
    """
    try:
        return seen_log(layout, policy)
    except ListRefused:
        pass
    # Its witnesses or its key may have been replaced since: what was seen of the log still holds.
    for each in (policy, *kept_policies(layout.trust)):
        with contextlib.suppress(StrandlineError):
            keys = replace(Keys.of(each), quorum=0, witnesses=())
            note = keys.plain(layout.read(CHECKPOINT))
            return SeenLog.read(note.encode(), layout.read(HASHES), keys)
    return None


@told()
def scope_note(layout: Layout, policy: Policy) -> ScopeNote | None:
    """The note of this member's scope; None where none was given."""
    path = layout.directory / SCOPE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if SCOPE in (settled(layout) or {}):
            raise ListRefused(f"{path} is missing. Sync again.") from None
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


def is_statement(path: str) -> bool:
    """Whether this is where a manifest or a certificate is published."""
    return _STATEMENT.fullmatch(path) is not None


def listing(files: Mapping[str, str | None]) -> bytes:
    """The content of ``held``: a line for each path, with the digest of a statement."""
    lines = "".join(
        f"{path} {digest or ''}".rstrip() + "\n" for path, digest in sorted(files.items())
    )
    return f"{lines}sha256 {hashlib.sha256(lines.encode()).hexdigest()}\n".encode()


def settled(layout: Layout) -> dict[str, str | None] | None:
    """What ``held`` lists; None where there is none, or it was altered.

    Raises ListRefused when it may not be read.
    """
    try:
        with told():
            data = (layout.directory / HELD).read_bytes()
        words = (line.partition(" ") for line in data.decode("ascii").splitlines()[:-1])
        files = {path: digest or None for path, _, digest in words}
    except (OSError, ValueError):
        return None
    return files if listing(files) == data else None


def held_edition(layout: Layout) -> int | None:
    """The edition in the store, or the newest that was applied when the store is damaged."""
    try:
        return State.open(layout.store, even_withheld=True).edition
    except ListRefused as error:
        if is_denied(error):
            raise
        applied = [
            int(path.parent.name)
            for path in Path(layout.directory, "editions").glob("*/manifest.proof")
            if path.parent.name.isdigit()
        ]
        applied += [
            int(path.split("/")[1])
            for path in settled(layout) or {}
            if re.fullmatch(r"editions/[0-9]{6}/manifest\.proof", path)
        ]
        return max(applied, default=None)
