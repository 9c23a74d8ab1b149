"""TIFF samples that Pillow does not read, or takes for what they are not. Worker only.

They become 8 bits each, about a mebibyte unpacked at a time, whatever a file claims.
"""

import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from strandline.media.tiff_layout import DEFLATE, Layout, Unread

_AT_ONCE, _FED = 2**20, 2**16  # bytes
#: Rows, columns and channels of the picture, and the samples that belong there.
Block = tuple[tuple[slice, slice, slice], NDArray[Any]]


def eight_bits(file: IO[bytes], layout: Layout, channels: int) -> NDArray[np.uint8]:
    """Return (height, width, channels) as Pillow's mode for them has it.

    Raises:
        Unread, OSError, EOFError, LookupError: the samples have no meaning here, or are damaged.
    """
    made = np.zeros((layout.height, layout.width, channels), np.uint8)
    highest = np.zeros(channels)
    if layout.kind != "u" or layout.bits > 16:
        for (_, _, plane), samples in _blocks(file, layout, channels):
            if layout.kind == "i" and layout.bits < 32 and samples.min(initial=0) < 0:
                raise Unread("a TIFF of signed samples below zero, which have no stated black")
            unsigned = samples.view(f"u{samples.itemsize}") if layout.kind == "i" else samples
            tops = unsigned.max((0, 1), where=np.isfinite(unsigned), initial=0)
            highest[plane] = np.maximum(highest[plane], tops)
        # Alpha has a white of its own.
        colours = 1 if channels <= 2 else 3 if layout.photo == 2 else channels
        highest[:colours] = highest[:colours].max()
    for place, samples in _blocks(file, layout, channels):
        made[place] = _shown(samples, highest[place[2]], layout)
    if layout.photo == 0:
        made[..., 0] ^= 255
    return made


def _shown(samples: NDArray[Any], highest: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
    """Return 0 to 255, as ``colour.to_pixels`` says for each depth."""
    if layout.kind == "f":
        white = np.where(highest <= 1, 1.0, np.where(highest <= 255, 255.0, 65_535.0))
        known = np.where(np.isnan(samples), 0, samples).astype(np.float64)
        return np.asarray(np.rint(np.clip(known, 0, white) * (255.0 / white)))
    unsigned = samples.view(f"u{samples.itemsize}")
    depth = np.full(len(highest), layout.bits)
    if layout.bits > 16:
        depth = np.array([8, 16, 32, 64])[
            np.searchsorted([256.0, 2.0**16, 2.0**32], highest, "right")
        ]
        depth = np.minimum(depth, layout.bits)
    return np.asarray(unsigned >> (depth - 8).astype(unsigned.dtype))


def _blocks(file: IO[bytes], layout: Layout, channels: int) -> Iterator[Block]:
    """Yield the picture piece by piece; what lies beyond its edges is left out."""
    (width, height), number = layout.tile, 0
    for plane in range(channels if layout.apart else 1):
        kept = slice(plane, plane + 1) if layout.apart else slice(0, channels)
        for top in range(0, layout.height, height):
            for left in range(0, layout.width, width):
                row, bottom = top, min(top + height, layout.height)
                for samples in _rows(file, layout, number, bottom - top):
                    shown = samples[:, : layout.width - left, : kept.stop - kept.start]
                    columns = slice(left, left + shown.shape[1])
                    yield (slice(row, row + len(shown)), columns, kept), shown
                    row += len(shown)
                number += 1


def _rows(file: IO[bytes], layout: Layout, number: int, rows: int) -> Iterator[NDArray[Any]]:
    """Yield the first rows of a strip or tile, (some, width, channels) at a time."""
    across = layout.tile[0], 1 if layout.apart else layout.samples
    kind = np.dtype(f"{layout.order}{layout.kind}{layout.bits // 8}")
    size = across[0] * across[1] * kind.itemsize
    pieces = _unpacked(file, layout, number, max(1, _AT_ONCE // size) * size, rows * size)
    for held in pieces:
        samples = np.frombuffer(held, kind, len(held) // size * size // kind.itemsize)
        samples = samples.reshape(-1, *across).astype(kind.newbyteorder("="))
        yield np.cumsum(samples, 1, samples.dtype) if layout.predictor == 2 else samples


def _unpacked(
    file: IO[bytes], layout: Layout, number: int, most: int, left: int
) -> Iterator[bytes]:
    """Yield ``left`` bytes of a strip or tile, ``most`` at a time; fewer only where forgiving."""
    at, end = layout.offsets[number], layout.offsets[number] + layout.lengths[number]
    inflate, fed = zlib.decompressobj() if layout.packing in DEFLATE else None, b""
    while left:
        made, wanted = bytearray(), min(most, left)
        while len(made) < wanted:
            if not fed:
                file.seek(at)
                fed = file.read(max(0, min(_FED if inflate else wanted - len(made), end - at)))
                at += len(fed)
            try:
                got = inflate.decompress(fed, wanted - len(made)) if inflate else fed
            except zlib.error as error:
                raise OSError(f"damaged samples in a TIFF: {error}") from error
            ended, fed = not fed and not got, inflate.unconsumed_tail if inflate else b""
            if ended:
                break
            made += got
        left -= len(made)
        yield bytes(made)
        if len(made) < wanted:
            if not ImageFile.LOAD_TRUNCATED_IMAGES:
                raise EOFError("the samples of a TIFF end too early")
            return
