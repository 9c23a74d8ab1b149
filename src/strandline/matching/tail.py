"""The tail: additions and withdrawals since the index was built, in force at once.

They are few, and answered by a scan. In a file each change is one record after the last; the commit
slot says how much of the tail counts.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from strandline.matching.bits import plain_words
from strandline.matching.entries import Entry, Match, checked_entry
from strandline.matching.layout import damaged, parsed
from strandline.matching.pages import kernels

_LENGTH = struct.Struct("<Q")
#: From this many on the compiled scan is worth its call.
_MANY = 512
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Added:
    """An entry that was added, or that has more labels than it had."""

    id: str
    raw: bytes
    labels: tuple[str, ...]
    #: The entry of the base that it takes the place of; -1 when none.
    instead: int = -1


@dataclass(frozen=True)
class Change:
    """What one call changed: all of it is in force, or nothing."""

    added: tuple[Added, ...] = ()
    #: Ids of which all entries are withdrawn.
    withdrawn: tuple[str, ...] = ()
    #: Their entries in the base.
    hidden: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """One record of a tail."""
        said = {
            "add": [[a.id, a.raw.hex(), a.labels, a.instead] for a in self.added],
            "withdraw": self.withdrawn,
            "hide": self.hidden,
        }
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        return _LENGTH.pack(len(body)) + body

    @classmethod
    def decode(cls, body: bytes, entries: int) -> Self:
        """Read a record's body; raises IndexDamaged. ``entries`` is how many the base has."""
        said = parsed("tail", body)
        try:
            added = tuple(_added(*each) for each in _all(said["add"], list))
            withdrawn = tuple(_all(said["withdraw"], str))
            hidden = tuple(_all(said["hide"], int))
        except (ValueError, KeyError, TypeError) as error:
            raise damaged("tail", "a record cannot be read") from error
        places = [*hidden, *(each.instead for each in added if each.instead != -1)]
        if any(not 0 <= place < entries for place in places):
            raise damaged("tail", "a record speaks of an entry that is not there")
        return cls(added, withdrawn, hidden)


def _all(values: object, kind: type[_Kind]) -> list[_Kind]:
    """A list of values of exactly this kind; raises TypeError for anything else."""
    if type(values) is not list or any(type(value) is not kind for value in values):
        raise TypeError(f"this is no list of {kind.__name__}")
    return values


def _added(name: object, text: object, labels: object, instead: object) -> Added:
    """One entry of a record; raises ValueError or TypeError."""
    if type(instead) is not int:
        raise TypeError("a place is a number")
    return Added(*checked_entry((name, text, _all(labels, str))), instead)


def changes_in(tail: bytes, entries: int) -> Iterator[Change]:
    """Read the records of a piece of a tail; raises IndexDamaged."""
    at = 0
    while at < len(tail):
        start = at + _LENGTH.size
        if start > len(tail) or (end := start + _LENGTH.unpack_from(tail, at)[0]) > len(tail):
            raise damaged("tail", "a record was cut short")
        yield Change.decode(tail[start:end], entries)
        at = end


@dataclass
class Tail:
    """The state that the changes lead to. Whoever uses it holds the index's lock."""

    #: All changes, in order.
    log: list[Change] = field(default_factory=list)
    #: Entries of the base that are found no more; replaced, never changed.
    hidden: frozenset[int] = frozenset()
    #: Entries added, None where they were withdrawn again.
    entries: list[Entry | None] = field(default_factory=list)
    _words: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((16, 4), np.uint64))
    _places: dict[tuple[str, str], int] = field(default_factory=dict)
    _by_id: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __len__(self) -> int:
        return len(self._places)

    @property
    def length(self) -> int:
        """How much has changed."""
        return len(self.entries) + len(self.hidden)

    def living(self) -> list[Entry]:
        """Entries added and not withdrawn."""
        return [entry for entry in self.entries if entry is not None]

    def get(self, name: str, text: str) -> Entry | None:
        """The entry of this id and hash."""
        place = self._places.get((name, text))
        return None if place is None else self.entries[place]

    def count(self, ids: Iterable[str]) -> int:
        """How many entries these ids have."""
        return sum(len(self._by_id.get(name, ())) for name in ids)

    def apply(self, change: Change) -> None:
        """Put one change in force."""
        self.log.append(change)
        hidden = {each.instead for each in change.added if each.instead >= 0}
        hidden.update(change.hidden)
        if hidden:
            self.hidden |= hidden
        for each in change.added:
            self._put(Entry(each.id, each.raw.hex(), each.labels), each.raw)
        for name in change.withdrawn:
            for place in self._by_id.pop(name, ()):
                entry = self.entries[place]
                assert entry is not None
                del self._places[entry.id, entry.hash]
                self.entries[place] = None

    def _put(self, entry: Entry, raw: bytes) -> None:
        place = self._places.get((entry.id, entry.hash))
        if place is not None:
            self.entries[place] = entry
            return
        place = len(self.entries)
        if place == len(self._words):
            self._words = np.concatenate([self._words, np.zeros_like(self._words)])
        self._words[place] = plain_words(np.frombuffer(raw, np.uint8).reshape(1, 32))[0]
        self.entries.append(entry)
        self._places[entry.id, entry.hash] = place
        self._by_id[entry.id].add(place)

    def matches(
        self, raw: bytes, radius: int, labels: frozenset[str] | None, *, compiled: bool
    ) -> list[Match]:
        """Entries within the radius that have any of the labels."""
        if not self._places:
            return []
        query = plain_words(np.frombuffer(raw, np.uint8).reshape(1, 32))[0]
        matches = []
        for place, distance in zip(*self._near(query, radius, compiled=compiled), strict=True):
            entry = self.entries[place]
            if entry and (labels is None or not labels.isdisjoint(entry.labels)):
                matches.append(Match(entry.id, entry.hash, distance, entry.labels))
        return matches

    def _near(
        self, query: NDArray[np.uint64], radius: int, *, compiled: bool
    ) -> tuple[list[int], list[int]]:
        count = len(self.entries)
        if compiled and count >= _MANY:
            rows, distances = np.empty(count, np.uint32), np.empty(count, np.uint32)
            found = kernels().scan_rows(self._words, count, query, radius, rows, distances)
            return rows[:found].tolist(), distances[:found].tolist()
        differing = np.bitwise_count(self._words[:count] ^ query).sum(axis=1, dtype=np.uint32)
        near = np.flatnonzero(differing <= radius)
        return near.tolist(), differing[near].tolist()
