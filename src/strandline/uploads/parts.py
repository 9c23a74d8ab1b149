"""Which files a request's body brings: parts of a form, or the body itself."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import (
    MultipartParser,
    parse_options_header,
)

#: Bytes kept in memory; what is longer goes to an unnamed temporary file.
IN_MEMORY = 2**20
#: Most files of one form.
MAX_FILES = 100
_PIECE = 2**16
_MEDIA = re.compile(r"(image|video)/|application/octet-stream$", re.IGNORECASE)


class Malformed(ValueError):
    """A body that is not the form it says it is."""


def spool() -> IO[bytes]:
    """Return a file for a body or a part of it, which disappears when it is closed."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


@dataclass
class _Part:
    """One part of a form while it is read."""

    disposition: bytes = b""
    content_type: bytes = b""
    name: bytes = b""
    value: bytes = b""
    file: IO[bytes] | None = None


@dataclass
class _Form:
    """The parser's callbacks: they keep the parts that are files."""

    files: list[IO[bytes]] = field(default_factory=list)
    part: _Part = field(default_factory=_Part)
    ended: bool = False

    def on_part_begin(self) -> None:
        self.part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.part.name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.part.value += data[start:end]

    def on_header_end(self) -> None:
        name = self.part.name.lower()
        if name == b"content-disposition":
            self.part.disposition = self.part.value
        elif name == b"content-type":
            self.part.content_type = self.part.value
        elif name == b"content-transfer-encoding" and self.part.value.lower() not in {
            *(b"", b"binary", b"7bit", b"8bit"),
        }:
            # Gone from forms since RFC 7578; a server that undoes it would see another file.
            raise Malformed("a part in a transfer encoding")
        self.part.name = self.part.value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self.part.disposition)
        named = b"filename" in options or b"filename*" in options
        kind = self.part.content_type.decode("latin-1").strip()
        if named or _MEDIA.match(kind):
            if len(self.files) >= MAX_FILES:
                raise Malformed(f"more than {MAX_FILES} files")
            self.part.file = spool()
            self.files.append(self.part.file)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self.part.file:
            self.part.file.write(data[start:end])

    def on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Let go of every file."""
        for file in self.files:
            file.close()


def is_form(content_type: str) -> bool:
    """Whether a body of this type is a form that can hold files."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def may_hold_files(content_type: str) -> bool:
    """Whether a body of this type can be or hold a file: other bodies are not looked at."""
    return is_form(content_type) or _MEDIA.match(content_type.strip()) is not None


def files_in(body: IO[bytes], content_type: str) -> Iterator[IO[bytes]]:
    """Yield each file of a body, from its beginning, and leave the body at its own.

    Raises:
        Malformed: the body is not the form it says it is.
    """
    body.seek(0)
    if not is_form(content_type):
        yield body
        body.seek(0)
        return
    form = _read_form(body, content_type)
    body.seek(0)
    try:
        for file in form.files:
            file.seek(0)
            yield file
    finally:
        form.close()


def _read_form(body: IO[bytes], content_type: str) -> _Form:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Malformed("a form without a boundary")
    form = _Form()
    callbacks = {
        name: getattr(form, name)
        for name in (
            *("on_part_begin", "on_header_field", "on_header_value", "on_header_end"),
            *("on_headers_finished", "on_part_data", "on_end"),
        )
    }
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        while piece := body.read(_PIECE):
            parser.write(piece)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        form.close()
        raise Malformed(str(error)) from error
    if not form.ended:
        form.close()
        raise Malformed("a form that is cut off")
    return form


def copy(source: IO[bytes], most: int) -> IO[bytes] | None:
    """Copy a body of at most ``most`` bytes; None when it is longer."""
    kept, left = spool(), most + 1
    while left and (piece := source.read(min(_PIECE, left))):
        kept.write(piece)
        left -= len(piece)
    if left:
        return kept
    kept.close()
    return None
