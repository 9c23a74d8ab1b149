"""Which way up: the EXIF orientation of a file, and pixels turned by it. Worker only.

Source: CIPA DC-008 (Exif 2.32), 4.6.4.A, tag 0x0112.
"""

import contextlib
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

#: Orientations whose rows are the columns of what is stored.
_LYING = {5, 6, 7, 8}
#: Orientations in which what is stored first is displayed last: at the right, at the bottom.
FROM_THE_RIGHT = {2, 3, 6, 7}
FROM_THE_BOTTOM = {3, 4, 7, 8}
#: Side of what is turned at once, in pixels; half as much, or twice, takes longer.
_TILE = 512
_BROKEN_EXIF = (
    OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError,
    AssertionError, RuntimeError, EOFError, struct.error,
)  # fmt: skip


def orientation_of(image: Image.Image) -> int:
    """Return 1 to 8 as EXIF (or, without it, XMP) says; 1 where that cannot be read."""
    with contextlib.suppress(*_BROKEN_EXIF):
        said = image.getexif().get(ExifTags.Base.Orientation, 1)
        if isinstance(said, int) and 1 <= said <= 8:
            return said
    return 1


def displayed_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return width and height as displayed, given those that are stored."""
    return (height, width) if orientation in _LYING else (width, height)


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn stored pixels, (height, width) or (height, width, 3), the right way up; C-contiguous."""
    if orientation == 1:
        return pixels
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    height, width, channels = planes.shape
    made = np.empty((*displayed_size(height, width, orientation), channels), np.uint8)
    # One channel and a tile at a time: a quarter of the time of turning whole pixels.
    stored = _view_as_stored(made, orientation)
    for channel in range(channels):
        for top in range(0, height, _TILE):
            for left in range(0, width, _TILE):
                tile = slice(top, top + _TILE), slice(left, left + _TILE), channel
                stored[tile] = planes[tile]
    return made.reshape(made.shape[: pixels.ndim])


def _view_as_stored(made: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Look at an upright picture the way the file stores it."""
    if orientation in _LYING:
        made = made.transpose(1, 0, 2)
    rows = -1 if orientation in {3, 4, 6, 7} else 1
    columns = -1 if orientation in {2, 3, 7, 8} else 1
    return made[::rows, ::columns]
