"""The values of one column of a block: which rows have one, and the bytes of those."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from strandline.errors import ListRefused
from strandline.lists.published.classes import Column
from strandline.lists.published.events import WIDTHS, Frame

#: Bytes of one hash; a film has many.
HASH_BYTES = {**WIDTHS, Column.VIDEO: 32}


@dataclass(frozen=True, eq=False)
class Values:
    """Hashes of some of n rows: k of them, or, in a column of films, the k frames of all films.

    Raises ListRefused when the arrays do not fit each other.
    """

    #: bool[n]
    present: npt.NDArray[np.bool_]
    #: uint8[k, width], in the order of rows; frames of a film in order of time.
    data: npt.NDArray[np.uint8]
    #: uint8[k], 0 to 100; of pdq and film frames only.
    quality: npt.NDArray[np.uint8] | None = None
    #: Of films only: uint32, frames of each film, 1 or more.
    counts: npt.NDArray[np.uint32] | None = None
    #: Of films only: uint32[k], milliseconds from the beginning of the film.
    ms: npt.NDArray[np.uint32] | None = None

    def __post_init__(self) -> None:
        hashes = len(self.data)
        told = int(np.count_nonzero(self.present))
        if self.counts is None:
            fits = hashes == told and self.ms is None
        else:
            fits = (
                len(self.counts) == told
                and bool((self.counts >= 1).all())
                and int(self.counts.sum()) == hashes
                and self.ms is not None
                and len(self.ms) == hashes
            )
        if self.quality is not None:
            fits = fits and len(self.quality) == hashes and bool((self.quality <= 100).all())
        if not fits:
            raise ListRefused("A column of hashes does not have a value for each row it names.")

    @classmethod
    def none(cls, column: Column, rows: int) -> Self:
        """No value in any of ``rows`` rows."""
        film = column is Column.VIDEO
        return cls(
            np.zeros(rows, np.bool_),
            np.zeros((0, HASH_BYTES[column]), np.uint8),
            np.zeros(0, np.uint8) if film or column is Column.PDQ else None,
            np.zeros(0, np.uint32) if film else None,
            np.zeros(0, np.uint32) if film else None,
        )

    @classmethod
    def of_hex(cls, column: Column, texts: Sequence[str | None]) -> Self:
        """From lower-case hex; a quality is to be added by whoever knows it."""
        data = np.frombuffer(bytes.fromhex("".join(text for text in texts if text)), np.uint8)
        present = np.array([text is not None for text in texts], np.bool_)
        return cls(present, data.reshape(-1, HASH_BYTES[column]))

    @classmethod
    def of_films(cls, films: Sequence[tuple[Frame, ...]]) -> Self:
        """From the frames of each row; empty where it is no film."""
        frames = [frame for film in films for frame in film]
        data = np.frombuffer(bytes.fromhex("".join(frame.pdq for frame in frames)), np.uint8)
        return cls(
            np.array([bool(film) for film in films], np.bool_),
            data.reshape(-1, HASH_BYTES[Column.VIDEO]),
            np.array([frame.quality for frame in frames], np.uint8),
            np.array([len(film) for film in films if film], np.uint32),
            np.array([frame.ms for frame in frames], np.uint32),
        )

    def take(self, rows: slice | npt.NDArray[np.bool_]) -> Self:
        """Values of the chosen rows: a slice (views, no copy), or bool[n]."""
        kept: slice | npt.NDArray[np.bool_]
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self.present))
            before = int(np.count_nonzero(self.present[:start]))
            kept = slice(before, before + int(np.count_nonzero(self.present[start:stop])))
        else:
            kept = rows[self.present]
        if self.counts is None:
            quality = None if self.quality is None else self.quality[kept]
            return type(self)(self.present[rows], self.data[kept], quality)
        frames: slice | npt.NDArray[np.bool_]
        if isinstance(kept, slice):
            first = int(self.counts[: kept.start].sum())
            frames = slice(first, first + int(self.counts[kept].sum()))
        else:
            frames = np.repeat(kept, self.counts)
        assert self.quality is not None
        assert self.ms is not None
        return type(self)(
            self.present[rows],
            self.data[frames],
            self.quality[frames],
            self.counts[kept],
            self.ms[frames],
        )

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Values of the rows of all ``parts``, one after another."""
        return cls(
            np.concatenate([part.present for part in parts]),
            np.concatenate([part.data for part in parts]),
            _join([part.quality for part in parts]),
            _join([part.counts for part in parts]),
            _join([part.ms for part in parts]),
        )


def _join(parts: Sequence[npt.NDArray[Any] | None]) -> npt.NDArray[Any] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None
