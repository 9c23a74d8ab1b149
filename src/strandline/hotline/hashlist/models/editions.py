"""Editions and how far each came, and the work of publishing them."""

from typing import ClassVar

from django.db import models

from strandline.hotline.hashlist.models.entries import ListedClass
from strandline.hotline.jobs.models import DueWork


class Edition(models.Model):
    """One edition: decided and committed first, then written, logged, cosigned and released."""

    class State(models.TextChoices):
        """How far it came. Each step is repeated until the next one is committed."""

        PREPARED = "prepared", "Being written"
        WRITTEN = "written", "Written; not in the log yet"
        LOGGED = "logged", "In the log; waits for witnesses"
        PUBLISHED = "published", "Published"

    number = models.PositiveIntegerField(primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    #: The highest event that existed when it was decided; the edition holds every one up to it.
    up_to = models.BigIntegerField()
    published_at = models.DateTimeField()
    #: Whether the whole list as of this edition is written too, for members who begin.
    snapshot = models.BooleanField(default=False)
    #: Entries to be matched, and those that are not while somebody contests them.
    entries = models.PositiveBigIntegerField(default=0)
    quarantined = models.PositiveBigIntegerField(default=0)
    #: sha256 of the text of the manifest before, empty for the first.
    previous = models.CharField(max_length=64, blank=True)
    #: sha256 of the text of its own manifest, once written.
    manifest_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        """In order of number; at most one is being published."""

        ordering = ("number",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                # Any state but 'published' counts as one and the same.
                models.Case(
                    models.When(state="published", then=None),
                    default=models.Value(1),
                    output_field=models.SmallIntegerField(),
                ),
                name="one_edition_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"edition {self.number}"

    @property
    def subject(self) -> str:
        """How the audit chain names this edition."""
        return f"edition:{self.number}"


class EditionClass(models.Model):
    """What one edition holds of one class: where the next edition's counts begin."""

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="classes")
    listed_class = models.ForeignKey(ListedClass, on_delete=models.PROTECT, related_name="+")
    entries = models.PositiveBigIntegerField()
    quarantined = models.PositiveBigIntegerField()
    #: The highest event of this class.
    sequence = models.BigIntegerField()

    class Meta:
        """Once for each pair."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["edition", "listed_class"], name="edition_class_once"),
        ]

    def __str__(self) -> str:
        return f"{self.listed_class_id} in edition {self.edition_id}"


class Publication(DueWork):
    """The work of publishing: one row, due when an entry has waited long enough."""

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "publishing the list"

    def __str__(self) -> str:
        return "publishing the list"
