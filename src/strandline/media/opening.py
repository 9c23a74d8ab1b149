"""From bytes to an opened or loaded picture, refusing what is too large first. Worker only."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import IO, Any

import pi_heif  # type: ignore[import-untyped]
from PIL import AvifImagePlugin, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError, features

from strandline.errors import TooLarge, Undecodable
from strandline.media import deep_tiff, tiff_layout, truncation
from strandline.media.limits import MAX_SIDE, Limits

#: Formats with a signature, whose decoders start no program and follow no link. (EPS runs
#: Ghostscript; TGA and PCX have no signature, so that junk would pass for a picture.)
FORMATS = (
    "JPEG", "PNG", "GIF", "WEBP", "AVIF", "HEIF", "JPEG2000", "DEEPTIFF", "BMP", "DIB", "ICO",
    "PPM",
)  # fmt: skip

# The pictures alone, neither thumbnails nor depth maps. libheif asks its HEVC decoder for one
# thread at least; the sandbox's filter allows threads for its sake.
pi_heif.register_heif_opener(
    decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
)


class DeepTiff(TiffImagePlugin.TiffImageFile):
    """A TIFF that Pillow reads where it does so rightly, and ``deep_tiff`` elsewhere."""

    format = "TIFF"
    _layout: tiff_layout.Layout | None = None

    def _setup(self) -> None:
        self._layout = None
        layout = tiff_layout.Layout(self.tag_v2)
        if layout.is_pillows():
            try:
                super()._setup()
            except SyntaxError:  # not among what Pillow knows
                pass
            else:
                return
        self._mode = layout.mode()
        self._size = self._tile_size = layout.width, layout.height
        if self.tag_v2.get(274) in {5, 6, 7, 8}:
            self._size = layout.height, layout.width
        self.tile, self.use_load_libtiff, self._layout = [], False, layout
        if 34675 in self.tag_v2:
            self.info["icc_profile"] = self.tag_v2[34675]

    def load(self) -> Any:  # noqa: ANN401 - Pillow's own type cannot be named
        """Make the pixels, once."""
        layout, self._layout = self._layout, None
        if layout is not None and self.fp is not None:
            made = deep_tiff.eight_bits(self.fp, layout, len(self.getbands()))
            self.im = Image.frombytes(self.mode, self._tile_size, made).im
            self.load_end()
        return super().load()


Image.register_open("DEEPTIFF", DeepTiff, lambda prefix: prefix[:2] in {b"II", b"MM"})

#: What Pillow's decoders raise on bytes they cannot read. MemoryError is not among them.
DECODER_FAILURES = (
    OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError, TypeError,
    AttributeError, AssertionError, NotImplementedError, RuntimeError,
)  # fmt: skip


def prepare(limits: Limits) -> None:
    """Load every decoder that will be used, while files can still be read."""
    Image.init()
    for name in features.get_supported():
        features.version(name)
    # More threads than the one that is needed would only add to what a worker holds.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = limits.pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def opened(
    data: bytes | memoryview, limits: Limits, *, forgiving: bool = False
) -> ImageFile.ImageFile:
    """Read the header of a picture file; nothing is decoded yet.

    Raises:
        TooLarge: it claims more pixels than ``limits.pixels`` or a side above ``MAX_SIDE``.
        DECODER_FAILURES: it is not of a known format, or its header is broken.
    """
    try:
        with _forgiving(forgiving):
            image = Image.open(_readable(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise too_large(f"more than {limits.pixels:,} pixels") from bomb
    refuse_large(image.size, limits)
    return image


def load(image: ImageFile.ImageFile, limits: Limits, *, forgiving: bool = False) -> None:
    """Decode what was opened; ``forgiving`` takes a cut-off file as far as it goes.

    Raises:
        TooLarge: an icon or a tile turned out larger than declared.
        DECODER_FAILURES: the file is broken or cut off.
    """
    try:
        with _forgiving(forgiving):
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise too_large(f"more than {limits.pixels:,} pixels") from bomb
    except DECODER_FAILURES:
        if not forgiving or not truncation.keep_what_was_decoded(image):
            raise
    refuse_large(image.size, limits)


@contextlib.contextmanager
def _forgiving(forgiving: bool) -> Iterator[None]:
    ImageFile.LOAD_TRUNCATED_IMAGES = forgiving
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def refuse_large(size: tuple[int, int], limits: Limits) -> None:
    """Refuse a picture by its width and height in pixels.

    Raises:
        TooLarge: see :func:`opened`.
        ValueError: it has no pixels.
    """
    width, height = size
    if width * height > limits.pixels or max(size) > MAX_SIDE:
        raise too_large(
            f"{width:,} by {height:,} pixels, at most {limits.pixels:,} in all and "
            f"{MAX_SIDE:,} on a side"
        )
    if width < 1 or height < 1:
        raise ValueError("a picture without pixels")


def too_large(detail: str) -> TooLarge:
    """Return the verdict, for the person."""
    return TooLarge(
        f"The picture is too large to decode ({detail}). It was not decoded and nothing was shown."
    )


def undecodable(error: BaseException) -> Undecodable:
    """Return the verdict on a file that failed with ``error``, for the person."""
    return Undecodable(
        f"This is not a picture that can be decoded ({_said(error)}). Nothing was shown; "
        "what the file itself is can still be examined by its digests."
    )


def _said(error: BaseException) -> str:
    """One short line without the name of an object in memory."""
    if isinstance(error, UnidentifiedImageError):
        return "no known format"
    if isinstance(error, tiff_layout.Unread):
        return str(error)
    return f"{type(error).__name__}: {error}"[:120]


def _readable(data: bytes | memoryview) -> IO[bytes]:
    """Return a file over ``data`` without copying it."""
    if isinstance(data, bytes):
        return io.BytesIO(data)  # shares the bytes
    return io.BufferedReader(_View(data))


class _View(io.RawIOBase):
    """A file over memory that belongs to another."""

    def __init__(self, data: memoryview) -> None:
        self._data = data.cast("B")
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._data)}[whence]
        if start + offset < 0:
            raise ValueError("a place before the start")
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, into: Any) -> int:  # noqa: ANN401 - any writable buffer
        piece = self._data[self._place : self._place + len(into)]
        into[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
