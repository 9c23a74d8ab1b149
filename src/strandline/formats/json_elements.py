"""Elements of a JSON file of any length, one at a time, in memory bounded by one element.

The parser joins the names of all levels anew at each, so a few kilobytes of brackets would take
gigabytes. Depth is therefore measured on the bytes, before the parser sees them.
"""

import re
from collections.abc import Iterator
from typing import Any

import ijson  # type: ignore[import-untyped]

from strandline.errors import FormatRefused
from strandline.formats.streams import Limits

_ESCAPES = re.compile(rb"\\.", re.DOTALL)
_STRINGS = re.compile(rb'"[^"]*"')
_INNERMOST = re.compile(rb"\[\]|\{\}")
_STRUCTURE = b'"[]{}'
_NOT_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))
#: Levels that an envelope has outside of its elements.
_ENVELOPE = 4


def elements(
    raw: Iterator[bytes], prefix: str, limits: Limits, *, many: bool = False
) -> Iterator[Any]:
    """Every value at ``prefix`` (``value.item``), in the file's order.

    ``many``: the file holds several values one after another. Raises FormatRefused for what is no
    JSON, ends too early, or has an element that is too large, too deep or of too many parts.
    """
    found = ijson.sendable_list()
    parser = ijson.items_coro(found, prefix, multiple_values=many, use_float=True)
    depth = _Depth(limits.depth + _ENVELOPE)
    number = since = parts = 0
    try:
        for piece in raw:
            if not depth.holds(piece):
                raise FormatRefused(
                    place_of(number + 1), f"This is more than {limits.depth} levels deep."
                )
            parser.send(piece)
            if found:
                for element in found:
                    number += 1
                    if number > limits.max_rows:
                        raise FormatRefused(
                            place_of(number), f"More than {limits.max_rows:,} rows."
                        )
                    yield element
                found.clear()
                since = parts = 0
            elif parts > limits.element_parts or since > limits.element_bytes:
                raise FormatRefused(
                    place_of(number + 1), "One element is too large, or has too many parts."
                )
            since += len(piece)
            parts += piece.count(b"{") + piece.count(b"[") + piece.count(b",")
        parser.close()
        yield from found
    except (ijson.JSONError, ValueError, OverflowError) as error:
        place = place_of(number + len(found) + 1)
        raise FormatRefused(place, f"This is not JSON{_said(error)}.") from None


def place_of(number: int) -> str:
    """How element ``number`` (from 1) is named to people."""
    return f"element {number}"


class _Depth:
    """Levels of nesting over pieces of a file, cut anywhere."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._in_string = False
        self._escape = b""

    def holds(self, piece: bytes) -> bool:
        """Whether no place in this piece is more than ``most`` levels deep."""
        piece = self._escape + piece
        self._escape = b""
        if b"\\" in piece:
            piece = _ESCAPES.sub(b"", piece)
            if piece.endswith(b"\\"):
                self._escape, piece = b"\\", piece[:-1]
        marks = piece.translate(None, _NOT_STRUCTURE)
        if self._in_string:
            marks = b'"' + marks
        marks = _STRINGS.sub(b"", marks)
        marks, begun, _ = marks.partition(b'"')
        self._in_string = bool(begun)
        for _ in range(self._most + 1):
            fewer = _INNERMOST.sub(b"", marks)
            if len(fewer) == len(marks):
                break
            marks = fewer
        else:
            return False
        # What is left closes what earlier pieces opened, then opens what later ones close.
        opened = marks.count(b"[") + marks.count(b"{")
        self._open = max(0, self._open - (len(marks) - opened)) + opened
        return self._open <= self._most


def _said(error: Exception) -> str:
    # The parser repeats a stretch of the file, which may be hashes: only its own words are told.
    words = str(error).removeprefix("b'").partition("\\n")[0].partition("\n")[0]
    words = words.removesuffix(".")[:80]
    return f" ({words})" if re.fullmatch(r"[a-zA-Z0-9 :,()-]+", words) else ""
