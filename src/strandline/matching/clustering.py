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
_Words = NDArray[np.uint64]
#: About the nanoseconds it takes to compare a pair of one bucket, and to visit a bucket. Set by
#: hand: only their ratio to SCAN matters, which decides between the bands and all pairs.
_PAIR, _BUCKET = 1.5, 2.0
#: Rows compared with all at once by numpy.
_FEW = 256
#: Hashes from which on the compiled comparison of all pairs is worth its half second of loading.
_MANY = 4096
#: Matches of added hashes that are in memory at once, and hashes looked up at once.
_MATCHES, _AT_ONCE = 1 << 22, 1024


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
    late, late_of = _different(members)
    roots = _linked(base, alive, late, radius, progress)
    component = np.concatenate([roots[: base.hashes][row_of], roots[base.hashes :][late_of]])
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
            halves = self.base.heads, self.base.rests
            _each_with_each(halves, self.alive, self.radius, own, self._tell)
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


def _each_with_each(
    halves: tuple[_Words, _Words],
    alive: NDArray[np.uint8],
    radius: int,
    own: list[_Rows],
    tell: Callable[[int, int], None],
) -> None:
    """Compare all pairs, compiled, in as many threads as there are lists of links."""
    # Each row is compared with those after it: later rows have fewer.
    parts = 64 * len(own)
    shares = 1 - np.sqrt(1 - np.linspace(0, 1, parts + 1))
    edges = (shares * len(halves[0])).astype(int).tolist()
    done = []

    def join(place: int) -> None:
        for part in range(place, parts, len(own)):
            first, end = edges[part], edges[part + 1]
            _joining().join_all(*halves, own[place], alive, radius, first, end)
            done.append(part)
            tell(len(done), parts)

    at_once(join, range(len(own)))


def _different(members: Members) -> tuple[_Words, NDArray[np.intp]]:
    """The different hashes that were added, as words (N, 4), and which of them each entry has."""
    raw = b"".join(bytes.fromhex(each.hash) for each in members.late)
    hashes = np.frombuffer(raw, np.uint8).reshape(-1, BITS // 8)
    if not len(hashes):
        return np.zeros((0, 4), np.uint64), np.zeros(0, np.intp)
    words, which = np.unique(members.base.words_of(hashes), axis=0, return_inverse=True)
    return words, which.reshape(-1)


def _linked(
    base: Base, alive: NDArray[np.uint8], late: _Words, radius: int, told: Progress | None
) -> _Rows:
    """The component of each hash of the base, then of each late one."""
    count = base.hashes
    parents = np.arange(count + len(late), dtype=np.uint32)
    if not base.layout.bands:
        rows = np.append(np.flatnonzero(alive), np.arange(count, len(parents)))
        words = np.vstack([np.hstack([base.heads, base.rests]), late])[rows]
        parents[rows] = rows[_components(words, radius)]
        return parents
    for links in _Join(base, alive, radius, told).links():
        _joining().link_all(parents, links)
    for number, near in enumerate(_near(base, late, radius), count):
        _joining().link_near(parents, number, near, alive)
    links = np.arange(len(parents), dtype=np.uint32)
    links[count:] = count + _components(late, radius)
    _joining().link_all(parents, links)
    return _settled(parents)


def _near(base: Base, late: _Words, radius: int) -> Iterator[_Rows]:
    """The rows near each late hash; a few hashes at a time where they have many."""
    done, size = 0, 16
    while done < len(late):
        found = base.search_many(late[done : done + size], radius)
        yield from (each.rows for each in found)
        done += len(found)
        each_has = sum(each.rows.size for each in found) // len(found) + 1
        size = max(1, min(_AT_ONCE, 2 * size, _MATCHES // each_has))


def _components(words: _Words, radius: int) -> _Rows:
    """The first of the hashes that each is linked with; for lists that need no bands."""
    if len(words) < _MANY:
        return _components_of_few(words, radius)
    halves = np.ascontiguousarray(words[:, :2]), np.ascontiguousarray(words[:, 2:])
    for half in halves:
        half.flags.writeable = False  # as those of a base: one compiled loop serves both
    own = [np.arange(len(words), dtype=np.uint32) for _ in range(cores())]
    alive = np.ones(len(words), np.uint8)
    _each_with_each(halves, alive, radius, own, lambda _done, _of: None)
    for links in own[1:]:
        _joining().link_all(own[0], links)
    return _settled(own[0])


def _components_of_few(words: _Words, radius: int) -> _Rows:
    """With numpy alone: all pairs in blocks, and what a hash is near to made one at once."""
    component = np.arange(len(words), dtype=np.uint32)
    for low in range(0, len(words), _FEW):
        piece, others = words[low : low + _FEW], words[low:]
        distances = np.zeros((len(piece), len(others)), np.uint16)
        for word in range(BITS // 64):
            distances += np.bitwise_count(piece[:, word, None] ^ others[None, :, word])
        near = distances <= radius
        # In a crowd nearly all is joined already, and no pair of it is looked at again.
        near &= component[low : low + _FEW, None] != component[None, low:]
        for place in np.flatnonzero(near.any(axis=1)).tolist():
            met = component[low:][near[place]]
            if (met != component[low + place]).any():
                lowest = min(met.min(), component[low + place])
                renamed = np.arange(len(words), dtype=np.uint32)
                renamed[met] = renamed[component[low + place]] = lowest
                component = renamed[component]
    return component


def _settled(parents: _Rows) -> _Rows:
    """Let each point at its root: roots are lower, so a few rounds of looking up do."""
    while not np.array_equal(further := parents[parents], parents):
        parents = further
    return parents
