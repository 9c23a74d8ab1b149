"""Bringing the store to an edition that is believed: its indexes, its pages, what they come to."""

import contextlib
from collections.abc import Mapping

from strandline.errors import ListRefused, NotPublished
from strandline.lists.member.conditions import (
    MAX_INDEX,
    Believed,
    check_counts,
    covered,
    open_index,
)
from strandline.lists.member.holdings import steps_of
from strandline.lists.member.layout import Layout
from strandline.lists.member.planning import plan
from strandline.lists.member.snapshots import same_as_history
from strandline.lists.member.sources import Progress, Source
from strandline.lists.published.classes import Column, EntryClass, Scope
from strandline.lists.published.editions import index_path
from strandline.lists.published.index_file import Index, PageFile, parse_index
from strandline.lists.published.manifests import Manifest
from strandline.lists.published.reading import check_file
from strandline.lists.state import Check, Count, State


class Pages:
    """The pages of one sync."""

    def __init__(self, layout: Layout, source: Source, progress: Progress | None) -> None:
        self._layout = layout
        self._source = source
        self._progress = progress
        self._done = self._total = 0
        #: Bytes of pages that were fetched.
        self.fetched = 0

    def apply(self, believed: Believed, scope: Scope, held: int | None) -> bool:
        """Bring the store to an edition; whether anything changed."""
        manifest = believed.manifest
        for path, data in believed.proofs().items():
            if self._layout.held(path) != data:
                self._take(path, data)
        indexes = {each: self._index(manifest, each) for each in covered(manifest, scope)}
        columns = scope.columns
        state = self._state()
        withheld = _withheld(believed)
        if held == manifest.edition and state and self._intact(indexes, columns):
            state.withhold(withheld)
            return False
        if held == manifest.edition or state is None:
            held = None
        chosen = plan(indexes, columns, held, held=self._is_held, has=self._source.has)
        self._total = sum(file.size for file in chosen.files)
        for file in chosen.files:
            self._fetch(file)
        check = _counted(manifest, scope)
        steps = steps_of(self._layout, chosen.files)
        if chosen.grows and state and held:
            for index in indexes.values():
                if index.snapshot > held:
                    self._check_snapshot(index, held, columns)
            state.apply(steps, edition=manifest.edition, check=check, withheld=withheld)
            return True
        if state and held:
            state.check_snapshots(steps)
        State.build(
            self._layout.store, steps, edition=manifest.edition, check=check, withheld=withheld
        )
        return True

    def _state(self) -> State | None:
        try:
            state = State.open(self._layout.store, even_withheld=True)
            state.verify()
        except ListRefused:
            return None
        return state

    def _index(self, manifest: Manifest, entry_class: EntryClass) -> Index:
        path = index_path(manifest.edition, entry_class)
        data = self._layout.held(path)
        if data is not None:
            with contextlib.suppress(ListRefused):
                return open_index(data, manifest, entry_class)
        try:
            data = self._source.read(path, MAX_INDEX)
        except NotPublished as missing:
            raise ListRefused(
                f"The index of class {entry_class.name!r}, which is within the scope, is not "
                f"there. {missing.message}"
            ) from missing
        index = open_index(data, manifest, entry_class)
        self._take(path, data)
        return index

    def _check_snapshot(self, index: Index, held: int, columns: frozenset[Column]) -> None:
        since = index.after(held, columns)
        history = [file for file in since if file.edition <= index.snapshot]
        before = self._layout.held(index_path(held, index.entry_class))
        if before is not None:
            history = [*parse_index(before.decode()).current(columns), *history]
        same_as_history(
            self._layout.read, history, index, columns, keep=self._take, fetch=self._fetch
        )

    def _intact(self, indexes: Mapping[EntryClass, Index], columns: frozenset[Column]) -> bool:
        files = [file for index in indexes.values() for file in index.current(columns)]
        return all(self._is_whole(file) for file in files)

    def _is_held(self, file: PageFile) -> bool:
        return self._layout.size(file.path) == file.size

    def _is_whole(self, file: PageFile) -> bool:
        data = self._layout.held(file.path)
        try:
            return data is not None and bool(check_file(file, data))
        except ListRefused:
            return False

    def _fetch(self, file: PageFile) -> None:
        """Hold a page, verified; what is held already is not fetched."""
        if not self._is_whole(file):
            try:
                data = check_file(file, self._source.read(file.path, file.size))
            except NotPublished as missing:
                raise ListRefused(
                    f"{file.path}, which its index names, is not there: the copy would not be "
                    "complete."
                ) from missing
            self._take(file.path, data)
            self.fetched += file.size
        self._done += file.size
        if self._progress:
            self._progress("pages", self._done, max(self._total, self._done))

    def _take(self, path: str, data: bytes) -> None:
        if (self._layout.directory / path).exists():  # damaged, and repaired at once
            self._layout.put(path, data)
        else:
            self._layout.stage(path, data)


def _withheld(believed: Believed) -> str:
    """What whoever asks is told in the place of an answer; empty for a certified edition."""
    if not believed.awaiting:
        return ""
    return (
        f"{believed.awaiting} It is held to be looked at, and nothing is answered from it until "
        "enough certificates are published and this folder is synced again."
    )


def _counted(manifest: Manifest, scope: Scope) -> Check:
    """Lets a store count only as many entries as the manifest gives each class."""

    def check(counts: dict[EntryClass, Count]) -> None:
        found = {
            each: (count.live + count.quarantined, count.quarantined)
            for each, count in counts.items()
        }
        check_counts(manifest, scope, found)

    return check
