"""The compiled loops of a build: sorting hashes, folding equal ones, and filling the bands.

Imported only for long lists, as :mod:`strandline.matching._kernels` is.
"""

# A loop is one function: calls that are not inlined, or values passed packed, cost its speed.
# numpy's scalars and Python's numbers are one thing there.
# mypy: disable-error-code="arg-type, assignment, return-value, no-any-return, import-untyped"
# ruff: noqa: C901, PLR0917

import numpy as np
from numpy.typing import NDArray

from strandline.matching._kernels import I64, U8, U32, U64, compiled, fetch, inlined, key_of

#: Runs this short are sorted by insertion, longer ones by merging.
_SHORT = 24
#: Bits of a key by which rows are dealt into runs.
_DEALT = 11
_Bool = NDArray[np.bool_]


@compiled
def spread(words: U64, bits: int, starts: I64, keys: U64, order: U32) -> None:
    """Sort rows by the first ``bits`` bits only; ``starts`` (2^bits + 1) gets where each begins."""
    shift = np.uint64(64 - bits)
    for i in range(words.shape[0]):
        starts[np.int64(words[i, 0] >> shift) + 1] += 1
    for k in range(1, starts.size):
        starts[k] += starts[k - 1]
    for i in range(words.shape[0]):
        bucket = np.int64(words[i, 0] >> shift)
        place = starts[bucket]
        keys[place] = words[i, 0]
        order[place] = i
        starts[bucket] = place + 1
    for k in range(starts.size - 1, 0, -1):
        starts[k] = starts[k - 1]
    starts[0] = 0


@inlined
def _before(words: U64, a_key: np.uint64, a: np.uint32, b_key: np.uint64, b: np.uint32) -> bool:
    """Whether row ``a`` comes before row ``b``: by its four words, then by its number."""
    if a_key != b_key:
        return a_key < b_key
    for j in range(1, 4):
        if words[a, j] != words[b, j]:
            return words[a, j] < words[b, j]
    return a < b


@compiled
def sort_buckets(
    words: U64, starts: I64, first: int, end: int, keys: U64, order: U32, keys2: U64, order2: U32
) -> None:
    """Finish the sort within the buckets ``first`` up to ``end``; the last two are scratch."""
    for bucket in range(first, end):
        _sort_run(words, starts[bucket], starts[bucket + 1], keys, order, keys2, order2)


@compiled
def _sort_run(
    words: U64, low: int, high: int, keys: U64, order: U32, keys2: U64, order2: U32
) -> None:
    for start in range(low, high, _SHORT):
        for i in range(start + 1, min(start + _SHORT, high)):
            key, row = keys[i], order[i]
            j = i - 1
            while j >= start and _before(words, key, row, keys[j], order[j]):
                keys[j + 1] = keys[j]
                order[j + 1] = order[j]
                j -= 1
            keys[j + 1] = key
            order[j + 1] = row
    width = _SHORT
    while width < high - low:
        for start in range(low, high, 2 * width):
            middle, stop = min(start + width, high), min(start + 2 * width, high)
            i, j = start, middle
            for k in range(start, stop):
                if j >= stop or (
                    i < middle and not _before(words, keys[j], order[j], keys[i], order[i])
                ):
                    keys2[k] = keys[i]
                    order2[k] = order[i]
                    i += 1
                else:
                    keys2[k] = keys[j]
                    order2[k] = order[j]
                    j += 1
        keys[low:high] = keys2[low:high]
        order[low:high] = order2[low:high]
        width *= 2


@inlined
def _is_new(words: U64, keys: U64, order: U32, i: int) -> bool:
    if i == 0 or keys[i] != keys[i - 1]:
        return True
    a, b = order[i], order[i - 1]
    return words[a, 1] != words[b, 1] or words[a, 2] != words[b, 2] or words[a, 3] != words[b, 3]


@compiled
def count_different(words: U64, keys: U64, order: U32, first: int, end: int) -> int:
    """How many sorted rows from ``first`` up to ``end`` differ from the row before them."""
    count = 0
    for i in range(first, end):
        count += _is_new(words, keys, order, i)
    return count


@compiled
def fold(
    words: U64, keys: U64, order: U32, first: int, end: int, at: int, heads: U64, rests: U64,
    starts: U32,
) -> None:  # fmt: skip
    """Write each different hash once, its halves apart, from number ``at`` on.

    ``starts`` gets where the entries of each begin; it is empty when no hash comes twice.
    """
    for i in range(first, end):
        if i + 24 < end:
            fetch(words, 4 * np.int64(order[i + 24]))
        if _is_new(words, keys, order, i):
            row = order[i]
            heads[at, 0] = words[row, 0]
            heads[at, 1] = words[row, 1]
            rests[at, 0] = words[row, 2]
            rests[at, 1] = words[row, 3]
            if starts.size:
                starts[at] = i
            at += 1


@compiled
def fill_band(
    heads: U64, rests: U64, at: int, bits: int, offsets: U32, postings: U32, scratch: U64
) -> None:
    """Fill one band: where each key's rows begin (2^bits + 1) and the rows, in order.

    Of the first band only the offsets are kept (``postings`` is empty): rows are sorted by it.
    Rows are first dealt into runs of neighbouring keys, through ``scratch``, so that what follows
    stays in the cache.
    """
    count = heads.shape[0]
    word = at >> 6
    left = np.uint64(at & 63)
    right = np.uint64(63 - (at & 63))
    drop = np.uint64(64 - bits)
    one = np.uint64(1)
    a = heads[:, word] if word < 2 else rests[:, word - 2]
    word = min(word + 1, 3)  # past the last word nothing is needed: those bits are dropped
    b = heads[:, word] if word < 2 else rests[:, word - 2]
    if postings.size == 0:
        for i in range(count):
            key = ((a[i] << left) | ((b[i] >> one) >> right)) >> drop
            offsets[np.int64(key) + 1] += np.uint32(1)
        for k in range(1, offsets.size):
            offsets[k] += offsets[k - 1]
        return
    low = bits - min(bits, _DEALT)
    runs = np.zeros((1 << (bits - low)) + 1, np.int64)
    for i in range(count):
        key = ((a[i] << left) | ((b[i] >> one) >> right)) >> drop
        runs[np.int64(key >> np.uint64(low)) + 1] += 1
    for k in range(1, runs.size):
        runs[k] += runs[k - 1]
    for i in range(count):
        key = ((a[i] << left) | ((b[i] >> one) >> right)) >> drop
        run = np.int64(key >> np.uint64(low))
        scratch[runs[run]] = (key << np.uint64(32)) | np.uint64(i)
        runs[run] += 1
    cursors = np.empty(1 << low, np.int64)
    start = 0
    for run in range(runs.size - 1):
        end = runs[run]  # by now the end of the run
        first = run << low
        cursors[:] = 0
        for j in range(start, end):
            cursors[np.int64(scratch[j] >> np.uint64(32)) - first] += 1
        total = start
        for k in range(cursors.size):
            offsets[first + k] = total
            total += cursors[k]
            cursors[k] = total - cursors[k]
        for j in range(start, end):
            k = np.int64(scratch[j] >> np.uint64(32)) - first
            postings[cursors[k]] = np.uint32(scratch[j] & np.uint64(0xFFFFFFFF))
            cursors[k] += 1
        start = end
    offsets[offsets.size - 1] = count


@compiled
def band_is_right(heads: U64, rests: U64, at: int, bits: int, offsets: U32, postings: U32) -> bool:
    """Whether each row stands once, in order, under the key it has in this band."""
    count = heads.shape[0]
    if offsets[0] != 0 or offsets[offsets.size - 1] != count:
        return False
    for key in range(offsets.size - 1):
        start, end = offsets[key], offsets[key + 1]
        if start > end or end > count:
            return False
        last = np.int64(-1)
        for place in range(start, end):
            row = np.int64(postings[place]) if postings.size else np.int64(place)
            if row <= last or row >= count:
                return False
            last = row
            found = key_of(heads[row, 0], heads[row, 1], rests[row, 0], rests[row, 1], at, bits)
            if np.int64(found) != key:
                return False
    return True


@compiled
def rows_rise(heads: U64, rests: U64) -> bool:
    """Whether the hashes are sorted and all different."""
    for i in range(1, heads.shape[0]):
        if heads[i, 0] != heads[i - 1, 0]:
            if heads[i, 0] < heads[i - 1, 0]:
                return False
        elif heads[i, 1] != heads[i - 1, 1]:
            if heads[i, 1] < heads[i - 1, 1]:
                return False
        elif rests[i, 0] != rests[i - 1, 0]:
            if rests[i, 0] < rests[i - 1, 0]:
                return False
        elif rests[i, 1] <= rests[i - 1, 1]:
            return False
    return True


@compiled
def fingerprints(text: U8, starts: I64, out: U64) -> None:
    """FNV-1a, 64 bits, of each of the strings packed one after the other."""
    for i in range(out.size):
        value = np.uint64(0xCBF29CE484222325)
        for j in range(starts[i], starts[i + 1]):
            value = (value ^ np.uint64(text[j])) * np.uint64(0x100000001B3)
        out[i] = value
