"""What the machine can do at all: memory read in order, memory read at random, keys sorted."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import comb, exp
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def _sum(words: Any) -> Any:
    total = np.uint64(0)
    for word in words:
        total += word
    return total


@njit(nogil=True, cache=True)
def _gather(  # noqa: PLR0917 - a kernel's arguments have no names
    offsets: Any, places: Any, rows: Any, starts: Any, hashes: Any, picks: Any
) -> Any:
    """Reads that do not wait for one another: the processor keeps as many open as it can."""
    total = np.uint64(0)
    for place in places:
        total += np.uint64(offsets[place])
    for start in starts:
        total += np.uint64(rows[start])
    for pick in picks:
        total += hashes[pick, 0] ^ hashes[pick, 1]
    return total


@njit(nogil=True, cache=True)
def scan(  # noqa: PLR0917 - a kernel's arguments have no names
    heads: Any, rests: Any, query: Any, radius: int, found: Any, distances: Any
) -> int:
    """One thread looks at every hash (uint64 (N, 2) halves); returns how many are near.

    The first half of a hash decides for nearly all of them, so only that is read.
    """
    count = 0
    first, second, third, fourth = query[0], query[1], query[2], query[3]
    for low in range(0, len(heads), 2048):
        high = min(low + 2048, len(heads))
        some = 0
        for row in range(low, high):
            near = _ones(heads[row, 0] ^ first) + _ones(heads[row, 1] ^ second)
            some += near <= radius
        if some:
            for row in range(low, high):
                near = _ones(heads[row, 0] ^ first) + _ones(heads[row, 1] ^ second)
                if near <= radius:
                    near += _ones(rests[row, 0] ^ third) + _ones(rests[row, 1] ^ fourth)
                    if near <= radius:
                        found[count] = row
                        distances[count] = near
                        count += 1
    return count


@njit(nogil=True, inline="always", cache=True)
def _ones(word: Any) -> Any:
    # LLVM recognises this and makes it one instruction.
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


def best(work: Callable[[], Any], times: int = 5) -> float:
    """Seconds of the quickest of some repetitions."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent)


def read_bandwidth(threads: int, size: int = 1 << 28) -> float:
    """Bytes a second that so many threads read in order."""
    words = np.ones(size // 8, np.uint64)
    _sum(words[:8])
    parts = np.array_split(words, threads)
    with ThreadPoolExecutor(threads) as pool:
        return size / best(lambda: list(pool.map(_sum, parts)))


def sort_time(count: int, keys: int, threads: int) -> float:
    """Seconds to sort so many random 64-bit keys, as many times as told, by numpy."""
    values = np.random.default_rng(3).integers(0, 2**63, count, dtype=np.uint64)
    began = time.perf_counter()
    np.sort(values)
    return (time.perf_counter() - began) * keys / threads


def read_floor(hashes: int, widths: Sequence[int], thresholds: Sequence[int]) -> float:
    """Seconds of the memory reads alone that one query of such an index needs, nothing computed.

    A line of each bucket's offset, a line of each bucket that is not empty, a line of each
    candidate: at random places of arrays as large, and independent of one another.
    """
    keys = [
        sum(comb(width, flips) for flips in range(threshold + 1))
        for width, threshold in zip(widths, thresholds, strict=True)
    ]
    load = [hashes / 2**width for width in widths]
    lookups = sum(keys)
    filled = int(sum(key * (1 - exp(-each)) for key, each in zip(keys, load, strict=True)))
    candidates = int(sum(key * each for key, each in zip(keys, load, strict=True)))
    generator = np.random.default_rng(5)
    offsets = np.ones(sum(2**width for width in widths), np.uint32)
    rows = np.ones(hashes * len(widths), np.uint32)
    halves = np.ones((hashes, 2), np.uint64)
    rounds = 200

    def places(size: int, wanted: int) -> NDArray[np.int64]:
        return generator.integers(0, size, (rounds, max(1, wanted)))

    probes = places(len(offsets), lookups), places(len(rows), filled), places(hashes, candidates)
    spent = []
    for one, two, three in zip(*probes, strict=True):
        began = time.perf_counter()
        _gather(offsets, one, rows, two, halves, three)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent[1:]))
