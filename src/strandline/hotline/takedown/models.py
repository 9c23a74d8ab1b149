"""Tables of traces, notices, answers and looks. What a mail's row tells is not told again here."""

from datetime import datetime
from typing import ClassVar

from django.db import models

from strandline.hotline.jobs.models import DueWork, OutboxMail
from strandline.hotline.reports.models import ReportedUrl


class Trace(DueWork):
    """The work of finding out who answers for an address; one row per address, used again."""

    class Wanted(models.TextChoices):
        """What a person has to find, because no registry knows or a host disagrees."""

        NOTHING = "", "Nothing"
        CONTACT = "contact", "No registry names anybody to write to"
        DELIVERY = "delivery", "No mailbox accepted the notice"
        OWNER = "owner", "The host says that it is not theirs"
        UPSTREAM = "upstream", "Nobody above the host is known to write to"

    address = models.OneToOneField(ReportedUrl, on_delete=models.PROTECT, related_name="trace")
    #: Attempts in a row that a registry or resolver cut short.
    tries = models.PositiveSmallIntegerField(default=0)
    #: Which time round notices are sent: content that returns, and a new contact, begin another.
    round = models.PositiveSmallIntegerField(default=1)
    wanted = models.CharField(max_length=10, choices=Wanted.choices, blank=True)
    wanted_since = models.DateTimeField(null=True, blank=True)

    class Meta(DueWork.Meta):
        """Claimed by due time; what waits for a person is read in order of waiting."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at", "id"], name="takedown_trace_due"),
            models.Index(
                fields=["wanted_since", "id"],
                condition=~models.Q(wanted=""),
                name="trace_wanted",
            ),
        ]

    def __str__(self) -> str:
        return f"trace of address {self.address_id}"


class Hosting(models.Model):
    """Who answered for an address at one time. Rows are added, never changed."""

    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="hostings")
    at = models.DateTimeField()
    #: The server that the content came from.
    ip = models.GenericIPAddressField(null=True)
    asn = models.PositiveBigIntegerField(null=True)
    as_name = models.CharField(max_length=120, blank=True)
    #: First and last address of the network, or its prefix.
    network = models.CharField(max_length=100, blank=True)
    network_name = models.CharField(max_length=120, blank=True)
    #: ISO 3166-1 alpha-2 of the network in its registry; where the machine stands may differ.
    country = models.CharField(max_length=2, blank=True)
    host_name = models.CharField(max_length=120, blank=True)
    registrar = models.CharField(max_length=120, blank=True)
    #: Where a notice goes first.
    abuse_contact = models.CharField(max_length=254, blank=True)
    #: Who is written to when that changes nothing: above the network, else the domain's registrar.
    upstream_contact = models.CharField(max_length=254, blank=True)
    #: What was asked, in words, with what went wrong.
    method = models.CharField(max_length=500)
    by = models.CharField(max_length=80)

    class Meta:
        """Read per address, the last one counts."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.host_name or self.network_name or self.ip} ({self.country})"


class Notice(models.Model):
    """One notice about one address. Its mail tells to whom, when, and how that went."""

    class Level(models.TextChoices):
        """How urgent, and to whom."""

        FIRST = "first", "Notice"
        REMINDER = "reminder", "Reminder"
        ESCALATION = "escalation", "Escalation"

    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="notices")
    round = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=10, choices=Level.choices)
    hosting = models.ForeignKey(Hosting, on_delete=models.PROTECT, related_name="notices")
    mail = models.OneToOneField(OutboxMail, on_delete=models.PROTECT, related_name="notice")
    #: SHA-256 of the token in the mail's link: the token itself is 256 random bits.
    token_hash = models.CharField(max_length=64, unique=True)
    token_expires_at = models.DateTimeField()

    class Meta:
        """However often work is repeated: one mail for an address, round and level."""

        ordering = ("id",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["address", "round", "level"], name="notice_once"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """How letters name this notice."""
        return f"N-{self.address_id}-{self.round}"

    @property
    def recipient(self) -> str:
        """Whom it is to."""
        return self.mail.recipient

    @property
    def sent_at(self) -> datetime | None:
        """When its mail left; none while it has not."""
        return self.mail.sent_at


class HostAnswer(models.Model):
    """What a host said, by the link of a notice; one answer to each."""

    class Answer(models.TextChoices):
        """What a host can say."""

        REMOVED = "removed", "We have removed it"
        NOT_OURS = "not-ours", "It is not ours"
        NEED_TIME = "need-time", "We need more time"

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="answer")
    answer = models.CharField(max_length=10, choices=Answer.choices)
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.notice}: {self.answer}"


class Look(DueWork):
    """The work of looking at an address again; one row per address, from its first notice on."""

    address = models.OneToOneField(ReportedUrl, on_delete=models.PROTECT, related_name="look")
    #: When somebody last asked for a look out of turn; a look already under way does not count.
    asked_at = models.DateTimeField(null=True, blank=True)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

    def __str__(self) -> str:
        return f"look at address {self.address_id}"
