"""One answer for what is alike: so that questions about variants show no edge.

A key that is told one bit could turn one bit of a picture after the other and see with which of
them the answer changes: that reads an entry's very hash out of the list. So within the window

- what is like something that this key was told is listed (about 30 bits away; up to 15 always) is
  listed too;
- for what is like something that it was told is not, the radius is drawn anew for each hash, from
  16 to 31 bits. A copy within 16 is found all the same, so that nobody hides a picture from a
  platform by sending it an altered one first.

Only answers that were given by the list itself are remembered: the range does not creep. What is
remembered are, in one cell of each band (see ``probing``), 62 secretly chosen bits of the hash
under a mask of the key and of what the answer rests on, and whether it was listed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from strandline.hashing import SAME_PICTURE
from strandline.hotline.matchservice.counters import BANDS, CELLS, fold, mix

_SKETCHED = 62
#: Of the sketch's bits, how many differ at most from something listed, and from something not.
#: Unlike pictures differ in 31 of 62; fewer than 13 by chance once in a million.
_LIKE_LISTED, _LIKE_UNLISTED = 12, 5
#: The lowest bits of a word.
_LISTED, _HELD = np.uint64(1), np.uint64(2)
#: The smallest radius that is drawn; the largest is the usual one.
LEAST = 16
_U64 = NDArray[np.uint64]


class Steadiness:
    """What was told, in the cells of two halves of a window."""

    def __init__(self, chosen: np.random.Generator) -> None:
        """``chosen`` draws from the watch's secret."""
        self._bits = chosen.permutation(256)[:_SKETCHED]
        self._salt = chosen.integers(0, 2**64, 1, np.uint64, endpoint=False)[0]

    def told(
        self,
        raws: NDArray[np.uint8],
        cells: NDArray[np.int64],
        *,
        distances: Sequence[int | None],
        groups: Sequence[int],
        own: np.uint64,
        halves: tuple[_U64, _U64],
    ) -> list[bool]:
        """Whether to say 'listed' of each of n hashes (n, 32), one after the other.

        ``distances`` are those to the nearest entry, none where nothing is listed. The hashes of a
        group are judged by what came before it. ``own`` is of the key and of what answers rest on.
        The first of ``halves`` (BANDS, cells) is written.
        """
        words = self._words(raws, own)
        like_listed, like_unlisted = _like(words, cells, halves)
        radii = self._radii(raws, own)
        flat = (np.arange(BANDS) * CELLS + cells).tolist()
        #: What this call adds, by cell; what the group at hand adds to it.
        added: dict[int, int] = {}
        waiting: dict[int, int] = {}
        told = []
        for place, (word, distance, group) in enumerate(
            zip(words.tolist(), distances, groups, strict=True)
        ):
            if place and group != groups[place - 1]:
                added |= waiting
                waiting = {}
            listed, unlisted = like_listed[place], like_unlisted[place]
            for cell in flat[place]:
                held = added.get(cell)
                if held is not None:
                    apart = ((held ^ word) >> 2).bit_count()
                    listed = listed or bool(held & 1 and apart <= _LIKE_LISTED)
                    unlisted = unlisted or bool(not held & 1 and apart <= _LIKE_UNLISTED)
            if listed:
                told.append(True)
                continue
            found = distance is not None and (not unlisted or distance <= radii[place])
            told.append(found)
            if found or not unlisted:
                for cell in flat[place]:
                    if found or not (added.get(cell, 0) | waiting.get(cell, 0)) & 1:
                        waiting[cell] = word | found
        _write(halves[0], added | waiting)
        return told

    def _words(self, raws: NDArray[np.uint8], own: np.uint64) -> _U64:
        """The masked sketch of each, as it is held; not yet that it is listed."""
        bits = np.zeros((len(raws), 64), np.uint8)
        bits[:, 2:] = np.unpackbits(raws, axis=1)[:, self._bits]
        packed = np.packbits(bits, axis=1, bitorder="little").view("<u8")[:, 0].astype(np.uint64)
        mask = mix(np.array([own], np.uint64) ^ self._salt)
        words: _U64 = ((packed ^ mask) & ~np.uint64(3)) | _HELD
        return words

    def _radii(self, raws: NDArray[np.uint8], own: np.uint64) -> list[int]:
        """For each hash a radius of its own, always the same."""
        drawn = mix(fold(raws.view("<u8").astype(np.uint64), self._salt) ^ own)
        spread = np.uint64(SAME_PICTURE - LEAST + 1)
        radii: list[int] = (LEAST + (drawn % spread).astype(np.int64)).tolist()
        return radii


def _like(
    words: _U64, cells: NDArray[np.int64], halves: tuple[_U64, _U64]
) -> tuple[list[bool], list[bool]]:
    """Whether something like each was told to be listed before, and to be not."""
    listed, unlisted = np.zeros(len(words), bool), np.zeros(len(words), bool)
    for half in halves:
        held = half[np.arange(BANDS), cells]
        apart = np.bitwise_count((held ^ words[:, None]) >> np.uint64(2))
        there, yes = (held & _HELD) != 0, (held & _LISTED) != 0
        listed |= (there & yes & (apart <= _LIKE_LISTED)).any(axis=1)
        unlisted |= (there & ~yes & (apart <= _LIKE_UNLISTED)).any(axis=1)
    return listed.tolist(), unlisted.tolist()


def _write(half: _U64, added: dict[int, int]) -> None:
    """Hold these, but nothing unlisted in the place of what is listed: no flood washes it away."""
    if not added:
        return
    places = np.fromiter(added.keys(), np.int64, len(added))
    words = np.fromiter(added.values(), np.uint64, len(added))
    whole = half.reshape(-1)
    keep = ((whole[places] & _LISTED) == 0) | ((words & _LISTED) != 0)
    whole[places[keep]] = words[keep]
