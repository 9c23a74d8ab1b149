"""The watch's two files: counters and told answers of one half of the window, mapped.

All processes of a machine map them together. A count that two processes write at the same moment
may be lost; that is harmless.
"""

import fcntl
import mmap
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BANDS = 16
CELLS = 1 << 18
BLOOM = 1 << 24
#: Each counter of a band, for unlisted and listed; each of an entry, for altered copies and for all
#: questions; how much each key asked; all fingerprints seen; what was told, for each band.
_SIZES = (2 * BANDS * CELLS * 2, 2 * CELLS * 4, 4096 * 4, BLOOM // 8, BANDS * CELLS * 8)
_U64 = NDArray[np.uint64]


class Counters(NamedTuple):
    """One file, mapped."""

    #: (2, BANDS, cells): unlisted, then listed.
    bands: NDArray[np.uint16]
    #: (2, cells): altered copies, then all questions.
    entries: NDArray[np.uint32]
    asked: NDArray[np.uint32]
    seen: NDArray[np.uint8]
    #: (BANDS, cells): see ``steadiness``.
    told: NDArray[np.uint64]

    @classmethod
    def open(cls, path: Path) -> "Counters":
        """The file at ``path``, made when it is not there or of another size."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size != sum(_SIZES):
                os.ftruncate(descriptor, 0)
                os.ftruncate(descriptor, sum(_SIZES))
            # The map keeps the file open, so that closing the descriptor would not unlock it. It
            # goes with the last array that shows it.
            data = np.frombuffer(mmap.mmap(descriptor, sum(_SIZES)), np.uint8)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)
        parts = np.split(data, np.cumsum(_SIZES)[:-1])
        return cls(
            parts[0].view(np.uint16).reshape(2, BANDS, CELLS),
            parts[1].view(np.uint32).reshape(2, CELLS),
            parts[2].view(np.uint32),
            parts[3],
            parts[4].view(np.uint64).reshape(BANDS, CELLS),
        )


def fold(words: _U64, salt: np.uint64) -> _U64:
    """One word from the four of each fingerprint."""
    folded = np.full(len(words), salt, np.uint64)
    for column in range(words.shape[1]):
        folded = mix(folded ^ words[:, column])
    return folded


def mix(words: _U64) -> _U64:
    """splitmix64's finaliser: every bit of a word changes about half of the result's."""
    words = words.astype(np.uint64)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
