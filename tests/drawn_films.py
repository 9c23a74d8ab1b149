"""Films drawn for tests and benchmarks: shots that pan over scikit-image's photographs."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg")


def photograph(name: str) -> Image.Image:
    with Image.open(Path(skimage.__file__).parent / "data" / name) as image:
        return image.convert("RGB")


def shots(
    seconds: float,
    rate: float = 10,
    size: tuple[int, int] = (192, 144),
    *,
    shot: float = 3.0,
    noise: float = 2.0,
    names: tuple[str, ...] = PHOTOGRAPHS,
    seed: int = 1,
) -> Iterator[NDArray[np.uint8]]:
    """Yield RGB frames: each shot moves a window slowly over another photograph, with grain."""
    rng = np.random.default_rng(seed)
    width, height = size
    grains = [rng.normal(0, noise, (height, width, 1)).astype(np.int16) for _ in range(3)]
    total, length = round(seconds * rate), round(shot * rate)
    for first in range(0, total, length):
        picture = photograph(names[(first // length) % len(names)])
        scale = 1.15 * max(width / picture.width, height / picture.height)
        large = picture.resize((int(picture.width * scale), int(picture.height * scale)))
        pixels = np.asarray(large).astype(np.int16)
        room = np.array([pixels.shape[1] - width, pixels.shape[0] - height])
        begin, end = (rng.uniform(0, 1, 2) * room for _ in range(2))
        for number in range(min(length, total - first)):
            x, y = (begin + (end - begin) * number / length).astype(int)
            window = pixels[y : y + height, x : x + width] + grains[number % 3]
            yield np.clip(window, 0, 255).astype(np.uint8)


def write(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    codec: str = "libx264",
    *,
    rate: float = 10,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: Iterable[float] | None = None,
    turned: int = 0,
    pixel_aspect: Fraction | None = None,
    tags: dict[str, int] | None = None,
    container: dict[str, str] | None = None,
) -> Path:
    """Encode frames to ``path``; ``times`` in seconds where the rate varies."""
    import av

    fast = {"preset": "ultrafast"} if codec.startswith("libx26") else {}
    base = Fraction(1, 1000)
    with av.open(str(path), "w", container_options=container or {}) as made:
        stream = None
        when = iter(times) if times is not None else None
        for picture in pictures:
            if stream is None:
                stream = made.add_stream(
                    codec,
                    rate=Fraction(rate).limit_denominator(1001),
                    options=fast | (options or {}),
                )
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = pix_fmt
                stream.codec_context.thread_count = 1
                for name, value in (tags or {}).items():
                    setattr(stream.codec_context, name, value)
                if turned:
                    stream.set_display_rotation(turned)
                if pixel_aspect:
                    stream.codec_context.sample_aspect_ratio = pixel_aspect
                if when is not None:
                    stream.codec_context.time_base = base
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if (tags or {}).get("color_range") == 2:
                frame = frame.reformat(format=pix_fmt, dst_color_range="JPEG")
            if when is not None:
                frame.pts, frame.time_base = round(next(when) * 1000), base
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return path
