"""The index of listed fingerprints that one process keeps, brought up to date by new events.

A film is in it with each of its frames, under the one number of its entry.

Entries that changed since are withdrawn from the index as it stands and added as they are now, so
that a new entry does not cost a pass over the whole list.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from strandline.hashing import MIN_QUALITY
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.reports.film_frames import unpack
from strandline.lists.published.events import Kind
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
    """Answers which listed entries look like a picture or film. Not for several threads at once."""

    def __init__(self) -> None:
        self._index = Index.build(())
        self._last = _Last()

    def query(self, *pdqs: str) -> list[Match]:
        """Entries within the radius of likeness of any of these, each once, nearest first.

        ``Match.id`` is the entry's number.
        """
        self._refresh()
        found = (match for matches in self._index.query_many(pdqs) for match in matches)
        return _once(sorted(found, key=lambda match: (match.distance, int(match.id))))

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


def _once(nearest_first: Iterable[Match]) -> list[Match]:
    by_number: dict[str, Match] = {}
    for match in nearest_first:
        by_number.setdefault(match.id, match)
    return list(by_number.values())


def _fingerprints(numbers: Sequence[int] = ()) -> Iterator[tuple[str, str]]:
    """Numbers and hashes of the entries to compare with: all, or those among ``numbers``."""
    listed = Entry.objects.filter(state=Entry.State.LISTED).order_by("number")
    if numbers:
        listed = listed.filter(pk__in=numbers)
    pictures = listed.filter(fingerprint__quality__gte=MIN_QUALITY).exclude(fingerprint__pdq="")
    rows = pictures.values_list("number", "fingerprint__pdq")
    yield from ((str(number), pdq) for number, pdq in rows.iterator(chunk_size=10_000))
    films = listed.filter(fingerprint__kind=Kind.VIDEO)
    packed = films.values_list("number", "fingerprint__video")
    for number, video in packed.iterator(chunk_size=100):
        for frame in unpack(video):
            if frame.quality >= MIN_QUALITY:
                yield str(number), frame.pdq
