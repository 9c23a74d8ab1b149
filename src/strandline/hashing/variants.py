"""The hashes a picture would have, had somebody turned it, mirrored it or put bars around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strandline.hashing.letterbox import trim
from strandline.hashing.orientation import Orientation
from strandline.hashing.perceptual import pdq_dihedral


@dataclass(frozen=True)
class Variant:
    """One more hash to ask an index about; never one to put on a list."""

    #: What was done to the picture before it was hashed.
    orientation: Orientation
    #: Uniform borders were cut off first.
    trimmed: bool
    #: 64 hex digits.
    pdq: str
    #: 0 to 100.
    quality: int


def variants_of(pixels: NDArray[np.uint8]) -> tuple[Variant, ...]:
    """Return eight hashes, and eight more when the picture has uniform borders.

    The first is the picture's own. ``pixels`` as for :func:`strandline.hashing.pdq`.
    """
    found = [
        Variant(way, trimmed=False, pdq=each.hash, quality=each.quality)
        for way, each in pdq_dihedral(pixels).items()
    ]
    box = trim(pixels)
    if box is not None:
        found += [
            Variant(way, trimmed=True, pdq=each.hash, quality=each.quality)
            for way, each in pdq_dihedral(box.of(pixels)).items()
        ]
    return tuple(found)
