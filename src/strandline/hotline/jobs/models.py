"""Due work as columns, and the one table of mail that leaves."""

from typing import ClassVar

from django.db import models


class DueWork(models.Model):
    """Columns that make a row claimable by a worker.

    A row with ``due_at`` in the past and no running lease is work. ``attempt`` counts claims and
    fences completion: a worker that lost its lease can no longer write.
    """

    #: When to try next; null when there is nothing to do.
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    leased_by = models.CharField(max_length=40, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    #: Failures in a row; they lengthen the wait.
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    #: Set when it failed too often: it now waits for a person.
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Every concrete kind of work gets an index to claim by."""

        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at", "id"], name="%(app_label)s_%(class)s_due"),
        ]


class OutboxMail(DueWork):
    """A mail that is to leave, or has left."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "Waiting"
        #: Committed before the text is handed over, so that a crash cannot send it twice.
        HANDING_OVER = "handing-over", "Being handed over"
        SENT = "sent", "Sent"
        #: A worker died while handing it over, and no copy tells whether it left.
        UNCERTAIN = "uncertain", "Uncertain: a person decides"
        REFUSED = "refused", "Refused by the mail server"

    #: What it is for, e.g. ``notice:17``: asking for the same twice gives the same row.
    key = models.CharField(max_length=80, unique=True)
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=250)
    body = models.TextField()
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

    def __str__(self) -> str:
        return f"{self.key} to {self.recipient} ({self.state})"
