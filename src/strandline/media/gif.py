"""GIF animations as browsers show them. Runs in the worker only.

Pillow fills the canvas with a colour of the palette where a browser shows nothing, both under a
first frame that is smaller and after a frame that is removed, and it walks a file of millions
of frames to count them. So the blocks are walked here; each frame's samples are Pillow's.

Source: GIF89a specification (CompuServe, 1990), and what browsers do where it is silent.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_Pixels = NDArray[np.uint8]
_EXTENSION, _PICTURE = 0x21, 0x2C
_GRAPHIC_CONTROL = 0xF9
_REMOVE, _RESTORE = 2, 3  # disposal methods
_INTERLACED = 0x40


@dataclass(frozen=True)
class _Part:
    """One frame as the file stores it."""

    #: Left, top, width and height on the canvas, in pixels.
    box: tuple[int, int, int, int]
    palette: bytes
    interlaced: bool
    transparent: int | None
    disposal: int
    seconds: float
    #: The compressed samples with the code size before them.
    samples: bytes


def count(data: bytes | memoryview, most: int) -> int:
    """Count frames up to ``most``, without decoding any."""
    return sum(1 for _ in _parts(data, most))


def shown(
    data: bytes | memoryview, canvas: tuple[int, int], most: int
) -> Iterator[tuple[_Pixels, float]]:
    """Yield what is seen, uint8 (height, width, 3) over white, and for how many seconds.

    ``canvas`` is width and height. A frame that cannot be decoded ends the animation.
    """
    width, height = canvas
    seen = np.full((height, width, 3), 255, np.uint8)
    for part in _parts(data, most):
        left, top = min(part.box[0], width), min(part.box[1], height)
        place = (
            slice(top, min(top + part.box[3], height)),
            slice(left, min(left + part.box[2], width)),
        )
        before = seen[place].copy() if part.disposal == _RESTORE else None
        indices = _indices(part)
        if indices is None:
            return
        indices = indices[: place[0].stop - top, : place[1].stop - left]
        colours = np.frombuffer(part.palette.ljust(768, b"\0"), np.uint8).reshape(256, 3)
        opaque = np.ones(indices.shape, bool)
        if part.transparent is not None:
            opaque = indices != part.transparent
        np.copyto(seen[place], colours[indices], where=opaque[..., None])
        yield seen.copy(), part.seconds
        if part.disposal == _REMOVE:
            seen[place] = 255
        elif before is not None:
            seen[place] = before


def _indices(part: _Part) -> _Pixels | None:
    """Decode the samples of one frame, as a file of its own."""
    width, height = part.box[2:]
    if not width or not height:
        return np.zeros((height, width), np.uint8)
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    flags = _INTERLACED if part.interlaced else 0
    # Palette of two greys, which Pillow takes for plain samples.
    alone = b"GIF89a" + size + b"\x80\0\0" + bytes((0, 0, 0, 1, 1, 1))
    alone += b"," + bytes(4) + size + bytes((flags,)) + part.samples + b"\0;"
    try:
        with Image.open(io.BytesIO(alone), formats=("GIF",)) as image:
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, EOFError, LookupError):
        return None


def _parts(data: bytes | memoryview, most: int) -> Iterator[_Part]:
    """Walk the blocks of a file, until its end or as far as it is whole."""
    try:
        yield from _walk(memoryview(data), most)
    except IndexError:
        return


def _walk(view: memoryview, most: int) -> Iterator[_Part]:
    shared, at = _palette(view, view[10], 13)
    control, found = b"\0\0\0\0", 0
    while found < most and view[at] in {_EXTENSION, _PICTURE}:
        if view[at] == _EXTENSION:
            if view[at + 1] == _GRAPHIC_CONTROL and view[at + 2] >= 4:
                control = bytes(view[at + 3 : at + 7])
            at = _after_blocks(view, at + 2)
            continue
        left, top, width, height = (
            int.from_bytes(view[at + 1 + 2 * n : at + 3 + 2 * n], "little") for n in range(4)
        )
        flags = view[at + 9]
        own, start = _palette(view, flags, at + 10)
        at = _after_blocks(view, start + 1)
        found += 1
        yield _Part(
            (left, top, width, height),
            own or shared,
            bool(flags & _INTERLACED),
            control[3] if control[0] & 1 else None,
            control[0] >> 2 & 7,
            int.from_bytes(control[1:3], "little") / 100,
            bytes(view[start : at - 1]),
        )
        control = b"\0\0\0\0"


def _palette(view: memoryview, flags: int, at: int) -> tuple[bytes, int]:
    size = 3 << (flags & 7) + 1 if flags & 0x80 else 0
    return bytes(view[at : at + size]), at + size


def _after_blocks(view: memoryview, at: int) -> int:
    while view[at]:
        at += view[at] + 1
    return at + 1
