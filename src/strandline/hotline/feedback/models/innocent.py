"""The list of common innocent pictures, and the file members get of it."""

from typing import ClassVar

from django.db import models

from strandline.hotline.jobs.models import DueWork


class Innocent(models.Model):
    """A picture that must never be matched: proposed by one person, accepted by another."""

    class What(models.TextChoices):
        """What kind of picture it is."""

        LOGO = "logo", "Logo or icon"
        BLANK = "blank", "Blank or a plain pattern"
        MEME = "meme", "Meme or widely shared picture"
        INTERFACE = "interface", "Part of a program or site"
        ARTWORK = "artwork", "Artwork, press or stock photograph"
        OTHER = "other", "Something else"

    class State(models.TextChoices):
        """How far it came."""

        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "On the list"
        DECLINED = "declined", "Declined"
        REMOVED = "removed", "Removed"

    what = models.CharField(max_length=10, choices=What.choices)
    #: Lower-case hex; at least one of the two.
    sha256 = models.CharField(max_length=64, blank=True)
    pdq = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=250)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PROPOSED)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=80)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    #: Why it was declined or removed.
    decision = models.CharField(max_length=250, blank=True)

    class Meta:
        """Looked up by the bytes' digest."""

        ordering = ("id",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "sha256"], name="innocent_by_sha256"),
        ]

    def __str__(self) -> str:
        return f"innocent picture {self.pk}"

    @property
    def subject(self) -> str:
        """How the audit chain names it."""
        return f"innocent:{self.pk}"


class InnocentFile(DueWork):
    """The list of innocent pictures as members get it: one row, and the work of signing it."""

    #: The signed note; empty until the worker has signed the first.
    note = models.TextField(blank=True)
    #: Rises with each one signed.
    number = models.PositiveIntegerField(default=0)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "signing the list of innocent pictures"

    def __str__(self) -> str:
        return "signing the list of innocent pictures"
