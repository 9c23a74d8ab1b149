"""Any of Pillow's modes to 8-bit sRGB over white. Runs in the worker only."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")

#: Transparent parts show what a white page would show.
_BACKGROUND = (255, 255, 255, 255)


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
        image = _over_white(image.convert("RGBA"))
    return _bare(image.convert("RGB"))


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _grey(np.asarray(image).astype(np.uint16) >> 8)
    if image.mode == "I":
        return _grey(np.clip(np.asarray(image), 0, 65_535) >> 8)
    if image.mode == "F":
        samples = np.nan_to_num(np.asarray(image), nan=0.0, posinf=255.0, neginf=0.0)
        scale = 255.0 if samples.max(initial=0.0) <= 1.0 else 1.0
        return _grey(np.clip(np.rint(samples * scale), 0, 255))
    if image.mode in {"1", "LA", "La", "P", "PA", "RGBa", "HSV", "YCbCr", "RGBX"}:
        alpha = image.has_transparency_data or image.mode in {"LA", "La", "PA", "RGBa"}
        return image.convert("RGBA" if alpha else "RGB")
    return image


def _grey(samples: NDArray[Any]) -> Image.Image:
    return Image.fromarray(samples.astype(np.uint8))


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
    page = Image.new("RGBA", image.size, _BACKGROUND)
    page.alpha_composite(image)
    return page


def _bare(image: Image.Image) -> Image.Image:
    """Leave everything behind that is not a pixel: EXIF, profile, comments."""
    if image.info or image.getexif():
        image = image.copy()
        image.info = {}
        image.getexif().clear()
    return image
