"""Entries side by side, one array for each thing known of them: in memory, or mapped from files.

A value that not every entry has lies packed, beside the rising numbers of the rows that have it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.events import WIDTHS, Fingerprints, Frame, Kind

LIVE, QUARANTINED = 1, 2
KINDS = (Kind.IMAGE, Kind.VIDEO)
FRAME = np.dtype([("ms", "<u4"), ("quality", "u1"), ("pdq", "u1", 32)])
#: What is known of every entry, and how it is stored.
SCALARS: Mapping[str, Any] = {
    "number": "<u8",
    "sequence": "<u8",
    "edition": "<u4",
    "entry_class": "<u2",
    "pipeline": "<u2",
    "kind": "u1",
    "state": "u1",
    "quality": "u1",
}
Rows = NDArray[np.int64]
#: Values put in their new order at once.
_PIECE = 1 << 20


@dataclass
class Words:
    """The classes and pipelines that rows name by their places here. They are only ever added."""

    classes: list[EntryClass] = field(default_factory=list)
    pipelines: list[str] = field(default_factory=list)

    def class_place(self, entry_class: EntryClass) -> int:
        """Where this class is, now at the latest."""
        if entry_class not in self.classes:
            self.classes.append(entry_class)
        return self.classes.index(entry_class)

    def pipeline_place(self, pipeline: str) -> int:
        """Where this pipeline is, now at the latest."""
        if pipeline not in self.pipelines:
            self.pipelines.append(pipeline)
        return self.pipelines.index(pipeline)

    def copy(self) -> "Words":
        """A copy that may be added to."""
        return Words(list(self.classes), list(self.pipelines))


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored."""

    number: int
    sequence: int
    edition: int
    entry_class: int
    pipeline: int
    kind: int
    #: LIVE, QUARANTINED, or 0 when it was withdrawn.
    state: int
    quality: int
    values: Mapping[Column, bytes]
    #: Records of ``FRAME``, one after the other.
    frames: bytes

    def fingerprints(self) -> Fingerprints | None:
        """What identifies the entry; None where none of it is among the columns that are held."""
        if not self.values and not self.frames:
            return None
        return Fingerprints(
            **{column.value: value.hex() for column, value in self.values.items()},
            quality=self.quality,
            video=tuple(
                Frame(int(each["ms"]), int(each["quality"]), each["pdq"].tobytes().hex())
                for each in np.frombuffer(self.frames, FRAME)
            ),
        )


def table_of(rows: Sequence[Row]) -> "Table":
    """A table of these rows, which are in rising order of their numbers."""
    arrays: dict[str, NDArray[Any]] = {
        name: np.array([getattr(row, name) for row in rows], kind) for name, kind in SCALARS.items()
    }
    for column, width in WIDTHS.items():
        told = [(at, row.values[column]) for at, row in enumerate(rows) if column in row.values]
        arrays[f"{column}.rows"] = np.array([at for at, _ in told], np.uint32)
        data = np.frombuffer(b"".join(value for _, value in told), np.uint8)
        arrays[f"{column}.data"] = data.reshape(-1, width)
    films = [(at, row.frames) for at, row in enumerate(rows) if row.frames]
    arrays["video.rows"] = np.array([at for at, _ in films], np.uint32)
    starts = np.cumsum([0, *(len(frames) // FRAME.itemsize for _, frames in films)])
    arrays["video.starts"] = starts.astype(np.int64)
    arrays["video.frames"] = np.frombuffer(b"".join(frames for _, frames in films), FRAME)
    return Table(arrays)


class Table:
    """Rows in rising order of their numbers; see :data:`SCALARS` and :meth:`names`."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays["number"])

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        return cls(dict(merged([])))

    @staticmethod
    def names() -> Iterator[str]:
        """The names of all arrays, in the order in which they are written."""
        yield from SCALARS
        for column in WIDTHS:
            yield f"{column}.rows"
            yield f"{column}.data"
        yield from ("video.rows", "video.starts", "video.frames")

    def scalar(self, name: str) -> NDArray[Any]:
        """One thing known of every row."""
        return self.arrays[name]

    def values(self, column: Column) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """The rows that have a value in ``column``, rising, and their values (k, width)."""
        return self.arrays[f"{column}.rows"], self.arrays[f"{column}.data"]

    def find(self, numbers: NDArray[np.uint64]) -> Rows:
        """The rows of these entries; -1 for one that is not there."""
        held = self.scalar("number")
        if not len(held):
            return np.full(len(numbers), -1, np.int64)
        places = np.searchsorted(held, numbers)
        inside = np.minimum(places, len(held) - 1)
        return np.where(held[inside] == numbers, inside, -1).astype(np.int64)

    def row(self, place: int) -> Row:
        """One row, whole."""
        return self.part(place, WIDTHS, frames=True)

    def part(self, place: int, columns: Iterable[Column], *, frames: bool) -> Row:
        """One row with no more of its values than are wanted: each is a search of its own."""
        values = {}
        for column in columns:
            rows, data = self.values(column)
            at = _place(rows, place)
            if at is not None:
                values[column] = data[at].tobytes()
        shown = b""
        at = _place(self.arrays["video.rows"], place) if frames else None
        if at is not None:
            low, high = self.arrays["video.starts"][at : at + 2]
            shown = self.arrays["video.frames"][low:high].tobytes()
        scalars = {name: self.arrays[name].item(place) for name in SCALARS}
        return Row(**scalars, values=values, frames=shown)


@dataclass(frozen=True)
class Part:
    """Some rows of a table; a scalar named in ``instead`` takes the place of the table's."""

    table: Table
    rows: Rows
    instead: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def scalar(self, name: str) -> NDArray[Any]:
        """The values of these rows."""
        if name in self.instead:
            return self.instead[name]
        return self.table.scalar(name)[self.rows]

    def packed(self, rows: NDArray[np.uint32]) -> tuple[Rows, Rows]:
        """Of values at rising ``rows``: which are wanted, and of which of this part's rows."""
        if not rows.size or not self.rows.size:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        places = np.searchsorted(rows, self.rows)
        inside = np.minimum(places, rows.size - 1)
        wanted = np.flatnonzero(rows[inside] == self.rows)
        return inside[wanted], wanted


def merged(parts: Sequence[Part]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield, by name, the arrays of one table with the rows of all parts, by number.

    No number may be in two parts. One array is in memory at a time.
    """
    numbers = _joined([part.scalar("number") for part in parts], SCALARS["number"])
    order = np.argsort(numbers, kind="stable")
    #: For each row of the parts, one after the other, its row in the new table.
    target = np.empty(order.size, np.int64)
    target[order] = np.arange(order.size)
    firsts = np.cumsum([0, *(part.rows.size for part in parts)])
    yield "number", numbers[order]
    for name, kind in SCALARS.items():
        if name != "number":
            yield name, _joined([part.scalar(name) for part in parts], kind)[order]
    for column, width in WIDTHS.items():
        picked = [part.packed(part.table.arrays[f"{column}.rows"]) for part in parts]
        rows, turn = _new_rows(picked, target, firsts)
        yield f"{column}.rows", rows
        data = [part.table.arrays[f"{column}.data"] for part in parts]
        yield f"{column}.data", _taken(data, [which for which, _ in picked], turn, width)
    yield from _films(parts, target, firsts)


def _taken(
    data: Sequence[NDArray[Any]], which: Sequence[Rows], turn: Rows, width: int
) -> NDArray[Any]:
    """Chosen values of several arrays, one after the other and then in another order.

    No more is in memory than what comes of it: of millions of values that is what counts.
    """
    firsts = np.cumsum([0, *(each.size for each in which)])
    values = np.empty((turn.size, width), np.uint8)
    for low in range(0, turn.size, _PIECE):
        piece = turn[low : low + _PIECE]
        for array, chosen, first in zip(data, which, firsts.tolist(), strict=False):
            own = np.flatnonzero((piece >= first) & (piece < first + chosen.size))
            values[low + own] = array[chosen[piece[own] - first]]
    return values


def _films(parts: Sequence[Part], target: Rows, firsts: Rows) -> Iterator[tuple[str, NDArray[Any]]]:
    picked = [part.packed(part.table.arrays["video.rows"]) for part in parts]
    rows, turn = _new_rows(picked, target, firsts)
    yield "video.rows", rows
    lengths, frames = [], []
    for part, (which, _) in zip(parts, picked, strict=True):
        starts = part.table.arrays["video.starts"]
        spans = starts[which], starts[which + 1]
        lengths.append(spans[1] - spans[0])
        frames.append(part.table.arrays["video.frames"][_ranges(*spans)])
    length = _joined(lengths, "<i8")
    ends = np.cumsum(length)
    starts = np.zeros(length.size + 1, np.int64)
    np.cumsum(length[turn], out=starts[1:])
    yield "video.starts", starts
    yield "video.frames", _joined(frames, FRAME)[_ranges((ends - length)[turn], ends[turn])]


def _new_rows(
    picked: Sequence[tuple[Rows, Rows]], target: Rows, firsts: Rows
) -> tuple[NDArray[np.uint32], Rows]:
    """The new rows of packed values, rising, and in which order that puts them."""
    rows = _joined([target[firsts[k] + own] for k, (_, own) in enumerate(picked)], "<i8")
    turn = np.argsort(rows, kind="stable")
    return rows[turn].astype(np.uint32), turn


def _ranges(starts: Rows, ends: Rows) -> Rows:
    """Every place from each start to its end."""
    lengths = ends - starts
    shift = starts - (np.cumsum(lengths) - lengths)
    places: Rows = np.arange(int(lengths.sum()), dtype=np.int64)
    places += np.repeat(shift, lengths)
    return places


def _joined(arrays: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:  # noqa: ANN401 - whatever numpy takes for a dtype
    return np.concatenate([np.zeros(0, kind), *arrays]).astype(kind, copy=False)


def _place(rows: NDArray[np.uint32], row: int) -> int | None:
    at = int(np.searchsorted(rows, np.uint32(row)))  # of one dtype: no copy of all
    return at if at < len(rows) and rows[at] == row else None
