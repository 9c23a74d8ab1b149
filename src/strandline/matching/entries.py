"""What is indexed and what is found: entries, matches, and input that was left out."""

import re
from collections.abc import Iterable
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


def checked_entry(item: object) -> tuple[str, bytes, tuple[str, ...]]:
    """Return id, 32 bytes and sorted labels of an (id, hash[, labels]); raises ValueError."""
    if not isinstance(item, tuple) or len(item) not in {2, 3}:
        raise ValueError(f"an entry is an id, a hash and perhaps labels, not {str(item)[:80]!r}")
    name, text = item[0], item[1]
    if not isinstance(name, str) or not name:
        raise ValueError(f"an id is a text that is not empty, not {str(name)[:80]!r}")
    if not isinstance(text, str):
        raise ValueError(f"a hash has {BITS // 4} hex digits, not {str(text)[:80]!r}")  # noqa: TRY004
    raw = parse_hash(text)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"an id is text that can be written as UTF-8, not {name[:80]!r}"
        ) from error
    if len(item) == 2 or not item[2]:
        return name, raw, ()
    return name, raw, checked_labels(item[2])


def checked_labels(labels: object) -> tuple[str, ...]:
    """Return labels sorted, each once; raises ValueError for what is not a list of texts."""
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        raise ValueError(f"labels are a list of texts, not {str(labels)[:80]!r}")  # noqa: TRY004
    given = tuple(sorted(set(labels))) if (labels := list(labels)) else ()
    for label in given:
        if not isinstance(label, str) or not label:
            raise ValueError(f"a label is a text that is not empty, not {str(label)[:80]!r}")
    return given
