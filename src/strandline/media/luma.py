"""A film's frame as PDQ sees it: upright 8-bit luma of full range. Runs in the worker only.

The decoder's Y plane is taken as it is, without a detour over RGB. What a still of the same frame
would show is kept to: limited range is spread to 0 to 255, more than 8 bits are rounded to 8, and
luma of BT.709 or BT.2020 is turned into the BT.601 weights that PDQ uses, with the help of the
chroma planes. The pixel aspect ratio changes nothing, for PDQ sees every picture as a square;
interlaced frames stay woven; alpha is not applied; PQ and HLG code values are taken as they are.
"""

import functools
from collections.abc import Mapping
from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

_Bytes = NDArray[np.uint8]

_FULL_RANGE = 2
#: Red and blue weights by the number of the matrix (ITU-T H.273, table 4), where not BT.601's.
_WEIGHTS = {1: (0.2126, 0.0722), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
_PDQ = (0.299, 0.587, 0.114)
#: Corrections are added in sixteenths.
_FINE = 16


def upright_luma(frame: VideoFrame) -> _Bytes:
    """Return the luma of a decoded frame, shape (height, width), as displayed."""
    return np.ascontiguousarray(_turned(_luma(frame), frame))


def turns_sides(frame: VideoFrame) -> bool:
    """Tell whether the frame is displayed with its sides exchanged."""
    a, b, _, _ = _matrix(frame)
    return abs(b) > abs(a)


def _luma(frame: VideoFrame) -> _Bytes:
    form = frame.format
    parts = form.components
    planar = (form.is_planar or len(parts) == 1) and parts[0].plane == 0
    odd = form.is_rgb or form.has_palette or form.is_bit_stream or form.name.startswith("xyz")
    bits = parts[0].bits
    if odd or not planar or not 8 <= bits <= 16:
        return _from_rgb(frame)
    full = frame.color_range == _FULL_RANGE or (
        frame.color_range == 0 and form.name.startswith(("yuvj", "gray"))
    )
    high = form.name.startswith(("p0", "p2", "p4"))  # the value sits in a word's upper bits
    stored = 16 if high else bits
    luma = _samples(frame.planes[0], frame.width, frame.height, stored, big=form.is_big_endian)
    weights = _WEIGHTS.get(frame.colorspace)
    if weights is None or len(parts) < 3 or parts[1].plane == parts[2].plane:
        if full and stored == 8:
            return luma.astype(np.uint8, copy=False)
        return _levels(stored, full=full)[luma]
    exact = _sixteenths(stored, full=full)[luma]
    for number, factor in zip((1, 2), _corrections(*weights), strict=True):
        width, height = parts[number].width, parts[number].height
        chroma = _samples(frame.planes[number], width, height, stored, big=form.is_big_endian)
        change = _chroma(stored, factor, full=full)[chroma]
        exact += _enlarged(change, exact.shape)
    return np.clip((exact + _FINE // 2) // _FINE, 0, 255).astype(np.uint8)


def _samples(
    plane: VideoPlane, width: int, height: int, bits: int, *, big: bool
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    dtype = np.dtype(np.uint8 if bits == 8 else ">u2" if big else "<u2")
    line = abs(plane.line_size)
    rows = np.frombuffer(memoryview(plane), np.uint8)[: line * height].reshape(height, line)
    if plane.line_size < 0:  # stored from the bottom up
        rows = rows[::-1]
    samples: NDArray[np.uint16] = rows[:, : width * dtype.itemsize].view(dtype)
    return samples if bits == 8 else np.minimum(samples, np.uint16((1 << bits) - 1))


def _spread(bits: int, *, full: bool) -> NDArray[np.float64]:
    """Stored luma to 0…255."""
    stored = np.arange(1 << bits, dtype=np.float64)
    known = stored / ((1 << bits) - 1) if full else (stored / (1 << (bits - 8)) - 16) / 219
    return np.clip(known, 0, 1) * 255


@functools.cache
def _levels(bits: int, *, full: bool) -> _Bytes:
    """A table from stored luma to whole levels."""
    return np.rint(_spread(bits, full=full)).astype(np.uint8)


@functools.cache
def _sixteenths(bits: int, *, full: bool) -> NDArray[np.int32]:
    """A table from stored luma to sixteenths of a level."""
    return np.rint(_spread(bits, full=full) * _FINE).astype(np.int32)


@functools.cache
def _chroma(bits: int, factor: float, *, full: bool) -> NDArray[np.int32]:
    """A table from stored chroma to what it adds to luma."""
    stored = np.arange(1 << bits, dtype=np.float64) / (1 << (bits - 8)) - 128
    return np.rint(stored / (255 if full else 224) * factor * 255 * _FINE).astype(np.int32)


def _corrections(red: float, blue: float) -> tuple[float, float]:
    """What Cb and Cr (each from -0.5 to 0.5) add to luma to make it BT.601's."""
    green = 1 - red - blue
    from_blue = 2 * (1 - blue) * (_PDQ[2] - _PDQ[1] * blue / green)
    from_red = 2 * (1 - red) * (_PDQ[0] - _PDQ[1] * red / green)
    return from_blue, from_red


def _enlarged(chroma: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int32]:
    height, width = shape
    tall, wide = -(-height // chroma.shape[0]), -(-width // chroma.shape[1])
    return np.repeat(np.repeat(chroma, tall, axis=0), wide, axis=1)[:height, :width]


def _from_rgb(frame: VideoFrame) -> _Bytes:
    converted = frame.reformat(format="rgb24", threads=1)  # a second thread is not allowed here
    plane = converted.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(converted.height, plane.line_size)
    rgb = rows[:, : converted.width * 3].reshape(converted.height, converted.width, 3)
    luma: NDArray[np.float32] = np.dot(rgb, np.array(_PDQ, np.float32))
    return np.rint(luma).astype(np.uint8)


def _matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """The part of the display matrix that turns: a point goes to (a·x + c·y, b·x + d·y)."""
    kept = cast("Mapping[str, bytes]", frame.side_data)  # PyAV's stubs know fewer kinds
    data = kept.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    numbers = np.frombuffer(memoryview(data), np.int32)
    return int(numbers[0]), int(numbers[1]), int(numbers[3]), int(numbers[4])


def _turned(luma: _Bytes, frame: VideoFrame) -> _Bytes:
    """Apply the nearest of the eight orientations that keep a picture upright."""
    a, b, c, d = _matrix(frame)
    if turns_sides(frame):
        luma, a, d = luma.T, c, b
    if a < 0:
        luma = luma[:, ::-1]
    return luma[::-1] if d < 0 else luma
