"""Which files a request's body brings: parts of a form, or the body itself.

Servers disagree about odd forms: what one takes for a file is a field or nothing to another. So
every part is looked at that anybody could take for a file, whatever it calls itself: all but
unnamed text. A form that two readers could cut differently is refused.
"""

import codecs
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

#: Bytes kept in memory; what is longer goes to an unnamed temporary file.
IN_MEMORY = 2**20
#: Most parts of one form that are looked at.
MAX_FILES = 100
_PIECE = 2**16
_MEDIA = re.compile(r"(image|video)/.|application/octet-stream$", re.IGNORECASE | re.DOTALL)
#: Types that are words with a grammar of their own: JSON, and forms that hold no files.
_WORDS = re.compile(
    r"application/(?:[\w.!#$&^-]+\+)?json|application/x-www-form-urlencoded",
    re.IGNORECASE | re.ASCII,
)
#: Methods that bring something to be kept.
_BRINGING = frozenset({"POST", "PUT", "PATCH"})
#: The one way of naming a boundary that everybody reads alike (RFC 2046, 5.1.1, without spaces).
_FORM = re.compile(
    r"""multipart/form-data\s*;\s*(charset=[\w-]+\s*;\s*)?
        boundary=(?:"([\w'()+,./:=?-]{1,70})"|([\w'+.-]{1,70}))
        (\s*;\s*charset=[\w-]+)?\s*""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
#: Encodings that leave the bytes as they are.
_AS_THEY_ARE = frozenset({b"", b"binary", b"7bit", b"8bit"})


class Malformed(ValueError):
    """A body that is not the form it says it is, or that could be read in two ways."""


def spool() -> IO[bytes]:
    """Return a file for a body or a part of it, which disappears when it is closed."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


@dataclass
class _Form:
    """The parser's callbacks: they keep every part."""

    parts: list[IO[bytes]] = field(default_factory=list)
    #: Those that say they are files.
    named: set[int] = field(default_factory=set)
    header: bytes = b""
    value: bytes = b""
    ended: bool = False

    def on_part_begin(self) -> None:
        self.parts.append(spool())
        if len(self.parts) > 10 * MAX_FILES:
            raise Malformed("too many parts")

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def on_header_end(self) -> None:
        name, value = self.header.lower(), self.value.strip().lower()
        self.header = self.value = b""
        if name == b"content-transfer-encoding" and value not in _AS_THEY_ARE:
            # Gone from forms since RFC 7578; a server that undoes it would see another file.
            raise Malformed("a part in a transfer encoding")
        if name == b"content-type" and value.startswith(b"multipart/"):
            raise Malformed("a form within a form")
        if b"filename" in value or (name == b"content-type" and not value.startswith(b"text/")):
            self.named.add(len(self.parts) - 1)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].write(data[start:end])

    def on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Let go of every part."""
        for part in self.parts:
            part.close()


class Look(Enum):
    """How much of a body is looked at."""

    #: All of it: it can be a file, or a form that holds some.
    WHOLE = "whole"
    #: Its first bytes, whatever its sender calls it; all of it where they are a picture's.
    HEAD = "head"
    NONE = "none"


def is_form(content_type: str) -> bool:
    """Whether a body of this type is a form that can hold files."""
    # A header that was sent twice comes joined by a comma, and servers differ in which they read.
    return any(each.startswith("multipart/") for each in _types(content_type.lower()))


def look(method: str, content_type: str) -> Look:
    """How much of a request's body is looked at, by its method and type."""
    if is_form(content_type) or any(_MEDIA.match(each) for each in _types(content_type)):
        return Look.WHOLE
    if method.upper() not in _BRINGING:
        return Look.NONE
    bare = content_type.partition(";")[0].strip()
    # Exactly one of them: what is joined behind a comma may be what another server reads.
    words = _WORDS.fullmatch(bare) and "," not in content_type
    return Look.NONE if words else Look.HEAD


def _types(content_type: str) -> Iterator[str]:
    for each in content_type.split(","):
        yield each.partition(";")[0].strip()


def files_in(body: IO[bytes], content_type: str) -> Iterator[IO[bytes]]:
    """Yield each file of a body, from its beginning, and leave the body at its own.

    Raises:
        Malformed: the body is not the form it says it is, or others could read it otherwise.
    """
    body.seek(0)
    if not is_form(content_type):
        yield body
        body.seek(0)
        return
    form = _read_form(body, content_type)
    body.seek(0)
    try:
        looked_at = 0
        for place, part in enumerate(form.parts):
            if place in form.named or not _is_text(part):
                looked_at += 1
                if looked_at > MAX_FILES:
                    raise Malformed(f"more than {MAX_FILES} files")
                part.seek(0)
                yield part
    finally:
        form.close()


def _read_form(body: IO[bytes], content_type: str) -> _Form:
    named = _FORM.fullmatch(content_type.strip())
    if not named:
        raise Malformed("a form whose boundary could be read in two ways")
    boundary = (named[2] or named[3]).encode("ascii")
    form = _Form()
    callbacks = {
        name: getattr(form, name)
        for name in (
            *("on_part_begin", "on_header_field", "on_header_value", "on_header_end"),
            *("on_part_data", "on_end"),
        )
    }
    delimiters = 0
    kept = b""
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        while piece := body.read(_PIECE):
            parser.write(piece)
            kept += piece
            delimiters += kept.count(b"--" + boundary)
            # What is left over is too short to hold a whole delimiter.
            kept = kept[-len(boundary) - 1 :]
        parser.finalize()
    except (FormParserError, ValueError) as error:
        form.close()
        raise Malformed(str(error)) from error
    if not form.ended or delimiters != len(form.parts) + 1:
        form.close()
        # The boundary stands where this parser saw no new part, and another one might.
        raise Malformed("a form that is cut off, or that could be cut in two ways")
    return form


def _is_text(part: IO[bytes]) -> bool:
    """Whether a part is words: what is UTF-8 throughout, without NUL, is no picture or film."""
    part.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := part.read(_PIECE):
            if "\0" in decoder.decode(piece):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def copy(source: IO[bytes], most: int) -> IO[bytes]:
    """Copy at most ``most`` bytes, asking for none beyond: there may be no end to wait for."""
    kept, left = spool(), most
    while left and (piece := source.read(min(_PIECE, left))):
        kept.write(piece)
        left -= len(piece)
    return kept
