"""One version of an index: what was built, and the changes since."""

from collections.abc import Iterable
from dataclasses import dataclass

from strandline.matching.base import Base
from strandline.matching.building import fill, lay_out
from strandline.matching.columns import Columns, Packing, Progress, joined
from strandline.matching.entries import Entry, is_writable
from strandline.matching.sink import File, Memory
from strandline.matching.tail import Added, Change, Tail


class Version:
    """A base and its tail. Whoever uses the tail holds the index's lock."""

    def __init__(self, base: Base, tail: Tail | None = None) -> None:
        self.base = base
        self.tail = tail or Tail()

    def __len__(self) -> int:
        return self.base.entries - len(self.tail.hidden) + len(self.tail)

    def commit(self, change: Change, descriptor: int | None) -> None:
        """Put a change in force; in a file, once it is kept there."""
        assert descriptor is None
        self.tail.apply(change)

    def addition(self, checked: Iterable[tuple[str, bytes, tuple[str, ...]]]) -> Change:
        """What adding these changes: nothing for what is there already."""
        added: dict[tuple[str, bytes], Added] = {}
        for name, raw, labels in checked:
            held, instead = self._held(name, raw, added)
            if held is None or not set(labels) <= set(held):
                united = tuple(sorted({*labels, *(held or ())}))
                added[name, raw] = Added(name, raw, united, instead)
        return Change(tuple(added.values()))

    def _held(
        self, name: str, raw: bytes, added: dict[tuple[str, bytes], Added]
    ) -> tuple[tuple[str, ...] | None, int]:
        """The labels an entry has, None when it is not there, and its place in the base or -1."""
        if earlier := added.get((name, raw)):
            return earlier.labels, earlier.instead
        if late := self.tail.get(name, raw.hex()):
            return late.labels, -1
        entry = self.base.entry_at(raw, name)
        if entry is None or entry in self.tail.hidden:
            return None, -1
        return self.base.labels_of(entry), entry

    def withdrawal(self, ids: Iterable[str]) -> tuple[Change, int]:
        """What withdrawing these ids changes, and how many entries that takes away."""
        names = tuple(name for name in dict.fromkeys(ids) if is_writable(name))
        hidden = set(self.base.entries_with(names)) - self.tail.hidden
        count = len(hidden) + self.tail.count(names)
        return Change((), names, tuple(sorted(hidden))) if count else Change(), count

    def repeat(self, changes: Iterable[Change], descriptor: int | None) -> None:
        """Do again what was done to the version that this one takes the place of."""
        for change in changes:
            again = self.addition((each.id, each.raw, each.labels) for each in change.added)
            if again.added:
                self.commit(again, descriptor)
            again, count = self.withdrawal(change.withdrawn)
            if count:
                self.commit(again, descriptor)

    def state(self) -> "State":
        """What there is now, to be read without the lock."""
        return State(self.base, self.tail.hidden, self.tail.living(), len(self.tail.log))


@dataclass(frozen=True)
class State:
    """A version as it was at one moment: none of this changes any more."""

    base: Base
    hidden: frozenset[int]
    added: list[Entry]
    #: How many changes had been made.
    changes: int

    def columns(self) -> Columns:
        """All entries that could be found."""
        packing = Packing()
        for entry in self.added:
            packing.add(entry.id, bytes.fromhex(entry.hash), entry.labels)
        return joined(self.base.columns(self.hidden), packing.columns())


def in_memory(columns: Columns, progress: Progress | None) -> Version:
    """Build a version in memory."""
    layout, columns, ordered = lay_out(columns)
    sink = Memory(layout)
    fill(layout, columns, ordered, sink, progress)
    sink.data.flags.writeable = False
    return Version(Base(layout, sink.data, checked=True))


def to_file(columns: Columns, descriptor: int, progress: Progress | None) -> None:
    """Build a version into an empty file."""
    layout, columns, ordered = lay_out(columns)
    sink = File(layout, descriptor)
    fill(layout, columns, ordered, sink, progress)
    sink.finish()
