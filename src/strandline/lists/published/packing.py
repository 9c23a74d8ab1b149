"""Whole numbers in as few bits as their group needs, in one way only.

A compressor would do nearly as well, but its output differs from one release to the next, and then
the same record would not give the same published bytes everywhere. This gives them: numbers go in
groups of 1,024, and a group is its smallest number, a width in bits, and the difference of each
from the smallest in that many bits. A group of equal numbers takes nine bytes.
"""

import numpy as np
import numpy.typing as npt

from strandline.errors import ListRefused

#: Numbers in a group; the last one may have fewer.
GROUP = 1024
#: Differences of numbers below 2**53, with their sign, are below 2**54.
MAX_WIDTH = 54
_HEAD = 9

Numbers = npt.NDArray[np.uint64]


def pack(numbers: npt.NDArray[np.unsignedinteger]) -> bytes:
    """Bytes of ``numbers`` (one dimension, each below 2**54); empty for none."""
    values = numbers.astype(np.uint64, copy=False)
    starts = np.arange(0, len(values), GROUP)
    if not len(starts):
        return b""
    least = np.minimum.reduceat(values, starts)
    spans = np.maximum.reduceat(values, starts) - least
    bases, widths = least.tolist(), [span.bit_length() for span in spans.tolist()]
    if max(max(bases).bit_length(), *widths) > MAX_WIDTH:
        raise ListRefused("A number is too large for a published list. Nothing was written.")
    bodies = [b""] * len(starts)
    for width in set(widths) - {0}:  # groups of one width in one stroke: few widths, many groups
        chosen = [index for index, each in enumerate(widths) if each == width]
        whole = [index for index in chosen if (index + 1) * GROUP <= len(values)]
        if whole:
            rows = values[: len(values) // GROUP * GROUP].reshape(-1, GROUP)[whole]
            for index, body in zip(whole, _to_bits(rows - least[whole, None], width), strict=True):
                bodies[index] = body
        if len(whole) < len(chosen):
            rest = values[starts[-1] :][None] - least[-1]
            (bodies[-1],) = _to_bits(rest, width)
    heads = (
        base.to_bytes(8, "little") + bytes([width])
        for base, width in zip(bases, widths, strict=True)
    )
    return b"".join(part for pair in zip(heads, bodies, strict=True) for part in pair)


def unpack(data: memoryview, count: int) -> tuple[Numbers, memoryview]:
    """Read ``count`` numbers from the front of ``data``; returns what follows them as well.

    Raises ListRefused unless ``pack`` writes the very bytes that were read.
    """
    out = np.empty(count, np.uint64)
    by_width: dict[tuple[int, int], list[tuple[int, memoryview]]] = {}
    for start in range(0, count, GROUP):
        some = min(GROUP, count - start)
        if len(data) < _HEAD:
            raise _malformed()
        base, width = int.from_bytes(data[:8], "little"), data[8]
        size = _HEAD + (some * width + 7) // 8
        if max(width, base.bit_length()) > MAX_WIDTH or len(data) < size:
            raise _malformed()
        out[start : start + some] = base
        if width:
            by_width.setdefault((width, some), []).append((start, data[_HEAD:size]))
        data = data[size:]
    for (width, some), groups in by_width.items():
        bits = np.frombuffer(b"".join(body for _, body in groups), np.uint8)
        offsets = _from_bits(bits.reshape(len(groups), -1), some, width)
        for (start, _), group in zip(groups, offsets, strict=True):
            out[start : start + some] += group
    return out, data


def fold(differences: npt.NDArray[np.int64]) -> Numbers:
    """Signed numbers as unsigned ones, small for small: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
    return ((differences << 1) ^ (differences >> 63)).view(np.uint64)


def unfold(folded: Numbers) -> npt.NDArray[np.int64]:
    """What ``fold`` was given."""
    signed = folded.view(np.int64)
    return (signed >> 1) ^ -(signed & 1)


def _to_bits(offsets: Numbers, width: int) -> list[bytes]:
    """One body for each row of ``offsets``: uint64[groups, numbers]."""
    octets = (width + 7) // 8
    low = offsets.astype("<u8").view(np.uint8).reshape(*offsets.shape, 8)[..., :octets]
    bits = np.unpackbits(low, axis=2, count=width, bitorder="little")
    bodies = np.packbits(bits.reshape(len(offsets), -1), axis=1, bitorder="little")
    return [body.tobytes() for body in bodies]


def _from_bits(bodies: npt.NDArray[np.uint8], count: int, width: int) -> Numbers:
    """What ``_to_bits`` was given; refuses a width or a base that is not the least, and padding."""
    bits = np.unpackbits(bodies, axis=1, bitorder="little")
    padding = bits[:, count * width :]
    low = np.packbits(
        bits[:, : count * width].reshape(len(bodies), count, width), axis=2, bitorder="little"
    )
    wide = np.zeros((len(bodies), count, 8), np.uint8)
    wide[..., : low.shape[2]] = low
    offsets = wide.view("<u8")[..., 0].astype(np.uint64, copy=False)
    if (
        padding.any()
        or offsets.min(axis=1).any()
        or (offsets.max(axis=1) >> (width - 1) == 0).any()
    ):
        raise _malformed()
    return offsets


def _malformed() -> ListRefused:
    return ListRefused("Packed numbers are cut off or not in their one form. Nothing was used.")
