"""The compiled inner loops of a query: checksums, the walk through the bands, and the scan.

Imported only once a list is long enough to need them: numba takes half a second to import. Every
loop runs without Python's global lock, so that threads share the work, and looks at nothing that it
has not checked: positions read from a file are compared with the sizes in its header first.

The file (or its image in memory) is seen twice, as 64-bit words (``data``) and as 32-bit words
(``data32``). ``plan`` is laid out in :mod:`strandline.matching.planning`.
"""

# A loop is one function: calls that are not inlined, or values passed packed, cost its speed.
# numpy's scalars and Python's numbers are one thing there.
# mypy: disable-error-code="arg-type, assignment, return-value, no-any-return, import-untyped"
# ruff: noqa: C901, PLR0911, PLR0912, PLR0915, PLR0917

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use and keep the result beside the module; runs without the lock."""
    try:
        return njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # numba found no folder to keep it in: compiled in each process
        return njit(nogil=True)(loop)


def inlined(part: Callable[..., Any]) -> Callable[..., Any]:
    """Compile into each loop that uses it."""
    return njit(inline="always")(part)


def _instruction(part: Callable[..., Any]) -> Callable[..., Any]:
    """A part of a loop that is given in the compiler's own terms."""
    return intrinsic(part)


#: What :func:`search` returns instead of a count.
TOO_MANY, DAMAGED = -1, -2
#: Numbers in a plan before its bands, and for each band.
HEAD, STEP = 4, 7
#: Candidates gathered before they are compared, so that memory is fetched meanwhile.
_BLOCK = 512
#: Hashes whose distances are counted before any is looked at.
_STRIDE = 2048
#: Pages of 16 KiB: 2^11 64-bit or 2^12 32-bit words.
_PAGE64, _PAGE32 = 11, 12


@_instruction
def ones(_typing: Any, _x: Any) -> Any:  # noqa: ANN401 - numba's own types
    """Bits set in a 64-bit word, as one instruction."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        count = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
        return builder.call(count, arguments)

    return types.int64(types.uint64), generate


@_instruction
def fetch(_typing: Any, array: Any, _place: Any) -> Any:  # noqa: ANN401 - numba's own types
    """Ask for the memory at ``array[place]`` without waiting for it."""
    bits = array.dtype.bitwidth

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        start = builder.ptrtoint(view.data, ir.IntType(64))
        shift = builder.mul(arguments[1], ir.Constant(ir.IntType(64), bits // 8))
        byte = ir.IntType(8).as_pointer()
        address = builder.inttoptr(builder.add(start, shift), byte)
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        ask = builder.module.globals.get("llvm.prefetch.p0") or ir.Function(
            builder.module, kind, "llvm.prefetch.p0"
        )
        # Read, keep in every cache, data.
        builder.call(ask, [address, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@compiled
def page_sum(piece: U64, number: int) -> np.uint64:
    """The checksum of one page: eight lanes of multiply and rotate, folded.

    Each step is a bijection of the lane and of the word read, so a change of any one word changes
    the sum for certain, and other changes go unnoticed once in 2^64.
    """
    prime = np.uint64(0x9E3779B97F4A7C15)
    left, right = np.uint64(29), np.uint64(35)
    a = np.uint64(number)
    b, c, d, e = a + np.uint64(1), a + np.uint64(2), a + np.uint64(3), a + np.uint64(4)
    f, g, h = a + np.uint64(5), a + np.uint64(6), a + np.uint64(7)
    for i in range(0, 1 << _PAGE64, 8):
        a = (a ^ piece[i]) * prime
        b = (b ^ piece[i + 1]) * prime
        c = (c ^ piece[i + 2]) * prime
        d = (d ^ piece[i + 3]) * prime
        e = (e ^ piece[i + 4]) * prime
        f = (f ^ piece[i + 5]) * prime
        g = (g ^ piece[i + 6]) * prime
        h = (h ^ piece[i + 7]) * prime
        a = (a << left) | (a >> right)
        b = (b << left) | (b >> right)
        c = (c << left) | (c >> right)
        d = (d << left) | (d >> right)
        e = (e << left) | (e >> right)
        f = (f << left) | (f >> right)
        g = (g << left) | (g >> right)
        h = (h << left) | (h >> right)
    total = np.uint64(0)
    for lane in (a, b, c, d, e, f, g, h):
        total = (total ^ lane) * prime
        total = (total << left) | (total >> right)
    return total


@compiled
def sum_pages(data: U64, first: int, out: U64) -> None:
    """Fill ``out`` with the checksums of the pages that ``data`` is; the first has that number."""
    for page in range(out.size):
        piece = data[page << _PAGE64 : (page + 1) << _PAGE64]
        out[page] = page_sum(piece, first + page)


@compiled
def sound(data: U64, page: int, sums: U64, seen: U8) -> bool:
    """Whether a page is as it was written; ``seen`` remembers those that are."""
    if page_sum(data[page << _PAGE64 : (page + 1) << _PAGE64], page) != sums[page]:
        return False
    seen[page] = 1
    return True


@compiled
def permute(rows: U8, table: U64, out: U64) -> None:
    """Put the bits of each row of 32 bytes into the order that ``table`` (32, 256, 4) says."""
    for i in range(rows.shape[0]):
        a = b = c = d = np.uint64(0)
        for j in range(32):
            part = table[j, rows[i, j]]
            a |= part[0]
            b |= part[1]
            c |= part[2]
            d |= part[3]
        out[i, 0] = a
        out[i, 1] = b
        out[i, 2] = c
        out[i, 3] = d


@compiled
def restore(heads: U64, rests: U64, rows: U32, table: U64, out: U8) -> None:
    """Put the hashes of ``rows`` back into their own order of bits, as bytes (n, 32)."""
    for i in range(rows.size):
        row = rows[i]
        a = b = c = d = np.uint64(0)
        for j in range(32):
            word = heads[row, j >> 3] if j < 16 else rests[row, (j >> 3) - 2]
            part = table[j, (word >> np.uint64(56 - 8 * (j & 7))) & np.uint64(255)]
            a |= part[0]
            b |= part[1]
            c |= part[2]
            d |= part[3]
        for j in range(8):
            shift = np.uint64(56 - 8 * j)
            out[i, j] = (a >> shift) & np.uint64(255)
            out[i, j + 8] = (b >> shift) & np.uint64(255)
            out[i, j + 16] = (c >> shift) & np.uint64(255)
            out[i, j + 24] = (d >> shift) & np.uint64(255)


@inlined
def key_of(w0: np.uint64, w1: np.uint64, w2: np.uint64, w3: np.uint64, at: int, bits: int) -> Any:  # noqa: ANN401
    """``bits`` bits from bit ``at`` on, counted from the most significant of the first word."""
    word = at >> 6
    shift = np.uint64(at & 63)
    a = w0 if word == 0 else (w1 if word == 1 else (w2 if word == 2 else w3))
    a <<= shift
    if (at & 63) + bits > 64:
        b = w1 if word == 0 else (w2 if word == 1 else w3)
        a |= b >> (np.uint64(64) - shift)
    return a >> (np.uint64(64) - np.uint64(bits))


@compiled
def search(
    data: U64,
    data32: U32,
    plan: I64,
    masks: U32,
    query: U64,
    radius: int,
    limit: int,
    sums: U64,
    seen: U8,
    checking: bool,
    spans: I64,
    rows: U32,
    distances: U32,
) -> tuple[int, int]:
    """Find the rows within ``radius`` of ``query`` (4 words) through the bands.

    Returns how many there are, of which the first ``rows.size`` were noted, and 0; or TOO_MANY and
    the number of candidates, when reading them would cost more than ``limit``; or DAMAGED and the
    page that is not as it was written.
    """
    hashes = plan[0]
    head, rest = plan[1], plan[2]
    bands = plan[3]
    q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
    # First the sizes of the buckets alone: what reading them costs is known before it is paid.
    kept = 0
    total = 0
    for band in range(bands):
        step = HEAD + band * STEP
        key = np.int64(key_of(q0, q1, q2, q3, plan[step], plan[step + 1]))
        offsets = plan[step + 3]
        first = plan[step + 5]
        for j in range(first, first + plan[step + 6]):
            place = offsets + (key ^ np.int64(masks[j]))
            if checking:
                page = place >> _PAGE32
                if seen[page] == 0 and not sound(data, page, sums, seen):
                    return DAMAGED, page
                page = (place + 1) >> _PAGE32
                if seen[page] == 0 and not sound(data, page, sums, seen):
                    return DAMAGED, page
            start = np.int64(data32[place])
            end = np.int64(data32[place + 1])
            if end > hashes or start > end:
                return DAMAGED, place >> _PAGE32
            spans[kept, 0] = band
            spans[kept, 1] = start
            spans[kept, 2] = end
            kept += 1 if end > start else 0
            total += end - start
    if total > limit:
        return TOO_MANY, total
    found = 0
    block = np.empty(_BLOCK, np.uint32)
    held = np.empty(_BLOCK, np.int64)
    fill = 0
    span = 0
    at = spans[0, 1] if kept else 0
    for ahead in range(min(16, kept)):
        postings = plan[HEAD + spans[ahead, 0] * STEP + 4]
        if postings >= 0:
            fetch(data32, postings + spans[ahead, 1])
    while span < kept or fill > 0:
        # Gather a block of candidates, asking for their hashes …
        while span < kept and fill < _BLOCK:
            band = spans[span, 0]
            postings = plan[HEAD + band * STEP + 4]
            stop = min(spans[span, 2], at + _BLOCK - fill)
            for place in range(at, stop):
                if postings >= 0:
                    if checking:
                        page = (postings + place) >> _PAGE32
                        if seen[page] == 0 and not sound(data, page, sums, seen):
                            return DAMAGED, page
                    row = np.int64(data32[postings + place])
                    if row >= hashes:
                        return DAMAGED, (postings + place) >> _PAGE32
                else:
                    row = place  # the rows are sorted by the first band
                fetch(data, head + 2 * row)
                block[fill] = row
                held[fill] = band
                fill += 1
            at = stop
            if at == spans[span, 2]:
                span += 1
                if span < kept:
                    at = spans[span, 1]
                ahead = span + 16
                if ahead < kept:
                    postings = plan[HEAD + spans[ahead, 0] * STEP + 4]
                    if postings >= 0:
                        fetch(data32, postings + spans[ahead, 1])
        # … then compare them: half a hash nearly always settles it.
        for i in range(fill):
            row = np.int64(block[i])
            place = head + 2 * row
            if checking:
                page = place >> _PAGE64
                if seen[page] == 0 and not sound(data, page, sums, seen):
                    return DAMAGED, page
            x0 = data[place] ^ q0
            x1 = data[place + 1] ^ q1
            distance = ones(x0) + ones(x1)
            if distance <= radius:
                place = rest + 2 * row
                if checking:
                    page = place >> _PAGE64
                    if seen[page] == 0 and not sound(data, page, sums, seen):
                        return DAMAGED, page
                x2 = data[place] ^ q2
                x3 = data[place + 1] ^ q3
                distance += ones(x2) + ones(x3)
                if distance <= radius:
                    again = False  # an earlier band found it
                    for band in range(held[i]):
                        step = HEAD + band * STEP
                        part = key_of(x0, x1, x2, x3, plan[step], plan[step + 1])
                        if ones(part) <= plan[step + 2]:
                            again = True
                            break
                    if not again:
                        if found < rows.size:
                            rows[found] = row
                            distances[found] = distance
                        found += 1
        fill = 0
    return found, 0


@compiled
def scan(
    data: U64,
    plan: I64,
    query: U64,
    radius: int,
    first: int,
    end: int,
    sums: U64,
    seen: U8,
    checking: bool,
    rows: U32,
    distances: U32,
) -> tuple[int, int]:
    """Compare ``query`` with the rows from ``first`` up to ``end``; returns as :func:`search`."""
    head, rest = plan[1], plan[2]
    q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
    if checking:
        for start in (head, rest):
            for page in range(
                (start + 2 * first) >> _PAGE64, ((start + 2 * end - 1) >> _PAGE64) + 1
            ):
                if seen[page] == 0 and not sound(data, page, sums, seen):
                    return DAMAGED, page
    found = 0
    for low in range(first, end, _STRIDE):
        high = min(low + _STRIDE, end)
        near = 0
        for row in range(low, high):
            place = head + 2 * row
            near += ones(data[place] ^ q0) + ones(data[place + 1] ^ q1) <= radius
        if near == 0:
            continue
        for row in range(low, high):
            place = head + 2 * row
            distance = ones(data[place] ^ q0) + ones(data[place + 1] ^ q1)
            if distance <= radius:
                place = rest + 2 * row
                distance += ones(data[place] ^ q2) + ones(data[place + 1] ^ q3)
                if distance <= radius:
                    if found < rows.size:
                        rows[found] = row
                        distances[found] = distance
                    found += 1
    return found, 0


@compiled
def search_many(
    data: U64,
    data32: U32,
    plan: I64,
    masks: U32,
    queries: U64,
    radius: int,
    limit: int,
    sums: U64,
    seen: U8,
    checking: bool,
    spans: I64,
    rows: U32,
    distances: U32,
    counts: I64,
) -> tuple[int, int]:
    """Answer queries (Q, 4) one after the other into one run of ``rows`` and ``distances``.

    ``counts`` gets the matches of each, TOO_MANY where the bands cost more than a scan. Returns how
    many queries were answered: fewer than all when the room was used up, for the caller to make
    more and go on; or DAMAGED and the page.
    """
    used = 0
    for i in range(queries.shape[0]):
        found, page = search(
            data, data32, plan, masks, queries[i], radius, limit, sums, seen, checking, spans,
            rows[used:], distances[used:],
        )  # fmt: skip
        if found == DAMAGED:
            return DAMAGED, page
        if found > rows.size - used:
            return i, found
        counts[i] = found
        if found > 0:
            used += found
    return queries.shape[0], 0


@compiled
def scan_rows(words: U64, count: int, query: U64, radius: int, rows: U32, distances: U32) -> int:
    """Compare ``query`` with the first ``count`` rows (n, 4); the room is for that many."""
    found = 0
    for row in range(count):
        distance = (
            ones(words[row, 0] ^ query[0])
            + ones(words[row, 1] ^ query[1])
            + ones(words[row, 2] ^ query[2])
            + ones(words[row, 3] ^ query[3])
        )
        if distance <= radius:
            rows[found] = row
            distances[found] = distance
            found += 1
    return found
