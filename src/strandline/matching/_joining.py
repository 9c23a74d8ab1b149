"""The compiled loops of a self-join: each pair of near hashes links two components.

Imported only for long lists, as :mod:`strandline.matching._kernels` is.
"""

# A loop is one function: calls that are not inlined, or values passed packed, cost its speed.
# numpy's scalars and Python's numbers are one thing there.
# mypy: disable-error-code="arg-type, assignment, return-value, no-any-return, import-untyped"
# ruff: noqa: C901, PLR0917

import numpy as np

from strandline.matching._kernels import U8, U32, U64, compiled, ones

#: Pairs of two buckets from which on the settled ones among them are sorted out.
_CROWD = 1 << 14
#: Keys of one block, whose rows stay in the cache: 2^11.
BLOCK = 11


@compiled
def root_of(parents: U32, row: int) -> int:
    """The row that stands for a component, halving the way there."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = np.int64(parents[row])
    return row


@compiled
def link(parents: U32, a: int, b: int) -> None:
    """Make two components one; the lower row stands for it."""
    a, b = root_of(parents, a), root_of(parents, b)
    if a < b:
        parents[b] = a
    elif b < a:
        parents[a] = b


@compiled
def link_all(parents: U32, others: U32) -> None:
    """Put all links of ``others``, of the same first rows, into ``parents``."""
    for row in range(others.size):
        if others[row] != row:
            link(parents, row, np.int64(others[row]))


@compiled
def link_near(parents: U32, number: int, rows: U32, alive: U8) -> None:
    """Link one hash with all of these rows that are alive."""
    for place in range(rows.size):
        row = np.int64(rows[place])
        if alive[row]:
            link(parents, number, row)


@compiled
def in_order(heads: U64, rows: U32, out: U64) -> None:
    """The first halves in the order of one band's rows."""
    for place in range(rows.size):
        row = rows[place]
        out[place, 0] = heads[row, 0]
        out[place, 1] = heads[row, 1]


@compiled
def _meet(
    half: int, rests: U64, rows: U32, parents: U32, alive: U8, radius: int, x: int, y: int
) -> None:
    """Link two rows whose first halves differ in ``half`` bits, if they are near."""
    a, b = np.int64(rows[x]), np.int64(rows[y])
    if alive[a] and alive[b] and root_of(parents, a) != root_of(parents, b):
        rest = ones(rests[a, 0] ^ rests[b, 0]) + ones(rests[a, 1] ^ rests[b, 1])
        if half + rest <= radius:
            link(parents, a, b)


@compiled
def _meet_all(
    near: U64, rests: U64, rows: U32, parents: U32, alive: U8, radius: int,
    x: int, first: int, end: int,
) -> None:  # fmt: skip
    """Compare one row with those from ``first`` up to ``end``, and link what is near."""
    x0, x1 = near[x, 0], near[x, 1]
    for y in range(first, end):
        half = ones(near[y, 0] ^ x0) + ones(near[y, 1] ^ x1)
        if half <= radius:
            _meet(half, rests, rows, parents, alive, radius, x, y)


@compiled
def join_band(
    near: U64, rests: U64, offsets: U32, rows: U32, masks: U32, first: int, end: int,
    parents: U32, alive: U8, radius: int,
) -> None:  # fmt: skip
    """Link the pairs whose keys in this band differ by one of ``masks``.

    For the blocks of keys from ``first`` up to ``end``. ``masks`` are sorted, so that those that
    lead to one block follow each other.
    """
    size = 1 << BLOCK
    keys = offsets.size - 1
    for block in range(first, end):
        low, high = block * size, min((block + 1) * size, keys)
        for j in range(masks.size):
            mask = np.int64(masks[j])
            for key in range(low, high):
                other = key ^ mask
                if other < key:
                    continue
                start, stop = np.int64(offsets[key]), np.int64(offsets[key + 1])
                if start == stop:
                    continue
                begin, close = np.int64(offsets[other]), np.int64(offsets[other + 1])
                if (stop - start) * (close - begin) >= _CROWD:
                    _join_crowd(
                        near, rests, rows, parents, alive, radius, start, stop, begin, close
                    )
                    continue
                for x in range(start, stop):
                    x0, x1 = near[x, 0], near[x, 1]
                    for y in range(x + 1 if mask == 0 else begin, close):
                        half = ones(near[y, 0] ^ x0) + ones(near[y, 1] ^ x1)
                        if half <= radius:
                            _meet(half, rests, rows, parents, alive, radius, x, y)


@compiled
def _join_crowd(
    near: U64, rests: U64, rows: U32, parents: U32, alive: U8, radius: int,
    start: int, stop: int, begin: int, close: int,
) -> None:  # fmt: skip
    """Link the pairs of two large buckets, which may be one.

    A crowd is mostly one component after a few rows; two rows of it need not be compared. So after
    1, 2, 4, … rows the largest component is set aside, and when few rows are outside it, only
    pairs with those are compared.
    """
    outside = np.empty(stop - start, np.int64)
    others = np.empty(close - begin, np.int64)
    done, step = start, 1
    while done < stop:
        # The component most rows belong to, if one has more than half (Boyer and Moore).
        most, votes = np.int64(-1), 0
        for y in range(begin, close):
            root = root_of(parents, np.int64(rows[y]))
            if votes == 0:
                most = root
            votes += 1 if root == most else -1
        few = many = 0
        for x in range(done, stop):
            if root_of(parents, np.int64(rows[x])) != most:
                outside[few] = x
                few += 1
        for y in range(begin, close):
            if root_of(parents, np.int64(rows[y])) != most:
                others[many] = y
                many += 1
        left, right = stop - done, close - begin
        if 4 * (few * right + left * many) <= left * right:
            for i in range(few):
                _meet_all(near, rests, rows, parents, alive, radius, outside[i], begin, close)
            for i in range(many):
                _meet_all(near, rests, rows, parents, alive, radius, others[i], done, stop)
            return
        for x in range(done, min(done + step, stop)):
            _meet_all(near, rests, rows, parents, alive, radius, x, begin, close)
        done, step = done + step, 2 * step


@compiled
def join_all(
    heads: U64, rests: U64, parents: U32, alive: U8, radius: int, first: int, end: int
) -> None:
    """Compare the rows from ``first`` up to ``end`` with all rows after each: the last resort.

    Blocks of rows that stay in the cache are compared with the rows one after the other.
    """
    size = 1024
    count = heads.shape[0]
    for low in range(first, end, size):
        high = min(low + size, end)
        for y in range(low + 1, count):
            b0, b1 = heads[y, 0], heads[y, 1]
            for x in range(low, min(high, y)):
                distance = ones(heads[x, 0] ^ b0) + ones(heads[x, 1] ^ b1)
                # In a crowd nearly all have one parent, and are not looked at again.
                if distance <= radius and parents[x] != parents[y] and alive[x] and alive[y]:
                    distance += ones(rests[x, 0] ^ rests[y, 0]) + ones(rests[x, 1] ^ rests[y, 1])
                    if distance <= radius:
                        link(parents, x, y)
