"""A film's fingerprinted frames as the record keeps them: 37 bytes each, in order of time."""

import struct
from collections.abc import Iterable

from strandline.hashing import FilmHash
from strandline.lists.published.events import Frame

#: Milliseconds from the film's start, quality, perceptual hash.
_FRAME = struct.Struct(">IB32s")


def pack(frames: Iterable[Frame]) -> bytes:
    """The frames as one value of a column."""
    return b"".join(
        _FRAME.pack(frame.ms, frame.quality, bytes.fromhex(frame.pdq)) for frame in frames
    )


def unpack(data: bytes | memoryview) -> tuple[Frame, ...]:
    """What ``pack`` made a value of; empty for none."""
    return tuple(
        Frame(ms, quality, pdq.hex()) for ms, quality, pdq in _FRAME.iter_unpack(bytes(data))
    )


def frames_of(film: FilmHash) -> tuple[Frame, ...]:
    """The frames of a film that was hashed: the first of each range that looks alike."""
    return tuple(Frame(round(each.start * 1000), each.quality, each.pdq) for each in film.frames)
