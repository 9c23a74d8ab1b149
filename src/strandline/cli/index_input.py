"""What ``strandline index`` is given: lines of a file or of standard input, made into an index."""

import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click
import numpy as np
from numpy.typing import NDArray

from strandline.cli.hash_lines import Block, Numbers, read
from strandline.cli.index_answers import told
from strandline.cli.progress import working
from strandline.matching import Entry, Index
from strandline.matching.columns import Progress

#: Refused lines that are told one by one; a file that is no list at all would fill the screen.
_TOLD = 20


class Lines:
    """The lines of a file, read once; counts what is taken, and remembers what is refused."""

    def __init__(self, stream: BinaryIO, progress: Progress | None, *, strict: bool) -> None:
        self._stream = stream
        self.progress = progress
        self._strict = strict
        self.accepted = 0
        self._refused = 0
        self._told: list[str] = []

    def blocks(self) -> Iterator[Block]:
        """Every block; refuses at the end when nothing is to come of such a file."""
        for block in read(self._stream):
            self.accepted += len(block)
            self._refused += len(block.refused)
            self._told += map(told, block.refused[: _TOLD - len(self._told)])
            if self.progress:
                self.progress("read", self.accepted, None)
            yield block
        if self._refused and not self.accepted:
            raise click.ClickException("No line is a hash; nothing was changed.")
        if self._refused and self._strict:
            raise click.ClickException(f"{self._count()} refused; nothing was changed.")

    def entries(self) -> Iterator[Entry]:
        """Every line as an entry."""
        return itertools.chain.from_iterable(block.entries() for block in self.blocks())

    def tell(self) -> None:
        """Name the refused lines, the first of them at least, on standard error."""
        for sentence in self._told:
            click.echo(sentence, err=True)
        if self._refused > len(self._told):
            click.echo(f"… and {self._refused - len(self._told):,} more.", err=True)

    def left_out(self) -> str:
        """How a closing sentence counts the refused lines."""
        return f" {self._count()} left out." if self._refused else ""

    def _count(self) -> str:
        return "1 line was" if self._refused == 1 else f"{self._refused:,} lines were"


@contextlib.contextmanager
def lines_of(hashes: Path, *, strict: bool) -> Iterator[Lines]:
    """The lines of HASHES; refused ones are told when all is done, below any progress."""
    with opened(hashes) as stream:
        lines = None
        try:
            with working() as progress:
                lines = Lines(stream, progress, strict=strict)
                yield lines
        finally:
            if lines:
                lines.tell()


@contextlib.contextmanager
def opened(hashes: Path) -> Iterator[BinaryIO]:
    """The file, or standard input where the person typed ``-``."""
    if str(hashes) == "-":
        yield sys.stdin.buffer
        return
    with hashes.open("rb") as stream:
        yield stream


def built(lines: Lines, path: Path) -> Index:
    """Index the lines: as one array as long as none of them names an id or a label."""
    raw = bytearray()
    numbers: list[NDArray[np.int64]] = []
    blocks = lines.blocks()
    for block in blocks:
        if not block.plain:
            rest = itertools.chain([block], blocks)
            before = _numbered(raw, Numbers(numbers))
            named = itertools.chain.from_iterable(each.entries() for each in rest)
            return Index.build(itertools.chain(before, named), path, progress=lines.progress)
        raw += block.hashes().data
        numbers.append(block.numbers())
    hashes = np.frombuffer(raw, np.uint8).reshape(-1, 32)
    return Index.build_array(hashes, Numbers(numbers), path, progress=lines.progress)


def _numbered(raw: bytearray, ids: Iterable[str]) -> Iterator[Entry]:
    for row, name in enumerate(ids):
        yield Entry(name, raw[row * 32 : row * 32 + 32].hex())
