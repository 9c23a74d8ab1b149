"""Noticing who feels for the edge of the list, without keeping what anybody asks.

Somebody who wants to know how far a listed picture must be altered to pass asks about many near
variants of it and watches where the answer changes. What is kept to notice that are counters: the
256 bits of each fingerprint are parted, in a secret order, into 16 bands of 16; each band, with the
key and a secret, chooses one counter among 2^18 of its own. Variants of one picture share most of
their bands, so their counters rise together; unlike pictures spread out evenly. Neither a
fingerprint nor a digest of one can be read from counters, and a fingerprint that was counted is
remembered only as bits of a Bloom filter, so that the same picture again counts for nothing.

The counters are two files (this half of the window and the last) that all processes of a machine
map together. A count that two processes write at the same moment may be lost; that is harmless.
"""

import fcntl
import hashlib
import mmap
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strandline.hotline.matchservice.models import Alarm

BANDS = 16
_CELLS = 1 << 18
_BLOOM = 1 << 24
_MOST = 60_000
#: Each counter of a band, for unlisted and listed; each of an entry, for altered copies and for all
#: questions; how much each key asked; all fingerprints seen.
_SIZES = (2 * BANDS * _CELLS * 2, 2 * _CELLS * 4, 4096 * 4, _BLOOM // 8)
_U64 = NDArray[np.uint64]


@dataclass(frozen=True)
class Thresholds:
    """How much is too much, in different fingerprints asked with one key within the window.

    Measured on simulated traffic: ``tests/hotline/matchservice/test_probing.py``.
    """

    #: Near each other, on *each* side of the edge.
    edge: int = 6
    #: Altered copies of one entry, at least :attr:`altered` bits from it, and this share of all
    #: questions that found it: a picture that goes round comes as it is, mostly.
    entry: int = 24
    altered: int = 16
    of_entry: float = 0.1
    #: Near each other, wherever; and this share of all that the key asked.
    variants: int = 100
    share: float = 0.01


class Asked(NamedTuple):
    """A perceptual hash that was looked up, and what came of it."""

    raw: bytes
    #: The nearest entry and how many bits away; none when nothing is listed.
    entry: int | None
    distance: int
    #: The same for all frames of one film: they are like each other, and count once.
    group: int


@dataclass(frozen=True)
class Suspicion:
    """What was noticed."""

    kind: Alarm.Kind
    listed: int
    unlisted: int
    entry: int = 0


class Watch:
    """The counters of one machine, in ``folder``. Safe for several threads."""

    def __init__(
        self, folder: Path, secret: str, window: float, thresholds: Thresholds | None = None
    ) -> None:
        """``window`` is in seconds: nothing older counts, and its file is deleted."""
        self._folder, self._half = folder, window / 2
        self._thresholds = thresholds or Thresholds()
        self._lock = threading.Lock()
        seed = hashlib.sha256(b"strandline match probing\0" + secret.encode()).digest()
        #: The secret order of bits: nobody can alter a picture in one band alone.
        chosen = np.random.default_rng(np.frombuffer(seed, np.uint32))
        self._order = chosen.permutation(256)
        self._salts = chosen.integers(0, 2**64, BANDS + 3, np.uint64, endpoint=False)
        self._halves: dict[int, _Counters] = {}

    def see(self, key: int, asked: Sequence[Asked], moment: float) -> Suspicion | None:
        """Count what one call asked; what it looks like, if like anything, worst first."""
        if not asked:
            return None
        raws = np.frombuffer(b"".join(each.raw for each in asked), np.uint8).reshape(-1, 32)
        own = _mix(np.array([key], np.uint64) + self._salts[BANDS])[0]
        tags = _mix(_fold(raws.view("<u8").astype(np.uint64), self._salts[BANDS + 1]) ^ own)
        cells = self._cells(raws, own)
        listed = np.array([each.entry is not None for each in asked])
        with self._lock:
            now, before = self._counters(moment)
            fresh = self._fresh(tags, now, before)
            if not fresh.size:
                return None
            groups = np.array([each.group for each in asked], np.int64)[fresh]
            _rise(now.bands, cells[fresh], listed[fresh], groups)
            asks = key % now.asked.size
            now.asked[asks] = min(int(now.asked[asks]) + fresh.size, 2**32 - 1)
            volume = int(now.asked[asks]) + int(before.asked[asks])
            near = _sum(now.bands, before.bands, cells[fresh])
            entries = self._entries(asked, frozenset(fresh.tolist()), own, now, before)
        return self._judge(near, volume, entries)

    def _cells(self, raws: NDArray[np.uint8], own: np.uint64) -> NDArray[np.int64]:
        """For each fingerprint and band the counter that it raises: (n, BANDS)."""
        bits = np.unpackbits(raws, axis=1)[:, self._order]
        bands = np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint16).astype(np.uint64)
        return (_mix(bands + self._salts[:BANDS] + own) >> np.uint64(46)).astype(np.int64)

    def _fresh(self, tags: _U64, now: "_Counters", before: "_Counters") -> NDArray[np.int64]:
        """Which of these were not asked before, each once; they are remembered."""
        _, firsts = np.unique(tags, return_index=True)
        firsts.sort()
        tags = tags[firsts]
        known = [np.ones(tags.size, bool), np.ones(tags.size, bool)]
        for turn in range(4):
            place = (tags >> np.uint64(10 * turn)) & np.uint64(_BLOOM - 1)
            byte, bit = (place >> np.uint64(3)).astype(np.int64), (place & np.uint64(7))
            mask = (np.uint8(1) << bit.astype(np.uint8)).astype(np.uint8)
            known[0] &= (now.seen[byte] & mask) != 0
            known[1] &= (before.seen[byte] & mask) != 0
            np.bitwise_or.at(now.seen, byte, mask)
        return firsts[~(known[0] | known[1])]

    def _entries(
        self,
        asked: Sequence[Asked],
        fresh: frozenset[int],
        own: np.uint64,
        now: "_Counters",
        before: "_Counters",
    ) -> tuple[int, int]:
        """The most altered copies of one entry so far, and of which; one for each film."""
        worst, counted = (0, 0), set()
        for place, each in enumerate(asked):
            if each.entry is None or (each.group, each.entry) in counted:
                continue
            number = np.array([each.entry], np.uint64)
            cell = int(_mix(number + self._salts[BANDS + 2] + own)[0] >> np.uint64(46))
            altered = place in fresh and each.distance >= self._thresholds.altered
            if altered:
                counted.add((each.group, each.entry))
            now.entries[:, cell] += np.array([altered, 1], np.uint32)
            total = now.entries[:, cell].astype(np.int64) + before.entries[:, cell]
            if altered and total[0] >= self._thresholds.of_entry * total[1]:
                worst = max(worst, (int(total[0]), each.entry))
        return worst

    def _judge(
        self, near: NDArray[np.int64], volume: int, entries: tuple[int, int]
    ) -> Suspicion | None:
        """``near`` (2, n, BANDS): how many unlisted and listed share each band with each."""
        limit = self._thresholds
        # Unlike pictures share a counter by chance: this many, were they spread evenly.
        chance = volume / (1 << 16) + volume / _CELLS
        unlisted = near[0] - 3 * chance
        edge = np.minimum(unlisted, near[1])
        # In two bands at least: one alone can be chance.
        second = np.partition(edge, -2, axis=1)[:, -2]
        worst = int(second.argmax())
        if second[worst] >= limit.edge:
            band = int(np.argsort(edge[worst])[-2])
            return Suspicion(
                Alarm.Kind.EDGE,
                int(near[1, worst, band]),
                int(near[0, worst, band]),
                entries[1],
            )
        if entries[0] >= limit.entry:
            return Suspicion(Alarm.Kind.ENTRY, entries[0], 0, entries[1])
        third = np.partition(unlisted + near[1], -3, axis=1)[:, -3]
        worst = int(third.argmax())
        if third[worst] >= max(limit.variants, limit.share * volume):
            band = int(np.argsort(near.sum(axis=0)[worst])[-3])
            return Suspicion(
                Alarm.Kind.VARIANTS, int(near[1, worst, band]), int(near[0, worst, band])
            )
        return None

    def _counters(self, moment: float) -> tuple["_Counters", "_Counters"]:
        """Those of this half of the window and of the half before; older files are deleted."""
        half = int(moment // self._half)
        if half not in self._halves:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            kept = {half - 1, half}
            for path in self._folder.glob("*.counts"):
                with suppress(ValueError, FileNotFoundError):
                    if int(path.stem) not in kept:
                        path.unlink()
            self._halves = {
                each: self._halves.get(each) or _Counters.open(self._folder / f"{each}.counts")
                for each in sorted(kept)
            }
        return self._halves[half], self._halves[half - 1]


class _Counters(NamedTuple):
    """One file, mapped."""

    #: (2, BANDS, cells): unlisted, then listed.
    bands: NDArray[np.uint16]
    #: (2, cells): altered copies, then all questions.
    entries: NDArray[np.uint32]
    asked: NDArray[np.uint32]
    seen: NDArray[np.uint8]

    @classmethod
    def open(cls, path: Path) -> "_Counters":
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
            parts[0].view(np.uint16).reshape(2, BANDS, _CELLS),
            parts[1].view(np.uint32).reshape(2, _CELLS),
            parts[2].view(np.uint32),
            parts[3],
        )


def _rise(
    counts: NDArray[np.uint16],
    cells: NDArray[np.int64],
    listed: NDArray[np.bool_],
    groups: NDArray[np.int64],
) -> None:
    """Raise the counters of these fingerprints: a film's frames raise each counter once."""
    bands = np.broadcast_to(np.arange(BANDS), cells.shape)
    sides = np.broadcast_to(listed[:, None].astype(np.int64), cells.shape)
    flat = ((sides * BANDS + bands) * _CELLS + cells).ravel()
    owner = np.repeat(groups, BANDS)
    if np.unique(groups).size != groups.size:
        once = np.unique(np.stack([owner, flat]), axis=1)
        flat = once[1]
    places, times = np.unique(flat, return_counts=True)
    whole = counts.reshape(-1)
    whole[places] = np.minimum(whole[places].astype(np.int64) + times, _MOST)


def _sum(
    now: NDArray[np.uint16], before: NDArray[np.uint16], cells: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Counts at these cells in both halves: (2, n, BANDS)."""
    bands = np.arange(BANDS)
    return np.stack(
        [now[side, bands, cells].astype(np.int64) + before[side, bands, cells] for side in (0, 1)]
    )


def _fold(words: _U64, salt: np.uint64) -> _U64:
    """One word from the four of each fingerprint."""
    folded = np.full(len(words), salt, np.uint64)
    for column in range(words.shape[1]):
        folded = _mix(folded ^ words[:, column])
    return folded


def _mix(words: _U64) -> _U64:
    """splitmix64's finaliser: every bit of a word changes about half of the result's."""
    words = words.astype(np.uint64)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
