"""Writing an edition: events stream in, pages and indexes are written, a manifest comes out.

The manifest is for the caller to sign and log. The same plan and events give the same bytes, and a
run that was killed is simply run again. Nothing here has a clock or a key but the key for salts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from strandline.errors import ListRefused
from strandline.lists.published import pages
from strandline.lists.published.blocks import ACTIONS, Block
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.index_file import Index, PageFile, parse_index, salt_of
from strandline.lists.published.manifests import ClassState, Manifest
from strandline.lists.published.placing import drop_others, flush_folders, place
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.replay import replay, standing_rows

#: A snapshot is due when starting anew means reading this many rows that no longer count, or a
#: quarter of the entries if that is more …
SPARE_ROWS = 10_000
#: … or this many pages of events, or eight times what the entries need if that is more.
SPARE_PAGES = 128
#: Written into the edition's folder by whoever signs; from then on nothing in it changes.
MANIFEST = "manifest"


@dataclass(frozen=True)
class EditionPlan:
    """Which edition is to be written."""

    origin: str
    number: int
    #: Whole seconds, with a time zone.
    published: datetime
    #: The manifest of the edition before; None before edition 1.
    previous: Manifest | None = None


class Counts(NamedTuple):
    """Entries of a class after the edition: all that are listed, and those under quarantine."""

    entries: int
    quarantined: int


def edition_path(number: int) -> str:
    """Folder of an edition in the published folder: ``editions/000012``."""
    return f"editions/{number:06d}"


def snapshot_path(number: int) -> str:
    """Folder of the snapshots as of an edition: ``snapshots/000008``."""
    return f"snapshots/{number:06d}"


def index_path(number: int, entry_class: EntryClass) -> str:
    """Path of the index of a class as of an edition."""
    return f"{edition_path(number)}/{entry_class.id}.index"


def write_edition(
    directory: str | Path,
    plan: EditionPlan,
    deltas: Iterable[tuple[EntryClass, Iterable[Block]]],
    counts: Mapping[EntryClass, Counts],
    *,
    salt_key: bytes,
) -> Manifest:
    """Write the pages and indexes of an edition into ``directory``; returns the manifest to sign.

    ``deltas`` are this edition's events: each class once, its blocks in order of sequence.
    ``counts`` are those of every class that has events, after them. The edition before must be in
    ``directory`` as it was written: snapshots are made from its pages, one page at a time.

    Raises ListRefused, and leaves every published file as it was, when the events do not follow
    the edition before or do not fit the counts, or the edition is published already with other
    content. ``edition_path(number)/manifest`` is what makes it published.
    """
    writer = _Writer(Path(directory), plan, salt_key)
    states = dict(plan.previous.states()) if plan.previous else {}
    tally = _Tally(pipelines=set(plan.previous.pipeline if plan.previous else ()))
    done: set[EntryClass] = set()
    for entry_class, blocks in deltas:
        if entry_class in done:
            raise ListRefused(f"Class {entry_class.id} has its events in two places.")
        done.add(entry_class)
        own = _Tally(sequence=plan.previous.sequence if plan.previous else 0)
        files = writer.write_pages(
            f"{edition_path(plan.number)}/{entry_class.id}", own.counting(entry_class, blocks)
        )
        if files:
            state = _state_after(entry_class, states.get(entry_class), own, counts)
            index = writer.grow(entry_class, files, state, had=entry_class in states)
            states[entry_class] = ClassState(*state, own.sequence, index.root())
        tally.add(own)
    for entry_class in states.keys() - writer.indexes.keys():
        writer.keep(entry_class)
    manifest = Manifest(
        origin=plan.origin,
        edition=plan.number,
        published=plan.published.astimezone(UTC),
        added=tally.actions[Action.ADD],
        amended=tally.actions[Action.AMEND],
        withdrawn=tally.actions[Action.WITHDRAW],
        quarantined_now=tally.actions[Action.QUARANTINE],
        restored=tally.actions[Action.RESTORE],
        previous=plan.previous.digest() if plan.previous else None,
        pipeline=tuple(sorted(tally.pipelines)),
        classes=tuple(sorted(states.items(), key=lambda item: item[0].id)),
    )
    problem = manifest.follows(plan.previous)
    if problem:
        raise ListRefused(f"The manifest of edition {plan.number} {problem}. It is not published.")
    writer.finish()
    return manifest


@dataclass
class _Tally:
    """What passed by while events were written."""

    actions: Counter[Action] = field(default_factory=Counter)
    pipelines: set[str] = field(default_factory=set)
    #: Of the last event.
    sequence: int = 0

    def counting(self, entry_class: EntryClass, blocks: Iterable[Block]) -> Iterator[Block]:
        """``blocks`` as they come, counted; raises ListRefused when they go back."""
        for block in blocks:
            if not len(block):
                continue
            if block.entry_class != entry_class or int(block.sequence[0]) <= self.sequence:
                raise ListRefused(
                    f"Events of class {entry_class.id} are of another class, or go back behind "
                    f"number {self.sequence}. Nothing was published."
                )
            self.sequence = int(block.sequence[-1])
            for action, code in ACTIONS.items():
                self.actions[action] += int((block.action == code).sum())
            used = set(block.pipeline.tolist()) if len(block.pipelines) > 2 else {1}
            words = {word for place, word in enumerate(block.pipelines) if place in used}
            self.pipelines |= words - {"", "-"}
            yield block

    def add(self, other: "_Tally") -> None:
        """Count what another class had as well."""
        self.actions += other.actions
        self.pipelines |= other.pipelines


class _Writer:
    """The files of one edition."""

    def __init__(self, directory: Path, plan: EditionPlan, salt_key: bytes) -> None:
        self._directory = directory
        self._plan = plan
        self._salt_key = salt_key
        self._folder = edition_path(plan.number)
        self._final = (directory / self._folder / MANIFEST).exists()
        self._written: dict[str, set[str]] = {}
        self.indexes: dict[EntryClass, Index] = {}

    def write_pages(self, base: str, blocks: Iterable[Block]) -> list[PageFile]:
        """Write what ``blocks`` hold into the folder ``base``; the index lines of it."""
        files: list[PageFile] = []
        for number, block in enumerate(pages.in_pages(blocks)):
            for path, data in pages.encode(block, base, number).items():
                self._place(path, data)
                salt = salt_of(self._salt_key, path).hex()
                digest = hashlib.sha256(data).hexdigest()
                files.append(PageFile(path, len(data), len(block), digest, salt))
        return files

    def grow(
        self, entry_class: EntryClass, files: list[PageFile], state: Counts, *, had: bool
    ) -> Index:
        """Write the index of a class that has events, with a snapshot if one is due."""
        new = Index(self._plan.origin, entry_class, snapshot=0, since=0, files=())
        index = (self._before(entry_class) if had else new).with_files(files)
        if snapshot_due(index, state.entries):
            index = index.with_files((), (self._plan.number, self._snapshot(index, state)))
        self._put_index(index)
        return index

    def keep(self, entry_class: EntryClass) -> None:
        """Write the index of a class without events: as it was."""
        self._put_index(self._before(entry_class))

    def finish(self) -> None:
        """Make it durable, without what an interrupted run of another plan left behind."""
        if not self._final:
            for top in (self._folder, snapshot_path(self._plan.number)):
                root = self._directory / top
                for folder in (root, *root.glob("*/")):
                    name = folder.relative_to(self._directory).as_posix()
                    drop_others(folder, self._written.get(name, set()))
        for name in self._written:
            flush_folders(self._directory, self._directory / name)

    def _snapshot(self, index: Index, state: Counts) -> list[PageFile]:
        def read(path: str) -> bytes:
            return (self._directory / path).read_bytes()

        standing = replay(read_blocks(read, index.current(())))
        if (len(standing), standing.quarantined) != state:
            raise ListRefused(
                f"Class {index.entry_class.id} comes to {len(standing)} entries with "
                f"{standing.quarantined} under quarantine, not to {state.entries} with "
                f"{state.quarantined}. Nothing was published; look for the event that is missing."
            )
        rows = standing_rows(read_blocks(read, index.current()), standing)
        base = f"{snapshot_path(self._plan.number)}/{index.entry_class.id}"
        return self.write_pages(base, rows)

    def _before(self, entry_class: EntryClass) -> Index:
        previous = self._plan.previous
        assert previous is not None  # the class came from it
        path = index_path(previous.edition, entry_class)
        try:
            index = parse_index((self._directory / path).read_text("utf-8"))
        except (FileNotFoundError, UnicodeDecodeError) as error:
            raise ListRefused(
                f"{path} of the edition before cannot be read. Nothing was published; write that "
                "edition again first."
            ) from error
        if index.root() != previous.states()[entry_class].root or index.origin != previous.origin:
            raise ListRefused(
                f"{path} is not what the edition before was signed with. Nothing was published; "
                "write that edition again first."
            )
        return index

    def _put_index(self, index: Index) -> None:
        self._place(index_path(self._plan.number, index.entry_class), index.text().encode())
        self.indexes[index.entry_class] = index

    def _place(self, path: str, data: bytes) -> None:
        place(self._directory, path, data, final=self._final)
        folder, _, name = path.rpartition("/")
        self._written.setdefault(folder, set()).add(name)


def snapshot_due(index: Index, entries: int) -> bool:
    """Whether starting anew from ``index`` means reading too much that no longer counts."""
    cores = index.current(())
    events = sum(not file.is_snapshot for file in cores)
    rows = sum(file.rows for file in cores)
    needed = -(-entries // pages.MAX_ROWS)
    return rows - entries > max(SPARE_ROWS, entries // 4) or events > max(SPARE_PAGES, 8 * needed)


def _state_after(
    entry_class: EntryClass,
    before: ClassState | None,
    tally: _Tally,
    counts: Mapping[EntryClass, Counts],
) -> Counts:
    """The counts that the caller gives, where the events can have led to them."""
    state = counts[entry_class]
    entries, quarantined = (before.entries, before.quarantined) if before else (0, 0)
    actions = tally.actions
    withdrawn = actions[Action.WITHDRAW]
    left = quarantined + actions[Action.QUARANTINE] - actions[Action.RESTORE] - state.quarantined
    if state.entries != entries + actions[Action.ADD] - withdrawn or not 0 <= left <= withdrawn:
        raise ListRefused(
            f"Class {entry_class.id} cannot have {state.entries} entries with "
            f"{state.quarantined} under quarantine after these events. Nothing was published."
        )
    return state
