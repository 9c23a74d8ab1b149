"""Files that end too early: let decoders that insist on the whole go as far as they can.

Runs in the worker only.
"""

from PIL import ImageFile

_RIFF_HEADER, _BOX_HEADER = 8, 8


def padded(data: bytes | memoryview, most: int) -> bytes | memoryview:
    """Fill up with zeros to the length that a WebP, AVIF or HEIF file states, up to ``most``.

    Their decoders refuse a file that is shorter than it says, but make the part of the picture
    they have when the rest is there as zeros.
    """
    stated = _stated_length(memoryview(data))
    if not len(data) < stated <= most:
        return data
    return bytes(data) + bytes(stated - len(data))


def is_cut_off(data: bytes | memoryview) -> bool:
    """Say whether an AVIF or HEIF file is shorter than it states: a missing tile is no error."""
    view = memoryview(data)
    return bytes(view[4:8]) == b"ftyp" and len(data) < _stated_length(view)


def _stated_length(view: memoryview) -> int:
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
