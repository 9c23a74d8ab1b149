"""PDQ's arithmetic in one pass over the pixels: the sampled luma, its frequencies, its quality."""

import numpy as np
from numpy.typing import NDArray

from strandline.hashing._compiling import BLOCK, PIXELS, kernel, part

_Bytes = NDArray[np.uint8]
_Float = NDArray[np.float32]

_SAMPLES = 64
_KEPT = 16
#: Bytes of a row folded at a time: their sums stay in the nearest cache.
_COLUMNS = 4096


@part()
def _band(  # noqa: PLR0917 - a kernel takes nothing by name
    size: int,
    samples: int,
    factor: int,
    before: int,
    start: NDArray[np.int64],
    count: NDArray[np.int64],
) -> _Float:
    """For each of 64 places along a side: where its window starts, how long it is, its weights.

    Two passes of the reference's box filter make a tent; near the borders it is cut off, and each
    pass divides by the number of pixels it really saw. On a picture decoded at 1/``factor``, of
    ``samples`` instead of ``size``, each sample stands for ``factor`` pixels and has their weight.
    """
    window = (size + 2 * _SAMPLES - 1) // (2 * _SAMPLES)
    half = (window + 2) // 2
    weights = np.zeros((_SAMPLES, 2 * window // factor + 3), np.float32)
    steps = np.zeros(2 * window + 2, np.float64)
    sums = np.zeros(weights.shape[1], np.float64)
    for place in range(_SAMPLES):
        centre = int((place + 0.5) * size / _SAMPLES)
        first, last = max(centre + half - window, 0), min(centre + half, size)
        begin = max(first + half - window, 0)
        end = min(last - 1 + half, size)
        for i in range(end - begin + 1):
            steps[i] = 0
        for middle in range(first, last):
            low, high = max(middle + half - window, 0), min(middle + half, size)
            share = 1.0 / (high - low) / (last - first)
            steps[low - begin] += share
            steps[high - begin] -= share
        for i in range(sums.size):
            sums[i] = 0
        start[place] = min((begin + before) // factor, samples - 1)
        running = 0.0
        at = 0
        for pixel in range(begin, end):
            running += steps[pixel - begin]
            at = min((pixel + before) // factor, samples - 1) - start[place]
            sums[at] += running
        count[place] = at + 1
        for i in range(at + 1):
            weights[place, i] = np.float32(sums[i])
    return weights


@part()
def _mirror(
    samples: int, start: NDArray[np.int64], count: NDArray[np.int64], weights: _Float
) -> None:
    """Make of the band of a side the band of the same side read from its other end."""
    for place in range(_SAMPLES):
        taps = count[place]
        start[place] = samples - start[place] - taps
        for i in range(taps // 2):
            first, last = weights[place, i], weights[place, taps - 1 - i]
            weights[place, i], weights[place, taps - 1 - i] = last, first


@part(reorder=True)
def _weighed(pixels: _Bytes, left: int, right: int, weights: _Float, sums: _Float) -> None:
    """Sum rows of bytes by weight, for the columns from ``left`` to ``right``; four at a time."""
    taps = len(pixels)
    sums = sums[left:right]
    for j in range(sums.size):
        sums[j] = 0
    i = 0
    while taps - i >= 4:
        a, b = pixels[i, left:right], pixels[i + 1, left:right]
        c, d = pixels[i + 2, left:right], pixels[i + 3, left:right]
        wa, wb, wc, wd = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
        for j in range(sums.size):
            sums[j] += (
                wa * np.float32(a[j])
                + wb * np.float32(b[j])
                + wc * np.float32(c[j])
                + wd * np.float32(d[j])
            )
        i += 4
    while i < taps:
        a, wa = pixels[i, left:right], weights[i]
        for j in range(sums.size):
            sums[j] += wa * np.float32(a[j])
        i += 1


@part(reorder=True)
def _luma(sums: _Float, channels: int, luma: _Float) -> None:
    red, green, blue = np.float32(0.299), np.float32(0.587), np.float32(0.114)
    if channels == 3:
        for j in range(luma.size):
            luma[j] = red * sums[3 * j] + green * sums[3 * j + 1] + blue * sums[3 * j + 2]
    else:
        for j in range(luma.size):
            luma[j] = sums[j]


@part(reorder=True)
def _across(
    luma: _Float,
    start: NDArray[np.int64],
    count: NDArray[np.int64],
    weights: _Float,
    out: _Float,
) -> None:
    for place in range(_SAMPLES):
        total = np.float32(0)
        line, taps = luma[start[place] :], weights[place]
        for i in range(count[place]):
            total += line[i] * taps[i]
        out[place] = total


@kernel(
    f"void({PIXELS}, int64, int64, int64, int64, int64, int64, float32[:, :, ::1])", reorder=True
)
def folded_blocks(  # noqa: PLR0917 - a kernel takes nothing by name
    pixels: _Bytes,
    channels: int,
    height: int,
    width: int,
    factor: int,
    above: int,
    before: int,
    blocks: _Float,
) -> None:
    """Fill ``blocks`` (n, 64, 64) with the sampled luma, reading each byte about once for two.

    With n = 4 they are those of the picture, mirrored, flipped, and both; with n = 1 the first.

    ``pixels`` has the shape (rows, columns * channels), channels being 1 or 3. ``height`` and
    ``width`` are the original's, ``factor`` how many of its pixels one of these stands for,
    ``above`` and ``before`` how many fewer those of the first row and the first column stand for.
    """
    rows, length = pixels.shape
    columns = length // channels
    row_start, row_count = np.empty(_SAMPLES, np.int64), np.empty(_SAMPLES, np.int64)
    row_weights = _band(height, rows, factor, above, row_start, row_count)
    start, count = np.empty(_SAMPLES, np.int64), np.empty(_SAMPLES, np.int64)
    weights = _band(width, columns, factor, before, start, count)
    sums = np.empty(length, np.float32)
    luma = np.empty(columns, np.float32)
    for which in range(0, len(blocks), 2):
        if which == 2:
            _mirror(rows, row_start, row_count, row_weights)
        for place in range(_SAMPLES):
            top, taps = row_start[place], row_count[place]
            for left in range(0, length, _COLUMNS):
                right = min(left + _COLUMNS, length)
                _weighed(pixels[top : top + taps], left, right, row_weights[place], sums)
            _luma(sums, channels, luma)
            _across(luma, start, count, weights, blocks[which, place])
            if len(blocks) > 1:
                _mirror(columns, start, count, weights)
                _across(luma, start, count, weights, blocks[which + 1, place])
                _mirror(columns, start, count, weights)


@part()
def _quality(block: _Float) -> int:
    """The reference's gradient sum: each step in whole hundredths of the range, cut to 100."""
    hundred, full = np.float32(100), np.float32(255)
    steps = 0
    for i in range(1, _SAMPLES):
        for j in range(_SAMPLES):
            steps += abs(int((block[i - 1, j] - block[i, j]) * hundred / full))
            steps += abs(int((block[j, i - 1] - block[j, i]) * hundred / full))
    return min(steps // 90, 100)


@kernel(f"int64({BLOCK}, {BLOCK}, float32[:, ::1])")
def described(block: _Float, cosines: _Float, coefficients: _Float) -> int:
    """Fill the 16 x 16 low frequencies of a block, in the reference's order; return its quality.

    ``cosines`` is (16, 64).
    """
    half = np.zeros((_KEPT, _SAMPLES), np.float32)
    across = np.ascontiguousarray(cosines.T)
    for i in range(_KEPT):
        for k in range(_SAMPLES):
            weight = cosines[i, k]
            for j in range(_SAMPLES):
                half[i, j] += weight * block[k, j]
    for i in range(_KEPT):
        for j in range(_KEPT):
            coefficients[i, j] = 0
        for k in range(_SAMPLES):
            weight = half[i, k]
            for j in range(_KEPT):
                coefficients[i, j] += weight * across[k, j]
    return _quality(block)
