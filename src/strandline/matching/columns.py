"""Entries on their way into an index, packed in columns: 10M of them are not 10M objects."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from strandline.matching.entries import Refused, checked_entry

#: Told what is being done, how many are done, and of how many (None while that is unknown).
Progress = Callable[[str, int, int | None], None]

#: Items read between two calls of ``progress``.
_EVERY = 1 << 16
#: Ids that are plain decimals below this are kept as numbers.
_NUMBERS = 2**32


@dataclass(frozen=True)
class Columns:
    """Entries, one a row. Ids are ``numbers``, or else ``text`` cut at ``starts``."""

    #: uint8 (N, 32)
    hashes: NDArray[np.uint8]
    numbers: NDArray[np.uint32] | None
    #: UTF-8 of all ids, one after the other; int64 (N + 1) offsets into it.
    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    #: Which of the label sets each row has; None when no row has labels. Set 0 is empty.
    labels: NDArray[np.uint32] | None
    label_sets: tuple[tuple[str, ...], ...] = ((),)

    def __len__(self) -> int:
        return len(self.hashes)

    def id_bytes(self, row: int) -> bytes:
        """The id of a row, as UTF-8."""
        if self.numbers is not None:
            return b"%d" % self.numbers[row]
        return self.text[self.starts[row] : self.starts[row + 1]].tobytes()

    def take(self, rows: NDArray[Any]) -> Self:
        """These rows, in this order; ids and labels alone (the hashes are left out)."""
        labels = None if self.labels is None else self.labels[rows]
        none = np.zeros((0, 32), np.uint8)
        if self.numbers is not None:
            return replace(self, hashes=none, numbers=self.numbers[rows], labels=labels)
        text, starts = gather(self.text, self.starts, rows)
        return replace(self, hashes=none, text=text, starts=starts, labels=labels)


def gather(
    text: NDArray[np.uint8], starts: NDArray[Any], rows: NDArray[Any]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pack the strings of ``rows`` one after the other; returns them and their offsets."""
    first = starts[rows].astype(np.int64)
    lengths = starts[rows.astype(np.int64) + 1].astype(np.int64) - first
    ends = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    out = np.empty(int(ends[-1]), np.uint8)
    step = 1 << 20  # rows at a time: the positions below take 8 bytes for each character
    for low in range(0, len(rows), step):
        high = min(low + step, len(rows))
        shift = np.repeat(first[low:high] - ends[low:high], lengths[low:high])
        out[ends[low] : ends[high]] = text[np.arange(ends[low], ends[high]) + shift]
    return out, ends


class LabelSets:
    """Numbers the different sets of labels; most lists have few."""

    def __init__(self, known: Iterable[tuple[str, ...]] = ((),)) -> None:
        self._sets = list(known)
        self._numbers = {labels: number for number, labels in enumerate(self._sets)}

    def __getitem__(self, number: int) -> tuple[str, ...]:
        return self._sets[number]

    def number(self, labels: tuple[str, ...]) -> int:
        """The number of a sorted tuple of labels."""
        number = self._numbers.setdefault(labels, len(self._sets))
        if number == len(self._sets):
            self._sets.append(labels)
        return number

    def all(self) -> tuple[tuple[str, ...], ...]:
        """The sets in the order of their numbers."""
        return tuple(self._sets)


def number_of(text: str) -> int | None:
    """The number that an id is kept as; None when it is no plain decimal below 2^32."""
    # The length first: Python refuses to read thousands of digits.
    if len(text) > 10 or not (text.isascii() and text.isdecimal()):
        return None
    number = int(text)
    return number if number < _NUMBERS and (text[0] != "0" or text == "0") else None


class Packing:
    """Takes entries one by one and gives :class:`Columns`."""

    def __init__(self) -> None:
        self._hashes = bytearray()
        self._text = bytearray()
        self._ends = array("q", [0])
        self._numbers: array[int] | None = array("I")
        self._labels: array[int] | None = None
        self._sets = LabelSets()

    def add(self, name: str, raw: bytes, labels: tuple[str, ...]) -> None:
        """Add one entry, already checked."""
        count = len(self._ends) - 1
        self._hashes += raw
        self._text += name.encode()
        self._ends.append(len(self._text))
        if self._numbers is not None:
            if (number := number_of(name)) is None:
                self._numbers = None
            else:
                self._numbers.append(number)
        if labels and self._labels is None:
            self._labels = array("I", bytes(4 * count))
        if self._labels is not None:
            self._labels.append(self._sets.number(labels))

    def columns(self) -> Columns:
        """What was added."""
        numbers = None if self._numbers is None else np.frombuffer(self._numbers, np.uint32)
        return Columns(
            np.frombuffer(self._hashes, np.uint8).reshape(-1, 32),
            numbers,
            np.frombuffer(self._text, np.uint8),
            np.frombuffer(self._ends, np.int64),
            None if self._labels is None else np.frombuffer(self._labels, np.uint32),
            self._sets.all(),
        )


def read(items: Iterable[Any], progress: Progress | None) -> tuple[Columns, tuple[Refused, ...]]:
    """Pack (id, hash[, labels]) items; what is not one is left out and told."""
    packing = Packing()
    refused = []
    for number, item in enumerate(items, 1):
        try:
            packing.add(*checked_entry(item))
        except ValueError as error:
            refused.append(Refused(number, _said(item), str(error)))
        if progress and number % _EVERY == 0:
            progress("reading", number, None)
    return packing.columns(), tuple(refused)


def _said(item: object) -> str:
    text = item[1] if isinstance(item, tuple) and len(item) > 1 else item
    return str(text)[:80]


def from_arrays(hashes: NDArray[np.uint8], ids: Sequence[str] | None) -> Columns:
    """Rows of an array (N, 32), with their row numbers as ids when there are no others.

    Raises:
        ValueError: another shape or dtype, or another number of ids.
    """
    if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != 32:
        raise ValueError("hashes are rows of 32 bytes: a uint8 array of shape (N, 32)")
    nothing, start = np.zeros(0, np.uint8), np.zeros(1, np.int64)
    if ids is None:
        return Columns(hashes, np.arange(len(hashes), dtype=np.uint32), nothing, start, None)
    if len(ids) != len(hashes):
        raise ValueError(f"there are {len(hashes)} hashes and {len(ids)} ids")
    if all(number_of(name) is not None for name in ids):
        numbers = np.fromiter(map(int, ids), np.uint32, len(ids))
        return Columns(hashes, numbers, nothing, start, None)
    encoded = [name.encode() for name in ids]
    starts = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(ids)), out=starts[1:])
    return Columns(hashes, None, np.frombuffer(b"".join(encoded), np.uint8), starts, None)


def joined(first: Columns, second: Columns) -> Columns:
    """The rows of one after those of the other."""
    numbers = None
    text, starts = first.text, first.starts
    if first.numbers is not None and second.numbers is not None:
        numbers = np.concatenate([first.numbers, second.numbers])
    else:
        (text, starts), (more, ends) = _as_text(first), _as_text(second)
        starts = np.concatenate([starts, ends[1:] + starts[-1]])
        text = np.concatenate([text, more])
    labels = None
    sets = LabelSets(first.label_sets)
    if first.labels is not None or second.labels is not None:
        renumbered = np.array([sets.number(each) for each in second.label_sets], np.uint32)
        labels = np.concatenate([_labels(first), renumbered[_labels(second)]])
    hashes = np.concatenate([first.hashes, second.hashes])
    return Columns(hashes, numbers, text, starts, labels, sets.all())


def _labels(columns: Columns) -> NDArray[np.uint32]:
    return np.zeros(len(columns), np.uint32) if columns.labels is None else columns.labels


def _as_text(columns: Columns) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if columns.numbers is None:
        return columns.text, columns.starts
    digits = columns.numbers.astype("S10")
    characters = digits.view(np.uint8).reshape(len(digits), 10)
    starts = np.zeros(len(digits) + 1, np.int64)
    np.cumsum((characters != 0).sum(axis=1), out=starts[1:])
    return characters[characters != 0], starts
