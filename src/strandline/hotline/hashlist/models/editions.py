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
    #: Entries it holds, and how many of them are in quarantine.
    entries = models.PositiveBigIntegerField(default=0)
    quarantined = models.PositiveBigIntegerField(default=0)
    #: sha256 of the text of the manifest before, empty for the first.
    previous = models.CharField(max_length=64, blank=True)
    #: sha256 of the text of its own manifest, once written.
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    #: Where its manifest is in the log, once it is.
    leaf = models.BigIntegerField(null=True, blank=True)

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


class Certificate(models.Model):
    """Another hotline's signed word that classes of an edition are what they should be."""

    class State(models.TextChoices):
        """How far it came."""

        RECEIVED = "received", "Received; not in the log yet"
        LOGGED = "logged", "In the log; waits for witnesses"
        RELEASED = "released", "Published"

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="certificates")
    #: As the policy names it.
    hotline = models.CharField(max_length=100)
    jurisdiction = models.CharField(max_length=2)
    #: The signed note as it was received.
    note = models.TextField()
    #: How many of the edition's classes it vouches for.
    classes = models.PositiveIntegerField()
    #: sha256 of the protocol of its audit, if it made one.
    audit = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    leaf = models.BigIntegerField(null=True, blank=True)

    class Meta:
        """One of each hotline for each edition."""

        ordering = ("id",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["edition", "hotline"], name="certificate_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hotline} on {self.edition}"


class Cosigning(DueWork):
    """The work of having the log's newest checkpoint cosigned by one witness."""

    #: The name of its key.
    witness = models.CharField(max_length=200, unique=True)
    vkey = models.CharField(max_length=400)
    #: What it cosigned last: how many leaves, its signature line, and when.
    size = models.BigIntegerField(default=0)
    line = models.TextField(blank=True)
    cosigned_at = models.DateTimeField(null=True, blank=True)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "a witness's cosignature"

    def __str__(self) -> str:
        return f"cosignature of {self.witness}"


class Release(DueWork):
    """The work of logging what was signed and telling members of it: one row.

    Due also when nothing changed, so that members see that nothing newer is held back.
    """

    #: When members were last told.
    told_at = models.DateTimeField(null=True, blank=True)
    #: When they stop believing it unless they are told again.
    expires_at = models.DateTimeField(null=True, blank=True)
    #: Leaves of the published checkpoint.
    size = models.BigIntegerField(default=0)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "telling members of the list"

    def __str__(self) -> str:
        return "telling members of the list"


class Publication(DueWork):
    """The work of publishing: one row, due when an entry has waited long enough."""

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "publishing the list"

    def __str__(self) -> str:
        return "publishing the list"
