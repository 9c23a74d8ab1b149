"""The index of listed fingerprints that one process keeps, brought up to date by new events.

Entries that changed since are withdrawn from the index as it stands and added as they are now, so
that a new entry does not cost a pass over the whole list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from strandline.hashing import MIN_QUALITY
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.hashlist.portions import portions
from strandline.matching import Index, Match

_COLUMNS = ("sequence", "entry_id", "at", "fingerprint__pdq")


@dataclass(frozen=True)
class _Last:
    """The last event that is indexed.

    An event of a transaction that was undone gives its number to another; their rows differ.
    """

    sequence: int = 0
    entry: int = 0
    at: datetime | None = None
    pdq: str | None = None

    def still_true(self) -> bool:
        row = Event.objects.filter(pk=self.sequence).values_list(*_COLUMNS).first()
        return row is not None and self == _Last(*row)


def _newest() -> _Last:
    row = Event.objects.order_by("sequence").values_list(*_COLUMNS).last()
    return _Last(*row) if row else _Last()


class NearIndex:
    """Answers which listed entries look like a fingerprint. Not for several threads at once."""

    def __init__(self) -> None:
        self._index = Index.build(())
        self._last = _Last()

    def query(self, pdq: str) -> list[Match]:
        """Entries within the radius of likeness, nearest first; ``Match.id`` is the number."""
        self._refresh()
        return sorted(self._index.query(pdq), key=lambda match: (match.distance, int(match.id)))

    def _refresh(self) -> None:
        last = _newest()
        if last == self._last:
            return
        if self._last.sequence and self._last.still_true():
            changed = Event.objects.filter(sequence__gt=self._last.sequence)
            numbers = sorted(set(changed.values_list("entry_id", flat=True)))
            for some in portions(numbers, 1000):
                self._index.withdraw(map(str, some))
                self._index.add(_fingerprints(some))
        else:
            self._index = Index.build(_fingerprints())
        self._last = last


def _fingerprints(numbers: Sequence[int] = ()) -> Iterator[tuple[str, str]]:
    """Numbers and hashes of the entries to compare with: all, or those among ``numbers``."""
    comparable = Entry.objects.filter(
        state=Entry.State.LISTED, fingerprint__quality__gte=MIN_QUALITY
    ).exclude(fingerprint__pdq="")
    if numbers:
        comparable = comparable.filter(pk__in=numbers)
    rows = comparable.order_by("number").values_list("number", "fingerprint__pdq")
    return ((str(number), pdq) for number, pdq in rows.iterator(chunk_size=10_000))
