"""Canonical decoding: any picture file to upright 8-bit sRGB pixels. Runs in the worker only.

Two files that show the same picture must give the same pixels, however they store it: palette,
CMYK, 16 bits, a rotation in EXIF, a colour profile. Hashing whatever array a decoder hands over
moves a PDQ hash by 122 to 254 of 256 bits (palette indices, raw CMYK, unrotated EXIF).

``strandline.media.PIPELINE`` names this procedure; change it with anything here that could
change a pixel.
"""

import contextlib
import io
import warnings
from dataclasses import dataclass

from PIL import AvifImagePlugin, Image, ImageFile, ImageOps, UnidentifiedImageError, features

from strandline.errors import TooLarge, Undecodable
from strandline.media.colour import to_srgb
from strandline.media.limits import MAX_SIDE, Limits

#: Formats with a signature, whose decoders start no program and follow no link. (EPS runs
#: Ghostscript; TGA and PCX have no signature, so that junk would pass for a picture.)
FORMATS = (
    "JPEG", "PNG", "GIF", "WEBP", "AVIF", "JPEG2000", "TIFF", "BMP", "DIB", "ICO", "PPM",
)  # fmt: skip


@dataclass(frozen=True)
class Decoded:
    """A picture as a person sees it: upright, RGB, 8 bits, over white, first frame."""

    image: Image.Image
    format: str
    truncated: bool
    #: Frames the file declares; only the first is decoded.
    frames: int


def prepare(limits: Limits) -> None:
    """Load every decoder that will be used, while files can still be read."""
    Image.init()
    for name in features.get_supported():
        features.version(name)
    # Threads cannot be started later on; nor would they count as our processor time fairly.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = limits.pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode the first frame of a picture file.

    A damaged or cut-off file is decoded as far as it goes (missing parts grey or black,
    depending on the format) and marked ``truncated``.

    Raises:
        TooLarge: more pixels than ``limits.pixels`` or a side above ``MAX_SIDE``.
        Undecodable: no decoder makes a picture of it.
    """
    truncated = False
    try:
        image = _load(data, limits, forgiving=False)
    except _DECODER_FAILURES as first:
        try:
            image = _load(data, limits, forgiving=True)
        except _DECODER_FAILURES:
            raise Undecodable(
                f"This is not a picture that can be decoded ({_said(first)}). Nothing was shown; "
                "what the file itself is can still be examined by its digests."
            ) from first
        truncated = True
    kind = image.format or "unknown"
    frames = _declared_frames(image)
    return Decoded(to_srgb(_upright(image)), kind, truncated, frames)


#: What Pillow's decoders raise on bytes they cannot read. MemoryError is not among them.
_DECODER_FAILURES = (
    OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError, TypeError,
    AttributeError, AssertionError, NotImplementedError, RuntimeError,
)  # fmt: skip


def _said(error: BaseException) -> str:
    """One short line without the name of an object in memory."""
    if isinstance(error, UnidentifiedImageError):
        return "no known format"
    return f"{type(error).__name__}: {error}"[:120]


def _load(data: bytes, limits: Limits, *, forgiving: bool) -> Image.Image:
    ImageFile.LOAD_TRUNCATED_IMAGES = forgiving
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _refuse_large(image.size, limits)
        image.load()
        _refuse_large(image.size, limits)  # an icon or a tile may turn out larger than declared
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise _too_large(str(bomb)) from bomb
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return image


def _refuse_large(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.pixels or max(size) > MAX_SIDE:
        raise _too_large(
            f"{width:,} by {height:,} pixels, at most {limits.pixels:,} in all and "
            f"{MAX_SIDE:,} on a side"
        )
    if width < 1 or height < 1:
        raise ValueError("a picture without pixels")


def _too_large(detail: str) -> TooLarge:
    return TooLarge(
        f"The picture is too large to decode ({detail}). It was not decoded and nothing was shown."
    )


def _declared_frames(image: Image.Image) -> int:
    # Counting a GIF's frames walks the whole file; two are enough to say "an animation".
    return 2 if getattr(image, "is_animated", False) else 1


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; a file whose EXIF cannot be read is upright as stored."""
    with contextlib.suppress(*_DECODER_FAILURES):
        ImageOps.exif_transpose(image, in_place=True)
    return image
