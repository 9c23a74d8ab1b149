"""Hashing: what identifies a file (digests) and what identifies a picture (PDQ).

Pictures are decoded by ``strandline.media`` in its sandbox, and their hashes are computed there
too, so that no pixel of an untrusted file reaches this process. The arithmetic is compiled by numba
and kept in its cache; importing this package loads numpy, but neither numba nor a decoder.

What it may touch: ``strandline.media``, the standard library, numpy, numba; a file given by path.
"""

from strandline.hashing.batch import HashedFile, hash_files
from strandline.hashing.comparing import Comparison, Side, Verdict, compare
from strandline.hashing.digests import Digests, digests, digests_of_file
from strandline.hashing.examiner import (
    Examiner,
    FilmFacts,
    ImageHash,
    PageFacts,
    PictureFacts,
    hash_image,
    open_sandbox,
)
from strandline.hashing.film import PIPELINE as FILM_PIPELINE
from strandline.hashing.film import FilmHash, Policy, hash_film, open_film_sandbox
from strandline.hashing.folding import FrameHash
from strandline.hashing.letterbox import Box, trim
from strandline.hashing.orientation import Orientation
from strandline.hashing.perceptual import Pdq, pdq, pdq_dihedral, pdq_scaled
from strandline.hashing.variants import Variant, variants_of
from strandline.hashing.versions import MIN_QUALITY, PIPELINE, SAME_PICTURE, Mode, pipeline

__all__ = [
    "FILM_PIPELINE",
    "MIN_QUALITY",
    "PIPELINE",
    "SAME_PICTURE",
    "Box",
    "Comparison",
    "Digests",
    "Examiner",
    "FilmFacts",
    "FilmHash",
    "FrameHash",
    "HashedFile",
    "ImageHash",
    "Mode",
    "Orientation",
    "PageFacts",
    "Pdq",
    "PictureFacts",
    "Policy",
    "Side",
    "Variant",
    "Verdict",
    "compare",
    "digests",
    "digests_of_file",
    "hash_files",
    "hash_film",
    "hash_image",
    "open_film_sandbox",
    "open_sandbox",
    "pdq",
    "pdq_dihedral",
    "pdq_scaled",
    "pipeline",
    "trim",
    "variants_of",
]
