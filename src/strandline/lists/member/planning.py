"""Which pages a sync has to fetch: the events since the edition held, or everything anew."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.index_file import Index, PageFile


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    #: True: apply events to what is held. False: build from snapshots and the events after them.
    grows: bool
    #: Pages that are applied, in the order of their classes.
    files: tuple[PageFile, ...]

    @property
    def size(self) -> int:
        """Bytes of them."""
        return sum(file.size for file in self.files)


def plan(
    indexes: Mapping[EntryClass, Index],
    columns: Iterable[Column],
    edition: int | None,
    *,
    held: Callable[[PageFile], bool],
    has: Callable[[str], bool],
) -> Plan:
    """The way that fetches less; ``edition`` is the one held, None to build anew.

    Args:
        indexes: of every class that the scope covers.
        columns: within the scope.
        edition: see above.
        held: whether a file need not be fetched.
        has: whether the source may have a path.
    """
    columns = frozenset(columns)
    anew = Plan(
        grows=False, files=tuple(f for each in indexes.values() for f in each.current(columns))
    )
    if edition is None or any(edition < index.since for index in indexes.values()):
        return anew
    grow = Plan(
        grows=True,
        files=tuple(f for each in indexes.values() for f in each.after(edition, columns)),
    )
    if not all(has(file.path) or held(file) for file in grow.files):
        return anew
    return min(grow, anew, key=lambda each: sum(f.size for f in each.files if not held(f)))
