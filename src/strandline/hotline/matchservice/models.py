"""What members may ask, what they asked in numbers, and alarms. Never a hash that was asked."""

from typing import ClassVar

from django.db import models

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.jobs.models import DueWork


class Plan(models.Model):
    """How much a member may ask, where an administrator agreed on other than the settings."""

    member = models.OneToOneField(
        Member, on_delete=models.CASCADE, primary_key=True, related_name="match_plan"
    )
    #: Look-ups a second, in the long run.
    per_second = models.PositiveIntegerField()
    #: Look-ups at once, after a pause.
    burst = models.PositiveIntegerField()
    #: Look-ups a day and a calendar month, UTC.
    per_day = models.PositiveBigIntegerField()
    per_month = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"plan of {self.member_id}"


class Bucket(models.Model):
    """What is left of an allowance. Processes take from it in leases; see ``allowance``."""

    #: ``member:3``, or ``key:17`` while that key is slowed.
    name = models.CharField(max_length=40, primary_key=True)
    #: Look-ups that may be asked at the moment ``at`` (seconds since 1970).
    tokens = models.FloatField()
    at = models.FloatField()
    #: The day counted, as days since 1970, and what was leased of its quota; the same of a month.
    day = models.PositiveIntegerField()
    day_used = models.PositiveBigIntegerField(default=0)
    month = models.PositiveIntegerField()
    month_used = models.PositiveBigIntegerField(default=0)
    #: Fences changes: who read an older one writes nothing.
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"bucket {self.name}"


class Usage(models.Model):
    """What one key asked on one day (UTC), in numbers."""

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="match_usage")
    day = models.DateField()
    calls = models.PositiveBigIntegerField(default=0)
    look_ups = models.PositiveBigIntegerField(default=0)
    #: Items that were answered with 'listed'.
    listed = models.PositiveBigIntegerField(default=0)
    #: Calls refused because too much was asked.
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        """One row for each key and day."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "day"], name="match_usage_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["day"], name="match_usage_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.key} on {self.day}"


class Standing(models.Model):
    """A key that was slowed or suspended; one without a row is as it should be."""

    class State(models.TextChoices):
        """What the key may still do."""

        GOOD = "good", "In good standing"
        SLOWED = "slowed", "Slowed to a tenth"
        SUSPENDED = "suspended", "Suspended"

    key = models.OneToOneField(
        ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="match_standing"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.GOOD)
    #: No alarm is raised before: a manager looked at what was asked until then.
    quiet_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.get_state_display()}"


class Alarm(models.Model):
    """Somebody seems to feel for the edge of the list with one key."""

    class Kind(models.TextChoices):
        """What was noticed."""

        EDGE = "edge", "Variants of one picture on both sides of the edge"
        ENTRY = "entry", "Many altered copies of one entry"
        VARIANTS = "variants", "Very many variants of one picture"

    class Outcome(models.TextChoices):
        """What a manager decided."""

        HARMLESS = "harmless", "Harmless: the key is as before"
        SLOWED = "slowed", "The key stays slowed"
        SUSPENDED = "suspended", "The key is suspended"

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="match_alarms")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    raised_at = models.DateTimeField()
    #: Different fingerprints that were near each other, roughly: answered 'listed', and not.
    listed = models.PositiveIntegerField()
    unlisted = models.PositiveIntegerField()
    #: The entry that was felt for, where one is known; 0 where none is.
    entry = models.PositiveBigIntegerField(default=0)
    #: What was done with the key at once.
    measure = models.CharField(max_length=10, choices=Standing.State.choices)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=80, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)

    class Meta:
        """One open alarm for each key: it says enough."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(settled_at=None), name="one_open_alarm_a_key"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-raised_at"], name="match_alarm_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.get_kind_display()}"

    @property
    def subject(self) -> str:
        """How the audit chain names this alarm."""
        return f"match-alarm:{self.pk}"


class Following(DueWork):
    """The work of bringing the derived list to the newest edition: one row, due with each."""

    class Meta(DueWork.Meta):
        """Claimed by due time."""

        verbose_name = "bringing the match service's list up to date"

    def __str__(self) -> str:
        return "bringing the match service's list up to date"
