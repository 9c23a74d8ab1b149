"""Noticing who feels for the edge of the list, without keeping what anybody asks.

Somebody who wants to know how far a listed picture must be altered to pass asks about many near
variants of it and watches where the answer changes. What is kept to notice that are counters: the
256 bits of each fingerprint are parted, in a secret order, into 16 bands of 16; each band, with the
key and a secret, chooses one counter among 2^18 of its own. Variants of one picture share most of
their bands, so their counters rise together; unlike pictures spread out evenly. Neither a
fingerprint nor a digest of one can be read from counters, and a fingerprint that was counted is
remembered only as bits of a Bloom filter, so that the same picture again counts for nothing.
"""

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strandline.hotline.matchservice.counters import BANDS, BLOOM, CELLS, Counters, fold, mix
from strandline.hotline.matchservice.models import Alarm
from strandline.hotline.matchservice.steadiness import Steadiness

_MOST = 60_000
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
    #: Its item's place in the call. Frames of one film are like each other, and count once.
    group: int


@dataclass(frozen=True)
class Suspicion:
    """What was noticed."""

    kind: Alarm.Kind
    listed: int
    unlisted: int
    entry: int = 0
    #: Of what was asked, that with which it was noticed; nothing after it was counted.
    group: int = 0


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
        self._steadiness = Steadiness(chosen)
        self._halves: dict[int, Counters] = {}

    def see(self, key: int, asked: Sequence[Asked], moment: float) -> Suspicion | None:
        """Count what one call asked; what it looks like, if like anything, worst first.

        Items are judged one after the other: what comes after the one that looks suspicious is not
        counted. ``asked`` has the frames of a film side by side.
        """
        with self._lock:
            now, before = self._counters(moment)
            undo: _Undo = []
            suspicion = self._see(key, asked, now, before, undo)
            if suspicion is None or asked[0].group == asked[-1].group:
                return suspicion and replace(suspicion, group=asked[-1].group)
            # Rare: so only now is it worth the time to find out with which of them it began.
            for array, places, were in reversed(undo):
                array[places] = were
            for group, each in groupby(asked, lambda one: one.group):
                found = self._see(key, list(each), now, before, [])
                if found is not None:
                    return replace(found, group=group)
            return None

    def _see(
        self, key: int, asked: Sequence[Asked], now: Counters, before: Counters, undo: "_Undo"
    ) -> Suspicion | None:
        """Count these at once and judge; ``undo`` takes what was there before."""
        if not asked:
            return None
        raws, own = _raws(asked), self._own(key)
        tags = mix(fold(raws.view("<u8").astype(np.uint64), self._salts[BANDS + 1]) ^ own)
        cells = self._cells(raws, own)
        listed = np.array([each.entry is not None for each in asked])
        fresh = self._fresh(tags, now, before, undo)
        if not fresh.size:
            return None
        groups = np.array([each.group for each in asked], np.int64)[fresh]
        _rise(now.bands, cells[fresh], listed[fresh], groups, undo)
        asks = key % now.asked.size
        undo.append((now.asked, asks, now.asked[asks]))
        now.asked[asks] = min(int(now.asked[asks]) + fresh.size, 2**32 - 1)
        volume = int(now.asked[asks]) + int(before.asked[asks])
        near = _sum(now.bands, before.bands, cells[fresh])
        entries = self._entries(asked, frozenset(fresh.tolist()), own, (now, before), undo)
        return self._judge(near, volume, entries)

    def steady(self, key: int, asked: Sequence[Asked], basis: bytes, moment: float) -> list[bool]:
        """Whether to tell each that it is listed; see :class:`steadiness.Steadiness`.

        ``basis`` is what answers rest on, the edition and the scope: with another one, nothing that
        was told before holds.
        """
        if not asked:
            return []
        raws, own = _raws(asked), self._own(key)
        with self._lock:
            now, before = self._counters(moment)
            return self._steadiness.told(
                raws,
                self._cells(raws, own),
                distances=[None if each.entry is None else each.distance for each in asked],
                groups=[each.group for each in asked],
                own=mix(own + np.frombuffer(hashlib.sha256(basis).digest()[:8], np.uint64))[0],
                halves=(now.told, before.told),
            )

    def _own(self, key: int) -> np.uint64:
        own: np.uint64 = mix(np.array([key], np.uint64) + self._salts[BANDS])[0]
        return own

    def _cells(self, raws: NDArray[np.uint8], own: np.uint64) -> NDArray[np.int64]:
        """For each fingerprint and band the counter that it raises: (n, BANDS)."""
        bits = np.unpackbits(raws, axis=1)[:, self._order]
        bands = np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint16).astype(np.uint64)
        return (mix(bands + self._salts[:BANDS] + own) >> np.uint64(46)).astype(np.int64)

    def _fresh(
        self, tags: _U64, now: Counters, before: Counters, undo: "_Undo"
    ) -> NDArray[np.int64]:
        """Which of these were not asked before, each once; they are remembered."""
        _, firsts = np.unique(tags, return_index=True)
        firsts.sort()
        tags = tags[firsts]
        known = [np.ones(tags.size, bool), np.ones(tags.size, bool)]
        for turn in range(4):
            place = (tags >> np.uint64(10 * turn)) & np.uint64(BLOOM - 1)
            byte, bit = (place >> np.uint64(3)).astype(np.int64), (place & np.uint64(7))
            mask = (np.uint8(1) << bit.astype(np.uint8)).astype(np.uint8)
            known[0] &= (now.seen[byte] & mask) != 0
            known[1] &= (before.seen[byte] & mask) != 0
            undo.append((now.seen, byte, now.seen[byte]))
            np.bitwise_or.at(now.seen, byte, mask)
        return firsts[~(known[0] | known[1])]

    def _entries(
        self,
        asked: Sequence[Asked],
        fresh: frozenset[int],
        own: np.uint64,
        halves: tuple[Counters, Counters],
        undo: "_Undo",
    ) -> tuple[int, int]:
        """The most altered copies of one entry so far, and of which; one for each film."""
        (now, before), worst, counted = halves, (0, 0), set()
        for place, each in enumerate(asked):
            if each.entry is None or (each.group, each.entry) in counted:
                continue
            number = np.array([each.entry], np.uint64)
            cell = int(mix(number + self._salts[BANDS + 2] + own)[0] >> np.uint64(46))
            altered = place in fresh and each.distance >= self._thresholds.altered
            if altered:
                counted.add((each.group, each.entry))
            undo.append((now.entries, np.s_[:, cell], now.entries[:, cell].copy()))
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
        chance = volume / (1 << 16) + volume / CELLS
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

    def _counters(self, moment: float) -> tuple[Counters, Counters]:
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
                each: self._halves.get(each) or Counters.open(self._folder / f"{each}.counts")
                for each in sorted(kept)
            }
        return self._halves[half], self._halves[half - 1]


#: Arrays, places in them, and what was there.
_Undo = list[tuple[NDArray[Any], Any, Any]]


def _raws(asked: Sequence[Asked]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(each.raw for each in asked), np.uint8).reshape(-1, 32)


def _rise(
    counts: NDArray[np.uint16],
    cells: NDArray[np.int64],
    listed: NDArray[np.bool_],
    groups: NDArray[np.int64],
    undo: "_Undo",
) -> None:
    """Raise the counters of these fingerprints: a film's frames raise each counter once."""
    bands = np.broadcast_to(np.arange(BANDS), cells.shape)
    sides = np.broadcast_to(listed[:, None].astype(np.int64), cells.shape)
    flat = ((sides * BANDS + bands) * CELLS + cells).ravel()
    owner = np.repeat(groups, BANDS)
    if np.unique(groups).size != groups.size:
        once = np.unique(np.stack([owner, flat]), axis=1)
        flat = once[1]
    places, times = np.unique(flat, return_counts=True)
    whole = counts.reshape(-1)
    undo.append((whole, places, whole[places]))
    whole[places] = np.minimum(whole[places].astype(np.int64) + times, _MOST)


def _sum(
    now: NDArray[np.uint16], before: NDArray[np.uint16], cells: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Counts at these cells in both halves: (2, n, BANDS)."""
    bands = np.arange(BANDS)
    return np.stack(
        [now[side, bands, cells].astype(np.int64) + before[side, bands, cells] for side in (0, 1)]
    )
