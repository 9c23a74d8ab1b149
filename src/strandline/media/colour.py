"""Any of Pillow's modes to 8-bit sRGB over white. Runs in the worker only."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")

#: Transparent parts show what a white page would show.
_BACKGROUND = (255, 255, 255, 255)
_ROWS_AT_ONCE = 256


def to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in mode RGB, without metadata.

    The embedded colour profile is applied where it is not sRGB and can be read. Sixteen-bit
    samples keep their high byte, as libpng does; 32-bit integers are taken as sixteen-bit
    (what Pillow makes of PGM and grey TIFF); floats as 0…1, or 0…255 when any exceeds 1.
    """
    profile = image.info.get("icc_profile")
    image = _eight_bit(image)
    if image.mode == "LAB":
        image = _converted(image, _LAB) or image.convert("RGB")
    elif profile and image.mode in {"RGB", "RGBA", "L", "CMYK"}:
        image = _by_profile(image, profile) or image
    if image.has_transparency_data:
        image = _over_white(image)
    return _bare(image if image.mode == "RGB" else image.convert("RGB"))


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _grey(image, lambda samples: samples.astype(np.uint16) >> 8)
    if image.mode == "I":
        return _grey(image, lambda samples: np.clip(samples, 0, 65_535) >> 8)
    if image.mode == "F":
        highest = max(float(_finite(strip).max()) for _, strip in _strips(image))
        scale = 255.0 if highest <= 1.0 else 1.0
        return _grey(image, lambda samples: np.clip(np.rint(_finite(samples) * scale), 0, 255))
    if image.mode in {"1", "LA", "La", "P", "PA", "RGBa", "HSV", "YCbCr", "RGBX"}:
        alpha = image.has_transparency_data or image.mode in {"LA", "La", "PA", "RGBa"}
        return image.convert("RGBA" if alpha else "RGB")
    return image


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield the picture in strips with the row each starts at, so that no copy is a whole one."""
    for top in range(0, image.height, _ROWS_AT_ONCE):
        bottom = min(top + _ROWS_AT_ONCE, image.height)
        yield top, image.crop((0, top, image.width, bottom))


def _finite(samples: Image.Image | NDArray[Any]) -> NDArray[Any]:
    finite: NDArray[Any] = np.nan_to_num(np.asarray(samples), nan=0.0, posinf=255.0, neginf=0.0)
    return finite


def _grey(image: Image.Image, rule: Callable[[NDArray[Any]], NDArray[Any]]) -> Image.Image:
    grey = Image.new("L", image.size)
    for top, strip in _strips(image):
        grey.paste(Image.fromarray(rule(np.asarray(strip)).astype(np.uint8)), (0, top))
    return grey


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Apply an embedded profile; None when it is sRGB already, unreadable or of other channels."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
    except (ImageCms.PyCMSError, OSError, ValueError, UnicodeError):
        return None
    return _converted(image, source)


def _converted(image: Image.Image, source: Any) -> Image.Image | None:  # noqa: ANN401 - two kinds
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha is not None else image
    try:
        made = ImageCms.profileToProfile(colours, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if made is not None and alpha is not None:
        made.putalpha(alpha)
    return made


def _over_white(image: Image.Image) -> Image.Image:
    shown = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        page = Image.new("RGBA", strip.size, _BACKGROUND)
        shown.paste(Image.alpha_composite(page, strip.convert("RGBA")).convert("RGB"), (0, top))
    return shown


def _bare(image: Image.Image) -> Image.Image:
    """Leave everything behind that is not a pixel: EXIF, profile, comments."""
    image.getexif().clear()
    image.info = {}
    return image
