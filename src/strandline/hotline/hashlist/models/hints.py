"""Near matches: captured items that look like listed ones, in a frame or as a whole."""

from typing import ClassVar

from django.db import models

from strandline.hashing import MIN_QUALITY
from strandline.hotline.hashlist.models.entries import Entry
from strandline.hotline.reports.models import Film, MediaItem
from strandline.lists.published.events import Frame


class NearHint(models.Model):
    """A captured item that looks like a listed one: a hint for its analyst, never a verdict."""

    item = models.ForeignKey(MediaItem, on_delete=models.PROTECT, related_name="near_hints")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="near_hints")
    #: Bits of 256 in which the two fingerprints differ; of films, those of the nearest frames.
    distance = models.PositiveSmallIntegerField()

    class Meta:
        """Once for each pair."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "entry"], name="near_hint_once"),
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} is {self.distance} bits from entry {self.entry_id}"


def frames_to_list(item: MediaItem) -> tuple[Frame, ...]:
    """The fingerprinted frames of a film; none of a picture, or of a film nobody could read."""
    film = Film.objects.filter(item=item).first() if item.is_film else None
    return film.frames if film else ()


def comparable(item: MediaItem) -> bool:
    """Whether an item's perceptual hash says enough to be listed or compared."""
    return bool(item.pdq) and item.quality >= MIN_QUALITY
