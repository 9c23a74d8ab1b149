"""Files that end too early: let decoders that insist on the whole go as far as they can.

Runs in the worker only.
"""

from collections.abc import Iterator

from PIL import ImageFile

_RIFF_HEADER, _BOX_HEADER = 8, 8


def completions(data: bytes | memoryview, most: int) -> Iterator[bytes | memoryview]:
    """Yield what to decode, best first: a cut-off WebP, AVIF or HEIF file filled up.

    It is filled to the length it states, up to ``most`` bytes. Their decoders refuse a file
    that is shorter, but make the part of the picture they have when the rest is there. Whether
    an entropy decoder takes the filling for an error is chance: zeros do in one cut of fifty,
    so others follow, and the same with less of the file.
    """
    missing = _stated_length(memoryview(data)) - len(data)
    if missing <= 0 or len(data) + missing > most:
        yield data
        return
    have = bytes(data)
    yield have + bytes(missing)
    yield have + b"\xff" * missing
    for kept in (len(have) * 15 // 16, len(have) * 3 // 4):
        yield have[:kept] + bytes(len(have) - kept + missing)


def is_cut_off(data: bytes | memoryview) -> bool:
    """Say whether an AVIF or HEIF file is shorter than it states: a missing tile is no error."""
    view = memoryview(data)
    return bytes(view[4:8]) == b"ftyp" and len(data) < _stated_length(view)


def _stated_length(view: memoryview) -> int:
    if len(view) < _RIFF_HEADER + 4:
        return 0
    if bytes(view[:4]) == b"RIFF":
        return int.from_bytes(view[4:8], "little") + _RIFF_HEADER
    if bytes(view[4:8]) != b"ftyp":
        return 0
    at = 0
    while at + _BOX_HEADER <= len(view):
        size = int.from_bytes(view[at : at + 4], "big")
        if size < _BOX_HEADER:  # to the end of the file, or of more than 4 GiB
            return 0
        at += size
    return at


def keep_what_was_decoded(image: ImageFile.ImageFile) -> bool:
    """After a decoder gave up: take the rows it made as the picture; False if there are none."""
    try:
        made = bool(image.im.size == image.size)
    except (AttributeError, ValueError, OSError):
        return False
    if made:
        image.tile = []
    return made
