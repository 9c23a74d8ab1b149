"""Planning: how wide the bands are, what each must find, and when a scan is cheaper.

Multi-index hashing (Norouzi, Punjani, Fleet 2012) with the general pigeonhole principle (Qin et al.
2018): the 256 bits are cut into bands, and when hashes differ in at most ``r`` bits, then for any
thresholds with Σ(tᵦ + 1) = r + 1 some band differs in at most its own tᵦ bits. A threshold of -1
leaves a band out. So each band looks up all keys within tᵦ bits of the query's, and nothing within
``r`` bits is missed.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from strandline.matching.entries import BITS

#: The radius an index is laid out for; it answers every other one as exactly.
USUAL_RADIUS = 31
#: Lists shorter than this are scanned: that takes less than a tenth of a millisecond.
SCANNED = 20_000
#: About the nanoseconds it takes to look up one bucket, to compare one candidate, and to scan one
#: hash in one thread, at 10M hashes. Set by hand: only their ratio matters, which decides between
#: the bands and a scan, and answers are the same either way.
LOOKUP, CANDIDATE, SCAN = 20.0, 30.0, 1.0
#: Candidates of a skewed list lie side by side, and cost this much of the above.
CROWDED = 0.8
_WIDEST = 28
#: Bytes that postings and bucket offsets may take: for each hash, beside its own 32, and at least.
_ROOM, _AT_LEAST = 96, 16_000_000


def bands_for(hashes: int) -> tuple[int, ...]:
    """Return the widths of the bands, 256 in all, for that many hashes; none when few.

    Of all ways to cut the bits into bands of two thresholds one apart, the wider bands with the
    greater, the one with the least expected time for a query at :data:`USUAL_RADIUS`.
    """
    if hashes < SCANNED:
        return ()
    best: tuple[float, tuple[int, ...]] = (float("inf"), ())
    for count in range(8, 33):
        threshold, greater = divmod(USUAL_RADIUS + 1, count)
        threshold -= 1
        for wide in range(8, _WIDEST + 1):
            widths = _cut(count, greater, wide)
            if not widths:
                continue
            rows = [(width, threshold + (place < greater)) for place, width in enumerate(widths)]
            memory = 4 * sum(2**width + hashes for width in widths)
            cost = sum(_cost(width, threshold, hashes) for width, threshold in rows)
            if memory <= max(_ROOM * hashes, _AT_LEAST) and cost < best[0]:
                best = (cost, widths)
    return best[1]


def _cut(count: int, greater: int, wide: int) -> tuple[int, ...]:
    """``greater`` bands about ``wide`` bits, the others sharing what is left."""
    if greater == 0:
        even, more = divmod(BITS, count)
        return tuple(even + (place < more) for place in range(count)) if even < _WIDEST else ()
    left, others = BITS - greater * wide, count - greater
    even, more = divmod(left, others)
    if not 4 <= even < _WIDEST or even + 1 > wide + 1:
        return ()
    return (wide,) * greater + tuple(even + (place < more) for place in range(others))


@functools.cache
def _keys(width: int, threshold: int) -> int:
    """How many keys lie within ``threshold`` bits."""
    return sum(comb(width, flips) for flips in range(threshold + 1))


def _cost(width: int, threshold: int, hashes: int) -> float:
    return _keys(width, threshold) * (LOOKUP + CANDIDATE * hashes / 2.0**width)


def thresholds_for(widths: Sequence[int], radius: int, hashes: int) -> tuple[int, ...]:
    """Return the thresholds Σ(t + 1) = radius + 1 that cost least: one bit more where cheapest."""
    chosen = [-1] * len(widths)
    for _ in range(radius + 1):
        added = [
            _cost(width, threshold + 1, hashes) - _cost(width, threshold, hashes)
            if threshold < width
            else float("inf")
            for width, threshold in zip(widths, chosen, strict=True)
        ]
        chosen[added.index(min(added))] += 1
    return tuple(chosen)


def lookups(widths: Sequence[int], thresholds: Sequence[int]) -> int:
    """How many buckets a query looks up."""
    return sum(_keys(*pair) for pair in zip(widths, thresholds, strict=True))


@functools.cache
def masks_within(width: int, threshold: int) -> NDArray[np.uint32]:
    """All keys of ``width`` bits with at most ``threshold`` bits set, fewest first."""
    layers = [np.zeros(1, np.uint32)] if threshold >= 0 else [np.zeros(0, np.uint32)]
    for _ in range(threshold):
        last = layers[-1]
        # Each set once: bits are added above the highest one only.
        grown = [
            last[last < np.uint32(1) << np.uint32(bit)] | np.uint32(1 << bit)
            for bit in range(width)
        ]
        layers.append(np.concatenate(grown))
    return np.concatenate(layers)


@dataclass(frozen=True)
class Plan:
    """How one radius is searched in one index."""

    #: hashes, place of heads and of rests in 64-bit words, bands; then for each band: first bit,
    #: width, threshold, place of its offsets and of its rows (-1: sorted by it) in 32-bit words,
    #: place of its masks and how many.
    bands: NDArray[np.int64]
    masks: NDArray[np.uint32]
    #: Buckets looked up.
    lookups: int
    #: Candidates from which on a scan is cheaper; below 0 the bands are not even asked.
    limit: int


def plan_for(widths: Sequence[int], radius: int, hashes: int, places: Mapping[str, int]) -> Plan:
    """Plan a radius for an index whose sections begin at these bytes."""
    head = [hashes, places["heads"] // 8, places["rests"] // 8, 0]
    nothing = np.zeros(0, np.uint32)
    thresholds = thresholds_for(widths, radius, hashes) if widths else ()
    looked_up = lookups(widths, thresholds)
    left = SCAN * hashes - LOOKUP * looked_up
    if left < 0 or not widths:
        return Plan(np.array(head, np.int64), nothing, 0, -1)
    rows, masks = [], [nothing]
    first = at = 0
    for number, (width, threshold) in enumerate(zip(widths, thresholds, strict=True), 1):
        keys = masks_within(width, threshold)
        offsets = places[f"band {number} offsets"] // 4
        held = places[f"band {number} rows"] // 4 if number > 1 else -1
        rows += [first, width, threshold, offsets, held, at, len(keys)]
        masks.append(keys)
        first, at = first + width, at + len(keys)
    head[3] = len(widths)
    limit = int(left / (CANDIDATE * CROWDED))
    return Plan(np.array(head + rows, np.int64), np.concatenate(masks), looked_up, limit)
