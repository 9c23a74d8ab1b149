"""PDQ: a 256-bit hash of what a picture looks like, bit for bit as the reference computes it.

Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook,
2019) and its reference implementation in C++. Both box-filter passes and the sampling of 64 x 64
points are linear and separable, so that the sampled block is ``rows @ luma @ columns.T`` with two
banded matrices: every byte is read about once.

Summing in another order than the reference moves a coefficient by up to 0.005, enough to flip a
bit that sits on the median. Where the two coefficients that the median cuts apart are that close,
the block is computed once more in the reference's own order. The quality is taken from whichever
block was used; the order of sums can move it by one.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType

import numpy as np
from numpy.typing import NDArray

from strandline.hashing.orientation import Orientation

_Float = NDArray[np.float32]

SAMPLES = 64
_KEPT = 16
#: The reference refuses to hash below this and answers quality 0 with 64 zeros. Quality 0 is kept,
#: the zeros are not: a hash that every such picture shares would look like a match.
_SMALLEST_SIDE = 5
#: Three times the largest difference in a coefficient seen between the two summing orders.
_MARGIN = 0.015


@dataclass(frozen=True)
class Pdq:
    """``hash``: 64 hex digits, the first one the highest bit; ``quality``: 0 (plain) to 100."""

    hash: str
    quality: int


def pdq(pixels: NDArray[np.uint8]) -> Pdq:
    """Hash an upright sRGB picture.

    Args:
        pixels: shape (height, width, 3), or (height, width) for a grey picture, which hashes as
            the same picture in RGB; dtype uint8, both sides at least 1.

    Raises:
        ValueError: another shape or dtype; hashing it would give a hash of something else.
    """
    return _decided(_folded(pixels, 1)[0], lambda: pixels)


def pdq_scaled(
    luma: NDArray[np.uint8],
    *,
    width: int,
    height: int,
    factor: int,
    top: int = 0,
    left: int = 0,
) -> Pdq:
    """Hash a picture that was decoded at a fraction of its size, as nearly as that allows.

    The windows are those of the original size, folded onto the smaller picture: the hash drifts by
    the error of the block means only. At most 8 bits of 256 are promised for photographs of which
    512 rows and columns are left; ``bench/hashing.py`` finds 4 at most, and 0.3 on average.
    Scaling first and hashing then drifts up to 72.

    Args:
        luma: grey pixels of shape (ceil(height / factor), ceil(width / factor)), dtype uint8.
        width: of the original, in pixels.
        height: of the original, in pixels.
        factor: original pixels that one decoded pixel stands for, in each direction.
        top: how many fewer the first row stands for; not 0 where a turned picture was decoded.
        left: how many fewer the first column stands for.

    Raises:
        ValueError: another shape or dtype.
    """
    rows, channels = _rows(luma)
    wanted = (-(-height // factor), -(-width // factor))
    if luma.shape != wanted:
        raise ValueError(
            f"a picture of {height} by {width} at 1/{factor} has the shape {wanted}, "
            f"not {luma.shape}"
        )
    blocks = np.empty((1, SAMPLES, SAMPLES), np.float32)
    _kernels().folded_blocks(rows, channels, height, width, factor, top, left, blocks)
    coefficients, quality = _transformed(blocks[0])
    return Pdq(_hex(coefficients), quality if min(height, width) >= _SMALLEST_SIDE else 0)


def pdq_dihedral(pixels: NDArray[np.uint8]) -> Mapping[Orientation, Pdq]:
    """Hash a picture as it would look turned and mirrored in all eight ways.

    Each is the very hash that :func:`pdq` gives for the picture really turned, at the cost of two
    to three hashes instead of eight: mirrored windows read the same pixels, and a transposed
    picture has the transposed frequencies. (Changing signs of frequencies alone is cheaper yet,
    and 22 bits off: the reference's windows are not symmetric.)

    Raises:
        ValueError: as for :func:`pdq`.
    """
    found = {}
    for way, block in zip(_BY_MIRRORING, _folded(pixels, len(_BY_MIRRORING)), strict=True):
        found[way] = _decided(block, functools.partial(way.of, pixels))
        turned = _BY_MIRRORING[way]
        across = np.ascontiguousarray(block.T)
        found[turned] = _decided(across, functools.partial(turned.of, pixels))
    return MappingProxyType({way: found[way] for way in Orientation})


#: The orientations that mirrored windows give, and what each becomes when it is transposed.
_BY_MIRRORING = {
    Orientation.ORIGINAL: Orientation.TRANSPOSED,
    Orientation.MIRRORED: Orientation.ROTATED_90,
    Orientation.FLIPPED: Orientation.ROTATED_270,
    Orientation.ROTATED_180: Orientation.ANTI_TRANSPOSED,
}


def load_kernels() -> None:
    """Load the compiled kernels and use each once, so that nothing is loaded afterwards."""
    for shape in ((70, 70, 3), (70, 70)):
        pixels = np.zeros(shape, np.uint8)  # flat: both summing orders are used
        pdq(pixels)
        pixels.flags.writeable = False  # as arrays over a decoder's buffer are
        pdq(pixels)
    pdq_scaled(np.zeros((70, 70), np.uint8), width=140, height=139, factor=2)


@functools.cache
def _kernels() -> ModuleType:
    from strandline.hashing import _kernels  # noqa: PLC0415 - numba takes half a second to import

    return _kernels


@functools.cache
def _reference_order() -> ModuleType:
    from strandline.hashing import _reference_order  # noqa: PLC0415 - as above

    return _reference_order


def _cosines() -> _Float:
    frequency = np.arange(1, _KEPT + 1)[:, None]
    place = 2 * np.arange(SAMPLES)[None, :] + 1
    scale = float(np.float32(math.sqrt(2.0 / SAMPLES)))
    cosines = np.cos(math.pi / (2 * SAMPLES) * frequency * place)
    return np.asarray(scale * cosines, np.float32)


_COSINES = _cosines()


def _rows(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return the picture as rows of bytes, and how many bytes a pixel has."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    known = pixels.ndim == 2 or (pixels.ndim == 3 and channels == 3)
    if not known or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(
            "PDQ takes uint8 pixels of shape (height, width, 3) or (height, width), "
            f"not {pixels.dtype} {pixels.shape}"
        )
    return np.ascontiguousarray(pixels).reshape(len(pixels), -1), channels


def _folded(pixels: NDArray[np.uint8], count: int) -> _Float:
    """Return the sampled luma, shape (count, 64, 64): as it is, mirrored, flipped, and both."""
    rows, channels = _rows(pixels)
    blocks = np.empty((count, SAMPLES, SAMPLES), np.float32)
    _kernels().folded_blocks(rows, channels, *pixels.shape[:2], 1, 0, 0, blocks)
    return blocks


def _in_reference_order(pixels: NDArray[np.uint8]) -> _Float:
    """Return the sampled luma, shape (64, 64), summed as the reference does."""
    block = np.empty((SAMPLES, SAMPLES), np.float32)
    _reference_order().ordered_block(*_rows(pixels), block)
    return block


def _decided(block: _Float, pixels: Callable[[], NDArray[np.uint8]]) -> Pdq:
    """Return the hash of a block; a bit that is too near to call is decided by the pixels."""
    coefficients, quality = _transformed(block)
    if _gap(coefficients) < _MARGIN:
        coefficients, quality = _transformed(_in_reference_order(pixels()))
    smallest = min(pixels().shape[:2])
    return Pdq(_hex(coefficients), quality if smallest >= _SMALLEST_SIDE else 0)


def _transformed(block: _Float) -> tuple[_Float, int]:
    coefficients = np.empty((_KEPT, _KEPT), np.float32)
    quality: int = _kernels().described(block, _COSINES, coefficients)
    return coefficients, quality


def _gap(coefficients: _Float) -> float:
    """How far apart the two coefficients are between which the median cuts."""
    lower, upper = np.partition(coefficients.ravel(), (127, 128))[127:129]
    return float(upper - lower)


def _hex(coefficients: _Float) -> str:
    flat = coefficients.ravel()
    median = np.partition(flat, 127)[127]  # the reference takes the lower of the two middles
    return bytes(np.packbits(flat[::-1] > median)).hex()
