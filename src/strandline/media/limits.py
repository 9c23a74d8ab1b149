"""What a job in the sandbox may cost, and the names of what it can make."""

from dataclasses import dataclass
from enum import StrEnum

#: Version of canonical decoding. Changes whenever the decoded pixels of any file could, and is
#: stored with every hash, so that entries made by an older version can be found and made again.
#: What it promises is listed in ``strandline.media.decoding``.
PIPELINE = "media-2"

#: Longest side of a picture in pixels: what JPEG's 16-bit fields can say. A PNG can claim a
#: strip of 80 million by one, which no one looks at and which defeats per-row bounds.
MAX_SIDE = 65_535


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one job; what exceeds them is refused with a verdict, not attempted."""

    #: Encoded bytes of a file.
    bytes: int = 50 * 2**20
    #: Bytes of a file that is read where it lies, not handed over: a film.
    file_bytes: int = 8 * 2**30
    #: Decoded pixels, width times height.
    pixels: int = 80_000_000
    #: Frames of an animation that are counted, and that are decoded one after another.
    frames: int = 1_000
    #: Length of a film, in seconds.
    seconds: float = 1e8
    #: Address space in bytes that jobs may take beyond what the worker's libraries have: 16 bytes
    #: a pixel. Pillow keeps four, a rotation or a conversion needs a copy, PDQ seven more.
    memory: int = 1280 * 2**20
    #: Processor time of one job. The costliest picture within ``pixels`` takes about 7 s on the
    #: machine it was tried on (flat CMYK, all styles, PDQ by the strict path).
    cpu_seconds: float = 20.0
    #: Time on the wall of one job, kept by the parent, which kills the worker.
    wall_seconds: float = 40.0


class Style(StrEnum):
    """Renditions an analyst looks at instead of the original: all of them lose detail."""

    #: Grey, reduced to 80 samples on the long side and spread again: shapes, no faces.
    BLURRED = "blurred"
    #: Grey, softened and smaller than the original.
    GREY = "grey"
    #: Outlines of a softened grey picture.
    EDGES = "edges"
