"""The index of listed fingerprints that one process keeps, brought up to date by new numbers.

Entries that came since are added to the index as it stands, so that a new entry does not cost a
pass over the whole list. Withdrawn entries stay until the index is built again: whoever asks
filters what is found by the record.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from strandline.hashing import MIN_QUALITY
from strandline.hotline.hashlist.models import Entry
from strandline.matching import Index, Match


@dataclass(frozen=True)
class _Last:
    """The last number that is indexed, and that item's sha256.

    An entry of a transaction that was undone gives its number to another.
    """

    sequence: int = 0
    sha256: str = ""

    def still_true(self) -> bool:
        last = Entry.objects.filter(pk=self.sequence, item__sha256=self.sha256)
        return self.sequence == 0 or last.exists()


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
        last = _Last(*(Entry.objects.values_list("sequence", "item__sha256").last() or ()))
        if last == self._last:
            return
        if self._last.sequence and self._last.still_true():
            self._index.add(_fingerprints(after=self._last.sequence))
        else:
            self._index = Index.build(_fingerprints(after=0))
        self._last = last


def _fingerprints(after: int) -> Iterator[tuple[str, str]]:
    """Numbers and hashes of the entries to compare with, from the number ``after`` on."""
    comparable = Entry.objects.filter(
        sequence__gt=after, status=Entry.Status.ACTIVE, item__quality__gte=MIN_QUALITY
    ).exclude(item__pdq="")
    rows = comparable.order_by("sequence").values_list("sequence", "item__pdq")
    return ((str(sequence), pdq) for sequence, pdq in rows.iterator(chunk_size=10_000))
