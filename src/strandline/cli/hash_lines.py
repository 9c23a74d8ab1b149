"""Files of hashes, as the commands of ``strandline index`` read them: one hash to a line.

A line is 64 hex digits, and may go on with a tab and an id, and a tab and labels with commas
between. Empty lines, and lines that begin with ``#``, stand for nothing. Lines end in ``\\n`` or
``\\r\\n``; hex digits may be upper case. A line that holds anything else is refused by its number,
and the lines around it are read.

A list may have hundreds of millions of lines: they are read in blocks, and a block whose lines are
bare hashes is turned into bytes at once.
"""

import binascii
import contextlib
import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from strandline.matching import Entry, Refused

_DIGITS = 64
_HASH = re.compile(rb"[0-9a-fA-F]{64}")
#: A line as most are, after which a block need not be read line by line.
_USUAL = re.compile(
    rb"^([0-9a-fA-F]{64})(?:\t([^\t\r\n]{0,30000})(?:\t([^\t\r\n]{0,30000}))?)?\r?$",
    re.MULTILINE,
)
#: Bytes read at once: some 16,000 lines, so that what comes with them stays in the cache.
_PIECE = 1 << 20
#: A line longer than this is not waited for: whatever it is, it is no hash with id and labels.
_LONGEST = 1 << 16
#: Line numbers made into text at once.
_AT_ONCE = 1 << 16
#: A byte order mark, as some editors leave it.
_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line that holds a hash."""

    number: int
    #: As it was written: upper case stays.
    hash: str
    #: The number as text where the line has none.
    id: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Lines that follow one another, in order; those that stand for nothing left out."""

    #: Number of the first line.
    first: int
    lines: Sequence[Line] = ()
    refused: Sequence[Refused] = ()
    #: The hex digits, uint8 (N, 64), when the block is N bare hashes; ``lines`` is empty then.
    digits: NDArray[np.uint8] | None = None
    #: The hashes they are, uint8 (N, 32).
    bare: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.lines) if self.bare is None else len(self.bare)

    def __iter__(self) -> Iterator[Line]:
        if self.digits is None:
            yield from self.lines
            return
        text = self.digits.tobytes().decode("ascii")
        for row in range(len(self)):
            number = self.first + row
            yield Line(number, text[row * _DIGITS : (row + 1) * _DIGITS], str(number), ())

    def items(self) -> Iterator[Line | Refused]:
        """Every line, the refused ones among the others, in order."""
        return heapq.merge(self, self.refused, key=lambda item: item.number)

    def entries(self) -> Iterator[Entry]:
        """Each line as an entry."""
        return (Entry(line.id, line.hash, line.labels) for line in self)

    @property
    def plain(self) -> bool:
        """Whether no line names an id of its own, or a label."""
        return self.bare is not None or all(
            line.id == str(line.number) and not line.labels for line in self.lines
        )

    def hashes(self) -> NDArray[np.uint8]:
        """Each line's hash: uint8 (N, 32)."""
        if self.bare is not None:
            return self.bare
        raw = bytes.fromhex("".join(line.hash for line in self.lines))
        return np.frombuffer(raw, np.uint8).reshape(-1, 32)

    def numbers(self) -> NDArray[np.int64]:
        """Each line's number."""
        if self.bare is not None:
            return np.arange(self.first, self.first + len(self.bare))
        return np.array([line.number for line in self.lines], np.int64)


def read(stream: BinaryIO) -> Iterator[Block]:
    """Read a file of hashes, a block at a time, as it comes: a pipe's writer is not waited for."""
    number, rest, endless = 1, b"", False
    for piece in _pieces(stream):
        text = rest + piece
        ends = text.rfind(b"\n") + 1
        whole, rest = text[:ends], text[ends:]
        if whole and endless:
            # The end of a line that was refused already.
            whole = whole[whole.index(b"\n") + 1 :]
            number, endless = number + 1, False
        if whole:
            yield _block(whole, number)
            number += whole.count(b"\n")
        if len(rest) > _LONGEST:
            if not endless:
                yield Block(number, (), [_refused(number, rest, "is too long")])
            rest, endless = b"", True
    if rest and not endless:
        yield _block(rest, number)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    read_some: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    while piece := read_some(_PIECE):
        yield piece


def _block(text: bytes, first: int) -> Block:
    """The lines of a text; bare ones are seen by where their line ends are."""
    if first == 1:
        text = text.removeprefix(_MARK)
    for end in (b"\n", b"\r\n"):
        width = _DIGITS + len(end)
        if len(text) % width == 0 and text.endswith(end):
            rows = np.frombuffer(text, np.uint8).reshape(-1, width)
            if (rows[:, _DIGITS:] == np.frombuffer(end, np.uint8)).all():
                digits = np.ascontiguousarray(rows[:, :_DIGITS])
                try:
                    raw = binascii.unhexlify(digits.data)
                except binascii.Error:
                    break
                return Block(
                    first, digits=digits, bare=np.frombuffer(raw, np.uint8).reshape(-1, 32)
                )
    text = text.removesuffix(b"\n")
    usual = _USUAL.findall(text)
    if len(usual) == text.count(b"\n") + 1:
        with contextlib.suppress(UnicodeDecodeError):
            return Block(first, [_parsed(number, each) for number, each in enumerate(usual, first)])
    lines, refused = [], []
    for number, raw_line in enumerate(text.split(b"\n"), first):
        found = _line(raw_line, number)
        if isinstance(found, Line):
            lines.append(found)
        elif found is not None:
            refused.append(found)
    return Block(first, lines, refused)


def _line(raw: bytes, number: int) -> Line | Refused | None:
    """One line; None when it stands for nothing."""
    raw = raw.removesuffix(b"\r")
    if len(raw) > _LONGEST:
        return _refused(number, raw, "is too long")
    if not raw.strip() or raw.startswith(b"#"):
        return None
    digits, *more = raw.split(b"\t")
    digits = digits.strip()
    if not _HASH.fullmatch(digits):
        return _refused(number, raw, "does not begin with a hash of 64 hex digits")
    if len(more) > 2:
        return _refused(number, raw, "has more than hash, id and labels")
    try:
        return _parsed(number, (digits, *more, b"", b""))
    except UnicodeDecodeError:
        return _refused(number, raw, "is not UTF-8")


def _parsed(number: int, columns: Sequence[bytes]) -> Line:
    """Hash, id and labels, either of which may be empty; raises UnicodeDecodeError."""
    name = columns[1].decode().strip()
    labels: tuple[str, ...] = ()
    if columns[2]:
        each = map(str.strip, columns[2].decode().split(","))
        labels = tuple(label for label in each if label)
    return Line(number, columns[0].decode(), name or str(number), labels)


def _refused(number: int, raw: bytes, reason: str) -> Refused:
    return Refused(number, raw[:80].decode("utf-8", "replace"), f"The line {reason}.")


class Numbers(Sequence[str]):
    """Line numbers as the ids of lines that name none, made only when they are asked for."""

    def __init__(self, numbers: Iterable[NDArray[np.int64]]) -> None:
        self._numbers = np.concatenate([np.zeros(0, np.int64), *numbers])

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        for low in range(0, len(self), _AT_ONCE):
            yield from map(str, self._numbers[low : low + _AT_ONCE].tolist())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "Numbers": ...
    def __getitem__(self, place: int | slice) -> "str | Numbers":
        if isinstance(place, slice):
            return Numbers([self._numbers[place]])
        return str(self._numbers[place])
