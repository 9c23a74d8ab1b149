"""The eight ways to turn and mirror a picture, and what the hash of each is called."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Orientation(StrEnum):
    """What is done to a picture: the hash under a name is that of the picture *after* it."""

    #: As it is.
    ORIGINAL = "original"
    #: A quarter turn counter-clockwise, as by ``numpy.rot90``: what was on the right is on top.
    ROTATED_90 = "rotated-90"
    #: Half a turn.
    ROTATED_180 = "rotated-180"
    #: A quarter turn clockwise: what was on the left is on top.
    ROTATED_270 = "rotated-270"
    #: Left and right exchanged.
    MIRRORED = "mirrored"
    #: Top and bottom exchanged.
    FLIPPED = "flipped"
    #: Rows become columns: the top left corner stays where it is.
    TRANSPOSED = "transposed"
    #: Rows become columns, and half a turn: the top right corner stays where it is.
    ANTI_TRANSPOSED = "anti-transposed"

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the pixels, of shape (height, width, …), after this: a view, not a copy."""
        sideways, columns, rows = _STEPS[self]
        turned = pixels[:: -1 if rows else 1, :: -1 if columns else 1]
        return turned.swapaxes(0, 1) if sideways else turned

    @property
    def undone(self) -> "Orientation":
        """What brings the picture back."""
        sideways, columns, rows = _STEPS[self]
        steps = (sideways, rows, columns) if sideways else (sideways, columns, rows)
        return next(way for way in Orientation if _STEPS[way] == steps)


#: Whether columns are read backwards, whether rows are, and whether both are then exchanged: the
#: exchange comes first in each entry, since it decides the shape.
_STEPS = {
    Orientation.ORIGINAL: (False, False, False),
    Orientation.ROTATED_90: (True, True, False),
    Orientation.ROTATED_180: (False, True, True),
    Orientation.ROTATED_270: (True, False, True),
    Orientation.MIRRORED: (False, True, False),
    Orientation.FLIPPED: (False, False, True),
    Orientation.TRANSPOSED: (True, False, False),
    Orientation.ANTI_TRANSPOSED: (True, True, True),
}
