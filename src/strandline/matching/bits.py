"""The order of the bits in an index.

PDQ's own order puts neighbouring frequencies side by side, and they are alike: buckets come out ten
times as large as chance would make them. So hashes are indexed with their bits in another, fixed
order, which no distance depends on. It is part of the file's format and must never change.
"""

import functools
import hashlib

import numpy as np
from numpy.typing import NDArray

from strandline.matching.entries import BITS


@functools.cache
def order() -> tuple[int, ...]:
    """For each place in an index the bit of the hash it holds; bit 0 is the first digit's top."""
    return tuple(
        sorted(range(BITS), key=lambda bit: hashlib.sha256(b"strandline %d" % bit).digest())
    )


@functools.cache
def _table(*, back: bool) -> NDArray[np.uint64]:
    """For each byte and its value, the four words that its bits go to."""
    table = np.zeros((32, 256, 4), np.uint64)
    values = np.arange(256)
    for place, bit in enumerate(order()):
        source, target = (place, bit) if back else (bit, place)
        held = (values & (0x80 >> (source & 7))) > 0
        table[source >> 3, held, target >> 6] |= np.uint64(1 << (63 - (target & 63)))
    table.flags.writeable = False
    return table


def shuffle_table() -> NDArray[np.uint64]:
    """Table (32, 256, 4) that takes the bytes of a hash to its words in an index."""
    return _table(back=False)


def restore_table() -> NDArray[np.uint64]:
    """Table (32, 256, 4) that takes the bytes of such words back to those of the hash."""
    return _table(back=True)


def plain_words(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hashes (N, 32) as words (N, 4), their bits in their own order."""
    return np.ascontiguousarray(hashes).view(">u8").astype(np.uint64)


def plain_bytes(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """The inverse of :func:`plain_words`."""
    return np.ascontiguousarray(words.astype(">u8")).view(np.uint8).reshape(-1, 32)
