"""Sources whose entries are contested more than happens by chance."""

from typing import ClassVar

from django.db import models

from strandline.hotline.jobs.models import DueWork


class SourceAlarm(DueWork):
    """That many entries of one source are contested, what was decided, and the work of doing it."""

    class State(models.TextChoices):
        """What was decided about the entries nobody else vouches for."""

        OPEN = "open", "Waits for a manager"
        QUARANTINED = "quarantined", "Quarantined until somebody decides"
        DISMISSED = "dismissed", "Nothing to do"
        RESTORED = "restored", "Restored"
        WITHDRAWN = "withdrawn", "Withdrawn"

    #: As entries name it.
    source = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    #: Entries that are contested or were withdrawn by a review, and all it brought, at that time.
    contested = models.PositiveIntegerField()
    brought = models.PositiveIntegerField()
    state = models.CharField(max_length=11, choices=State.choices, default=State.OPEN)
    #: Why, in the words of whoever decided.
    reason = models.CharField(max_length=250, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    #: ``feedback`` where the higher threshold decided.
    decided_by = models.CharField(max_length=80, blank=True)
    #: Entries changed so far by the last decision.
    changed = models.PositiveIntegerField(default=0)

    class Meta(DueWork.Meta):
        """A source has one alarm at a time."""

        verbose_name = "acting on a contested source"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source"],
                condition=models.Q(state__in=("open", "quarantined")),
                name="source_alarm_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"contested source {self.source}"

    @property
    def subject(self) -> str:
        """How the audit chain names this alarm."""
        return f"source-alarm:{self.pk}"

    @property
    def mark(self) -> str:
        """The record's reason of every entry it quarantined: what tells them from others."""
        return f"Rests on {self.source} alone, whose entries are contested (alarm {self.pk})"[:250]
