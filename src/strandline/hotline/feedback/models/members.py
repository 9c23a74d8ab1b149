"""What each member may have, how it is reached, and which edition it holds."""

from typing import ClassVar

from django.db import models

from strandline.hotline.accounts.models import Member
from strandline.hotline.jobs.models import DueWork
from strandline.lists.published.classes import Column, Scope

#: Parts of a scope that are sets of words, in the order of pages and notes.
WORDS = ("categories", "provenances", "jurisdictions", "survivors", "labels", "without_labels")


class Terms(models.Model):
    """What one member was granted. A member without a row may have the whole list."""

    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="terms")
    #: Kinds of hashes; the other parts are words that leave theirs open when there are none.
    columns = models.JSONField(default=list)
    categories = models.JSONField(default=list)
    provenances = models.JSONField(default=list)
    jurisdictions = models.JSONField(default=list)
    survivors = models.JSONField(default=list)
    labels = models.JSONField(default=list)
    without_labels = models.JSONField(default=list)
    #: Where reminders go; empty for nowhere.
    mailbox = models.EmailField(blank=True)
    #: Members with the same word here count as one: they are not independent of each other.
    group = models.CharField(max_length=60, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        """Named alike in both numbers."""

        verbose_name_plural = "terms"

    def __str__(self) -> str:
        return f"terms of {self.member}"

    @property
    def scope(self) -> Scope:
        """The rule and the columns, as the published list knows them."""
        words = {part: frozenset(getattr(self, part)) for part in WORDS}
        return Scope(columns=frozenset(Column(word) for word in self.columns), **words)


class ScopeSigning(DueWork):
    """A member's scope note: the work of signing it, and the last one that was signed."""

    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="scope_note")
    #: The signed note; empty until the worker has signed the first.
    note = models.TextField(blank=True)
    issued_at = models.DateTimeField(null=True, blank=True)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "signing a scope note"

    def __str__(self) -> str:
        return f"scope note of {self.member}"


class Holding(models.Model):
    """That a member held an edition: as it said, or as its downloads suggest."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="holdings")
    edition = models.PositiveIntegerField()
    #: Said by the member; otherwise inferred from a download, which proves no more than an attempt.
    said = models.BooleanField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        """Once for each edition and way of knowing."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["member", "edition", "said"], name="holding_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["member", "said", "-last_at"], name="holding_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.member} held edition {self.edition}"


class HolderCheck(DueWork):
    """The work of reminding members that still hold what was withdrawn: one row."""

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "reminding members of withdrawals"

    def __str__(self) -> str:
        return "reminding members of withdrawals"
