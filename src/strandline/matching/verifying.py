"""Verifying: every page against its checksum, and every section against the others.

Checksums find what came to a file by accident. A file made to deceive can have right checksums; so
what they cover is held against itself too: afterwards the bands are known to lead to every hash.
"""

import itertools

import numpy as np

from strandline.matching.base import Base
from strandline.matching.building import at_once, sorting
from strandline.matching.layout import damaged


def verify(base: Base) -> None:
    """Check all of it; raises IndexDamaged."""
    base.pages.need_all()
    _hashes(base)
    assert len(base.sizes) == base.hashes
    base.verify_ids()
    base.verify_labels()
    edges = np.concatenate([[0], np.cumsum(base.layout.bands)]).tolist()

    def band(number: int) -> bool:
        offsets, rows = base.band(number)
        width = base.layout.bands[number - 1]
        return bool(
            sorting().band_is_right(base.heads, base.rests, edges[number - 1], width, offsets, rows)
        )

    numbers = range(1, len(base.layout.bands) + 1)
    for number, right in zip(numbers, at_once(band, numbers), strict=True):
        if not right:
            raise damaged(f"band {number} offsets", "it contradicts the hashes")


def _hashes(base: Base) -> None:
    """They rise, so that none is there twice."""
    if base.layout.bands:
        rising = bool(sorting().rows_rise(base.heads, base.rests))
    else:
        words = np.hstack([base.heads, base.rests]).astype(">u8")
        rows = [row.tobytes() for row in words]
        rising = all(a < b for a, b in itertools.pairwise(rows))
    if not rising:
        raise damaged("heads", "the hashes are not in order")
