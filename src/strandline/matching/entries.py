"""What is indexed and what is found: entries, matches, and input that was left out."""

import operator
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

#: Length of a hash in bits.
BITS = 256
_HASH = re.compile(rf"[0-9a-fA-F]{{{BITS // 4}}}")
#: Ids looked at together.
_AT_ONCE = 1 << 16


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
    """Return the radius; raises ValueError when it is no whole number of 0 to 256."""
    try:
        whole = operator.index(radius)
    except TypeError as error:
        raise ValueError(f"a radius is a whole number of bits, not {str(radius)[:80]!r}") from error
    if not 0 <= whole <= BITS:
        raise ValueError(f"a radius is 0 to {BITS} bits, not {whole}")
    return whole


def checked_entry(item: object) -> tuple[str, bytes, tuple[str, ...]]:
    """Return id, 32 bytes and sorted labels of an (id, hash[, labels]); raises ValueError."""
    if not isinstance(item, tuple) or len(item) not in {2, 3}:
        raise ValueError(f"an entry is an id, a hash and perhaps labels, not {str(item)[:80]!r}")
    name, text = checked_text(item[0], "an id"), item[1]
    if not isinstance(text, str):
        raise ValueError(f"a hash has {BITS // 4} hex digits, not {str(text)[:80]!r}")  # noqa: TRY004
    raw = parse_hash(text)
    if len(item) == 2 or not item[2]:
        return name, raw, ()
    return name, raw, checked_labels(item[2])


def checked_labels(labels: object) -> tuple[str, ...]:
    """Return labels sorted, each once; raises ValueError for what is not a list of texts."""
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        raise ValueError(f"labels are a list of texts, not {str(labels)[:80]!r}")  # noqa: TRY004
    return tuple(sorted({checked_text(label, "a label") for label in labels}))


def checked_text(text: object, what: str) -> str:
    """Return the text; raises ValueError when it is none, is empty or cannot be written as UTF-8.

    ``what`` is the subject of the error's sentence.
    """
    if not isinstance(text, str) or not text:
        raise ValueError(f"{what} is a text that is not empty, not {str(text)[:80]!r}")
    if not is_writable(text):
        raise ValueError(f"{what} is text that can be written as UTF-8, not {text[:80]!r}")
    return text


def is_writable(text: str) -> bool:
    """Whether the text can be written as UTF-8: a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_ids(ids: Sequence[str]) -> None:
    """Raise ValueError for the first that is no id; many are looked at together."""
    for low in range(0, len(ids), _AT_ONCE):
        some = ids[low : low + _AT_ONCE]
        if all(issubclass(kind, str) for kind in set(map(type, some))) and all(some):
            together = "".join(some)
            if together.isascii() or is_writable(together):
                continue
        for row, name in enumerate(some, low):
            try:
                checked_text(name, "an id")
            except ValueError as error:
                raise ValueError(f"row {row}: {error}") from error
