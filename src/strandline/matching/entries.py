"""What is indexed and what is found: entries, matches, and input that was left out."""

import re
from typing import NamedTuple

#: Length of a hash in bits.
BITS = 256
_HASH = re.compile(rf"[0-9a-fA-F]{{{BITS // 4}}}")


class Entry(NamedTuple):
    """A listed hash: whose it is, the 64 hex digits, and what it is filed under."""

    id: str
    hash: str
    labels: tuple[str, ...] = ()


class Match(NamedTuple):
    """An entry within the radius; ``distance`` is the number of differing bits."""

    id: str
    hash: str
    distance: int
    labels: tuple[str, ...] = ()


class Refused(NamedTuple):
    """An item that was left out of an index; the rest was indexed."""

    #: Which item it was, counting from 1.
    number: int
    #: What it said (its first 80 characters).
    text: str
    #: A sentence.
    reason: str


def parse_hash(text: str) -> bytes:
    """Return the 32 bytes of 64 hex digits; raises ValueError for anything else."""
    if not _HASH.fullmatch(text):
        raise ValueError(f"a hash has {BITS // 4} hex digits, not {text[:80]!r}")
    return bytes.fromhex(text)


def checked_radius(radius: int) -> int:
    """Return the radius; raises ValueError when it is outside 0 to 256."""
    if not 0 <= radius <= BITS:
        raise ValueError(f"a radius is 0 to {BITS} bits, not {radius}")
    return radius
