"""Uniform borders: the bars that a player, a screenshot or an editor puts around a picture.

A line of pixels belongs to a bar when nearly all of it is as bright as the bar, that is as the
outermost line on its side; brightness is all that PDQ sees. JPEG leaves a bar itself almost even,
but rings where it meets the picture, for as far as a block of its transform reaches.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Pixels = NDArray[np.uint8]

#: Levels of 256 by which a pixel may deviate from the bar…
_EVEN = 8
#: …but for this share of the line: specks, dead pixels.
_SPECKS = 0.01
#: Lines next to the picture that ringing may reach: JPEG's blocks have eight, one is the edge.
_RINGING = 7
#: A line that rings deviates less than this on average, in levels, and much less than the picture.
_RINGING_LEVELS = 12
_RINGING_SHARE = 0.5
#: Lines looked at together: a picture without bars costs one such strip on each side.
_STRIP = 16
#: Less than this share of a side is no picture in a frame but a frame around next to nothing.
_LEAST = 0.1
_LEAST_PIXELS = 5
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Box:
    """What is left within the borders: rows ``top`` to ``bottom``, columns ``left`` to ``right``.

    In pixels; ``bottom`` and ``right`` are the first that are not in it.
    """

    left: int
    top: int
    right: int
    bottom: int

    def of(self, pixels: _Pixels) -> _Pixels:
        """Cut it out: a view, not a copy."""
        return pixels[self.top : self.bottom, self.left : self.right]


def trim(pixels: _Pixels) -> Box | None:
    """Find what lies within uniform borders of any colour, one colour for each side.

    ``pixels`` has the shape (height, width, 3) or (height, width), dtype uint8. None when there
    is no border, or nothing else.
    """
    height, width = pixels.shape[:2]
    top, below = _bars(pixels)
    left, beside = _bars(pixels[top : height - below].swapaxes(0, 1))
    box = Box(left, top, width - beside, height - below)
    if (
        box.right - box.left < max(_LEAST * width, _LEAST_PIXELS)
        or box.bottom - box.top < max(_LEAST * height, _LEAST_PIXELS)
        or box == Box(0, 0, width, height)
    ):
        return None
    return box


def _bars(lines: _Pixels) -> tuple[int, int]:
    """Return how many lines at the start and at the end belong to bars."""
    first = _bar(lines)
    return first, 0 if first == len(lines) else _bar(lines[::-1])


def _bar(lines: _Pixels) -> int:
    """Return how many lines at the start are a bar; a strip at a time, so that few are read."""
    if lines.size == 0:
        return 0
    bar = np.float32(np.median(_luma(lines[:1])))
    for start in range(0, len(lines), _STRIP):
        off = np.abs(_luma(lines[start : start + _STRIP]) - bar)
        even = (off > _EVEN).mean(axis=1) <= _SPECKS
        if not even.all():
            first = start + int(even.argmin())
            return first + _ringing(lines[first : first + _RINGING + 1], bar) if first else 0
    return len(lines)


def _ringing(lines: _Pixels, bar: np.float32) -> int:
    """Return how many lines between the even part of a bar and the picture only ring."""
    deviation = np.abs(_luma(lines) - bar).mean(axis=1)
    limit = min(_RINGING_LEVELS, _RINGING_SHARE * float(deviation.max()))
    picture = deviation >= limit
    return int(picture.argmax())


def _luma(lines: _Pixels) -> NDArray[np.float32]:
    lines = np.ascontiguousarray(lines)
    if lines.ndim == 2:
        return lines.astype(np.float32)
    luma: NDArray[np.float32] = lines.reshape(-1, 3).astype(np.float32) @ _LUMA
    return luma.reshape(lines.shape[:2])
