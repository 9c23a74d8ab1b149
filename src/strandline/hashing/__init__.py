"""Hashing: what identifies a file (digests) and what identifies a picture (PDQ).

The arithmetic is pure numpy; pictures are decoded by ``strandline.media`` in its sandbox, and
their hashes are computed there too, so that no pixel of an untrusted file reaches this process.
Importing this package loads numpy, but no decoder.

What it may touch: ``strandline.media``, the standard library, numpy; a file given by path.
"""

from strandline.hashing.digests import Digests, digests
from strandline.hashing.examiner import (
    Examiner,
    ImageHash,
    PageFacts,
    PictureFacts,
    hash_image,
    open_sandbox,
)
from strandline.hashing.perceptual import Pdq, pdq
from strandline.hashing.versions import MIN_QUALITY, PIPELINE

__all__ = [
    "MIN_QUALITY",
    "PIPELINE",
    "Digests",
    "Examiner",
    "ImageHash",
    "PageFacts",
    "Pdq",
    "PictureFacts",
    "digests",
    "hash_image",
    "open_sandbox",
    "pdq",
]
