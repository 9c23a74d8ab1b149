"""What an analyst sees instead of the original. Runs in the worker only.

Every style loses information for good, is smaller than the original on both sides, and carries
no metadata: neither name, time, place nor original size can be read from it.
"""

import io

from PIL import Image, ImageFilter, ImageOps

from strandline.media.limits import Style

#: Longest side of any rendition, in pixels.
MAX_SIDE = 640
#: Longest side of what the blurred style keeps before it is spread out again.
_KEPT_WHEN_BLURRED = 80
_BLURRED_SIDE = 320


def render(image: Image.Image, style: Style) -> bytes:
    """Make one rendition of a picture in mode RGB or L: JPEG, or PNG for ``EDGES``."""
    grey = image.convert("L")
    grey.info = {}
    if style is Style.BLURRED:
        return _jpeg(_blurred(grey))
    if style is Style.GREY:
        return _jpeg(_fitted(grey).filter(ImageFilter.GaussianBlur(1)))
    return _png(_edges(grey))


def _size(image: Image.Image, longest: int) -> tuple[int, int]:
    """Fit into ``longest``, and into three quarters of the original at any rate."""
    scale = min(longest / max(image.size), 0.75)
    return max(1, int(image.width * scale)), max(1, int(image.height * scale))


def _fitted(grey: Image.Image) -> Image.Image:
    return grey.resize(_size(grey, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _blurred(grey: Image.Image) -> Image.Image:
    kept = grey.resize(_size(grey, _KEPT_WHEN_BLURRED), Image.Resampling.BOX)
    shown = kept.resize(_size(grey, _BLURRED_SIDE), Image.Resampling.BICUBIC)
    return shown.filter(ImageFilter.GaussianBlur(max(1.0, max(shown.size) / 64)))


def _edges(grey: Image.Image) -> Image.Image:
    soft = _fitted(grey).filter(ImageFilter.GaussianBlur(1.5))
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
