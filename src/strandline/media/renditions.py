"""What an analyst sees instead of the original. Runs in the worker only.

Of a film, a sheet of a few frames, each degraded as a picture is, with its time under it.

Every style loses information for good, is smaller than the original on both sides, and carries
no metadata: neither name, time, place nor original size can be read from it.
"""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from strandline.media.limits import Style

#: Longest side of any rendition, in pixels.
MAX_SIDE = 640
#: Longest side of what the blurred style keeps before it is spread out again.
_KEPT_WHEN_BLURRED = 80
_BLURRED_SIDE = 320

#: Longest side of a frame on a film's sheet, and frames beside each other.
_FRAME_SIDE = 320
_ACROSS = 3
#: Between frames, and the height of the line with the time, in pixels.
_GAP, _LINE = 8, 24
#: Levels of grey of a sheet's ground and of its times.
_GROUND, _WRITING = 40, 235
#: The font is a bitmap of Pillow's own; no outline is drawn in the worker.
_FONT_SCALE = 2


def render(image: Image.Image, style: Style) -> bytes:
    """Make one rendition of a picture in mode RGB or L: JPEG, or PNG for ``EDGES``."""
    made = _degraded(image, style, MAX_SIDE)
    return _png(made) if style is Style.EDGES else _jpeg(made)


def render_sheet(frames: Sequence[tuple[str, Image.Image]], style: Style) -> bytes:
    """Put frames on one sheet, in reading order, each degraded by itself with its text under it.

    ``frames`` are (text, picture in mode RGB or L), at least one. JPEG, or PNG for ``EDGES``.
    """
    tiles = [(_written(text), _degraded(image, style, _FRAME_SIDE)) for text, image in frames]
    across = min(_ACROSS, len(tiles))
    width = max(max(text.width, tile.width) for text, tile in tiles)
    height = max(tile.height for _, tile in tiles)
    down = -(-len(tiles) // across)
    size = (
        across * (width + _GAP) + _GAP,
        down * (height + _LINE + _GAP) + _GAP,
    )
    sheet = Image.new("L", size, _GROUND)
    for number, (text, tile) in enumerate(tiles):
        left = _GAP + number % across * (width + _GAP)
        top = _GAP + number // across * (height + _LINE + _GAP)
        sheet.paste(tile, (left + (width - tile.width) // 2, top + (height - tile.height) // 2))
        sheet.paste(text, (left + (width - text.width) // 2, top + height))
    return _png(sheet) if style is Style.EDGES else _jpeg(sheet)


def _written(text: str) -> Image.Image:
    font = ImageFont.load_default_imagefont()
    left, top, right, bottom = (int(side) for side in font.getbbox(text))
    small = Image.new("L", (max(1, right - left), max(1, bottom - top)), _GROUND)
    ImageDraw.Draw(small).text((-left, -top), text, fill=_WRITING, font=font)
    large = (small.width * _FONT_SCALE, small.height * _FONT_SCALE)
    return small.resize(large, Image.Resampling.NEAREST)


def _degraded(image: Image.Image, style: Style, longest: int) -> Image.Image:
    grey = image.convert("L")
    grey.info = {}
    if style is Style.BLURRED:
        return _blurred(grey)
    if style is Style.GREY:
        return _fitted(grey, longest).filter(ImageFilter.GaussianBlur(1))
    return _edges(grey, longest)


def _size(image: Image.Image, longest: int) -> tuple[int, int]:
    """Fit into ``longest``, and into three quarters of the original at any rate."""
    scale = min(longest / max(image.size), 0.75)
    return max(1, int(image.width * scale)), max(1, int(image.height * scale))


def _fitted(grey: Image.Image, longest: int) -> Image.Image:
    return grey.resize(_size(grey, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _blurred(grey: Image.Image) -> Image.Image:
    kept = grey.resize(_size(grey, _KEPT_WHEN_BLURRED), Image.Resampling.BOX)
    shown = kept.resize(_size(grey, _BLURRED_SIDE), Image.Resampling.BICUBIC)
    return shown.filter(ImageFilter.GaussianBlur(max(1.0, max(shown.size) / 64)))


def _edges(grey: Image.Image, longest: int) -> Image.Image:
    soft = _fitted(grey, longest).filter(ImageFilter.GaussianBlur(1.5))
    lines = ImageOps.autocontrast(soft.filter(ImageFilter.FIND_EDGES), cutoff=(0, 2))
    return ImageOps.invert(lines)


def _jpeg(grey: Image.Image) -> bytes:
    out = io.BytesIO()
    grey.save(out, "JPEG", quality=75)
    return out.getvalue()


def _png(grey: Image.Image) -> bytes:
    out = io.BytesIO()
    grey.save(out, "PNG")
    return out.getvalue()
