"""The 64 x 64 block of PDQ, summed in float32 in the very order of the reference.

The reference slides a window: it adds the pixel that enters, then subtracts the one that leaves,
and rounds to float32 at each step. Those roundings decide bits of flat, tiny or symmetric
pictures. Running sums here are ``numpy.cumsum`` in float32, which adds strictly one by one.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

_Float = NDArray[np.float32]

_SAMPLES = 64
_ROWS_AT_ONCE = 64


def sampled_block(rgb: NDArray[np.uint8]) -> _Float:
    """Return the sampled luma of shape (64, 64); ``rgb`` has shape (height, width, 3)."""
    height, width = rgb.shape[:2]
    luma = _luma(rgb)
    if (height, width) != (_SAMPLES, _SAMPLES):
        for _ in range(2):
            _along_rows(luma, _window(width))
            _along_columns(luma, _window(height))
    rows = ((np.arange(_SAMPLES) + 0.5) * height / _SAMPLES).astype(np.int64)
    columns = ((np.arange(_SAMPLES) + 0.5) * width / _SAMPLES).astype(np.int64)
    return luma[np.ix_(rows, columns)]


def _window(size: int) -> int:
    return (size + 2 * _SAMPLES - 1) // (2 * _SAMPLES)


def _blocks(height: int) -> list[slice]:
    return [slice(top, top + _ROWS_AT_ONCE) for top in range(0, height, _ROWS_AT_ONCE)]


def _luma(rgb: NDArray[np.uint8]) -> _Float:
    """Weighted in double precision from left to right, then rounded once."""
    luma = np.empty(rgb.shape[:2], np.float32)
    for block in _blocks(len(rgb)):
        red, green, blue = (rgb[block, :, channel] for channel in range(3))
        luma[block] = red * 0.299 + green * 0.587 + blue * 0.114
    return luma


def _along_rows(luma: _Float, window: int) -> None:
    """Box-filter every row in place.

    The sliding sum is one running sum over the row with the leaving pixels, negated, woven in
    after the entering ones.
    """
    width, half = luma.shape[1], (window + 2) // 2
    slides = width - window
    counts = np.empty(width, np.float32)
    counts[: window - half + 1] = np.arange(half, window + 1)
    counts[window - half + 1 : width - half + 1] = window
    counts[width - half + 1 :] = np.arange(window - 1, window - half, -1)
    woven = np.empty((_ROWS_AT_ONCE, window + 2 * slides + half - 1), np.float32)
    kept = np.concatenate((
        np.arange(half - 1, window),
        np.arange(window + 1, window + 2 * slides, 2),
        np.arange(window + 2 * slides, woven.shape[1]),
    ))  # fmt: skip
    for block in _blocks(len(luma)):
        rows = luma[block]
        steps = woven[: len(rows)]
        steps[:, :window] = rows[:, :window]
        steps[:, window : window + 2 * slides : 2] = rows[:, window:]
        steps[:, window + 1 : window + 2 * slides : 2] = -rows[:, :slides]
        steps[:, window + 2 * slides :] = -rows[:, slides : slides + half - 1]
        rows[:] = np.cumsum(steps, axis=1, dtype=np.float32)[:, kept] / counts


def _along_columns(luma: _Float, window: int) -> None:
    """Box-filter every column in place; the rows still to be subtracted are kept aside."""
    height, half = len(luma), (window + 2) // 2
    inside: deque[_Float] = deque()
    total = np.zeros(luma.shape[1], np.float32)
    for entering in range(height + half - 1):
        if entering < height:
            inside.append(luma[entering].copy())
            total += inside[-1]
        if len(inside) > window or entering >= height:
            total -= inside.popleft()
        done = entering - half + 1
        if done >= 0:
            np.divide(total, np.float32(len(inside)), out=luma[done])
