"""The task this room adds to the sandbox: decode once, hash, and make renditions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from strandline.hashing.perceptual import pdq
from strandline.media import tasks as media_tasks
from strandline.media.decoding import decode
from strandline.media.limits import Limits

_ROWS_AT_ONCE = 256


def prepare(limits: Limits) -> None:
    """Load what is loaded late, while files can still be read."""
    media_tasks.prepare(limits)
    pdq(np.zeros((70, 70, 3), np.uint8))


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Copy in strips: asking for the whole at once would hold the picture three times."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _ROWS_AT_ONCE):
        bottom = min(top + _ROWS_AT_ONCE, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def _fingerprint(
    data: bytes, params: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    decoded = decode(data, limits)
    facts = media_tasks.facts_of(decoded)
    renditions = media_tasks.renditions_of(decoded, params)
    pixels = _pixels(decoded.image)
    del decoded  # 80 million pixels are 320 MB; the strict path needs the room
    found = pdq(pixels)
    return facts | {"pdq": found.hash, "quality": found.quality}, renditions


TASKS = {"fingerprint": _fingerprint}
