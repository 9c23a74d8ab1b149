"""Bytes of a stranger's file, in bounded pieces: limits first, and no archive is ever opened."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from strandline.errors import FormatRefused

PIECE = 1 << 16
_BOM = b"\xef\xbb\xbf"

#: By their first bytes. A few kilobytes of each can unpack to more than any disk holds.
_PACKED = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"Rar!\x1a\x07", "a RAR archive"),
)
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Readable(Protocol):
    """A binary file, or whatever gives bytes like one."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


class Writable(Protocol):
    """A binary file, or whatever takes bytes like one."""

    def write(self, data: bytes, /) -> object:
        """Write all of ``data``."""
        ...


@dataclass(frozen=True)
class Limits:
    """How much of a file is read. Memory is bounded by ``element_bytes``, not by the file."""

    #: Of the whole file.
    max_bytes: int = 16 * 2**30
    max_rows: int = 25_000_000
    #: Of one row with all that is in it, and of whatever stands between two.
    element_bytes: int = 2 * 2**20
    #: Objects, arrays and elements opened within one row.
    element_parts: int = 20_000
    #: Levels of nesting within one row.
    depth: int = 32


LIMITS = Limits()


def pieces(stream: Readable, limits: Limits, *, any_unicode: bool = False) -> Iterator[bytes]:
    """The file as UTF-8 without a byte order mark, in pieces of at most some 100 kB.

    With ``any_unicode``, UTF-16 is read where a byte order mark says so. Raises FormatRefused for
    an archive, another encoding, and at the byte that is one too many.
    """
    raw = _counted(stream, limits.max_bytes)
    head = next(raw, b"")
    while len(head) < 8 and (more := next(raw, b"")):
        head += more
    for magic, name in _PACKED:
        if head.startswith(magic):
            raise FormatRefused("", f"This is {name}. Unpack it, then give the file inside.")
    encoding = _UTF16.get(head[:2])
    if encoding and any_unicode:
        yield from _as_utf8(chain((head[2:],), raw), encoding)
        return
    if encoding or b"\0" in head[:8]:
        raise FormatRefused("the first bytes", "This is not UTF-8 text; save it as UTF-8.")
    yield head.removeprefix(_BOM)
    yield from raw


def _counted(stream: Readable, most: int) -> Iterator[bytes]:
    count = 0
    while piece := stream.read(PIECE):
        count += len(piece)
        if count > most:
            raise FormatRefused("", f"The file is larger than {most:,} bytes, the most taken.")
        yield piece


def _as_utf8(raw: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in raw:
            yield decoder.decode(piece).encode()
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise FormatRefused("", "The file says it is UTF-16, and is not.") from None
