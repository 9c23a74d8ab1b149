"""Is this listed already? The same bytes settle the item; a likeness is only a hint."""

import threading
from datetime import datetime

from strandline.hotline.assessment import verdicts
from strandline.hotline.assessment.hints import Hint
from strandline.hotline.assessment.words import Baseline, Category
from strandline.hotline.hashlist.models import Entry, NearHint, comparable
from strandline.hotline.hashlist.near import NearIndex
from strandline.hotline.reports.models import MediaItem, ReportedUrl

#: Hints kept for one item, nearest first: more would not help its analyst.
MOST_HINTS = 5

_index = NearIndex()
_lock = threading.Lock()


def settle_known(address: ReportedUrl, *, by: str, now: datetime) -> int:
    """Give each item that has an active entry but no verdict the entry's category; how many.

    Bytes are one item wherever they appear, so the entry of the same sha256 is the item's own. It
    lacks a verdict when the entry did not come from an assessment here.
    """
    known = Entry.objects.select_related("item").filter(
        status=Entry.Status.ACTIVE,
        item__appearances__address=address,
        item__verdict=None,
    )
    settled = 0
    for entry in known:
        verdicts.adopt(
            entry.item,
            category=Category(entry.category),
            baseline=next((b for b in Baseline if b in entry.labels), None),
            entry=entry.sequence,
            by=by,
            now=now,
        )
        settled += 1
    return settled


def find_near(address: ReportedUrl) -> int:
    """Store a hint for each undecided item here that looks like a listed one; how many."""
    undecided = MediaItem.objects.filter(appearances__address=address, verdict=None)
    found = [hint for item in undecided if comparable(item) for hint in _near(item)]
    NearHint.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def hints(item: MediaItem) -> list[Hint]:
    """A sentence for each listed entry this item looks like, nearest first, for its analyst."""
    near = NearHint.objects.select_related("entry").filter(
        item=item, entry__status=Entry.Status.ACTIVE
    )
    return [
        Hint(
            f"Looks like {hint.entry.name} ({Category(hint.entry.category).label}): "
            f"{hint.distance} of 256 bits differ."
        )
        for hint in near.order_by("distance", "entry_id")
    ]


def _near(item: MediaItem) -> list[NearHint]:
    with _lock:
        matches = _index.query(item.pdq)
    distances = {int(match.id): match.distance for match in matches}
    listed = (
        Entry.objects.filter(pk__in=distances, status=Entry.Status.ACTIVE)
        .exclude(item=item)
        .values_list("pk", flat=True)
    )
    near = [NearHint(item=item, entry_id=pk, distance=distances[pk]) for pk in listed]
    return sorted(near, key=lambda hint: (hint.distance, hint.entry_id))[:MOST_HINTS]
