"""Clusters: how many versions of one thing a list holds.

Entries are linked when their hashes lie within the radius, and whatever is linked through others
belongs together. All pairs are found through the bands, each pair of buckets once, rows of a bucket
side by side; links are kept in a union-find for each thread, and joined at the end.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from strandline.matching.base import Base
from strandline.matching.building import at_once, cores, cut
from strandline.matching.columns import Progress
from strandline.matching.entries import BITS, Entry
from strandline.matching.planning import SCAN, lookups, masks_within, thresholds_for

_Rows = NDArray[np.uint32]
#: Pairs compared in a nanosecond, through the bands and one after the other.
_PAIR = 1.0
#: Rows compared with all at once by numpy.
_FEW = 256


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
        return np.diff(self._starts)

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
    sizes = np.ones(base.hashes, np.int64)
    if base.starts is not None:
        sizes = np.diff(base.starts.astype(np.int64))
    row_of = np.repeat(np.arange(base.hashes), sizes)
    living = np.ones(base.entries, bool)
    living[list(members.hidden)] = False
    alive = np.zeros(base.hashes, np.uint8)
    alive[row_of[living]] = 1
    late = np.frombuffer(b"".join(bytes.fromhex(each.hash) for each in members.late), np.uint8)
    roots = _linked(base, alive, late.reshape(-1, 32), radius, progress)
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


def _linked(
    base: Base, alive: NDArray[np.uint8], late: NDArray[np.uint8], radius: int,
    progress: Progress | None,
) -> _Rows:  # fmt: skip
    """The component of each hash of the base, then of each late one."""
    count = base.hashes
    parents = np.arange(count + len(late), dtype=np.uint32)
    if base.layout.bands:
        _join_long(base, alive, parents[:count], radius, progress)
    else:
        words = np.hstack([base.heads, base.rests])
        _join_short(words, words, np.flatnonzero(alive), parents, 0, radius)
    if len(late):
        queries = base.words_of(late)
        found = base.search_many(queries, radius)
        for number, each in enumerate(found, count):
            for row in each.rows[alive[each.rows] > 0].tolist():
                _link(parents, number, row)
        _join_short(queries, queries, np.arange(len(late)), parents, count, radius)
    return _settled(parents)


def _join_long(
    base: Base, alive: NDArray[np.uint8], parents: _Rows, radius: int, progress: Progress | None
) -> None:
    from strandline.matching import _joining  # noqa: PLC0415 - numba, for long lists only

    widths = base.layout.bands
    thresholds = thresholds_for(widths, radius, base.hashes)
    own = [np.arange(base.hashes, dtype=np.uint32) for _ in range(cores())]
    if _too_many_pairs(base, widths, thresholds):
        # Each row is compared with those after it: later rows have fewer.
        edges = base.hashes * (1 - np.sqrt(1 - np.linspace(0, 1, 64 * cores() + 1)))
        parts = list(zip(edges[:-1].astype(int), edges[1:].astype(int), strict=True))
        done = []

        def rows(work: tuple[int, _Rows]) -> None:
            place, links = work
            for part in parts[place :: cores()]:
                _joining.join_all(base.heads, base.rests, links, alive, radius, *part)
                done.append(part)
                if progress:
                    progress("comparing", len(done), len(parts))

        at_once(rows, list(enumerate(own)))
    else:
        _join_bands(base, alive, own, thresholds, radius, progress)
    for links in own:
        _joining.link_all(parents, links)


def _join_bands(
    base: Base, alive: NDArray[np.uint8], own: list[_Rows], thresholds: Sequence[int],
    radius: int, progress: Progress | None,
) -> None:  # fmt: skip
    from strandline.matching import _joining  # noqa: PLC0415 - numba, for long lists only

    near = np.empty_like(base.heads)
    for number, (width, threshold) in enumerate(zip(base.layout.bands, thresholds, strict=True), 1):
        if threshold >= 0:
            offsets, rows = base.band(number)
            cuts = cut(base.hashes, cores())
            at_once(
                lambda part, rows=rows: _joining.in_order(
                    base.heads, rows[slice(*part)], near[slice(*part)]
                ),
                cuts,
            )
            masks = np.sort(masks_within(width, threshold))
            blocks = max(1, 2 ** (width - _joining.BLOCK)) if width > _joining.BLOCK else 1

            def one(work: tuple[int, _Rows], *, band: Any = (offsets, rows, masks, blocks)) -> None:  # noqa: ANN401
                # Dealt out block by block: partners above are the fewer the later a block is.
                place, links = work
                offsets, rows, masks, blocks = band
                for block in range(place, blocks, len(own)):
                    _joining.join_band(
                        near, base.rests, offsets, rows, masks, block, block + 1, links, alive,
                        radius,
                    )  # fmt: skip

            at_once(one, list(enumerate(own)))
        if progress:
            progress("comparing", number, len(base.layout.bands))


def _too_many_pairs(base: Base, widths: Sequence[int], thresholds: Sequence[int]) -> bool:
    """Whether the bands would cost more than comparing each with each."""
    looked_up = lookups(widths, thresholds)
    if looked_up > base.hashes:
        return True
    pairs = 0.0
    for number, (width, threshold) in enumerate(zip(widths, thresholds, strict=True), 1):
        if threshold >= 0:
            sizes = np.diff(base.band(number)[0].astype(np.int64))
            keys = len(masks_within(width, threshold))
            # Partners of a bucket are as large as its likes: an estimate from above.
            pairs += keys * float((sizes.astype(float) ** 2).sum()) / 2 + keys * 2.0**width / 2
    return pairs * _PAIR > SCAN * base.hashes * base.hashes / 2


def _join_short(
    ours: NDArray[np.uint64], theirs: NDArray[np.uint64], rows: NDArray[np.intp], parents: _Rows,
    first: int, radius: int,
) -> None:  # fmt: skip
    """With numpy alone, for few rows; their numbers in ``parents`` begin at ``first``."""
    theirs = theirs[rows]
    for low in range(0, len(rows), _FEW):
        piece = ours[rows[low : low + _FEW]]
        distances = np.zeros((len(piece), len(theirs)), np.uint16)
        for word in range(BITS // 64):
            distances += np.bitwise_count(piece[:, word, None] ^ theirs[None, :, word])
        for a, b in np.argwhere(np.triu(distances <= radius, low + 1)).tolist():
            _link(parents, first + int(rows[low + a]), first + int(rows[b]))


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
