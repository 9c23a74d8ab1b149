"""Is this listed already? The same bytes settle the item; a likeness is only a hint."""

import threading
from datetime import datetime

from django.conf import settings

from strandline.hashing import MIN_QUALITY
from strandline.hotline.assessment import verdicts
from strandline.hotline.assessment.hints import Hint
from strandline.hotline.assessment.words import ILLEGAL, Baseline, Category
from strandline.hotline.hashlist.models import Entry, NearHint, comparable, frames_to_list
from strandline.hotline.hashlist.near import NearIndex
from strandline.hotline.hashlist.services import entry_of
from strandline.hotline.reports.models import MediaItem, ReportedUrl
from strandline.lists.published.events import Kind

#: Hints kept for one item, nearest first: more would not help its analyst.
MOST_HINTS = 5

_index = NearIndex()
_lock = threading.Lock()


def settle_known(address: ReportedUrl, *, by: str, now: datetime) -> int:
    """Give each item that is listed but has no verdict the entry's category; how many.

    Bytes are one item wherever they appear, so the entry of the same sha256 is the item's own. It
    lacks a verdict when the entry did not come from an assessment here. An entry of another
    jurisdiction settles nothing: its category is another law's.
    """
    undecided = MediaItem.objects.filter(appearances__address=address, verdict=None)
    settled = 0
    for item in undecided.distinct():
        entry = entry_of(item)
        if entry is None or entry.state != Entry.State.LISTED or not _ours(entry):
            continue
        labels = entry.listed_class.labels
        verdicts.adopt(
            item,
            category=Category(entry.listed_class.category),
            baseline=next((b for b in Baseline if b in labels), None),
            entry=entry.number,
            by=by,
            now=now,
        )
        settled += 1
    return settled


def find_near(address: ReportedUrl) -> int:
    """Store a hint for each undecided item here that looks like a listed one; how many.

    A film does where one of its frames does, and any item does that looks like a listed frame.
    """
    undecided = MediaItem.objects.filter(appearances__address=address, verdict=None)
    found = [hint for item in undecided for hint in _near(item)]
    NearHint.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def hints(item: MediaItem) -> list[Hint]:
    """A sentence for each listed entry this item is or looks like, nearest first."""
    same = Entry.objects.filter(fingerprint__sha256=item.sha256, state=Entry.State.LISTED)
    near = (
        NearHint.objects.select_related("entry__listed_class")
        .filter(item=item, entry__state=Entry.State.LISTED)
        .select_related("entry__fingerprint")
    )
    return [
        Hint(f"Has the same bytes as {_told(entry)}.")
        for entry in same.select_related("listed_class").order_by("pk")
        if not _ours(entry)
    ] + [
        Hint(f"{_likeness(item, hint.entry)}: {hint.distance} of 256 bits differ.")
        for hint in near.order_by("distance", "entry_id")
    ]


def _ours(entry: Entry) -> bool:
    """Whether the entry's category is one of the law followed here."""
    held = entry.listed_class
    return held.jurisdiction == settings.HOTLINE.jurisdiction and held.category in ILLEGAL


def _told(entry: Entry) -> str:
    held = entry.listed_class
    if _ours(entry):
        return f"{entry.name} ({Category(held.category).label})"
    return f"{entry.name} ({held.category} in {held.jurisdiction.upper()}, from {entry.source})"


def _likeness(item: MediaItem, entry: Entry) -> str:
    is_film = entry.fingerprint.kind == Kind.VIDEO
    if item.is_film:
        return f"A frame of it looks like {'one of ' if is_film else ''}{_told(entry)}"
    return f"Looks like {'a frame of ' if is_film else ''}{_told(entry)}"


def _prints(item: MediaItem) -> list[str]:
    """What an item is compared by: its hash, or a film's frames; none that say too little."""
    frames = [frame.pdq for frame in frames_to_list(item) if frame.quality >= MIN_QUALITY]
    return [*frames, item.pdq] if comparable(item) else frames


def _near(item: MediaItem) -> list[NearHint]:
    prints = _prints(item)
    if not prints:
        return []
    with _lock:
        matches = _index.query(*prints)
    distances = {int(match.id): match.distance for match in matches}
    listed = (
        Entry.objects.filter(pk__in=distances, state=Entry.State.LISTED)
        .exclude(fingerprint__sha256=item.sha256)
        .values_list("pk", flat=True)
    )
    near = [NearHint(item=item, entry_id=pk, distance=distances[pk]) for pk in listed]
    return sorted(near, key=lambda hint: (hint.distance, hint.entry_id))[:MOST_HINTS]
