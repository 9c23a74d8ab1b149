"""Building: from columns of entries to the sections of an index.

Hashes are sorted and each kept once, so that neighbours share memory and a hash that comes a
hundred thousand times costs a query no more than any other; the entries hang off them.
"""

import functools
import itertools
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from strandline.matching import bits
from strandline.matching.columns import Columns, LabelSets, Progress
from strandline.matching.layout import MOST, Layout
from strandline.matching.pages import kernels
from strandline.matching.planning import SCANNED, bands_for
from strandline.matching.sink import Sink

T = TypeVar("T")
R = TypeVar("R")
_Words = NDArray[np.uint64]


@functools.cache
def sorting() -> ModuleType:
    """The compiled loops of a build."""
    from strandline.matching import _sorting  # noqa: PLC0415 - takes half a second: long lists only

    return _sorting


def cores() -> int:
    """How many threads work at once."""
    return len(os.sched_getaffinity(0))


def at_once(work: Callable[[T], R], parts: Iterable[T], threads: int | None = None) -> list[R]:
    """Do ``work`` on each part, in as many threads as there are cores; results in order."""
    parts = list(parts)
    threads = min(threads or cores(), len(parts))
    if threads <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, parts))


def cut(count: int, parts: int) -> list[tuple[int, int]]:
    """``count`` things in ``parts`` even ranges."""
    return [(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


@dataclass(frozen=True)
class Sorted:
    """Different hashes in order, their halves apart, and the entries of each."""

    heads: _Words
    rests: _Words
    #: Rows of the columns, those of one hash together.
    order: NDArray[np.uint32]
    #: Where the rows of each hash begin in ``order``; empty when each hash has one row.
    starts: NDArray[np.uint32]


def lay_out(columns: Columns) -> tuple[Layout, Columns, Sorted]:
    """Sort entries and fold what is there twice; returns what is to be written, and its layout.

    Raises:
        ValueError: more entries than fit.
    """
    if len(columns) > MOST:
        raise ValueError(f"an index holds {MOST:,} entries at most, not {len(columns):,}")
    # Whether it will be scanned is known before its bits are put in order only when it is short.
    short = len(columns) < SCANNED
    ordered = _sort_short(columns.hashes) if short else _sort_long(columns.hashes)
    columns, ordered = _without_twins(columns, ordered)
    count = len(ordered.heads)
    widths = () if short else bands_for(max(count, SCANNED)) if count else ()
    layout = Layout.new(
        entries=len(ordered.order),
        hashes=count,
        bands=widths,
        ids="text" if columns.numbers is None else "numbers",
        text=0 if columns.numbers is not None else _text_length(columns, ordered.order),
        labelled=columns.labels is not None,
        label_sets=len(_encoded(columns.label_sets)) if columns.labels is not None else 0,
    )
    return layout, columns, ordered


def _text_length(columns: Columns, rows: NDArray[np.uint32]) -> int:
    return int((columns.starts[1:] - columns.starts[:-1])[rows].sum())


def _encoded(label_sets: tuple[tuple[str, ...], ...]) -> bytes:
    return json.dumps(label_sets, ensure_ascii=False, separators=(",", ":")).encode()


def fill(
    layout: Layout, columns: Columns, ordered: Sorted, sink: Sink, progress: Progress | None
) -> None:
    """Fill in all sections."""

    def put(name: str, array: NDArray[Any]) -> None:
        room = sink.room(name)
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        room[: flat.size] = flat
        sink.done(name, room)

    put("heads", ordered.heads)
    put("rests", ordered.rests)
    if ordered.starts.size:
        put("entries", ordered.starts)
    kept = columns.take(ordered.order)
    if kept.numbers is not None:
        put("numbers", kept.numbers)
    else:
        put("id starts", kept.starts.astype(np.uint64))
        put("ids", kept.text)
        put("id order", _id_order(kept).astype(np.uint32))
    if kept.labels is not None:
        put("labels", kept.labels)
        put("label sets", np.frombuffer(_encoded(kept.label_sets), np.uint8))
    _fill_bands(layout, ordered, sink, progress)


def _fill_bands(layout: Layout, ordered: Sorted, sink: Sink, progress: Progress | None) -> None:
    done = []
    edges = np.concatenate([[0], np.cumsum(layout.bands)]).tolist()

    def one(number: int) -> None:
        width, count = layout.bands[number - 1], layout.hashes
        offsets = sink.room(f"band {number} offsets")
        rows = np.zeros(0, np.uint8) if number == 1 else sink.room(f"band {number} rows")
        sorting().fill_band(
            ordered.heads, ordered.rests, edges[number - 1], width,
            offsets.view(np.uint32)[: 2**width + 1], rows.view(np.uint32)[:count],
            np.empty(count if number > 1 else 0, np.uint64),
        )  # fmt: skip
        sink.done(f"band {number} offsets", offsets)
        if number > 1:
            sink.done(f"band {number} rows", rows)
        done.append(number)
        if progress:
            progress("indexing", len(done), len(layout.bands))

    at_once(one, range(1, len(layout.bands) + 1))


def _sort_short(hashes: NDArray[np.uint8]) -> Sorted:
    """With numpy alone, bits in plain order."""
    words = bits.plain_words(hashes)
    order = np.lexsort(words.T[::-1]).astype(np.uint32)
    words = words[order]
    new = np.ones(len(words), bool)
    new[1:] = (words[1:] != words[:-1]).any(axis=1)
    first = np.flatnonzero(new).astype(np.uint32)
    kept = words[first]
    starts = np.append(first, np.uint32(len(words))) if len(first) < len(words) else first[:0]
    return Sorted(*_halves(kept), order, starts)


def _halves(words: _Words) -> tuple[_Words, _Words]:
    return np.ascontiguousarray(words[:, :2]), np.ascontiguousarray(words[:, 2:])


def shuffled(hashes: NDArray[np.uint8]) -> _Words:
    """Hashes (N, 32) as words (N, 4), their bits in the order of a long index."""
    hashes = np.ascontiguousarray(hashes).view()
    hashes.flags.writeable = False  # so that one compiled loop serves all
    words = np.empty((len(hashes), 4), np.uint64)
    table = bits.shuffle_table()
    if len(hashes) < SCANNED:
        kernels().permute(hashes, table, words)
        return words
    parts = cut(len(hashes), cores())
    at_once(lambda part: kernels().permute(hashes[slice(*part)], table, words[slice(*part)]), parts)
    return words


def _sort_long(hashes: NDArray[np.uint8]) -> Sorted:
    """Compiled, in threads, bits in the order of the index."""
    count, kernel = len(hashes), sorting()
    words = shuffled(hashes)
    parts = cut(count, 2 * cores())
    width = max(8, count.bit_length() - 5)
    buckets = np.zeros(2**width + 1, np.int64)
    keys, order = np.empty(count, np.uint64), np.empty(count, np.uint32)
    kernel.spread(words, width, buckets, keys, order)
    scratch = np.empty(count, np.uint64), np.empty(count, np.uint32)
    edges = np.searchsorted(buckets, [low for low, _ in parts]).tolist()
    edges[0], ends = 0, [*edges[1:], 2**width]
    at_once(
        lambda part: kernel.sort_buckets(words, buckets, *part, keys, order, *scratch),
        zip(edges, ends, strict=True),
    )
    different = at_once(lambda part: kernel.count_different(words, keys, order, *part), parts)
    kept = sum(different)
    heads, rests = np.empty((kept, 2), np.uint64), np.empty((kept, 2), np.uint64)
    starts = np.empty(0 if kept == count else kept + 1, np.uint32)
    before = np.concatenate([[0], np.cumsum(different)]).tolist()
    at_once(
        lambda work: kernel.fold(words, keys, order, *work[0], work[1], heads, rests, starts),
        zip(parts, before[:-1], strict=True),
    )
    if starts.size:
        starts[-1] = count
    return Sorted(heads, rests, order, starts)


def _without_twins(columns: Columns, ordered: Sorted) -> tuple[Columns, Sorted]:
    """Let an identical (id, hash) pair count once, with the labels of all of them."""
    if not ordered.starts.size:
        return columns, ordered
    starts = ordered.starts.astype(np.int64)
    sizes = np.diff(starts)
    shared = np.flatnonzero(sizes > 1)
    group = np.repeat(shared, sizes[shared])
    within = np.arange(len(group)) - np.repeat(
        np.cumsum(sizes[shared]) - sizes[shared], sizes[shared]
    )
    places = starts[group] + within
    rows = ordered.order[places]
    prints = _fingerprints(columns.take(rows))
    by = np.lexsort((rows, prints, group))
    alike = (group[by][1:] == group[by][:-1]) & (prints[by][1:] == prints[by][:-1])
    if not alike.any():
        return columns, ordered
    # Few: only what may be twins is looked at one by one.
    sets = LabelSets(columns.label_sets)
    labels = None if columns.labels is None else columns.labels.copy()
    gone = np.zeros(len(ordered.order), bool)
    first: dict[tuple[int, bytes], int] = {}
    doubtful = np.zeros(len(by), bool)
    doubtful[1:] |= alike
    doubtful[:-1] |= alike
    for at in by[doubtful].tolist():
        row = int(rows[at])
        kept = first.setdefault((int(group[at]), columns.id_bytes(row)), row)
        if kept == row:
            continue
        gone[places[at]] = True
        if labels is not None and labels[kept] != labels[row]:
            both = {*sets[int(labels[kept])], *sets[int(labels[row])]}
            labels[kept] = sets.number(tuple(sorted(both)))
    left = np.flatnonzero(~gone)
    before = np.concatenate([[0], np.cumsum(~gone)])
    starts = before[starts]
    order = ordered.order[left]
    single = len(order) == len(ordered.heads)
    folded = Sorted(
        ordered.heads, ordered.rests, order, starts[:0].astype(np.uint32) if single
        else starts.astype(np.uint32),
    )  # fmt: skip
    return Columns(
        columns.hashes, columns.numbers, columns.text, columns.starts, labels, sets.all()
    ), folded


def _fingerprints(columns: Columns) -> NDArray[np.uint64]:
    """A number for each id: different ones mean different ids."""
    if columns.numbers is not None:
        return columns.numbers.astype(np.uint64)
    return fingerprints_of(columns.text, columns.starts)


def fingerprints_of(text: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """:func:`fingerprint` of each of the strings packed in ``text``."""
    count = len(starts) - 1
    if count < SCANNED:
        packed, edges = text.tobytes(), starts.tolist()
        ids = (packed[low:high] for low, high in itertools.pairwise(edges))
        return np.fromiter(map(fingerprint, ids), np.uint64, count)
    out = np.empty(count, np.uint64)
    sorting().fingerprints(text, starts, out)
    return out


def fingerprint(name: bytes) -> int:
    """FNV-1a, 64 bits, of one id."""
    value = 0xCBF29CE484222325
    for byte in name:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def _id_order(columns: Columns) -> NDArray[np.intp]:
    return np.argsort(_fingerprints(columns), kind="stable")
