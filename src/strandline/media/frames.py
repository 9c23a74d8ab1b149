"""The wire between parent and worker: a length-prefixed JSON header, then raw blobs.

::

    8 bytes   length of the header, big-endian
    n bytes   header, JSON object; "blobs" is a list of [name, length]
    …         the blobs, one after the other

JSON and bytes only: the parent reads what a worker that was taken over may have written, so
nothing on this wire can name a class or run code (as pickle could).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

#: A header holds facts and bounded text (see ``pages``); more than this is not from our worker.
MAX_HEADER = 8 * 2**20
PREFIX = 8


class BadFrameError(Exception):
    """What came over the wire is not a frame of ours."""


def encode(
    header: Mapping[str, Any], blobs: Mapping[str, bytes | memoryview]
) -> list[bytes | memoryview]:
    """Return the pieces of one frame, in order; large blobs are not copied."""
    told = dict(header) | {"blobs": [[name, len(data)] for name, data in blobs.items()]}
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()
    return [len(text).to_bytes(PREFIX, "big") + text, *blobs.values()]


def read(
    take: Callable[[int], bytes], *, max_blobs: int
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read one frame by calling ``take(count)``, which returns exactly ``count`` bytes.

    Raises:
        BadFrameError: a header that is too long or not ours, or blobs over ``max_blobs`` bytes.
    """
    length = int.from_bytes(take(PREFIX), "big")
    if length > MAX_HEADER:
        raise BadFrameError(f"a header of {length} bytes")
    try:
        header = json.loads(take(length))
        sizes = {str(name): int(size) for name, size in header.pop("blobs")}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadFrameError(f"a header that is not ours: {type(error).__name__}") from error
    if any(size < 0 for size in sizes.values()) or sum(sizes.values()) > max_blobs:
        raise BadFrameError("blobs of a size that was never asked for")
    return header, {name: take(size) for name, size in sizes.items()}
