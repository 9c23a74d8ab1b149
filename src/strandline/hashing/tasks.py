"""The task this room adds to the sandbox: decode once, hash, and make renditions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from strandline.hashing.perceptual import pdq
from strandline.media import tasks as media_tasks
from strandline.media.decoding import decode
from strandline.media.limits import Limits


def prepare(limits: Limits) -> None:
    """Load what is loaded late, while files can still be read."""
    media_tasks.prepare(limits)
    pdq(np.zeros((70, 70, 3), np.uint8))


def _fingerprint(
    data: bytes, params: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    decoded = decode(data, limits)
    facts = media_tasks.facts_of(decoded)
    renditions = media_tasks.renditions_of(decoded, params)
    pixels = decoded.pixels
    del decoded  # what a rendition was made from; the strict path needs the room
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    found = pdq(pixels)
    return facts | {"pdq": found.hash, "quality": found.quality}, renditions


TASKS = {"fingerprint": _fingerprint}
