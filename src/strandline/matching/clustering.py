"""Clusters: how many versions of one thing a list holds.

Entries are linked when their hashes lie within the radius, and whatever is linked through others
belongs together. All pairs are found through the bands, each pair of buckets once, rows of a bucket
side by side; links are kept in a union-find for each thread, and joined at the end.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from strandline.matching.base import Base
from strandline.matching.building import at_once, cores, cut
from strandline.matching.columns import Progress
from strandline.matching.entries import BITS, Entry
from strandline.matching.planning import SCAN, lookups, masks_within, thresholds_for

_Rows = NDArray[np.uint32]
#: Nanoseconds, measured by `bench cluster`: a pair of one bucket compared, a bucket visited.
_PAIR, _BUCKET = 1.5, 2.0
#: Rows compared with all at once by numpy.
_FEW = 256


@functools.cache
def _joining() -> ModuleType:
    from strandline.matching import _joining  # noqa: PLC0415 - takes half a second: long lists only

    return _joining


class Cluster(Sequence[Entry]):
    """Entries that are linked by hashes within the radius of one another."""

    def __init__(self, members: NDArray[np.int64], entry: Callable[[int], Entry]) -> None:
        self._members = members
        self._entry = entry

    def __len__(self) -> int:
        return len(self._members)

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> "Cluster": ...
    def __getitem__(self, place: int | slice) -> "Entry | Cluster":
        if isinstance(place, slice):
            return Cluster(self._members[place], self._entry)
        return self._entry(int(self._members[place]))


class Clusters(Sequence[Cluster]):
    """Clusters, largest first; entries are made only when they are asked for."""

    def __init__(
        self, members: NDArray[np.int64], starts: NDArray[np.int64], entry: Callable[[int], Entry]
    ) -> None:
        self._members, self._starts, self._entry = members, starts, entry

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many entries each has."""
        return self._starts[1:] - self._starts[:-1]

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> Cluster: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Cluster]: ...
    def __getitem__(self, place: int | slice) -> Cluster | Sequence[Cluster]:
        places = range(len(self))[place]
        if isinstance(places, range):
            return [self[each] for each in places]
        return Cluster(self._members[self._starts[places] : self._starts[places + 1]], self._entry)

    def __iter__(self) -> Iterator[Cluster]:
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True)
class Members:
    """What is clustered: the entries of a base that are not hidden, and further ones."""

    base: Base
    hidden: frozenset[int]
    late: Sequence[Entry]

    def entry(self, number: int) -> Entry:
        """An entry by its number: those of the base first."""
        if number >= self.base.entries:
            return self.late[number - self.base.entries]
        return self.base.entry(number)


def cluster(members: Members, radius: int, progress: Progress | None = None) -> Clusters:
    """Cluster entries; raises IndexDamaged."""
    base = members.base
    base.pages.need_all()
    row_of = np.repeat(np.arange(base.hashes), base.sizes)
    living = np.ones(base.entries, bool)
    living[list(members.hidden)] = False
    alive = np.zeros(base.hashes, np.uint8)
    alive[row_of[living]] = 1
    roots = _linked(members, alive, radius, progress)
    component = np.concatenate([roots[: base.hashes][row_of], roots[base.hashes :]])
    entries = np.flatnonzero(np.append(living, np.ones(len(members.late), bool)))
    return _grouped(entries, component[entries], members)


def _grouped(entries: NDArray[Any], component: _Rows, members: Members) -> Clusters:
    counts = np.bincount(component, minlength=1)
    several = counts[component] > 1
    entries, component = entries[several], component[several]
    order = np.lexsort((entries, component, -counts[component]))
    entries, component = entries[order].astype(np.int64), component[order]
    new = np.flatnonzero(np.diff(component)) + 1
    starts = np.concatenate([[0], new, [len(entries)]]) if len(entries) else np.zeros(1)
    return Clusters(entries, starts.astype(np.int64), members.entry)


@dataclass(frozen=True)
class _Join:
    """One self-join of a long list."""

    base: Base
    #: Rows that have an entry which is not hidden.
    alive: NDArray[np.uint8]
    radius: int
    progress: Progress | None

    def links(self) -> list[_Rows]:
        """What each thread linked, to be joined."""
        thresholds = thresholds_for(self.base.layout.bands, self.radius, self.base.hashes)
        own = [np.arange(self.base.hashes, dtype=np.uint32) for _ in range(cores())]
        if self._too_many(thresholds):
            self._each_with_each(own)
        else:
            for number, threshold in enumerate(thresholds, 1):
                if threshold >= 0:
                    self._band(number, threshold, own)
                self._tell(number, len(thresholds))
        return own

    def _tell(self, done: int, of: int) -> None:
        if self.progress:
            self.progress("comparing", done, of)

    def _band(self, number: int, threshold: int, own: list[_Rows]) -> None:
        """Compare what one band holds under keys within its threshold of each other."""
        base, width = self.base, self.base.layout.bands[number - 1]
        offsets, rows = base.band(number)
        near = np.empty_like(base.heads)

        def gather(part: tuple[int, int]) -> None:
            piece = slice(*part)
            _joining().in_order(base.heads, rows[piece], near[piece])

        at_once(gather, cut(base.hashes, cores()))
        masks = np.sort(masks_within(width, threshold))
        blocks = max(1, 2**width >> _joining().BLOCK)

        def join(place: int) -> None:
            # Dealt out in turn: partners above are the fewer the later a block is.
            for block in range(place, blocks, len(own)):
                _joining().join_band(
                    near, base.rests, offsets, rows, masks, block, block + 1, own[place],
                    self.alive, self.radius,
                )  # fmt: skip

        at_once(join, range(len(own)))

    def _each_with_each(self, own: list[_Rows]) -> None:
        # Each row is compared with those after it: later rows have fewer.
        base, parts = self.base, 64 * len(own)
        shares = 1 - np.sqrt(1 - np.linspace(0, 1, parts + 1))
        edges = (shares * base.hashes).astype(int).tolist()
        done = []

        def join(place: int) -> None:
            for part in range(place, parts, len(own)):
                first, end = edges[part], edges[part + 1]
                _joining().join_all(
                    base.heads, base.rests, own[place], self.alive, self.radius, first, end
                )
                done.append(part)
                self._tell(len(done), parts)

        at_once(join, range(len(own)))

    def _too_many(self, thresholds: Sequence[int]) -> bool:
        """Whether the bands would cost more than comparing each with each."""
        widths, hashes = self.base.layout.bands, self.base.hashes
        if lookups(widths, thresholds) > hashes:
            return True
        cost = 0.0
        for number, (width, threshold) in enumerate(zip(widths, thresholds, strict=True), 1):
            if threshold >= 0:
                offsets = self.base.band(number)[0].astype(np.float64)
                sizes = offsets[1:] - offsets[:-1]
                # Two buckets make at most the mean of their squares: an estimate from above.
                keys = lookups([width], [threshold])
                cost += keys / 2 * (_PAIR * float(sizes @ sizes) + _BUCKET * 2.0**width)
        return cost > SCAN * hashes * hashes / 2


def _linked(
    members: Members, alive: NDArray[np.uint8], radius: int, told: Progress | None
) -> _Rows:
    """The component of each hash of the base, then of each late one."""
    base, count = members.base, members.base.hashes
    late = np.frombuffer(b"".join(bytes.fromhex(each.hash) for each in members.late), np.uint8)
    late = late.reshape(-1, 32)
    parents = np.arange(count + len(late), dtype=np.uint32)
    if base.layout.bands:
        for links in _Join(base, alive, radius, told).links():
            _joining().link_all(parents, links)
    else:
        rows = np.flatnonzero(alive)
        words = np.hstack([base.heads, base.rests])[rows]
        _join_short(words, rows, parents, radius)
    if len(late):
        queries = base.words_of(late)
        for number, found in enumerate(base.search_many(queries, radius), count):
            for row in found.rows[alive[found.rows] > 0].tolist():
                _link(parents, number, row)
        _join_short(queries, np.arange(count, count + len(late)), parents, radius)
    return _settled(parents)


def _join_short(
    words: NDArray[np.uint64], rows: NDArray[np.intp], parents: _Rows, radius: int
) -> None:
    """With numpy alone, for few hashes; ``rows`` are their numbers."""
    # Components are joined whole: a crowd has too many pairs to take one by one.
    component = np.arange(len(rows))
    for low in range(0, len(rows), _FEW):
        piece = words[low : low + _FEW]
        distances = np.zeros((len(piece), len(words)), np.uint16)
        for word in range(BITS // 64):
            distances += np.bitwise_count(piece[:, word, None] ^ words[None, :, word])
        for near in distances <= radius:
            met = np.unique(component[near])
            if len(met) > 1:
                component[np.isin(component, met)] = met[0]
    for place in np.flatnonzero(component != np.arange(len(rows))).tolist():
        _link(parents, int(rows[place]), int(rows[component[place]]))


def _root(parents: _Rows, row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = int(parents[row])
    return row


def _link(parents: _Rows, a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    parents[max(a, b)] = min(a, b)


def _settled(parents: _Rows) -> _Rows:
    """Let each point at its root: roots are lower, so a few rounds of looking up do."""
    while not np.array_equal(further := parents[parents], parents):
        parents = further
    return parents
