"""PDQ: a 256-bit hash of what a picture looks like, bit for bit as the reference computes it.

Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook,
2019) and its reference implementation in C++. Both box-filter passes and the sampling of 64 x 64
points are linear and separable, so that the sampled block is ``rows @ luma @ columns.T`` with two
banded matrices: every pixel is read about once.

Summing in another order than the reference moves a coefficient by up to 0.005, enough to flip a
bit that sits on the median. Where a coefficient is that close, the block is computed once more
in the reference's own order (:mod:`strandline.hashing._reference_order`).
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strandline.hashing._reference_order import sampled_block

_Float = NDArray[np.float32]

SAMPLES = 64
_KEPT = 16
#: The reference refuses to hash below this and answers quality 0 with 64 zeros. Quality 0 is kept,
#: the zeros are not: a hash that every such picture shares would look like a match.
_SMALLEST_SIDE = 5
#: Three times the largest difference in a coefficient seen between the two summing orders.
_MARGIN = 0.015
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Pdq:
    """``hash``: 64 hex digits, the first one the highest bit; ``quality``: 0 (plain) to 100."""

    hash: str
    quality: int


def pdq(rgb: NDArray[np.uint8]) -> Pdq:
    """Hash an upright sRGB picture.

    Args:
        rgb: shape (height, width, 3), dtype uint8, both sides at least 1.

    Raises:
        ValueError: another shape or dtype; hashing it would give a hash of something else.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise ValueError(
            f"PDQ takes uint8 pixels of shape (height, width, 3), not {rgb.dtype} {rgb.shape}"
        )
    block = _fast_block(rgb)
    coefficients = _dct(block)
    if _gap(coefficients) < _MARGIN:
        block = sampled_block(rgb)
        coefficients = _dct(block)
    quality = _quality(block) if min(rgb.shape[:2]) >= _SMALLEST_SIDE else 0
    return Pdq(_hex(coefficients), quality)


def _dct_matrix() -> _Float:
    frequency = np.arange(1, _KEPT + 1)[:, None]
    place = 2 * np.arange(SAMPLES)[None, :] + 1
    scale = float(np.float32(math.sqrt(2.0 / SAMPLES)))
    cosines = np.cos(math.pi / (2 * SAMPLES) * frequency * place)
    return np.asarray(scale * cosines, np.float32)


_DCT = _dct_matrix()


@functools.lru_cache(maxsize=1024)
def _band(size: int) -> tuple[tuple[int, _Float], ...]:
    """For each of 64 samples along a side: where its window starts, and the window's weights.

    Two passes of the reference's box filter make a tent; near the borders it is cut off and
    each pass divides by the number of pixels it really saw.
    """
    window = (size + 2 * SAMPLES - 1) // (2 * SAMPLES)
    half = (window + 2) // 2
    places = np.arange(size)
    first = np.maximum(places + half - window, 0)
    last = np.minimum(places + half, size)
    share = 1.0 / (last - first)
    bands = []
    for centre in ((np.arange(SAMPLES) + 0.5) * size / SAMPLES).astype(np.int64):
        inner = range(first[centre], last[centre])
        start, end = first[inner[0]], last[inner[-1]]
        weights = np.zeros(end - start)
        for place in inner:
            weights[first[place] - start : last[place] - start] += share[place]
        bands.append((int(start), (weights * share[centre]).astype(np.float32)))
    return tuple(bands)


@functools.lru_cache(maxsize=16)
def _dense(size: int) -> _Float:
    """The bands of one side as a matrix of shape (size, 64)."""
    matrix = np.zeros((size, SAMPLES), np.float32)
    for sample, (start, weights) in enumerate(_band(size)):
        matrix[start : start + len(weights), sample] = weights
    return matrix


def _fast_block(rgb: NDArray[np.uint8]) -> _Float:
    """Return the 64 x 64 sampled luma, reading each pixel about once."""
    height, width = rgb.shape[:2]
    flat = np.ascontiguousarray(rgb).reshape(height, width * 3)
    rows = np.empty((SAMPLES, width * 3), np.float32)
    for sample, (start, weights) in enumerate(_band(height)):
        rows[sample] = weights @ flat[start : start + len(weights)].astype(np.float32)
    luma = rows.reshape(SAMPLES, width, 3) @ _LUMA
    block: _Float = luma @ _dense(width)
    return block


def _dct(block: _Float) -> _Float:
    """Return the 16 x 16 low frequencies, summed in the reference's order."""
    half = np.zeros((_KEPT, SAMPLES), np.float32)
    for place in range(SAMPLES):
        half += _DCT[:, place, None] * block[place]
    whole = np.zeros((_KEPT, _KEPT), np.float32)
    for place in range(SAMPLES):
        whole += half[:, place, None] * _DCT[:, place]
    return whole


def _gap(coefficients: _Float) -> float:
    """How far apart the two coefficients are between which the median cuts."""
    lower, upper = np.partition(coefficients.ravel(), (127, 128))[127:129]
    return float(upper - lower)


def _hex(coefficients: _Float) -> str:
    flat = coefficients.ravel()
    median = np.partition(flat, 127)[127]  # the reference takes the lower of the two middles
    return bytes(np.packbits(flat[::-1] > median)).hex()


def _quality(block: _Float) -> int:
    """The reference's gradient sum: each step in whole hundredths of the range, cut to 100."""
    total = 0
    for axis in (0, 1):
        steps = np.diff(block, axis=axis) * np.float32(100) / np.float32(255)
        total += int(np.abs(np.trunc(steps)).sum(dtype=np.int64))
    return min(total // 90, 100)
