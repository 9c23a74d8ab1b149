"""Films drawn for the benchmark of video: still, panning and zooming shots of photographs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

_NAMES = (
    "astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg", "ihc.png",
    "hubble_deep_field.jpg", "retina.jpg", "camera.png", "brick.png", "motorcycle_right.png",
    "coins.png",
)  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A photograph, and the window over it that moves from one box to another."""

    picture: Image.Image
    frames: int
    begin: tuple[float, float, float, float]
    end: tuple[float, float, float, float]


def script(seconds: float, rate: int, *, seed: int) -> list[Shot]:
    """Shots of 2 to 8 s: two in five stand still, two in five move a little, one moves fast."""
    rng = np.random.default_rng(seed)
    names, shots, left = rng.permutation(_NAMES), [], round(seconds * rate)
    while left > 0:
        with Image.open(Path(skimage.__file__).parent / "data" / names[len(shots) % 12]) as image:
            picture = image.convert("RGB")
        wide = min(picture.width, picture.height * 16 / 9)
        room = picture.width - 0.7 * wide, picture.height - 0.7 * wide * 9 / 16
        x, y = rng.uniform(0, 1, 2) * room
        size = 0.7 * wide
        motion = rng.choice([0.0, 0.03, 0.2], p=[0.4, 0.4, 0.2])
        dx, dy, zoom = rng.uniform(-1, 1, 3) * motion * size
        ex, ey = np.clip((x + dx, y + dy), 0, room)
        grown = max(size * 0.5, size - abs(zoom))
        frames = min(left, round(rng.uniform(2, 8) * rate))
        begin = (x, y, x + size, y + size * 9 / 16)
        shots.append(Shot(picture, frames, begin, (ex, ey, ex + grown, ey + grown * 9 / 16)))
        left -= frames
    return shots


def frames(
    shots: list[Shot], size: tuple[int, int], *, grain: float, skip: int = 0, gain: float = 1.0
) -> Iterator[NDArray[np.uint8]]:
    """Yield RGB frames with grain, leaving out the first ``skip``."""
    rng = np.random.default_rng(1)
    grains = [rng.normal(0, grain, (size[1], size[0], 1)).astype(np.int16) for _ in range(4)]
    number = 0
    for shot in shots:
        begin, end = np.array(shot.begin), np.array(shot.end)
        for at in range(shot.frames):
            number += 1
            if number <= skip:
                continue
            box = tuple(begin + (end - begin) * at / shot.frames)
            seen = shot.picture.resize(size, Image.Resampling.BILINEAR, box=box)
            pixels = np.asarray(seen).astype(np.int16)
            if gain != 1.0:
                pixels = (pixels * gain).astype(np.int16)
            yield np.clip(pixels + grains[number % 4], 0, 255).astype(np.uint8)


def write(
    path: Path, pictures: Iterator[NDArray[np.uint8]], rate: int, codec: str, **options: str
) -> Path:
    import av

    with av.open(str(path), "w") as made:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = made.add_stream(codec, rate=rate, options=options)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        made.mux(stream.encode())
    return path
