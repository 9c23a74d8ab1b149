"""Sources of lists, what they delivered, and which entries each delivery vouches for."""

from typing import ClassVar

from django.db import models

from strandline.hotline.hashlist.models import Entry, Import
from strandline.hotline.jobs.models import DueWork


class Source(DueWork):
    """An organisation that lists come from, and what its words mean here.

    As due work: asking its server for what is new, where it has one.
    """

    class Trust(models.TextChoices):
        """What becomes of an entry that nobody else vouches for."""

        TRUSTED = "trusted", "Trusted: its entries are listed"
        ALONE_NOT = "alone-not", "Not alone: quarantined until another source has the same"

    name = models.CharField(max_length=120, unique=True)
    trust = models.CharField(max_length=10, choices=Trust.choices, default=Trust.ALONE_NOT)
    #: Two lower-case letters: whose law its verdicts follow.
    jurisdiction = models.CharField(max_length=2)
    #: Its words to ``category provenance`` of ours, or to nothing where they are left out.
    meanings = models.JSONField(default=dict)
    #: Words that every entry from here is labelled with.
    labels = models.JSONField(default=list)
    #: Of its server of NCMEC's shape, e.g. ``https://…/hashes``; empty where it has none.
    address = models.CharField(max_length=300, blank=True)
    username = models.CharField(max_length=120, blank=True)
    #: Hours between two looks; 0: only when asked.
    every_hours = models.PositiveIntegerField(default=0)
    #: Everything up to here was taken in.
    checkpoint = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField()

    class Meta(DueWork.Meta):
        """In order of name."""

        ordering = ("name",)
        verbose_name = "asking a peer's server"

    def __str__(self) -> str:
        return f"asking {self.name}"

    @property
    def subject(self) -> str:
        """How the audit chain names this source."""
        return f"source:{self.pk}"

    @property
    def secret(self) -> str:
        """The name of the file that holds its password: ``keys/exchange-7``."""
        return f"exchange-{self.pk}"


class Delivery(DueWork):
    """One file from a source, or what its server answered, and what became of it."""

    class State(models.TextChoices):
        """Where it stands."""

        READING = "reading", "Being read"
        REFUSED = "refused", "Cannot be read"
        PREVIEWED = "previewed", "Read: somebody decides"
        TAKING = "taking", "Being taken in"
        TAKEN = "taken", "Taken in"
        TAKING_BACK = "taking-back", "Being taken back"
        TAKEN_BACK = "taken-back", "Taken back"
        DISCARDED = "discarded", "Discarded"

    class Contested(models.TextChoices):
        """What becomes of an entry that this delivery contradicts."""

        KEEP = "keep", "Keep ours as it is"
        QUARANTINE = "quarantine", "Quarantine ours until somebody decides"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=11, choices=State.choices, default=State.READING)
    #: One of ``strandline.formats.READERS``.
    format = models.CharField(max_length=20)
    #: Whose table VICS categories are read by; empty: the file says.
    country = models.CharField(max_length=10, blank=True)
    #: What the file was called where it came from; only for people to recognise it by.
    name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    by = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    #: Of a fetched one: what the source's checkpoint is once this was taken in.
    until = models.DateTimeField(null=True, blank=True)
    #: Rows read so far, or in all.
    rows = models.BigIntegerField(default=0)
    #: What taking it in would do, by ``comparing.Standing``.
    counts = models.JSONField(default=dict)
    #: Sentences: what the mapping does not carry.
    losses = models.JSONField(default=list)
    #: A few rows of each standing that is not as expected, hashes shortened.
    samples = models.JSONField(default=list)
    #: Words for categories that the source's meanings do not name, with how often.
    unknown_words = models.JSONField(default=dict)
    #: Why it was refused.
    refusal = models.TextField(blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    contested = models.CharField(
        max_length=10, choices=Contested.choices, default=Contested.KEEP, blank=True
    )
    #: What was new in it; none where nothing was.
    batch = models.OneToOneField(
        Import, on_delete=models.PROTECT, related_name="delivery", null=True, blank=True
    )
    #: What taking it in did, and what taking it back did.
    outcome = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True)

    class Meta(DueWork.Meta):
        """The latest first."""

        ordering = ("-pk",)
        verbose_name = "a delivery"
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"delivery {self.pk}"

    @property
    def subject(self) -> str:
        """How the audit chain names this delivery."""
        return f"delivery:{self.pk}"


class Mention(models.Model):
    """That a delivery speaks of an entry: for it, or against it."""

    class Says(models.TextChoices):
        """Which of the two."""

        VOUCHES = "vouches", "Has the same"
        CONTESTS = "contests", "Says otherwise; the entry was quarantined for it"

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="mentions")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="mentions")
    says = models.CharField(max_length=8, choices=Says.choices)
    #: How the source names it.
    source_id = models.CharField(max_length=200, blank=True)
    #: The delivery by which the source took it back.
    ended_by = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, related_name="ended", null=True, blank=True
    )

    class Meta:
        """Looked up by entry, and by the source's name for it."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["delivery", "entry", "says"], name="mention_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["source_id"], name="mention_by_source_id"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.delivery_id} {self.says} entry {self.entry_id}"
