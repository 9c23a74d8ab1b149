"""What a stored hash must say about how it was made."""

from enum import StrEnum

from strandline import media


class Mode(StrEnum):
    """How much of a picture is decoded to hash it."""

    #: All of it. The bits are the reference's own; lists are built in this mode.
    EXACT = "exact"
    #: Of a JPEG only the luma, at a fraction with at least 512 samples on the short side: at most
    #: 8 bits from the exact hash. Files without such a short cut are hashed as in exact mode.
    FAST = "fast"


def pipeline(mode: Mode) -> str:
    """Return the version stored with a hash: canonical decoding, then how it was computed."""
    exact = f"{media.PIPELINE}+pdq-2"
    return exact if mode is Mode.EXACT else f"{exact}-{mode}"


#: The version of exact mode.
PIPELINE = pipeline(Mode.EXACT)

#: Below this quality a picture is too plain to fingerprint: its PDQ hash is neither listed nor
#: matched, since it says little about the picture and much about noise.
MIN_QUALITY = 50

#: Two PDQ hashes that differ in this many of 256 bits, or fewer, are versions of one picture (the
#: algorithm's own advice).
SAME_PICTURE = 31
