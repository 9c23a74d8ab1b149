"""Harmless pictures: gradients, shapes and textures from a seeded generator.

One seed always gives the same bytes. Two seeds give pictures that a perceptual hash keeps far
apart (more than 60 of 256 PDQ bits); a copy stays within 20 bits of its original.
"""

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Format = Literal["jpeg", "png", "webp", "gif"]
FORMATS: tuple[Format, ...] = ("jpeg", "png", "webp", "gif")

_SHAPES = 46


def draw(seed: int, width: int = 640, height: int = 480) -> Image.Image:
    """An RGB picture of ``width`` x ``height`` pixels that depends on nothing but the arguments."""
    rng = np.random.default_rng(seed)
    picture = _gradient(rng, width, height)
    pen = ImageDraw.Draw(picture)
    for _ in range(_SHAPES):
        _shape(rng, pen, width, height)
    return _textured(rng, picture)


def encode(image: Image.Image, format: Format, quality: int = 88) -> bytes:  # noqa: A002 - Pillow's word
    """The file's bytes; ``quality`` (1 to 95) counts for JPEG and WebP only."""
    out = io.BytesIO()
    match format:
        case "jpeg":
            image.convert("RGB").save(out, "JPEG", quality=quality)
        case "png":
            image.save(out, "PNG", compress_level=1)  # the grain hardly compresses anyway
        case "webp":
            image.save(out, "WEBP", quality=quality)
        case "gif":
            image.quantize(128, method=Image.Quantize.FASTOCTREE).save(out, "GIF")
        case _:
            raise ValueError(f"No encoder for {format!r}: choose one of {', '.join(FORMATS)}.")
    return out.getvalue()


def copy_of(
    seed: int,
    *,
    format: Format = "jpeg",  # noqa: A002 - Pillow's word
    quality: int = 70,
    scale: float = 0.75,
    width: int = 640,
    height: int = 480,
) -> bytes:
    """The picture of ``seed``, drawn at ``width`` x ``height``, resized by ``scale``, encoded."""
    image = draw(seed, width, height)
    if scale != 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    return encode(image, format, quality)


def undecodable(seed: int, size: int = 6000) -> bytes:
    """Bytes that begin like a JPEG file and go on as noise, so that no decoder gets a picture."""
    noise = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
    # 0xFF would start a marker and might, by bad luck, make a frame: the range above leaves it out.
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + noise.tobytes()


def _gradient(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    corners = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)


def _shape(rng: np.random.Generator, pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
    side = min(width, height)
    x, y = rng.random() * width, rng.random() * height
    reach = (0.04 + 0.16 * rng.random()) * side
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    # Half of the shapes are nearly black or nearly white, so that every picture has strong edges.
    ink = (red, green, blue) if rng.random() < 0.5 else (red // 6,) * 3
    if rng.random() < 0.4:
        ink = (255 - red // 6, 255 - green // 6, 255 - blue // 6)
    match int(rng.integers(0, 3)):
        case 0:
            pen.ellipse((x - reach, y - reach * 0.7, x + reach, y + reach * 0.7), fill=ink)
        case 1:
            pen.rectangle((x - reach * 0.6, y - reach, x + reach * 0.6, y + reach), fill=ink)
        case _:
            turns = np.sort(rng.random(5)) * 2 * np.pi
            corners = [(x + reach * float(np.cos(t)), y + reach * float(np.sin(t))) for t in turns]
            pen.polygon(corners, fill=ink)


def _textured(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    pixels: NDArray[np.float64] = np.asarray(picture, dtype=np.float64)
    height, width, _ = pixels.shape
    across, down = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    fx, fy = rng.integers(6, 22, 2)
    waves = 14 * np.sin(2 * np.pi * (fx * across + fy * down + rng.random()))
    grain = rng.normal(0, 4, (height, width))
    mixed = np.clip(pixels + (waves + grain)[:, :, np.newaxis], 0, 255)
    return Image.fromarray(np.round(mixed).astype(np.uint8))
