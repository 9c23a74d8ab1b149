"""Any of Pillow's modes to 8-bit sRGB over white. Runs in the worker only."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels = NDArray[np.uint8]

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")

#: The picture is converted in strips, so that no copy but the result is a whole one.
_ROWS_AT_ONCE = 256

#: What a colour profile can be applied to, by the colour space the profile says it is for.
_MODES_OF_SPACE = {"RGB ": {"RGB"}, "GRAY": {"L"}, "CMYK": {"CMYK"}}
_GREY_MODES = {"1", "L", "LA", "La"}


def to_pixels(image: Image.Image) -> Pixels:
    """Return what the picture shows: uint8 (height, width, 3), or (height, width) if plain grey.

    Transparent parts show what a white page would show. The embedded colour profile is applied
    where it is not sRGB, can be read and fits the samples. Sixteen-bit samples keep their high
    byte, as libpng does. 32-bit integers have no stated white: they are taken as the narrowest
    of 8, 16 or 32 bits that holds the highest; floats likewise as 0 to 1, 0 to 255 or 0 to 65,535.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _in_strips(image, _deep_grey(image), channels=1)
    base = _base_mode(image)
    transform = _transform_of(image, base)
    channels = 1 if base == "L" and transform is None else 3
    clear = image.has_transparency_data

    def shown(strip: Image.Image) -> Pixels:
        if strip.mode == "La":
            strip = strip.convert("LA")
        seen = strip.convert("RGBA") if clear else strip
        colours = (strip if base == "L" else seen).convert(base)
        if transform is not None:
            colours = ImageCms.applyTransform(colours, transform) or colours
        if colours.mode not in {"L", "RGB"}:
            colours = colours.convert("RGB")
        return np.asarray(_over_white(colours, seen.getchannel("A")) if clear else colours)

    return _in_strips(image, shown, channels)


def changes_colours(image: Image.Image) -> bool:
    """Say whether the file's colour profile makes its RGB or grey samples other than sRGB."""
    return _transform_of(image, _base_mode(image)) is not None


def _in_strips(image: Image.Image, rule: Callable[[Image.Image], Pixels], channels: int) -> Pixels:
    width, height = image.size
    made = np.empty((height, width) if channels == 1 else (height, width, channels), np.uint8)
    for top in range(0, height, _ROWS_AT_ONCE):
        bottom = min(top + _ROWS_AT_ONCE, height)
        made[top:bottom] = rule(image.crop((0, top, width, bottom)))
    return made


def _base_mode(image: Image.Image) -> str:
    """Return the mode the samples mean, without alpha and palette."""
    if image.mode in _GREY_MODES:
        return "L"
    return image.mode if image.mode in {"CMYK", "LAB"} else "RGB"


def _over_white(colours: Image.Image, alpha: Image.Image) -> Image.Image:
    if alpha.getextrema() == (255, 255):
        return colours
    page = Image.new(colours.mode, colours.size, "white")
    page.paste(colours, mask=alpha)
    return page


def _transform_of(image: Image.Image, base: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way from the file's own colours to sRGB; None when they are sRGB already.

    A profile that cannot be read, or is for other channels than the picture has, is no profile.
    """
    profile = image.info.get("icc_profile")
    try:
        if base == "LAB":
            return ImageCms.buildTransform(_LAB, _SRGB, "LAB", "RGB")
        if not profile:
            return None
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        if base not in _MODES_OF_SPACE.get(source.profile.xcolor_space, ()):
            return None
        return ImageCms.buildTransform(source, _SRGB, base, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, UnicodeError):
        return None


def _deep_grey(image: Image.Image) -> Callable[[Image.Image], Pixels]:
    if image.mode.startswith("I;16"):
        clear = image.info.get("transparency")

        def high_byte(strip: Image.Image) -> Pixels:
            samples = np.asarray(strip).astype(np.uint16)
            grey = (samples >> 8).astype(np.uint8)
            return np.where(samples == clear, np.uint8(255), grey) if clear is not None else grey

        return high_byte
    if image.mode == "I":
        return _integers(image)
    return _floats(image)


def _integers(image: Image.Image) -> Callable[[Image.Image], Pixels]:
    # Pillow keeps the samples as int32, whatever their sign was in the file.
    lowest, highest = (int(bound) for bound in _extrema(image))
    if lowest >= 0 and highest <= 65_535:
        shift = 8 if highest > 255 else 0
        return lambda strip: (np.asarray(strip) >> shift).astype(np.uint8)
    return lambda strip: (np.asarray(strip).astype(np.uint32) >> 24).astype(np.uint8)


def _floats(image: Image.Image) -> Callable[[Image.Image], Pixels]:
    _, highest = _extrema(image)
    white = next((white for white in (1.0, 255.0) if highest <= white), 65_535.0)

    def scaled(strip: Image.Image) -> Pixels:
        samples = np.clip(np.asarray(strip), 0, white) * (255.0 / white)
        samples[np.isnan(samples)] = 0
        return np.asarray(np.rint(samples), np.uint8)

    return scaled


def _extrema(image: Image.Image) -> tuple[float, float]:
    """Return the lowest and highest sample; what is not a number, or infinite, does not count."""
    bounds = [0.0]
    for top in range(0, image.height, _ROWS_AT_ONCE):
        bottom = min(top + _ROWS_AT_ONCE, image.height)
        strip = np.asarray(image.crop((0, top, image.width, bottom)))
        counted = strip[np.isfinite(strip)]
        if counted.size:
            bounds += [float(counted.min()), float(counted.max())]
    return min(bounds), max(bounds)
