"""JPEG through libjpeg-turbo without Pillow's copy, where that gives exactly Pillow's pixels.

Pillow opens the file and reads its markers: size, layers, profile, EXIF. The samples of plain
RGB and grey files are then decoded straight into an array, which is all the time a fast hash
takes. CMYK, profiles other than sRGB, and files about which libjpeg has a warning are Pillow's.
Runs in the worker only.
"""

import math
from dataclasses import dataclass

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from strandline.media import colour
from strandline.media.orientation import (
    FROM_THE_BOTTOM,
    FROM_THE_RIGHT,
    displayed_size,
    orientation_of,
    upright,
)
from strandline.media.spare import room_for

#: What Pillow calls a JPEG; an MPO is one with further pictures behind the first.
FORMATS = frozenset({"JPEG", "MPO"})
_FACTORS = (8, 4, 2)


@dataclass(frozen=True, eq=False)
class Scaled:
    """The luma of a picture, decoded smaller than it is.

    With ``w`` and ``h`` the displayed width and height of the original, ``luma`` has the shape
    ``(ceil(h / factor), ceil(w / factor))``: a sample is the mean, about, of ``factor`` by
    ``factor`` pixels. Blocks are counted from the first row and column *as stored*, and the last
    may reach beyond the picture; where it is turned or mirrored, that one comes first. Sample
    ``(y, x)`` stands for the displayed rows ``factor * y - top`` and columns
    ``factor * x - left``, and the ``factor - 1`` after each, as far as they are in the picture.
    """

    #: uint8, C-contiguous, upright.
    luma: NDArray[np.uint8]
    #: Displayed size of the original, in pixels.
    width: int
    height: int
    #: 1, 2, 4 or 8.
    factor: int
    #: Pixels by which the first row and the first column of blocks begin outside the picture.
    top: int = 0
    left: int = 0


def is_plain(image: Image.Image) -> bool:
    """Say whether an opened file is a JPEG whose decoded samples are its sRGB pixels."""
    return (
        image.format in FORMATS and image.mode in {"RGB", "L"} and not colour.changes_colours(image)
    )


def pixels_of(image: Image.Image, data: bytes | memoryview) -> NDArray[np.uint8] | None:
    """Return the pixels as stored of a plain JPEG; None when Pillow must decode it.

    Raises:
        ValueError: the file ends before the picture does, whatever marker was put at its end.
    """
    layers = 3 if image.mode == "RGB" else 1
    try:
        made: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data,
            "RGB" if layers == 3 else "GRAY",
            buffer=room_for(image.height * image.width * layers),
        )
    except ValueError as warning:
        if "premature end of data segment" in str(warning):
            raise
        return None
    if made.shape[:2] != (image.height, image.width):
        return None
    return made if layers == 3 else made[..., 0]


def scaled_luma_of(image: Image.Image, data: bytes | memoryview, short_side: int) -> Scaled | None:
    """Return the luma of a plain JPEG, its short side at least ``short_side`` if it was before.

    None when libjpeg's luma is not the canonical one (a JPEG that stores RGB), or when it does
    not read the file without a warning.
    """
    width, height = image.size
    factor = next((f for f in _FACTORS if math.ceil(min(width, height) / f) >= short_side), 1)
    rows, columns = math.ceil(height / factor), math.ceil(width / factor)
    try:
        if simplejpeg.decode_jpeg_header(data)[2] not in {"YCbCr", "Gray"}:
            return None
        luma = simplejpeg.decode_jpeg(
            data,
            "GRAY",
            min_height=rows if factor > 1 else 0,
            min_width=columns if factor > 1 else 0,
        )[..., 0]
    except ValueError:
        return None
    if luma.shape != (rows, columns):
        return None
    orientation = orientation_of(image)
    shown = displayed_size(width, height, orientation)
    luma = upright(luma, orientation)
    top = luma.shape[0] * factor - shown[1] if orientation in FROM_THE_BOTTOM else 0
    left = luma.shape[1] * factor - shown[0] if orientation in FROM_THE_RIGHT else 0
    return Scaled(luma, *shown, factor, top, left)
