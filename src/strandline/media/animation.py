"""Animations: how many frames, and each as it is shown. Runs in the worker only.

GIF, WebP, PNG (APNG) and AVIF. The pages of a TIFF, the sizes in an icon, the further pictures
of an MPO or HEIC file have no times and are not frames; only the first or primary is decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from strandline.media import colour, gif, opening
from strandline.media.limits import Limits
from strandline.media.orientation import orientation_of, upright

#: So many times ``limits.pixels`` are decoded of one animation: about 10 s.
PICTURES_IN_ALL = 4
#: A frame for no time, or for what was once the shortest, is shown for a tenth of a second.
_NO_TIME, _INSTEAD = 0.01, 0.1


@dataclass(frozen=True, eq=False)
class Frame:
    """What is shown of an animation from one moment to another."""

    #: As in ``Decoded``: uint8, upright, sRGB over white; the picture's own, to keep or change.
    pixels: NDArray[np.uint8]
    #: Since the start of the animation, played once.
    seconds_start: float
    seconds_end: float


def count(image: Image.Image, data: bytes | memoryview, limits: Limits) -> int:
    """Count the frames of an opened file, up to ``limits.frames``, without decoding them."""
    declared = 1
    if image.format == "GIF":
        declared = gif.count(data, limits.frames)
    elif image.format == "PNG":
        declared = min(_frames_shown(image), _frame_chunks(memoryview(data), limits.frames))
    elif image.format in {"WEBP", "AVIF"}:
        declared = getattr(image, "n_frames", 1)
    return max(1, min(declared, limits.frames))


def frames_of(data: bytes | memoryview, limits: Limits) -> Iterator[Frame]:
    """Yield every frame of a picture file as it is shown; one of a still picture.

    Ends after ``limits.frames``, after ``PICTURES_IN_ALL`` times ``limits.pixels`` pixels, or at
    the first frame that cannot be decoded: fewer frames than ``Decoded.frames`` came then. The
    still picture of an APNG that is not part of its animation is what ``decode`` gives, not here.
    Of a WebP or AVIF file that is cut off, ``decode`` gives the first frame and this none.

    Raises:
        TooLarge, Undecodable: see ``decode``; before the first frame only.
    """
    try:
        image = opening.opened(data, limits)
        opening.load(image, limits)
    except opening.DECODER_FAILURES as error:
        raise opening.undecodable(error) from error
    most = min(limits.frames, max(1, PICTURES_IN_ALL * limits.pixels // _area(image)))
    shown = gif.shown(data, image.size, most) if image.format == "GIF" else _shown(image, most)
    orientation = orientation_of(image)
    moment = 0.0
    for pixels, seconds in shown:
        until = moment + (seconds if seconds > _NO_TIME else _INSTEAD)
        yield Frame(upright(pixels, orientation), moment, until)
        moment = until


def _shown(image: Image.Image, most: int) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Yield what Pillow composes, until a frame is broken."""
    first = 1 if getattr(image, "default_image", False) else 0
    animated = image.format in {"PNG", "WEBP", "AVIF"}
    frames = _frames_shown(image) if animated else 1
    for number in range(first, first + min(most, frames)):
        try:
            if number:
                image.seek(number)
                image.load()
            seconds = float(image.info.get("duration") or 0) / 1000
        except opening.DECODER_FAILURES:
            return
        yield colour.to_pixels(image), seconds


def _area(image: Image.Image) -> int:
    return image.width * image.height


def _frames_shown(image: Image.Image) -> int:
    frames: int = getattr(image, "n_frames", 1)
    return frames - 1 if getattr(image, "default_image", False) else frames


def _frame_chunks(view: memoryview, most: int) -> int:
    """Count a PNG's frame control chunks: what it declares may be billions."""
    at, found = 8, 0
    while at + 8 <= len(view) and found < most:
        found += bytes(view[at + 4 : at + 8]) == b"fcTL"
        at += 12 + int.from_bytes(view[at : at + 4], "big")
    return found
