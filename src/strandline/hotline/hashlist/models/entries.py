"""The list as the record keeps it: entries, what identifies them, and every event."""

from typing import ClassVar, Self

from django.db import models

from strandline.hotline.reports import film_frames
from strandline.hotline.reports.models import MediaItem
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.events import Fingerprints, Kind


class Why(models.TextChoices):
    """Why an entry changed, as members are told: a word, never the free text of the record."""

    CONFIRMED = "confirmed", "Confirmed"
    REASSESSED = "reassessed", "Assessed anew"
    NOT_ILLEGAL = "not-illegal", "Assessed as not illegal"
    MISTAKE = "mistake", "A mistake"
    DISPUTED = "disputed", "Disputed by members"
    CONTRADICTED = "contradicted", "Another source contradicts it"
    FLOOD = "flood", "Part of a flood"
    SINGLE_SOURCE = "single-source", "Rests on one source only"
    INNOCENT = "innocent-picture", "A common innocent picture"
    CLEARED = "cleared", "The doubt was cleared up"
    RECEIVED = "received", "Received from another organisation"
    REVERTED = "import-reverted", "The import it came with was taken back"
    SOURCE_WITHDREW = "source-withdrew", "Its source withdrew it"
    REHASHED = "rehashed", "Fingerprinted by a newer version"
    MOVED = "moved", "Goes on in another class"
    OTHER = "other", "Another reason"


class ListedClass(models.Model):
    """A class that entries are or were in. Rows are added when first needed and never change."""

    #: Sixteen hex digits, as in published paths.
    id = models.CharField(max_length=16, primary_key=True)
    #: All parts in one line, as ``strandline.lists.published.classes.EntryClass`` writes them.
    name = models.TextField(unique=True)
    category = models.CharField(max_length=60)
    provenance = models.CharField(max_length=60)
    jurisdiction = models.CharField(max_length=60)
    survivor = models.CharField(max_length=60)
    #: Sorted words.
    labels = models.JSONField(default=list)

    class Meta:
        """In order of name, as manifests list them."""

        ordering = ("name",)
        verbose_name_plural = "listed classes"

    def __str__(self) -> str:
        return self.name

    @property
    def value(self) -> EntryClass:
        """The class as the published list knows it."""
        return EntryClass.parse(self.name)

    @classmethod
    def of(cls, value: EntryClass) -> Self:
        """The row of this class, made now if there was none."""
        row, _ = cls.objects.get_or_create(
            id=value.id,
            defaults={
                "name": value.name,
                "category": value.category,
                "provenance": value.provenance,
                "jurisdiction": value.jurisdiction,
                "survivor": value.survivor,
                "labels": list(value.labels),
            },
        )
        return row


class Import(models.Model):
    """Entries that came together from another organisation, and can be taken back together."""

    #: Who or what they came from, as pages name it.
    source = models.CharField(max_length=120)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    #: Of its additions; no others lie between the two.
    first_sequence = models.BigIntegerField()
    last_sequence = models.BigIntegerField()
    reverted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The latest last."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"import {self.pk} from {self.source}"

    @property
    def subject(self) -> str:
        """How the audit chain names this import."""
        return f"import:{self.pk}"

    @property
    def entries(self) -> int:
        """How many it added."""
        return self.last_sequence - self.first_sequence + 1


class Fingerprint(models.Model):
    """What identified an entry from one event on. Never changed: an amendment gets a new row.

    Hex is in lower case; empty where a value is not known.
    """

    kind = models.CharField(max_length=5, choices=[(kind.value, kind.value) for kind in Kind])
    sha256 = models.CharField(max_length=64, blank=True)
    sha1 = models.CharField(max_length=40, blank=True)
    md5 = models.CharField(max_length=32, blank=True)
    pdq = models.CharField(max_length=64, blank=True)
    quality = models.PositiveSmallIntegerField(default=0)
    #: Opaque, received from others.
    photodna = models.CharField(max_length=288, blank=True)
    #: Frames of a film, as ``reports.film_frames`` packs them.
    video = models.BinaryField(default=b"")
    #: Version of decoding and hashing; ``-`` when nothing perceptual is known.
    pipeline = models.CharField(max_length=60)

    class Meta:
        """Looked up by each digest: is this known already?"""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["sha256"], name="fingerprint_sha256"),
            models.Index(fields=["sha1"], name="fingerprint_sha1"),
            models.Index(fields=["md5"], name="fingerprint_md5"),
            models.Index(fields=["pdq"], name="fingerprint_pdq"),
            models.Index(fields=["photodna"], name="fingerprint_photodna"),
        ]

    def __str__(self) -> str:
        return f"fingerprint {self.pk}"

    @property
    def value(self) -> Fingerprints:
        """The fingerprints as the published list holds them."""
        return Fingerprints(
            sha256=self.sha256 or None,
            sha1=self.sha1 or None,
            md5=self.md5 or None,
            pdq=self.pdq or None,
            quality=self.quality,
            video=film_frames.unpack(self.video),
            photodna=self.photodna or None,
        )

    @classmethod
    def of(cls, value: Fingerprints, *, kind: Kind, pipeline: str) -> Self:
        """A row that is not saved yet."""
        return cls(
            kind=kind.value,
            sha256=value.sha256 or "",
            sha1=value.sha1 or "",
            md5=value.md5 or "",
            pdq=value.pdq or "",
            quality=value.quality,
            photodna=value.photodna or "",
            video=film_frames.pack(value.video),
            pipeline=pipeline,
        )


class Entry(models.Model):
    """One listed picture or film, under a number that is given once and never reused.

    Its events are its history; what stands here is where they led.
    """

    class State(models.TextChoices):
        """What the next edition tells of it."""

        LISTED = "listed", "Listed"
        #: Contested: members do not match it until it is restored or withdrawn.
        QUARANTINED = "quarantined", "Quarantined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    #: 1, 2, 3 … A match reports it as ``entry-17``.
    number = models.BigIntegerField(primary_key=True)
    #: None for what was received as fingerprints and never seen here.
    item = models.OneToOneField(
        MediaItem, on_delete=models.PROTECT, related_name="entry", null=True, blank=True
    )
    #: The import it came with, if it came with one.
    batch = models.ForeignKey(
        Import, on_delete=models.PROTECT, related_name="rows", null=True, blank=True
    )
    #: ``assessment``, or who it was received from.
    source = models.CharField(max_length=120, default="assessment")
    state = models.CharField(max_length=11, choices=State.choices, default=State.LISTED)
    listed_class = models.ForeignKey(ListedClass, on_delete=models.PROTECT, related_name="entries")
    fingerprint = models.ForeignKey(Fingerprint, on_delete=models.PROTECT, related_name="entries")
    added_at = models.DateTimeField()
    #: When the last event was, and what the record says of it.
    changed_at = models.DateTimeField()
    why = models.CharField(max_length=40, choices=Why.choices, default=Why.CONFIRMED)
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        """In order of number."""

        ordering = ("number",)
        verbose_name_plural = "entries"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "number"], name="entry_by_state"),
            models.Index(fields=["source", "state"], name="entry_by_source"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What a member's match reports."""
        return f"entry-{self.number}"

    @property
    def subject(self) -> str:
        """How the audit chain names this entry."""
        return f"entry:{self.number}"

    @property
    def entry_class(self) -> EntryClass:
        """The class it is in."""
        return self.listed_class.value


class Event(models.Model):
    """One change of the list. Never changed or removed; the whole list follows from these rows."""

    #: 1, 2, 3 … without a gap, given under the audit chain's lock. Members resume from it.
    sequence = models.BigIntegerField(primary_key=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="events")
    action = models.CharField(max_length=10, choices=[(a.value, a.value) for a in Action])
    listed_class = models.ForeignKey(ListedClass, on_delete=models.PROTECT, related_name="events")
    #: The state of the entry in this class before; empty for one that was never in the list.
    before = models.CharField(max_length=11, choices=Entry.State.choices, blank=True)
    #: What members are told.
    why = models.CharField(max_length=40, choices=Why.choices)
    #: What the record says; members do not see it.
    reason = models.CharField(max_length=250, blank=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    #: What identifies the entry from now on; only of an ``add`` or an ``amend``.
    fingerprint = models.ForeignKey(
        Fingerprint, on_delete=models.PROTECT, related_name="events", null=True, blank=True
    )

    class Meta:
        """Editions read a class's events in order; pages, an entry's."""

        ordering = ("sequence",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["listed_class", "sequence"], name="event_by_class"),
            models.Index(fields=["entry", "sequence"], name="event_by_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.action} {self.entry_id}"
