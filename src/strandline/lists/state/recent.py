"""Entries that changed since the arrays of a store were written: few, in memory, found at once.

On disk they are batches, one for each call that changed something; see :func:`pack`.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from strandline.errors import ListRefused
from strandline.hashing import MIN_QUALITY
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.events import WIDTHS
from strandline.lists.state.hits import EXACT
from strandline.lists.state.table import FRAME, LIVE, Row, Words
from strandline.matching import Index, Match

#: Number, sequence, edition, class, pipeline, kind, state, quality, columns as bits, frames.
_ROW = struct.Struct("<QQIHHBBBBI")
_LENGTH = struct.Struct("<I")
_COLUMNS = tuple(WIDTHS)


@dataclass(frozen=True)
class Batch:
    """What one call changed, and where that brought the list."""

    edition: int
    #: Highest sequence number applied.
    sequence: int
    #: All classes and pipelines that rows name.
    words: Words
    #: As they are from now on; one of state 0 is withdrawn.
    rows: Sequence[Row]


def pack(batch: Batch) -> bytes:
    """One batch as bytes: the length of a line of JSON, the line, then the rows."""
    said = {
        "edition": batch.edition,
        "sequence": batch.sequence,
        "classes": [each.name for each in batch.words.classes],
        "pipelines": batch.words.pipelines,
        "rows": len(batch.rows),
    }
    head = json.dumps(said, separators=(",", ":")).encode()
    body = b"".join(map(_packed, batch.rows))
    return _LENGTH.pack(len(head)) + _LENGTH.pack(len(body)) + head + body


def unpack(data: bytes) -> Iterator[Batch]:
    """Read batches that lie one after the other; ListRefused when they are not as written."""
    at = 0
    try:
        while at < len(data):
            head, body = (_LENGTH.unpack_from(data, at + skip)[0] for skip in (0, 4))
            start = at + 8 + head
            yield _read(json.loads(data[at + 8 : start]), data[start : start + body])
            at = start + body
    except (struct.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise ListRefused("The recent changes of a store are not as they were written.") from error


def _read(said: dict[str, Any], body: bytes) -> Batch:
    rows = list(_rows(body))
    if len(rows) != said["rows"]:
        raise ValueError("cut short")
    words = Words([EntryClass.parse(each) for each in said["classes"]], said["pipelines"])
    return Batch(said["edition"], said["sequence"], words, rows)


def _packed(row: Row) -> bytes:
    bits = sum(1 << place for place, column in enumerate(_COLUMNS) if column in row.values)
    frames = len(row.frames) // FRAME.itemsize
    head = _ROW.pack(
        row.number,
        row.sequence,
        row.edition,
        row.entry_class,
        row.pipeline,
        row.kind,
        row.state,
        row.quality,
        bits,
        frames,
    )
    values = [row.values[column] for column in _COLUMNS if column in row.values]
    return b"".join((head, *values, row.frames))


def _rows(data: bytes) -> Iterator[Row]:
    at = 0
    while at < len(data):
        *scalars, bits, frames = _ROW.unpack_from(data, at)
        at += _ROW.size
        values = {}
        for place, column in enumerate(_COLUMNS):
            if bits >> place & 1:
                values[column] = data[at : at + WIDTHS[column]]
                at += WIDTHS[column]
        end = at + frames * FRAME.itemsize
        number, sequence, edition, entry_class, pipeline, kind, state, quality = scalars
        yield Row(
            number,
            sequence,
            edition,
            entry_class,
            pipeline,
            kind,
            state,
            quality,
            values,
            data[at:end],
        )
        at = end


@dataclass
class Recent:
    """The changed entries. Whoever uses it holds the store's lock."""

    #: By number. They hide what the arrays say of the same entry.
    rows: dict[int, Row] = field(default_factory=dict)
    _digests: dict[Column, defaultdict[bytes, set[int]]] = field(
        default_factory=lambda: {column: defaultdict(set) for column in EXACT}
    )
    _pictures: Index = field(default_factory=lambda: Index.build([]))
    _frames: Index = field(default_factory=lambda: Index.build([]))

    def __len__(self) -> int:
        return len(self.rows)

    def put(self, rows: Iterable[Row]) -> None:
        """Let these be what is known of their entries."""
        pictures, frames = [], []
        for row in rows:
            self._forget(row.number)
            self.rows[row.number] = row
            if row.state != LIVE:
                continue
            for column in EXACT:
                if column in row.values:
                    self._digests[column][row.values[column]].add(row.number)
            if Column.PDQ in row.values and row.quality >= MIN_QUALITY:
                pictures.append((str(row.number), row.values[Column.PDQ].hex()))
            for place, each in enumerate(np.frombuffer(row.frames, FRAME)):
                if each["quality"] >= MIN_QUALITY:
                    frames.append((f"{row.number}:{place}", each["pdq"].tobytes().hex()))
        if pictures:
            self._pictures.add(pictures)
        if frames:
            self._frames.add(frames)

    def _forget(self, number: int) -> None:
        """Take an entry's digests out; what the indexes still say of it is not believed."""
        row = self.rows.pop(number, None)
        if row is None:
            return
        for column in EXACT:
            if column in row.values:
                self._digests[column][row.values[column]].discard(number)

    def with_digest(self, column: Column, digest: bytes) -> list[Row]:
        """Live entries that have it."""
        return [self.rows[number] for number in self._digests[column].get(digest, ())]

    def near(self, hashes: Sequence[str], radius: int) -> list[list[tuple[Row, int]]]:
        """For each hash the live pictures within the radius, with their distances."""
        return [
            [
                (row, match.distance)
                for match in matches
                if (row := self._living(match.id))
                and row.quality >= MIN_QUALITY
                and row.values.get(Column.PDQ) == bytes.fromhex(match.hash)
            ]
            for matches in self._asked(self._pictures, hashes, radius)
        ]

    def near_frames(self, hashes: Sequence[str], radius: int) -> list[list[tuple[Row, int, int]]]:
        """For each hash the frames within the radius: film, which frame, and distance."""
        answers = []
        for matches in self._asked(self._frames, hashes, radius):
            found = []
            for match in matches:
                name, _, place = match.id.partition(":")
                row = self._living(name)
                if row and _frame(row, int(place)) == match.hash:
                    found.append((row, int(place), match.distance))
            answers.append(found)
        return answers

    def _asked(self, index: Index, hashes: Sequence[str], radius: int) -> list[list[Match]]:
        if not hashes or not len(index):
            return [[] for _ in hashes]
        return index.query_many(hashes, radius, threads=1)

    def _living(self, name: str) -> Row | None:
        row = self.rows.get(int(name))
        return row if row and row.state == LIVE else None


def _frame(row: Row, place: int) -> str | None:
    frames: Any = np.frombuffer(row.frames, FRAME)
    return frames[place]["pdq"].tobytes().hex() if place < len(frames) else None
