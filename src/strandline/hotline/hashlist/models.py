"""Entries of the list, its editions, near matches, and the work of publishing."""

from typing import ClassVar

from django.db import models

from strandline.hashing import MIN_QUALITY
from strandline.hotline.jobs.models import DueWork
from strandline.hotline.reports.models import MediaItem


class Entry(models.Model):
    """One confirmed item, under a number that is given once and never reused."""

    class Status(models.TextChoices):
        """Whether the next edition holds it."""

        ACTIVE = "active", "Listed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    #: 1, 2, 3 … without a gap. Members resume from it, never from a time.
    sequence = models.BigIntegerField(primary_key=True)
    item = models.OneToOneField(MediaItem, on_delete=models.PROTECT, related_name="entry")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    category = models.CharField(max_length=40)
    #: Sorted words that members may filter by.
    labels = models.JSONField(default=list)
    added_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=250, blank=True)
    #: The first edition without it. Earlier ones hold it still, so that each can be written again.
    withdrawn_from = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        """Withdrawals are looked up by the edition they take effect in."""

        ordering = ("sequence",)
        verbose_name_plural = "entries"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["status", "sequence"], name="entry_by_status"),
            models.Index(fields=["withdrawn_from"], name="entry_withdrawn_from"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What a member's match reports."""
        return f"entry-{self.sequence}"

    @property
    def subject(self) -> str:
        """How the audit chain names this entry."""
        return f"entry:{self.sequence}"


class Edition(models.Model):
    """One edition: decided and committed first, then written, then told as published."""

    class State(models.TextChoices):
        """How far it came. A 'prepared' one is written again until it is published."""

        PREPARED = "prepared", "Being published"
        PUBLISHED = "published", "Published"

    number = models.PositiveIntegerField(primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    #: The highest sequence number that existed when it was decided.
    up_to = models.BigIntegerField()
    published_at = models.DateTimeField()
    #: How many entries it holds.
    entries = models.PositiveBigIntegerField()
    #: sha256 of the manifest of the edition before, empty for the first.
    previous = models.CharField(max_length=64, blank=True)
    #: sha256 of its own manifest, once written.
    manifest_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        """In order of number; at most one is being published."""

        ordering = ("number",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="prepared"),
                name="one_edition_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"edition {self.number}"

    @property
    def subject(self) -> str:
        """How the audit chain names this edition."""
        return f"edition:{self.number}"


class NearHint(models.Model):
    """A captured item that looks like a listed one: a hint for its analyst, never a verdict."""

    item = models.ForeignKey(MediaItem, on_delete=models.PROTECT, related_name="near_hints")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="near_hints")
    #: Bits of 256 in which the two fingerprints differ.
    distance = models.PositiveSmallIntegerField()

    class Meta:
        """Once for each pair."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "entry"], name="near_hint_once"),
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} is {self.distance} bits from entry {self.entry_id}"


class Publication(DueWork):
    """The work of publishing: one row, due when an entry has waited long enough."""

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "publishing the list"

    def __str__(self) -> str:
        return "publishing the list"


def comparable(item: MediaItem) -> bool:
    """Whether an item's perceptual hash says enough to be listed or compared."""
    return bool(item.pdq) and item.quality >= MIN_QUALITY
