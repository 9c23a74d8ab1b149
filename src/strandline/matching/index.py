"""The index: built once, added to and withdrawn from at any time, asked from any thread."""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from strandline.matching import _disk, verifying
from strandline.matching.base import Base
from strandline.matching.building import fill, lay_out
from strandline.matching.clustering import Clusters, Members, cluster
from strandline.matching.columns import Columns, Packing, Progress, from_arrays, joined, read
from strandline.matching.entries import (
    Entry,
    Match,
    Refused,
    checked_entry,
    checked_labels,
    checked_radius,
    parse_hash,
)
from strandline.matching.layout import VERSION
from strandline.matching.mapped import Mapped, writing
from strandline.matching.planning import USUAL_RADIUS
from strandline.matching.sink import File, Memory, new_file
from strandline.matching.tail import Added, Change, Tail

#: Changed entries, more than which are worked into the index in the background.
TAIL_MOST = 10_000
#: An (id, hash) or (id, hash, labels).
Item = Entry | tuple[str, str] | tuple[str, str, Iterable[str]]


@dataclass(frozen=True)
class Info:
    """What an index holds, and where."""

    #: Entries that can be found.
    entries: int
    #: Different hashes in the index itself, without those added since it was built.
    hashes: int
    #: Entries added since: answered by a scan until they are merged.
    added: int
    #: Entries of the index withdrawn or replaced since.
    withdrawn: int
    #: Bytes in memory, or on disk.
    bytes: int
    #: Width in bits of each band of the index; none when so few hashes are simply scanned.
    bands: tuple[int, ...]
    #: Version of the file's format.
    version: int


class Index:
    """An exact index: every entry within the radius is found and none outside it.

    Make it with :meth:`build`, :meth:`build_array` or :meth:`open`. Safe to share between threads;
    an index file is safe to share between processes, of which one writes at a time and all see
    what was written with their next query.
    """

    def __init__(self, base: Base, path: Path | None = None, mapped: Mapped | None = None) -> None:
        self._lock = threading.RLock()
        self._base, self._tail = base, mapped.tail if mapped else Tail()
        self._path, self._mapped = path, mapped
        self._background: ThreadPoolExecutor | None = None
        self._merging: Future[None] | None = None
        self._closed = False
        #: What was left out by :meth:`build`, which the caller is to report.
        self.refused: tuple[Refused, ...] = ()

    @classmethod
    def build(
        cls,
        entries: Iterable[Item],
        path: Path | None = None,
        *,
        progress: Progress | None = None,
    ) -> Self:
        """Index entries, in memory or in a new file at ``path``, which replaces an older one.

        An identical (id, hash) given twice counts once, with the labels of both. One corrupt hash
        must not keep a whole list from being used: such items are left out and told in
        :attr:`refused`.

        Args:
            entries: (id, hash) or (id, hash, labels); read once, and packed as they come.
            path: where the file is to be; it appears there whole or not at all.
            progress: told ``"reading"`` with the items read, and ``"indexing"`` with the bands
                filled of how many.

        Raises:
            OSError: the file cannot be written; nothing was changed.
        """
        columns, refused = read(entries, progress)
        index = cls._of(columns, path, progress)
        index.refused = refused
        return index

    @classmethod
    def build_array(
        cls,
        hashes: NDArray[np.uint8],
        ids: Sequence[str] | None = None,
        path: Path | None = None,
        *,
        progress: Progress | None = None,
    ) -> Self:
        """Index the rows of a uint8 array (N, 32); without ``ids`` the row's number is its id.

        Raises:
            ValueError: an array of another shape or dtype, or another number of ids.
            OSError: the file cannot be written; nothing was changed.
        """
        return cls._of(from_arrays(hashes, ids), path, progress)

    @classmethod
    def _of(cls, columns: Columns, path: Path | None, progress: Progress | None) -> Self:
        if path is None:
            return cls(_in_memory(columns, progress))
        path = Path(path)
        with new_file(path) as (descriptor, temporary):
            _to_file(columns, descriptor, progress)
            _disk.rename(temporary, path)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file to read and, if that is allowed, to write.

        Its pages are checked when they are first looked at; :meth:`verify` checks all of them.

        Raises:
            IndexDamaged: it is not as it was written; the error names the section.
            OSError: it cannot be read.
        """
        path = Path(path)
        mapped = Mapped(path)
        return cls(mapped.base, path, mapped)

    def __len__(self) -> int:
        with self._fresh() as (base, tail):
            return base.entries - len(tail.hidden) + len(tail)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish a merge that is under way and let go of the file."""
        with self._lock:
            background, self._background = self._background, None
            self._closed = True
        if background:
            background.shutdown()
        with self._lock:
            if self._mapped:
                self._mapped.close()
                self._mapped = None

    # Queries.

    def query(
        self,
        hash: str,  # noqa: A002 - the field's word
        radius: int = USUAL_RADIUS,
        *,
        labels: Iterable[str] | None = None,
    ) -> list[Match]:
        """Return every entry within ``radius`` bits, nearest first, then by id and hash.

        Args:
            hash: 64 hex digits.
            radius: bits that may differ, 0 to 256.
            labels: only entries that have any of these; None for all.

        Raises:
            ValueError: a hash that is not 64 hex digits, or a radius outside 0 to 256.
            IndexDamaged: a page of the file that was needed is not as it was written.
        """
        raw = parse_hash(hash)
        checked_radius(radius)
        wanted = None if labels is None else frozenset(checked_labels(labels))
        with self._fresh() as (base, tail):
            hidden = tail.hidden
            matches = tail.matches(raw, radius, wanted, compiled=bool(base.layout.bands))
        query = base.words_of(np.frombuffer(raw, np.uint8).reshape(1, 32))[0]
        matches += base.matches(base.search(query, radius), hidden, wanted)
        matches.sort(key=_nearest)
        return matches

    def query_many(
        self,
        hashes: Iterable[str],
        radius: int = USUAL_RADIUS,
        *,
        labels: Iterable[str] | None = None,
        threads: int | None = None,
    ) -> list[list[Match]]:
        """Answer :meth:`query` for each hash, in order; ``threads`` is the number of cores."""
        raws = [parse_hash(each) for each in hashes]
        checked_radius(radius)
        if not raws:
            return []
        wanted = None if labels is None else frozenset(checked_labels(labels))
        with self._fresh() as (base, tail):
            hidden, compiled = tail.hidden, bool(base.layout.bands)
            answers = [tail.matches(raw, radius, wanted, compiled=compiled) for raw in raws]
        queries = base.words_of(np.frombuffer(b"".join(raws), np.uint8).reshape(-1, 32))
        found = base.search_many(queries, radius, threads)
        for matches, each in zip(answers, found, strict=True):
            matches += base.matches(each, hidden, wanted)
            matches.sort(key=_nearest)
        return answers

    def clusters(self, radius: int = USUAL_RADIUS, *, progress: Progress | None = None) -> Clusters:
        """Group entries that are linked, directly or through others, by hashes within the radius.

        Returns clusters of two entries or more, largest first.

        Raises:
            ValueError: a radius outside 0 to 256.
            IndexDamaged: the file is not as it was written.
        """
        checked_radius(radius)
        with self._fresh() as (base, tail):
            members = Members(base, tail.hidden, tail.living())
        return cluster(members, radius, progress)

    def info(self) -> Info:
        """Tell what the index holds."""
        with self._fresh() as (base, tail):
            size = self._path.stat().st_size if self._path else base.nbytes
            return Info(
                entries=base.entries - len(tail.hidden) + len(tail),
                hashes=base.hashes,
                added=len(tail),
                withdrawn=len(tail.hidden),
                bytes=size,
                bands=base.layout.bands,
                version=VERSION,
            )

    def verify(self) -> None:
        """Read the whole file, and hold every section against the others.

        Raises:
            IndexDamaged: it is not as it was written, or contradicts itself; the section is named.
        """
        if self._path:
            mapped = Mapped(self._path)
            try:
                verifying.verify(mapped.base)
            finally:
                mapped.close()
        with self._fresh() as (base, _):
            verifying.verify(base)

    # Changes.

    def add(self, entries: Iterable[Item]) -> None:
        """Add entries, all of them or none; the next query finds them.

        An (id, hash) that is there already gets the labels in addition to its own.

        Raises:
            ValueError: an item that is not an entry; the text says which.
            OSError: the file cannot be written; nothing was added.
        """
        checked = []
        for number, item in enumerate(entries, 1):
            try:
                checked.append(checked_entry(item))
            except ValueError as error:
                raise ValueError(f"item {number}: {error}") from error
        with self._changing() as descriptor:
            self._commit(self._addition(checked), descriptor)
        self._merge_if_long()

    def withdraw(self, ids: Iterable[str]) -> int:
        """Withdraw all entries of these ids; the next query finds none of them.

        Returns how many entries that were.

        Raises:
            OSError: the file cannot be written; nothing was withdrawn.
        """
        if isinstance(ids, str):
            raise TypeError("withdraw takes several ids, not one text")
        names = tuple(dict.fromkeys(ids))
        with self._changing() as descriptor:
            hidden = set(self._base.entries_with(names)) - self._tail.hidden
            count = len(hidden) + self._tail.count(names)
            if count:
                self._commit(Change((), names, tuple(sorted(hidden))), descriptor)
        self._merge_if_long()
        return count

    def merge(self) -> None:
        """Work additions and withdrawals into the index; answers do not change.

        Queries and changes go on meanwhile. When another process is doing so, nothing is done.

        Raises:
            OSError: the file cannot be written; the index is as it was.
        """
        if self._path is None:
            with self._lock:
                base, tail = self._base, self._tail
                columns, seen = _everything(base, tail), len(tail.log)
            if seen:
                self._replace(Index(_in_memory(columns, None)), base, tail.log, seen)
            return
        with contextlib.suppress(BlockingIOError), new_file(self._path) as (descriptor, temporary):
            with self._fresh() as (base, tail):
                columns, seen = _everything(base, tail), len(tail.log)
            if not seen:
                return
            _to_file(columns, descriptor, None)
            with self._changing():
                # Someone may have built a new list meanwhile: then this one is not wanted.
                if self._base is base:
                    with Index.open(temporary) as merged:
                        merged._repeat(tail.log[seen:])
                    _disk.sync(descriptor)
                    _disk.rename(temporary, self._path)
                    self._reopen()

    def _replace(self, merged: "Index", base: Base, log: list[Change], seen: int) -> None:
        with self._lock:
            if self._base is base:
                merged._repeat(log[seen:])
                self._base, self._tail = merged._base, merged._tail

    def _repeat(self, changes: Iterable[Change]) -> None:
        """Do again what was done to the index that this one takes the place of."""
        for change in changes:
            with self._changing() as descriptor:
                if change.added:
                    checked = [(each.id, each.raw, each.labels) for each in change.added]
                    self._commit(self._addition(checked), descriptor)
                if change.withdrawn:
                    hidden = set(self._base.entries_with(change.withdrawn)) - self._tail.hidden
                    withdrawal = Change((), change.withdrawn, tuple(sorted(hidden)))
                    self._commit(withdrawal, descriptor)

    def _addition(self, checked: Iterable[tuple[str, bytes, tuple[str, ...]]]) -> Change:
        """What adding these changes: nothing for what is there already."""
        added: dict[tuple[str, bytes], Added] = {}
        for name, raw, labels in checked:
            earlier = added.get((name, raw))
            late = self._tail.get(name, raw.hex())
            entry = None if earlier or late else self._base.entry_at(raw, name)
            if entry in self._tail.hidden:
                entry = None
            if earlier:
                held: tuple[str, ...] | None = earlier.labels
            elif late:
                held = late.labels
            else:
                held = None if entry is None else self._base.labels_of(entry)
            if held is not None and set(labels) <= set(held):
                continue
            united = tuple(sorted({*labels, *(held or ())}))
            instead = earlier.instead if earlier else -1 if entry is None else entry
            added[name, raw] = Added(name, raw, united, instead)
        return Change(tuple(added.values()))

    def _commit(self, change: Change, descriptor: int | None) -> None:
        if change == Change():
            return
        if self._mapped and descriptor is not None:
            self._mapped.append(descriptor, change)
        else:
            self._tail.apply(change)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[int | None]:
        """Hold the lock, and the file's; gives its descriptor."""
        with self._lock:
            if self._path is None:
                yield None
                return
            with writing(self._path) as descriptor, self._fresh():
                yield descriptor

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[tuple[Base, Tail]]:
        """Hold the lock, having seen what others wrote."""
        with self._lock:
            if self._closed:
                raise ValueError("the index is closed")
            if self._path and self._mapped:
                if self._mapped.is_current(self._path):
                    self._mapped.catch_up()
                else:
                    self._reopen()
            yield self._base, self._tail

    def _reopen(self) -> None:
        assert self._path
        newer, older = Mapped(self._path), self._mapped
        self._mapped, self._base, self._tail = newer, newer.base, newer.tail
        if older:
            older.close()

    def _merge_if_long(self) -> None:
        with self._lock:
            if len(self._tail.entries) + len(self._tail.hidden) <= TAIL_MOST or self._closed:
                return
            if self._merging and not self._merging.done():
                return
            self._background = self._background or ThreadPoolExecutor(1, "matching-merge")
            self._merging = self._background.submit(self.merge)


def _nearest(match: Match) -> tuple[int, str, str]:
    return match.distance, match.id, match.hash


def _in_memory(columns: Columns, progress: Progress | None) -> Base:
    layout, columns, ordered = lay_out(columns)
    sink = Memory(layout)
    fill(layout, columns, ordered, sink, progress)
    sink.data.flags.writeable = False
    return Base(layout, sink.data, checked=True)


def _to_file(columns: Columns, descriptor: int, progress: Progress | None) -> None:
    layout, columns, ordered = lay_out(columns)
    sink = File(layout, descriptor)
    fill(layout, columns, ordered, sink, progress)
    sink.finish()


def _everything(base: Base, tail: Tail) -> Columns:
    """All entries that can be found."""
    packing = Packing()
    for entry in tail.living():
        packing.add(entry.id, bytes.fromhex(entry.hash), entry.labels)
    return joined(base.columns(tail.hidden), packing.columns())
