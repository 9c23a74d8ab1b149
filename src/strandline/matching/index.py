"""The index: built once, added to and withdrawn from at any time, asked from any thread."""

import contextlib
import logging
import operator
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from strandline.matching import _disk, verifying
from strandline.matching.clustering import Clusters, Members, cluster
from strandline.matching.columns import Columns, Progress, from_arrays, read
from strandline.matching.entries import (
    Entry,
    Match,
    Refused,
    checked_entry,
    checked_ids,
    checked_labels,
    checked_radius,
    parse_hash,
)
from strandline.matching.layout import VERSION
from strandline.matching.mapped import Mapped, writing
from strandline.matching.planning import USUAL_RADIUS
from strandline.matching.sink import new_file, put_in_place
from strandline.matching.version import Version, in_memory, to_file

_log = logging.getLogger(__name__)

#: Changed entries, more than which are worked into the index in the background.
TAIL_MOST = 10_000
#: The order of matches: nearest first, then by id and hash.
_nearest = operator.itemgetter(2, 0, 1)
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

    def __init__(self, version: Version, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._version = version
        self._path = path
        self._background: ThreadPoolExecutor | None = None
        self._merging: Future[None] | None = None
        #: After a merge that failed: the length of the tail at which it is tried again.
        self._long = 0
        self._closing = self._closed = False
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
            path: where the file is to be; it appears there whole or not at all. Where a link is,
                the file that it leads to is replaced.
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
            ValueError: an array of another shape or dtype, another number of ids, or one that is
                no text, is empty or cannot be written as UTF-8; the error says in which row.
            OSError: the file cannot be written; nothing was changed.
        """
        if ids is not None:
            checked_ids(ids)
        return cls._of(from_arrays(hashes, ids), path, progress)

    @classmethod
    def _of(cls, columns: Columns, path: Path | None, progress: Progress | None) -> Self:
        if path is None:
            return cls(in_memory(columns, progress))
        path = _resolved(path)
        with new_file(path) as (descriptor, temporary):
            to_file(columns, descriptor, progress)
            put_in_place(descriptor, temporary, path)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file to read and, if that is allowed, to write.

        Its pages are checked when they are first looked at; :meth:`verify` checks all of them. A
        link is followed now, once: the index stays with the file that it leads to.

        Raises:
            IndexDamaged: it is not as it was written; the error names the section.
            OSError: it cannot be read.
        """
        path = _resolved(path)
        return cls(Mapped(path), path)

    def __len__(self) -> int:
        with self._fresh() as version:
            return len(version)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish a merge that is under way and let go of the file; a second time does nothing."""
        with self._lock:
            background, self._background = self._background, None
            self._closing = True
        if background:
            background.shutdown()
        with self._lock:
            self._closed = True
            if isinstance(self._version, Mapped):
                self._version.close()

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
        radius = checked_radius(radius)
        wanted = None if labels is None else frozenset(checked_labels(labels))
        with self._fresh() as version:
            base, tail = version.base, version.tail
            hidden = tail.hidden
            matches = tail.matches(raw, radius, wanted, compiled=bool(base.layout.bands))
        query = base.words_of(np.frombuffer(raw, np.uint8).reshape(1, 32))[0]
        matches += base.matches([base.search(query, radius)], hidden, wanted)[0]
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
        radius = checked_radius(radius)
        if not raws:
            return []
        wanted = None if labels is None else frozenset(checked_labels(labels))
        with self._fresh() as version:
            base, tail = version.base, version.tail
            hidden, compiled = tail.hidden, bool(base.layout.bands)
            answers = [tail.matches(raw, radius, wanted, compiled=compiled) for raw in raws]
        queries = base.words_of(np.frombuffer(b"".join(raws), np.uint8).reshape(-1, 32))
        found = base.search_many(queries, radius, threads)
        for late, each in zip(answers, base.matches(found, hidden, wanted), strict=True):
            late.extend(each)
            late.sort(key=_nearest)
        return answers

    def clusters(self, radius: int = USUAL_RADIUS, *, progress: Progress | None = None) -> Clusters:
        """Group entries that are linked, directly or through others, by hashes within the radius.

        Returns clusters of two entries or more, largest first.

        Raises:
            ValueError: a radius outside 0 to 256.
            IndexDamaged: the file is not as it was written.
        """
        radius = checked_radius(radius)
        with self._fresh() as version:
            members = Members(version.base, version.tail.hidden, version.tail.living())
        return cluster(members, radius, progress)

    def info(self) -> Info:
        """Tell what the index holds."""
        with self._fresh() as version:
            base, tail = version.base, version.tail
            size = self._path.stat().st_size if self._path else base.nbytes
            return Info(
                entries=len(version),
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
        with self._fresh() as version:
            base = version.base  # it does not change: others need not wait
        with contextlib.ExitStack() as stack:
            # Opened again, for what was looked at before was believed since. When there is no
            # file of that name any more, what is open is what there is.
            if self._path and self._path.exists():
                again = Mapped(self._path)
                stack.callback(again.close)
                base = again.base
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
            change = self._version.addition(checked)
            if change.added:
                self._version.commit(change, descriptor)
        self._merge_if_long()

    def withdraw(self, ids: Iterable[str]) -> int:
        """Withdraw all entries of these ids; the next query finds none of them.

        Returns how many entries that were.

        Raises:
            OSError: the file cannot be written; nothing was withdrawn.
        """
        if isinstance(ids, str):
            raise TypeError("withdraw takes several ids, not one text")
        ids = list(ids)
        if not all(isinstance(name, str) for name in ids):
            raise TypeError("withdraw takes ids, which are texts")
        with self._changing() as descriptor:
            change, count = self._version.withdrawal(ids)
            if count:
                self._version.commit(change, descriptor)
        self._merge_if_long()
        return count

    def merge(self) -> None:
        """Work additions and withdrawals into the index; answers do not change.

        Queries and changes go on meanwhile. When another process is doing so, nothing is done.

        It is also done in the background, after a change that makes the tail long. When that fails
        nothing is lost, and the answers are the same, only slower: the failure is logged as an
        error, and it is tried again once as much has changed again.

        Raises:
            OSError: the file cannot be written; the index is as it was.
            IndexDamaged: the file is not as it was written, and was left as it is.
        """
        if self._path is None:
            self._merge_in_memory()
            return
        with contextlib.suppress(BlockingIOError), new_file(self._path) as (descriptor, temporary):
            with self._fresh() as before:
                state = before.state()
            if not state.changes:
                return
            to_file(state.columns(), descriptor, None)
            with self._changing():
                # Someone may have built a new list meanwhile: then this one is not wanted.
                if self._version is before:
                    merged = Mapped(temporary)
                    try:
                        merged.repeat(before.tail.log[state.changes :], descriptor)
                    finally:
                        merged.close()
                    _disk.sync(descriptor)
                    put_in_place(descriptor, temporary, self._path)
                    self._reopen()

    def _merge_in_memory(self) -> None:
        with self._lock:
            before = self._version
            state = before.state()
        if state.changes:
            merged = in_memory(state.columns(), None)
            with self._lock:
                if self._version is before:
                    merged.repeat(before.tail.log[state.changes :], None)
                    self._version = merged

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
    def _fresh(self) -> Iterator[Version]:
        """Hold the lock, having seen what others wrote."""
        with self._lock:
            if self._closed:
                raise ValueError("the index is closed")
            version = self._version
            if isinstance(version, Mapped) and self._path:
                if version.is_current(self._path):
                    version.catch_up()
                else:
                    self._reopen()
            yield self._version

    def _reopen(self) -> None:
        assert self._path
        newer, older = Mapped(self._path), self._version
        self._version = newer
        if isinstance(older, Mapped):
            older.close()

    def _merge_if_long(self) -> None:
        with self._lock:
            if self._closing or self._version.tail.length <= max(self._long, TAIL_MOST):
                return
            if self._merging and not self._merging.done():
                return
            self._background = self._background or ThreadPoolExecutor(1, "matching-merge")
            self._merging = self._background.submit(self._merge_behind)

    def _merge_behind(self) -> None:
        try:
            self.merge()
        except Exception:  # noqa: BLE001 - nobody waits for it who could be told otherwise
            with self._lock:
                self._long = self._version.tail.length + TAIL_MOST
            _log.exception(
                "What was added to an index could not be worked into it. Nothing is lost, and it "
                "is tried again later; until then answers come slower."
            )
        else:
            with self._lock:
                self._long = 0


def _resolved(path: Path) -> Path:
    """Where the file really is: renaming a new one over a link would leave the old one behind."""
    return Path(os.path.realpath(path))
