"""Folding a film: neighbouring frames that look alike become one hash and a range of time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from strandline.hashing.versions import MIN_QUALITY

#: A sample as a worker hands it over: times in seconds, the hash as bytes.
SAMPLE = np.dtype([("start", "<f8"), ("end", "<f8"), ("quality", "u1"), ("pdq", "u1", 32)])

#: A frame within so many bits of the range's first frame joins it. A search within 31 bits then
#: still finds whatever lies within 23 bits of a folded frame; measured in ``docs/film.md``.
FOLD_BITS = 8

#: Ranges may be this far apart in seconds and still touch: times are rounded by containers.
_TOUCHING = 0.002


@dataclass(frozen=True)
class FrameHash:
    """A frame and from when to when it, or one that looks like it, is on screen.

    Times are in seconds from the film's start.
    """

    #: 64 hex digits.
    pdq: str
    #: 0 to 100, at least ``MIN_QUALITY``.
    quality: int
    start: float
    end: float


def fold(samples: Iterable[FrameHash], bits: int = FOLD_BITS) -> tuple[FrameHash, ...]:
    """Fold samples, which are in order of time; leave out those too plain to fingerprint.

    Every frame of a range is within ``bits`` of the hash that stands for it, its first frame's.
    """
    ranges: list[FrameHash] = []
    first = 0
    for sample in samples:
        if sample.quality < MIN_QUALITY:
            continue
        hashed = int(sample.pdq, 16)
        if (
            ranges
            and sample.start - ranges[-1].end <= _TOUCHING
            and (hashed ^ first).bit_count() <= bits
        ):
            ranges[-1] = replace(ranges[-1], end=sample.end)
        else:
            ranges.append(sample)
            first = hashed
    return tuple(ranges)
