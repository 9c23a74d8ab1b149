"""The table of exposure."""

from typing import ClassVar

from django.db import models

from strandline.hotline.accounts.models import Person
from strandline.hotline.reports.models import MediaItem


class Exposure(models.Model):
    """One opening of one rendition by one person."""

    class Kind(models.TextChoices):
        """How much was seen."""

        SHOWN = "shown", "Degraded rendition"
        REVEALED = "revealed", "More than a rendition"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="exposures")
    item = models.ForeignKey(MediaItem, on_delete=models.PROTECT, related_name="exposures")
    #: The rendition's style, see ``strandline.media.Style``.
    style = models.CharField(max_length=16)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField()
    #: How long it was open, where the page could tell.
    seconds = models.PositiveIntegerField(null=True, blank=True)
    #: How hard it weighs: by style when opened, by what it showed once that was recorded.
    weight = models.PositiveSmallIntegerField()

    class Meta:
        """Read per person, newest first."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person", "at"], name="exposure_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} item {self.item_id}"
