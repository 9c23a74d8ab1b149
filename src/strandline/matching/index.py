"""An exact index over 256-bit hashes: a scan in bounded pieces."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Length of a hash.
BITS = 256
_HASH = re.compile(rf"[0-9a-fA-F]{{{BITS // 4}}}")
#: Hashes compared at once: 8 MB of words, so that a long list needs no memory per query.
_PIECE = 1 << 18

_Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Match:
    """A listed hash within the radius; ``distance`` is the number of differing bits."""

    id: str
    hash: str
    distance: int


class Index:
    """An exact, unchanging index; make it with :meth:`build`. Safe to share between threads."""

    def __init__(
        self, ids: Sequence[str], words: _Words, refused: Sequence[tuple[str, str]] = ()
    ) -> None:
        self._ids = tuple(ids)
        self._words = words
        #: Entries left out because their hash is not 64 hex digits.
        self.refused = tuple(refused)

    @classmethod
    def build(cls, entries: Iterable[tuple[str, str]]) -> "Index":
        """Index (id, hash) pairs; an identical pair given twice counts once.

        One corrupt hash must not keep a whole list from being used: such entries are left out
        and told in :attr:`refused`, which the caller is to report.
        """
        ids, refused, packed = [], [], bytearray()
        for name, text in dict.fromkeys(entries):
            if _HASH.fullmatch(text):
                ids.append(name)
                packed += bytes.fromhex(text)
            else:
                refused.append((name, text))
        words = np.frombuffer(bytes(packed), np.uint64).reshape(len(ids), BITS // 64)
        return cls(ids, words, refused)

    def __len__(self) -> int:
        return len(self._ids)

    def query(self, hash: str, radius: int = 31) -> list[Match]:  # noqa: A002 - the field's word
        """Return every entry within ``radius`` bits, nearest first, then by id and hash.

        Raises:
            ValueError: a hash that is not 64 hex digits, or a radius outside 0 to 256.
        """
        if not _HASH.fullmatch(hash):
            raise ValueError(f"a hash has {BITS // 4} hex digits, not {hash[:80]!r}")
        if not 0 <= radius <= BITS:
            raise ValueError(f"a radius is 0 to {BITS} bits, not {radius}")
        wanted = np.frombuffer(bytes.fromhex(hash), np.uint64)
        found = []
        for start in range(0, len(self._words), _PIECE):
            differing = np.bitwise_count(self._words[start : start + _PIECE] ^ wanted)
            distances = differing.sum(axis=1, dtype=np.uint16)
            for place in np.flatnonzero(distances <= radius):
                row = start + int(place)
                found.append(Match(self._ids[row], self._hash(row), int(distances[place])))
        return sorted(found, key=lambda match: (match.distance, match.id, match.hash))

    def query_many(self, hashes: Iterable[str], radius: int = 31) -> list[list[Match]]:
        """Answer :meth:`query` for each hash, in order."""
        return [self.query(each, radius) for each in hashes]

    def _hash(self, row: int) -> str:
        return bytes(self._words[row]).hex()
