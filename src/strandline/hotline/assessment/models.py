"""Tables of claims, observations and verdicts."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from strandline.hotline.accounts.models import Person
from strandline.hotline.assessment import words
from strandline.hotline.reports.models import MediaItem, ReportedUrl


class Claim(models.Model):
    """An analyst's turn at an address. It runs until it ends or its time is up."""

    class Ending(models.TextChoices):
        """How it ended. Skipping and stopping are free of blame."""

        FINISHED = "finished", "Finished"
        SKIPPED = "skipped", "Skipped"
        STOPPED = "stopped", "Stopped for now"
        EXPIRED = "expired", "Ran out"

    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="claims")
    analyst = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="claims")
    stage = models.CharField(max_length=8, choices=words.Stage.choices)
    taken_at = models.DateTimeField()
    #: Moved on by every assessment; afterwards anybody may take the address.
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending.choices, blank=True)

    class Meta:
        """One running claim per address and one per analyst, whatever happens at once."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(ended_at=None), name="claim_one_per_address"
            ),
            models.UniqueConstraint(
                fields=["analyst"], condition=Q(ended_at=None), name="claim_one_per_analyst"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["analyst", "-taken_at"], name="claim_by_analyst"),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk} of address {self.address_id}"

    def runs_at(self, now: datetime) -> bool:
        """Whether it is still this analyst's turn; nothing opens and nothing counts afterwards."""
        return self.ended_at is None and self.until > now

    def ran_out_by(self, now: datetime) -> bool:
        """Whether its time was up before it was finished, skipped or stopped."""
        if self.ended_at is None:
            return self.until <= now
        return self.ending == self.Ending.EXPIRED


class Assessment(models.Model):
    """What one analyst observed in one item, and what the law made of it then."""

    item = models.ForeignKey(MediaItem, on_delete=models.PROTECT, related_name="assessments")
    analyst = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="assessments")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="assessments")
    stage = models.CharField(max_length=8, choices=words.Stage.choices)
    at = models.DateTimeField()
    #: Version in ``laws``; the category can be derived again under another.
    law = models.CharField(max_length=16)
    category = models.CharField(max_length=30, choices=words.Category.choices)

    act_penetrative = models.BooleanField(default=False)
    act_animal = models.BooleanField(default=False)
    act_sadism = models.BooleanField(default=False)
    act_other_sexual = models.BooleanField(default=False)
    act_other_indecent = models.BooleanField(default=False)
    provenance = models.CharField(max_length=16, choices=words.Provenance.choices, blank=True)
    capture = models.CharField(max_length=16, choices=words.Capture.choices, blank=True)
    self_generated = models.CharField(max_length=12, choices=words.Answer.choices, blank=True)
    extortion = models.CharField(max_length=12, choices=words.Answer.choices, blank=True)
    setting = models.CharField(max_length=16, choices=words.Setting.choices, blank=True)
    alone = models.CharField(max_length=3, choices=words.YesNo.choices, blank=True)
    generation = models.CharField(max_length=16, choices=words.Generation.choices, blank=True)
    source_app_kind = models.CharField(
        max_length=16, choices=words.SourceAppKind.choices, blank=True
    )
    baseline = models.CharField(max_length=16, choices=words.Baseline.choices, blank=True)
    reason = models.CharField(max_length=30, choices=words.Reason.choices, blank=True)

    class Meta:
        """A person assesses an item once, and each stage happens once."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["item", "analyst"], name="assessment_one_per_analyst"),
            models.UniqueConstraint(fields=["item", "stage"], name="assessment_one_per_stage"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} assessment of item {self.item_id}"

    @property
    def observations(self) -> words.Observations:
        """The observations as they were recorded."""
        return words.Observations(
            acts=frozenset(act for act in words.Act if getattr(self, act_column(act))),
            children=tuple(row.child for row in self.children.all()),
            provenance=words.Provenance(self.provenance) if self.provenance else None,
            capture=words.Capture(self.capture) if self.capture else None,
            self_generated=words.Answer(self.self_generated) if self.self_generated else None,
            extortion=words.Answer(self.extortion) if self.extortion else None,
            setting=words.Setting(self.setting) if self.setting else None,
            alone=words.YesNo(self.alone) if self.alone else None,
            generation=words.Generation(self.generation) if self.generation else None,
            source_app_kind=(
                words.SourceAppKind(self.source_app_kind) if self.source_app_kind else None
            ),
            baseline=words.Baseline(self.baseline) if self.baseline else None,
            reason=words.Reason(self.reason) if self.reason else None,
        )


def act_column(act: words.Act) -> str:
    """The column that says whether ``act`` was seen."""
    return f"act_{act.value.replace('-', '_')}"


class ChildRow(models.Model):
    """One child, as one analyst saw it."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="children")
    age = models.CharField(max_length=8, choices=words.AgeBand.choices)
    sex = models.CharField(max_length=12, choices=words.Sex.choices)
    maturity = models.CharField(max_length=16, choices=words.Maturity.choices)

    class Meta:
        """In the order they were recorded."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.sex} {self.age}"

    @property
    def child(self) -> words.Child:
        """The row as a value."""
        return words.Child(
            words.AgeBand(self.age), words.Sex(self.sex), words.Maturity(self.maturity)
        )


class Verdict(models.Model):
    """What an item is: decided once, for every address it appears at."""

    class How(models.TextChoices):
        """How it was decided."""

        AGREED = "agreed", "Two analysts agree"
        THIRD = "third", "A third analyst, where two disagreed"
        EXACT_MATCH = "exact match", "Exact match with a trusted entry; nobody looked"

    item = models.OneToOneField(MediaItem, on_delete=models.PROTECT, related_name="verdict")
    category = models.CharField(max_length=30, choices=words.Category.choices)
    #: Empty where the category is undetermined, or where the entry that was matched says nothing.
    baseline = models.CharField(max_length=16, choices=words.Baseline.choices, blank=True)
    law = models.CharField(max_length=16)
    how = models.CharField(max_length=12, choices=How.choices)
    decided_at = models.DateTimeField()
    #: The entry of the hash list that settled it, for an exact match.
    entry = models.BigIntegerField(null=True, blank=True)

    class Meta:
        """Read by when they were made (figures)."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["decided_at"], name="verdict_by_time"),
        ]

    def __str__(self) -> str:
        return f"item {self.item_id}: {self.category}"

    @property
    def illegal(self) -> bool:
        """Whether it leads to an entry and a notice."""
        return self.category in words.ILLEGAL
