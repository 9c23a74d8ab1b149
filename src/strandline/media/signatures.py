"""Which bytes begin like a picture or a film that is decoded here, whatever they call themselves.

It is asked of bytes that nobody has looked at yet and opens nothing: that a file begins like one
does not make it one. Every format that ``opening`` reads has its signature here, as its decoder
insists on it.
"""

import re
from collections.abc import Callable, Mapping

from strandline.media.containers import HEAD, is_film

_BITMAP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))


def _number(data: bytes) -> int:
    """An unsigned 32-bit number as bitmaps write it; 0 where there is none."""
    return int.from_bytes(data, "little") if len(data) == 4 else 0


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _is_iso_media(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


def _is_netpbm(head: bytes) -> bool:
    return re.match(rb"P(?:[1-6f]\s|0CMYK|yP\s|yRGBA|yCMYK)", head) is not None


#: By the format's name in ``opening.FORMATS``.
PICTURES: Mapping[str, Callable[[bytes], bool]] = {
    "JPEG": _begins(b"\xff\xd8\xff"),
    "PNG": _begins(b"\x89PNG\r\n\x1a\n"),
    "GIF": _begins(b"GIF87a", b"GIF89a"),
    "WEBP": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "AVIF": _is_iso_media,
    "HEIF": _is_iso_media,
    "JPEG2000": _begins(b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  \r\n\x87\n"),
    # Classic and big, either byte order, and the byte orders that Pillow forgives.
    "DEEPTIFF": _begins(b"II*\0", b"II\0*", b"II+\0", b"MM\0*", b"MM*\0", b"MM\0+"),
    "BMP": lambda head: head[:2] == b"BM" and _number(head[14:18]) in _BITMAP_HEADERS,
    "DIB": lambda head: _number(head[:4]) in _BITMAP_HEADERS,
    "ICO": _begins(b"\0\0\1\0"),
    "PPM": _is_netpbm,
}


def begins_like_media(head: bytes) -> bool:
    """Whether a file that begins with ``head`` may be a picture or a film that is decoded here.

    The first ``HEAD`` bytes decide, or all of a shorter file.
    """
    head = head[:HEAD]
    return any(fits(head) for fits in PICTURES.values()) or is_film(head)
