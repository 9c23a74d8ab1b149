"""What members said, and the reviews that follow."""

from typing import ClassVar

from django.db import models

from strandline.hotline.accounts.models import Member
from strandline.hotline.feedback.words import Cause, Outcome, Reason, Say, Standing
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.jobs.models import DueWork

#: Letters of a note, of a decision's reason and of a member's own reference.
LONGEST_NOTE = 500
LONGEST_REASON = 250
LONGEST_REFERENCE = 64


class Flood(DueWork):
    """One member disputing more than is plausible: an alarm, until a manager settles it.

    And the work of letting the disputes take effect, where the manager decided that they count.
    """

    class Outcome(models.TextChoices):
        """What the manager decided."""

        COUNTED = "counted", "They count"
        SET_ASIDE = "set-aside", "Set aside"

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="floods")
    opened_at = models.DateTimeField()
    #: Entries disputed within the window when it was noticed, and how many would have been allowed.
    disputes = models.PositiveIntegerField()
    allowed = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)

    class Meta(DueWork.Meta):
        """A member has one flood at a time."""

        verbose_name = "letting held-back disputes take effect"
        ordering = ("id",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(outcome=""), name="flood_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"flood {self.pk} of {self.member}"

    @property
    def subject(self) -> str:
        """How the audit chain names this flood."""
        return f"flood:{self.pk}"


class Review(models.Model):
    """A question about an entry, until somebody who did not assess it decides."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="reviews")
    cause = models.CharField(max_length=12, choices=Cause.choices)
    opened_at = models.DateTimeField()
    #: Whether feedback put the entry into quarantine, and in a sentence why; empty when it did not.
    quarantined_because = models.CharField(max_length=LONGEST_REASON, blank=True)
    #: Whether as many independent members as the quorum asks disputed it.
    by_quorum = models.BooleanField(default=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    #: Said to the members who gave feedback.
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)

    class Meta:
        """An entry is reviewed once at a time."""

        ordering = ("id",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["entry"], condition=models.Q(outcome=""), name="review_one_at_a_time"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["outcome", "id"], name="review_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"review {self.pk} of entry {self.entry_id}"

    @property
    def subject(self) -> str:
        """How the audit chain names this review."""
        return f"review:{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return not self.outcome


class Statement(models.Model):
    """What one member said of one entry. Kept as it was said; a later one replaces it."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="statements")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="statements")
    say = models.CharField(max_length=10, choices=Say.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    #: The edition the member had the entry from, if it said so.
    edition = models.PositiveIntegerField(null=True, blank=True)
    #: The member's own word, of a case perhaps: said again of this entry, nothing happens again.
    reference = models.CharField(max_length=LONGEST_REFERENCE, blank=True)
    at = models.DateTimeField()
    standing = models.CharField(max_length=9, choices=Standing.choices, default=Standing.COUNTED)
    flood = models.ForeignKey(
        Flood, on_delete=models.PROTECT, related_name="statements", null=True, blank=True
    )
    review = models.ForeignKey(
        Review, on_delete=models.PROTECT, related_name="statements", null=True, blank=True
    )

    class Meta:
        """One that stands for each member and entry; read by member, by entry and by time."""

        ordering = ("id",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["member", "entry"],
                condition=~models.Q(standing="replaced"),
                name="statement_one_stands",
            ),
            models.UniqueConstraint(
                fields=["member", "entry", "reference"],
                condition=~models.Q(reference=""),
                name="statement_reference_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["member", "id"], name="statement_by_member"),
            models.Index(fields=["member", "say", "at"], name="statement_by_time"),
            models.Index(fields=["entry", "say"], name="statement_by_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.member} {self.say} entry {self.entry_id}"

    @property
    def state(self) -> str:
        """What became of it, as its member is told: a standing, ``in-review`` or an outcome."""
        if self.standing != Standing.COUNTED:
            return self.standing
        if self.review is None:
            return Standing.COUNTED.value
        return self.review.outcome or "in-review"
