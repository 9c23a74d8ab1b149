"""Many rows, a portion at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def portions(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` rows, in order, until there are no more."""
    rest = iter(rows)
    while portion := list(islice(rest, size)):
        yield portion
