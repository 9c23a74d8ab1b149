"""The index of listed fingerprints that one process keeps, brought up to date by new numbers.

Most entries lie in a base that is built once; those that came since are a small second index, built
again when a number appears, so that each new entry does not cost a pass over the whole list.
Withdrawn entries stay until the next rebuild: whoever asks filters what is found by the record.
"""

from dataclasses import dataclass

from django.db.models import QuerySet

from strandline.hashing import MIN_QUALITY
from strandline.hotline.hashlist.models import Entry
from strandline.matching import Index, Match

#: The second index grows to this many entries, or a tenth of the base, before they are merged.
SMALL = 2_000


@dataclass(frozen=True)
class _Part:
    index: Index
    #: The last number it knows of, and that item's sha256: an entry of a transaction that was
    #: undone gives its number to another.
    sequence: int = 0
    sha256: str = ""

    def still_true(self) -> bool:
        last = Entry.objects.filter(pk=self.sequence, item__sha256=self.sha256)
        return self.sequence == 0 or last.exists()


def _nothing() -> _Part:
    return _Part(Index.build(()))


class NearIndex:
    """Answers which listed entries look like a fingerprint. Not for several threads at once."""

    def __init__(self) -> None:
        self._base = self._recent = _nothing()

    def query(self, pdq: str) -> list[Match]:
        """Entries within the radius of likeness, nearest first; ``Match.id`` is the number."""
        self._refresh()
        found = self._base.index.query(pdq) + self._recent.index.query(pdq)
        return sorted(found, key=lambda match: (match.distance, int(match.id)))

    def _refresh(self) -> None:
        last = Entry.objects.values_list("sequence", "item__sha256").last() or (0, "")
        if last == (self._recent.sequence, self._recent.sha256) and self._base.still_true():
            return
        if not self._base.still_true():
            self._base = _nothing()
        recent = Entry.objects.filter(sequence__gt=self._base.sequence)
        if recent.count() > max(SMALL, len(self._base.index) // 10):
            self._base, self._recent = _build(Entry.objects.all(), last), _nothing()
            recent = recent.none()
        self._recent = _build(recent, last)


def _build(entries: QuerySet[Entry], last: tuple[int, str]) -> _Part:
    comparable = entries.filter(status=Entry.Status.ACTIVE, item__quality__gte=MIN_QUALITY).exclude(
        item__pdq=""
    )
    rows = comparable.order_by("sequence").values_list("sequence", "item__pdq")
    pairs = ((str(sequence), pdq) for sequence, pdq in rows.iterator(chunk_size=10_000))
    return _Part(Index.build(pairs), *last)
