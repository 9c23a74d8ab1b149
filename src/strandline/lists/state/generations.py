"""The arrays of a store: written once, mapped, asked by binary search, and never changed.

A folder holds ``header`` (one line of JSON: words, where each array lies, and size and SHA-256 of
every other file), ``arrays`` (those of :class:`Table` and sorted keys of the exact digests, one
after the other), and two index files of ``strandline.matching``: pictures, and frames of films.
Only live entries are in the indexes.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from strandline.errors import IndexDamaged, ListRefused
from strandline.hashing import MIN_QUALITY
from strandline.lists import disk
from strandline.lists.denied import denied
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.events import WIDTHS
from strandline.lists.state.hits import EXACT
from strandline.lists.state.table import FRAME, LIVE, SCALARS, Part, Table, Words, merged
from strandline.matching import Index

HEADER = "header"
_ARRAYS = "arrays"
_INDEXES = ("pictures.index", "frames.index")
#: All files of a generation.
FILES = frozenset({HEADER, _ARRAYS, *_INDEXES})
_KEY = np.dtype(">u8")


@dataclass(frozen=True)
class Header:
    """What a generation holds."""

    words: Words
    #: By name: where an array begins among the arrays, and its bytes.
    places: dict[str, tuple[int, int]]
    #: By name: bytes and SHA-256, in hex.
    files: dict[str, tuple[int, str]]

    def encode(self) -> bytes:
        """The content of the header file."""
        said = {
            "classes": [each.name for each in self.words.classes],
            "pipelines": self.words.pipelines,
            "places": self.places,
            "files": self.files,
        }
        return (json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n").encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a header whose digest was checked."""
        said = json.loads(data)
        words = Words([EntryClass.parse(name) for name in said["classes"]], said["pipelines"])
        places = {name: (start, size) for name, (start, size) in said["places"].items()}
        files = {name: (size, digest) for name, (size, digest) in said["files"].items()}
        return cls(words, places, files)


def write(directory: Path, parts: Sequence[Part], words: Words) -> str:
    """Write a generation with the rows of all parts into a new folder; returns its digest.

    One array at a time is in memory. Raises OSError when it cannot be written.
    """
    directory.mkdir(mode=0o750)
    path = directory / _ARRAYS
    with disk.ArrayFile(path) as file:
        for name, array in merged(parts):
            file.write(name, array)
        file.flush()
        data = _bytes_of(path)
        written = Table({name: _placed(data, name, file.places[name]) for name in Table.names()})
        for column in EXACT:
            for name, array in _keys(written, column):
                file.write(name, array)
        for name, array in _indexed(written, directory):
            file.write(name, array)
    files = {_ARRAYS: (file.size, file.digest)}
    for name in _INDEXES:
        files[name] = _measured(directory / name)
    header = Header(words, file.places, files).encode()
    disk.write_new(directory / HEADER, header)
    disk.flush_folder(directory)
    return hashlib.sha256(header).hexdigest()


def _keys(table: Table, column: Column) -> Iterator[tuple[str, NDArray[Any]]]:
    """Beginnings of the digests, sorted, and whose they are."""
    _, data = table.values(column)
    keys = np.ascontiguousarray(data[:, :8]).view(_KEY).reshape(-1).astype(np.uint64)
    order = np.argsort(keys, kind="stable")
    yield f"{column}.keys", keys[order]
    yield f"{column}.order", order.astype(np.uint32)


def _indexed(table: Table, directory: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Build the two indexes; the places they name, and what these stand for."""
    live = np.asarray(table.scalar("state")) == LIVE
    rows, data = table.values(Column.PDQ)
    good = np.flatnonzero(live[rows] & (table.scalar("quality")[rows] >= MIN_QUALITY))
    Index.build_array(np.asarray(data[good]), None, directory / _INDEXES[0]).close()
    yield "pictures.rows", np.asarray(rows[good], np.uint32)
    frames = table.arrays["video.frames"]
    films = np.repeat(
        np.arange(len(table.arrays["video.rows"]), dtype=np.uint32),
        np.diff(table.arrays["video.starts"]),
    )
    kept = np.flatnonzero(
        (frames["quality"] >= MIN_QUALITY) & live[table.arrays["video.rows"]][films]
    )
    Index.build_array(
        np.ascontiguousarray(frames["pdq"][kept]), None, directory / _INDEXES[1]
    ).close()
    yield "frames.places", kept.astype(np.uint32)
    yield "frames.films", films[kept]


class Generation:
    """A generation that is open to be read. Safe to share between threads."""

    def __init__(self, directory: Path, digest: str) -> None:
        """Open it; raises ListRefused when its header is not as it was written."""
        self.directory = directory
        try:
            data = (directory / HEADER).read_bytes()
        except OSError as error:
            raise _unread(directory / HEADER, error) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise _damaged(directory / HEADER)
        self.header = Header.decode(data)
        self.words = self.header.words
        self._data = self._mapped()
        self.table = Table({name: self._array(name) for name in Table.names()})
        self._keys = {
            column: (self._array(f"{column}.keys"), self._array(f"{column}.order"))
            for column in EXACT
        }
        try:
            self._pictures, self._frames = (Index.open(directory / name) for name in _INDEXES)
        except (OSError, IndexDamaged) as error:
            raise _unread(directory, error) from error
        self._picture_rows = self._array("pictures.rows")
        self._frame_places = self._array("frames.places")
        self._frame_films = self._array("frames.films")

    def _array(self, name: str) -> NDArray[Any]:
        try:
            return _placed(self._data, name, self.header.places[name])
        except KeyError as error:
            raise _damaged(self.directory / HEADER) from error

    def _mapped(self) -> NDArray[np.uint8]:
        path = self.directory / _ARRAYS
        try:
            if path.stat().st_size != self.header.files[_ARRAYS][0]:
                raise _damaged(path)
            return _bytes_of(path)
        except (OSError, KeyError) as error:
            raise _unread(path, error) from error

    def with_digests(self, column: Column, digests: Sequence[bytes]) -> list[list[int]]:
        """For each digest the rows of live entries that have it."""
        keys, order = self._keys[column]
        rows, data = self.table.values(column)
        wanted = np.frombuffer(b"".join(digest[:8] for digest in digests), _KEY).astype(np.uint64)
        lows = np.searchsorted(keys, wanted).tolist()
        highs = np.searchsorted(keys, wanted, side="right").tolist()
        answers = []
        for digest, low, high in zip(digests, lows, highs, strict=True):
            places = [int(order[at]) for at in range(low, high)]
            found = [int(rows[place]) for place in places if data[place].tobytes() == digest]
            answers.append([row for row in found if self._state[row] == LIVE])
        return answers

    def near(
        self, hashes: Sequence[str], radius: int, threads: int | None
    ) -> list[list[tuple[int, int]]]:
        """For each hash the rows of live pictures within the radius, and their distances."""
        return [
            [(int(self._picture_rows[int(match.id)]), match.distance) for match in matches]
            for matches in self._asked(self._pictures, hashes, radius, threads)
        ]

    def near_frames(
        self, hashes: Sequence[str], radius: int, threads: int | None
    ) -> list[list[tuple[int, int, int]]]:
        """For each hash the frames within the radius: row of the film, which frame, distance."""
        starts, rows = self.table.arrays["video.starts"], self.table.arrays["video.rows"]
        answers = []
        for matches in self._asked(self._frames, hashes, radius, threads):
            found = []
            for match in matches:
                at = int(match.id)
                film = int(self._frame_films[at])
                place = int(self._frame_places[at]) - int(starts[film])
                found.append((int(rows[film]), place, match.distance))
            answers.append(found)
        return answers

    def _asked(
        self, index: Index, hashes: Sequence[str], radius: int, threads: int | None
    ) -> list[list[Any]]:
        if not hashes or not len(index):
            return [[] for _ in hashes]
        try:
            return list(index.query_many(hashes, radius, threads=threads))
        except IndexDamaged as error:
            raise _damaged(self.directory) from error

    @cached_property
    def _state(self) -> NDArray[np.uint8]:
        return self.table.scalar("state")

    def verify(self) -> None:
        """Read every byte; raises ListRefused with the first file that is not as it was written."""
        for name, (size, digest) in self.header.files.items():
            path = self.directory / name
            try:
                if path.is_symlink() or _measured(path) != (size, digest):
                    raise _damaged(path)
            except OSError as error:
                raise _unread(path, error) from error


def _bytes_of(path: Path) -> NDArray[np.uint8]:
    """A file, mapped."""
    if not path.stat().st_size:
        return np.zeros(0, np.uint8)
    return np.memmap(path, np.uint8, mode="r").view(np.ndarray)


def _placed(data: NDArray[np.uint8], name: str, place: tuple[int, int]) -> NDArray[Any]:
    """One array of those in a file."""
    kind, width = _kind(name)
    start, size = place
    array = data[start : start + size].view(kind)
    return array if width is None else array.reshape(-1, width)


def _kind(name: str) -> tuple[np.dtype[Any], int | None]:
    """What an array is of, and the width of its rows where it has two dimensions."""
    if name in SCALARS:
        return np.dtype(SCALARS[name]), None
    what, _, part = name.partition(".")
    match part:
        case "data":
            return np.dtype("u1"), WIDTHS[Column(what)]
        case "keys":
            return np.dtype("<u8"), None
        case "starts":
            return np.dtype("<i8"), None
        case "frames":
            return FRAME, None
        case _:
            return np.dtype("<u4"), None


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _unread(path: Path, error: Exception) -> ListRefused:
    if isinstance(error, PermissionError):
        return denied(Path(os.fsdecode(error.filename or path)))
    return _damaged(path)


def _damaged(path: Path) -> ListRefused:
    return ListRefused(
        f"{path} is not as it was written. Nothing was answered from it; it can be built again "
        "from what it was made of: a member syncs again."
    )
