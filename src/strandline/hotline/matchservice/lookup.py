"""What answers look-ups: a list that can be asked, and the hits it gives.

:class:`Lookup` is all that the service wants of an index, so that tests can stand their own in its
place.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from strandline.hotline.matchservice.asking import Item
from strandline.lists.published.classes import Column, EntryClass


class Hit(NamedTuple):
    """One entry that an item matches by one of its hashes."""

    number: int
    entry_class: EntryClass
    #: By what: a digest, ``pdq``, or ``video`` for a frame of a listed film.
    column: Column
    #: Bits that differ, of 256; 0 for the same bytes.
    distance: int
    #: Edition with which the entry, as it is now, was published.
    edition: int
    #: Of the asked film's frame; none for a picture or a digest.
    ms: int | None


class Lookup(Protocol):
    """A list that can be asked, by several threads at once. It sees new editions by itself."""

    @property
    def edition(self) -> int:
        """Of which edition the answers are."""

    def find(self, items: Sequence[Item], columns: frozenset[Column]) -> list[list[Hit]]:
        """The hits of each item in ``columns``, in order.

        Entries that are withdrawn or quarantined give none. Raises NoList when what is needed
        cannot be read.
        """


class Current:
    """The list of this process: opened when first asked, and then kept."""

    def __init__(self, opener: Callable[[Path], Lookup]) -> None:
        """``opener`` raises NoList when there is nothing to open."""
        self._opener = opener
        self._lock = threading.Lock()
        self._held: dict[Path, Lookup] = {}

    def get(self, folder: Path) -> Lookup:
        """The list in ``folder``; raises NoList."""
        with self._lock:
            if folder not in self._held:
                self._held = {folder: self._opener(folder)}
            return self._held[folder]
