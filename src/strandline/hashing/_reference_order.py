"""The 64 x 64 block of PDQ, summed in float32 in the very order of the reference."""

import numpy as np
from numpy.typing import NDArray

from strandline.hashing._compiling import PIXELS, kernel, part

_Bytes = NDArray[np.uint8]
_Float = NDArray[np.float32]

_SAMPLES = 64
#: Rows whose running sums go side by side: one alone would wait for each of its own additions.
_LANES = 8


@part()
def _luma_rows(pixels: _Bytes, channels: int, top: int, lumas: _Float) -> None:
    """Weigh colours as the reference does: in double precision, then rounded once to float32.

    That is the float32 nearest to a number of thousandths, and so is the quotient of two whole
    numbers that float32 holds exactly: no thousandths lie near enough to the middle between two
    float32 for the reference's own rounding in double precision to matter.
    """
    red, green, blue = np.float32(299), np.float32(587), np.float32(114)
    whole = np.float32(1000)
    for lane in range(min(_LANES, pixels.shape[0] - top)):
        row, luma = pixels[top + lane], lumas[lane]
        if channels == 3:
            for j in range(luma.size):
                thousandths = red * np.float32(row[3 * j]) + green * np.float32(row[3 * j + 1])
                luma[j] = (thousandths + blue * np.float32(row[3 * j + 2])) / whole
        else:
            for j in range(luma.size):
                luma[j] = np.float32(row[j])


@part()
def _slide(lines: _Float, window: int, out: _Float) -> None:
    """Box-filter eight rows along their length, in the reference's four phases; sums, not means.

    It adds the pixel that enters, then subtracts the one that leaves, and rounds to float32 at
    each step; those roundings decide bits of flat, tiny or symmetric pictures.
    """
    half = (window + 2) // 2
    slides = lines.shape[1] - window
    a, b, c, d = lines[0], lines[1], lines[2], lines[3]
    e, f, g, h = lines[4], lines[5], lines[6], lines[7]
    p, q, r, s = out[0], out[1], out[2], out[3]
    t, u, v, w = out[4], out[5], out[6], out[7]
    sa = sb = sc = sd = se = sf = sg = sh = np.float32(0)
    for i in range(window):
        sa, sb, sc, sd = sa + a[i], sb + b[i], sc + c[i], sd + d[i]
        se, sf, sg, sh = se + e[i], sf + f[i], sg + g[i], sh + h[i]
        j = i - half + 1
        if j >= 0:
            p[j], q[j], r[j], s[j] = sa, sb, sc, sd
            t[j], u[j], v[j], w[j] = se, sf, sg, sh
    aa, bb, cc, dd = a[window:], b[window:], c[window:], d[window:]
    ee, ff, gg, hh = e[window:], f[window:], g[window:], h[window:]
    first = window - half + 1
    p, q, r, s = p[first:], q[first:], r[first:], s[first:]
    t, u, v, w = t[first:], u[first:], v[first:], w[first:]
    for i in range(slides):
        sa, sb, sc, sd = sa + aa[i], sb + bb[i], sc + cc[i], sd + dd[i]
        se, sf, sg, sh = se + ee[i], sf + ff[i], sg + gg[i], sh + hh[i]
        sa, sb, sc, sd = sa - a[i], sb - b[i], sc - c[i], sd - d[i]
        se, sf, sg, sh = se - e[i], sf - f[i], sg - g[i], sh - h[i]
        p[i], q[i], r[i], s[i] = sa, sb, sc, sd
        t[i], u[i], v[i], w[i] = se, sf, sg, sh
    for i in range(slides, slides + half - 1):
        sa, sb, sc, sd = sa - a[i], sb - b[i], sc - c[i], sd - d[i]
        se, sf, sg, sh = se - e[i], sf - f[i], sg - g[i], sh - h[i]
        p[i], q[i], r[i], s[i] = sa, sb, sc, sd
        t[i], u[i], v[i], w[i] = se, sf, sg, sh


@part()
def _divided(sums: _Float, window: int, out: _Float) -> None:
    """Divide each sum of a box-filtered row by the number of pixels that are in it."""
    size = sums.size
    half = (window + 2) // 2
    left, right = window - half + 1, size - half + 1
    for j in range(left):
        out[j] = sums[j] / np.float32(half + j)
    whole = np.float32(window)
    middle, middle_out = sums[left:right], out[left:right]
    for j in range(middle.size):
        middle_out[j] = middle[j] / whole
    for j in range(right, size):
        out[j] = sums[j] / np.float32(size - j + window - half)


@part()
def _copy(line: _Float, out: _Float) -> None:
    for j in range(line.size):  # a slice assigned to takes seconds to compile
        out[j] = line[j]


@part()
def _seen(place: int, size: int, window: int) -> int:
    """How many pixels the window around ``place`` holds: fewer at the borders."""
    half = (window + 2) // 2
    return max(min(place + half, size) - max(place + half - window, 0), 1)


@part()
def _step(total: _Float, enters: _Float, leaves: _Float, inside: int, out: _Float) -> None:
    """Move a window down by one row in every column: add, subtract, divide."""
    count = np.float32(inside)
    for j in range(total.size):
        moved = total[j] + enters[j]
        moved -= leaves[j]
        total[j] = moved
        out[j] = moved / count


@part()
def _sampled_columns(lines: _Float, window: int, count: int, sampled: _Float) -> None:
    """Keep of ``count`` lines of sums what the 64 columns need, divided, in ``sampled``."""
    width = lines.shape[1]
    for place in range(_SAMPLES):
        column = int((place + 0.5) * width / _SAMPLES)
        seen = np.float32(_seen(column, width, window))
        for i in range(count):
            sampled[i, place] = lines[i, column] / seen


@part()
def _sampled_rows(sampled: _Float, window: int, block: _Float) -> None:
    """Box-filter down the 64 columns, and keep the 64 rows."""
    height = len(sampled)
    above = (window + 2) // 2
    nothing = np.zeros(_SAMPLES, np.float32)
    total = np.zeros(_SAMPLES, np.float32)
    line = np.empty(_SAMPLES, np.float32)
    place = 0
    for entering in range(height + above - 1):
        enters = sampled[entering] if entering < height else nothing
        leaves = sampled[entering - window] if entering >= window else nothing
        row = entering - above + 1
        _step(total, enters, leaves, _seen(row, height, window), line)
        while place < _SAMPLES and row == int((place + 0.5) * height / _SAMPLES):
            _copy(line, block[place])
            place += 1


@kernel(f"void({PIXELS}, int64, float32[:, ::1])")
def ordered_block(pixels: _Bytes, channels: int, block: _Float) -> None:
    """Fill ``block`` (64, 64) with the sampled luma, summed in the very order of the reference.

    Four passes: along rows, down columns, and both again. Eight rows at a time go through the
    first three, so that what one leaves to the next is still in the cache; the last one runs down
    the 64 sampled columns only.
    """
    height, length = pixels.shape
    width = length // channels
    lumas = np.zeros((_LANES, width), np.float32)
    if height == _SAMPLES and width == _SAMPLES:  # the reference filters no picture of this size
        for top in range(0, height, _LANES):
            _luma_rows(pixels, channels, top, lumas)
            for lane in range(_LANES):
                _copy(lumas[lane], block[top + lane])
        return
    across, down = (width + 127) // 128, (height + 127) // 128
    above = (down + 2) // 2
    sums = np.empty((_LANES, width), np.float32)
    again = np.empty((_LANES, width), np.float32)
    filtered = np.zeros((_LANES, width), np.float32)
    sampled = np.empty((height, _SAMPLES), np.float32)
    inside = np.empty((down + 1, width), np.float32)  # rows that the column window still holds
    nothing = np.zeros(width, np.float32)
    total = np.zeros(width, np.float32)
    for entering in range(height + above - 1):
        enters = leaves = nothing
        if entering < height:
            if entering % _LANES == 0:
                _luma_rows(pixels, channels, entering, lumas)
                _slide(lumas, across, sums)
            enters = inside[entering % (down + 1)]
            _divided(sums[entering % _LANES], across, enters)
        if entering >= down:
            leaves = inside[(entering - down) % (down + 1)]
        row = entering - above + 1
        lane = max(row, 0) % _LANES
        _step(total, enters, leaves, _seen(row, height, down), filtered[lane])
        if row >= 0 and (lane == _LANES - 1 or row == height - 1):
            _slide(filtered, across, again)
            _sampled_columns(again, across, lane + 1, sampled[row - lane : row + 1])
    _sampled_rows(sampled, down, block)
