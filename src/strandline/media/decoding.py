"""Canonical decoding: any picture file to upright 8-bit sRGB pixels. Runs in the worker only.

Two files that show the same picture must give the same pixels, however they store it: palette,
CMYK, 16 bits, a rotation in EXIF, a colour profile. Hashing whatever array a decoder hands over
moves a PDQ hash by 122 to 254 of 256 bits (palette indices, raw CMYK, unrotated EXIF).

``strandline.media.PIPELINE`` names this procedure; change it with anything here that could
change a pixel. "media-2" promises:

- Formats: JPEG, PNG, GIF, WebP, AVIF, HEIC, JPEG 2000, TIFF, BMP, ICO, PBM, PGM and PPM; the first
  or main picture of a file.
- Upright: the container's turn in AVIF and HEIC (whose EXIF says nothing), else EXIF, else XMP.
- Colours: the embedded profile of RGB, grey or CMYK samples brought to sRGB; CMYK without one as
  Pillow converts it, inverted as Adobe stores it; LAB, HSV and YCbCr converted; palettes looked
  up; gamma and HDR hints ignored.
- Depth: see :func:`strandline.media.colour.to_pixels`. Alpha: over white, also where a GIF's
  first frame does not reach. Plain grey, bilevel included, is one channel.
- TIFF samples Pillow does not read rightly (16-bit planes, floats, 64 bits, 16-bit LAB, deep grey
  whose zero is white), raw or deflated: by the same rule for depth, alpha by a white of its own.
  32-bit integers of one channel are read as unsigned. Refused by name: 8- and 16-bit signed
  samples below zero, 12 bits, YCbCr in raw planes or subsampled raw, the same kinds of sample in
  another compression or with the floating-point predictor.
- A cut-off file: as far as its decoder goes, marked.
- JPEG by libjpeg-turbo, pixel for pixel what Pillow makes of it.

The same photograph in any of these modes and formats is within 10 bits of itself
(``tests/media/test_colour.py``, which names what cannot be).
"""

import contextlib
import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from strandline.media import animation, colour, jpeg, opening, truncation
from strandline.media.animation import Frame, frames_of
from strandline.media.jpeg import Scaled
from strandline.media.limits import Limits
from strandline.media.opening import prepare
from strandline.media.orientation import orientation_of, upright

__all__ = ["Decoded", "Frame", "Scaled", "decode", "decode_scaled", "frames_of", "prepare"]


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as a person sees it: upright, 8 bits, over white, first frame."""

    #: uint8, C-contiguous: (height, width, 3) sRGB, or (height, width) when it is plain grey.
    pixels: NDArray[np.uint8]
    format: str
    truncated: bool
    #: Frames the file has, counted up to ``limits.frames``; only the first is decoded.
    frames: int

    @property
    def width(self) -> int:
        """Displayed width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Displayed height in pixels."""
        return int(self.pixels.shape[0])

    @functools.cached_property
    def image(self) -> Image.Image:
        """The same as a Pillow image, mode RGB or L, made when first asked for."""
        return Image.fromarray(self.pixels)


def decode(data: bytes | memoryview, limits: Limits) -> Decoded:
    """Decode the first frame of a picture file.

    A damaged or cut-off file is decoded as far as it goes (missing parts grey or black,
    depending on the format) and marked ``truncated``.

    Raises:
        TooLarge: more pixels than ``limits.pixels`` or a side above ``MAX_SIDE``.
        Undecodable: no decoder makes a picture of it.
    """
    try:
        return _decoded(data, limits, forgiving=False)
    except opening.DECODER_FAILURES as first:
        for completed in truncation.completions(data, limits.bytes):
            with contextlib.suppress(*opening.DECODER_FAILURES):
                return _decoded(completed, limits, forgiving=True)
        raise opening.undecodable(first) from first


def _decoded(data: bytes | memoryview, limits: Limits, *, forgiving: bool) -> Decoded:
    if truncation.is_cut_off(data) and not forgiving:
        raise EOFError("the file is shorter than it says")
    image = opening.opened(data, limits, forgiving=forgiving)
    pixels = None
    if not forgiving and jpeg.is_plain(image):
        pixels = jpeg.pixels_of(image, data)
    if pixels is None:
        drawn = image.tile[0].extents if image.format == "GIF" and image.tile else None
        opening.load(image, limits, forgiving=forgiving)
        pixels = colour.to_pixels(image)
        if drawn is not None:
            _clear_around(pixels, drawn)
    kind = image.format or "unknown"
    return Decoded(
        upright(pixels, orientation_of(image)),
        "JPEG" if kind in jpeg.FORMATS else kind,
        forgiving,
        animation.count(image, data, limits),
    )


def _clear_around(pixels: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
    """Show nothing, which is white, where a GIF's first frame does not reach."""
    left, top, right, bottom = box
    pixels[:top] = pixels[bottom:] = 255
    pixels[:, :left] = pixels[:, right:] = 255


def decode_scaled(
    data: bytes | memoryview, limits: Limits, *, short_side: int = 512
) -> Scaled | None:
    """Decode the luma of a JPEG at 1/8, 1/4, 1/2 or 1/1 of its size, whichever is smallest.

    The short side keeps at least ``short_side`` samples where the original has them.

    Returns:
        None when this file has no faster way whose luma is that of the canonical pixels (not a
        JPEG, CMYK, RGB stored as such, a profile other than sRGB, damaged): use :func:`decode`,
        which also says what is wrong with it.

    Raises:
        TooLarge: see :func:`decode`.
    """
    try:
        image = opening.opened(data, limits)
        if not jpeg.is_plain(image):
            return None
        return jpeg.scaled_luma_of(image, data, short_side)
    except opening.DECODER_FAILURES:
        return None
