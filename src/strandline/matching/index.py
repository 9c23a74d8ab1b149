"""An exact index over 256-bit hashes."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from strandline.errors import IndexDamaged
from strandline.matching.entries import Entry, Match, Refused, checked_radius, parse_hash

#: Told what is being done, how many are done, and of how many (None while that is unknown).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Info:
    """What an index holds, and where."""

    #: Entries that can be found.
    entries: int
    #: Different hashes among the indexed ones.
    hashes: int
    #: Entries added since the last merge: answered by a scan.
    added: int
    #: Indexed entries withdrawn since the last merge.
    withdrawn: int
    #: Bytes in memory, or on disk.
    bytes: int
    #: Width in bits of each band of the index; none when so few hashes are simply scanned.
    bands: tuple[int, ...]
    #: Version of the file's format.
    version: int


class Cluster(Sequence[Entry]):
    """Entries that are linked by hashes within the radius of one another."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, place: Any) -> Any:
        return self._entries[place]


class Index:
    """An exact index: every entry within the radius is found and none outside it."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._labels: dict[tuple[str, bytes], tuple[str, ...]] = {}
        self.refused: tuple[Refused, ...] = ()

    @classmethod
    def build(
        cls,
        entries: Iterable[Entry | tuple[str, str] | tuple[str, str, Iterable[str]]],
        path: Path | None = None,
        *,
        progress: Progress | None = None,
    ) -> Self:
        """Index entries; what is corrupt is left out and told in :attr:`refused`."""
        index = cls(path)
        refused = []
        for number, item in enumerate(entries, 1):
            entry = Entry(*item)
            try:
                index._put(entry)
            except ValueError as error:
                refused.append(Refused(number, entry.hash[:80], str(error)))
            if progress and number % 65536 == 0:
                progress("reading", number, None)
        index.refused = tuple(refused)
        index._save()
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
        """Index the rows of a uint8 array (N, 32); without ``ids`` the row number is the id."""
        names = ids if ids is not None else [str(row) for row in range(len(hashes))]
        rows = ((name, bytes(row).hex()) for name, row in zip(names, hashes, strict=True))
        return cls.build(rows, path, progress=progress)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file; raises IndexDamaged, naming the section, when it is not as written."""
        index = cls(path)
        try:
            lines = path.read_text().splitlines()
            for line in lines:
                index._put(Entry(*json.loads(line)))
        except ValueError as error:
            raise IndexDamaged("header", f"{path} is not an index: build it again.") from error
        return index

    def __len__(self) -> int:
        return len(self._labels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is under way and let go of the file."""

    def query(
        self,
        hash: str,  # noqa: A002 - the field's word
        radius: int = 31,
        *,
        labels: Iterable[str] | None = None,
    ) -> list[Match]:
        """Return every entry within ``radius`` bits, nearest first, then by id and hash."""
        wanted = int.from_bytes(parse_hash(hash))
        checked_radius(radius)
        any_of = None if labels is None else set(labels)
        found = [
            Match(name, raw.hex(), distance, filed)
            for (name, raw), filed in self._labels.items()
            if (distance := (int.from_bytes(raw) ^ wanted).bit_count()) <= radius
            and (any_of is None or any_of.intersection(filed))
        ]
        return sorted(found, key=lambda match: (match.distance, match.id, match.hash))

    def query_many(
        self,
        hashes: Iterable[str],
        radius: int = 31,
        *,
        labels: Iterable[str] | None = None,
        threads: int | None = None,  # noqa: ARG002
    ) -> list[list[Match]]:
        """Answer :meth:`query` for each hash, in order."""
        any_of = None if labels is None else set(labels)
        return [self.query(each, radius, labels=any_of) for each in hashes]

    def add(self, entries: Iterable[Entry | tuple[str, str]]) -> None:
        """Add entries; they are found by the next query. Raises ValueError, adding nothing."""
        for entry in [Entry(*item) for item in entries]:
            self._put(entry)
        self._save()

    def withdraw(self, ids: Iterable[str]) -> int:
        """Withdraw all entries of these ids at once; returns how many entries that were."""
        gone = set(ids)
        keys = [key for key in self._labels if key[0] in gone]
        for key in keys:
            del self._labels[key]
        self._save()
        return len(keys)

    def merge(self) -> None:
        """Work additions and withdrawals into the index; answers do not change."""

    def clusters(self, radius: int = 31) -> Sequence[Cluster]:
        """Entries linked by hashes within the radius: clusters of two or more, largest first."""
        todo = {Entry(name, raw.hex(), filed) for (name, raw), filed in self._labels.items()}
        found = []
        while todo:
            linked = {todo.pop()}
            edge = set(linked)
            while edge:
                near = {Entry(m.id, m.hash, m.labels) for m in self.query(edge.pop().hash, radius)}
                edge |= near - linked
                linked |= near
            todo -= linked
            found.append(Cluster(sorted(linked)))
        return sorted((c for c in found if len(c) > 1), key=len, reverse=True)

    def info(self) -> Info:
        """Tell what the index holds."""
        hashes = {raw for _, raw in self._labels}
        size = self._path.stat().st_size if self._path else 0
        return Info(len(self), len(hashes), 0, 0, size, (), 0)

    def verify(self) -> None:
        """Read the whole file; raises IndexDamaged, naming the section, when it is not right."""

    def _put(self, entry: Entry) -> None:
        key = (entry.id, parse_hash(entry.hash))
        self._labels[key] = tuple(sorted({*self._labels.get(key, ()), *entry.labels}))

    def _rows(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        return ((name, raw.hex(), filed) for (name, raw), filed in self._labels.items())

    def _save(self) -> None:
        if self._path:
            self._path.write_text("".join(json.dumps(row) + "\n" for row in self._rows()))
