"""The record: reports, addresses, what was found at them, and when it was looked at."""

from typing import ClassVar, Self

from django.db import models

from strandline.hashing import FilmFacts
from strandline.hotline.jobs.models import DueWork
from strandline.hotline.reports.film_frames import frames_of, pack, unpack
from strandline.hotline.reports.states import FIRST, State
from strandline.lists.published.events import Frame
from strandline.media.times import on_the_clock


class ReportedUrl(models.Model):
    """An address that was reported, once, whoever reported it. Pages call it 'address'."""

    class Network(models.TextChoices):
        """Where the address lives."""

        CLEAR = "clear", "Clear web"
        ONION = "onion", "Onion service"

    #: Normal form (``strandline.fetching.normalise``), ASCII.
    url = models.CharField(max_length=2048, unique=True)
    host = models.CharField(max_length=253)
    #: The registrable domain, or the host where there is none.
    site = models.CharField(max_length=253)
    network = models.CharField(max_length=8, choices=Network.choices, default=Network.CLEAR)
    #: The page a visitor has to come from to see what was reported, if any.
    referrer = models.CharField(max_length=2048, blank=True)
    state = models.CharField(max_length=20, choices=State.choices, default=FIRST)
    #: Higher is sooner; computed in ``priority``, never typed.
    priority = models.PositiveIntegerField(default=0)
    reports_count = models.PositiveIntegerField(default=0)
    first_reported_at = models.DateTimeField()
    #: The address this content moved away from.
    moved_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="moved_to"
    )

    class Meta:
        """Indexes carry the queue and the search: both read a page of rows in order."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "-priority", "id"], name="address_queue"),
            models.Index(fields=["site", "-priority", "id"], name="address_by_site"),
            models.Index(fields=["host", "-priority", "id"], name="address_by_host"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def subject(self) -> str:
        """How the audit chain names this address."""
        return f"address:{self.pk}"


class Report(models.Model):
    """One report of one address."""

    class Source(models.TextChoices):
        """Who it came from."""

        PUBLIC = "public", "The public"
        POLICE = "police", "Police"
        MEMBER = "member", "A member"
        HOTLINE = "hotline", "Another hotline"
        PROACTIVE = "proactive", "Our own search"
        SURVIVOR = "survivor", "A survivor"
        CHILD_SERVICE = "child-service", "A service for children"
        OTHER = "other", "Other"

    #: Public name, e.g. ``R-7K3M-9QXF``; says nothing of when or how many.
    reference = models.CharField(max_length=16, unique=True)
    #: Argon2id of the seven words under the hotline's own salt; equal codes give equal hashes.
    return_code_hash = models.CharField(max_length=128, unique=True)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.PUBLIC)
    language = models.CharField(max_length=8, blank=True)
    #: age, to the note key.
    note_sealed = models.BinaryField(null=True)
    #: age, to the contact key, which only custodians use.
    contact_sealed = models.BinaryField(null=True)
    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="reports")
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates"
    )

    def __str__(self) -> str:
        return self.reference


class FollowUp(models.Model):
    """A message added to a report after it was sent."""

    class Direction(models.TextChoices):
        """Who wrote it."""

        FROM_REPORTER = "from-reporter", "From the reporter"
        TO_REPORTER = "to-reporter", "To the reporter"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="follow_ups")
    at = models.DateTimeField()
    direction = models.CharField(max_length=14, choices=Direction.choices)
    #: age, to the note key.
    text_sealed = models.BinaryField()

    class Meta:
        """Read per report, in order."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"message on {self.report_id}"


class StateChange(models.Model):
    """One change of an address's state, as it happened."""

    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="changes")
    before = models.CharField(max_length=20, choices=State.choices)
    after = models.CharField(max_length=20, choices=State.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        """Read in order, and by what was reached when (figures)."""

        ordering = ("id",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["after", "at"], name="change_by_state"),
            # Covers 'how many addresses ever reached this, and when first' without reading rows.
            models.Index(fields=["after", "address", "at"], name="change_reached"),
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class Capture(DueWork):
    """The work of fetching an address's page and pictures for the first time."""

    address = models.OneToOneField(ReportedUrl, on_delete=models.PROTECT, related_name="capture")
    #: Attempts that ended inconclusive; after ``MOST_TRIES`` a person decides.
    tries = models.PositiveSmallIntegerField(default=0)
    captured_at = models.DateTimeField(null=True, blank=True)

    class Meta(DueWork.Meta):
        """Claimed by due time."""

    def __str__(self) -> str:
        return f"capture of {self.address_id}"


class Availability(models.TextChoices):
    """What one look at an address showed."""

    PRESENT = "present", "Present"
    REMOVED = "removed", "Gone"
    MOVED = "moved", "Moved"
    UNAVAILABLE = "unavailable", "Unavailable"
    GEO_BLOCKED = "geo-blocked", "Blocked by country"
    PATHWAY_ONLY = "pathway-only", "Only by its pathway"
    INCONCLUSIVE = "inconclusive", "Inconclusive"


class Observation(models.Model):
    """One look at an address. A failed fetch is inconclusive, never 'removed'."""

    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="observations")
    at = models.DateTimeField()
    availability = models.CharField(max_length=12, choices=Availability.choices)
    #: In words, e.g. 'status 404' or 'timed-out: no answer within 20 s'.
    reason = models.CharField(max_length=300)
    status = models.PositiveSmallIntegerField(null=True)
    final_url = models.CharField(max_length=2048, blank=True)
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        """Read per address, in order."""

        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.availability}: {self.reason}"


class MediaItem(models.Model):
    """A picture or film by its bytes: the same bytes anywhere are the same item, assessed once."""

    class Kind(models.TextChoices):
        """What it is."""

        IMAGE = "image", "Picture"
        VIDEO = "video", "Film"
        CONTAINER = "container", "Container"
        TEXT = "text", "Text"
        OTHER = "other", "Other"

    class Bytes(models.TextChoices):
        """What became of the original bytes."""

        KEPT = "kept", "Kept, encrypted"
        DISCARDED = "discarded", "Discarded by policy"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.IMAGE)
    sha256 = models.CharField(max_length=64, unique=True)
    sha1 = models.CharField(max_length=40)
    md5 = models.CharField(max_length=32)
    #: 64 hex digits; empty of a film, and when no picture could be decoded.
    pdq = models.CharField(max_length=64, blank=True)
    quality = models.PositiveSmallIntegerField(default=0)
    pipeline = models.CharField(max_length=60)
    #: Empty, or why no picture could be made of it: undecodable, too-large, timed-out.
    refusal = models.CharField(max_length=12, blank=True)
    format = models.CharField(max_length=12, blank=True)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    #: How long a film is; 0 for a picture.
    seconds = models.FloatField(default=0)
    truncated = models.BooleanField(default=False)
    bytes_are = models.CharField(max_length=10, choices=Bytes.choices)
    first_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"item {self.pk}"

    @property
    def evidence_key(self) -> str:
        """Where the vault keeps the original."""
        return f"originals/{self.sha256}"

    def rendition_key(self, style: str) -> str:
        """Where the vault keeps the degraded rendition in this style."""
        return f"renditions/{self.sha256}/{style}"

    @property
    def is_film(self) -> bool:
        """Whether it moves; its renditions are sheets of frames."""
        return self.kind == self.Kind.VIDEO

    @property
    def length(self) -> str:
        """How long a film is, as on a clock; empty for a picture."""
        return on_the_clock(round(self.seconds)) if self.is_film else ""


class Film(models.Model):
    """What the record keeps of an item that is a film, beside what it keeps of every item."""

    item = models.OneToOneField(
        MediaItem, on_delete=models.PROTECT, related_name="film", primary_key=True
    )
    #: ffmpeg's name of how it is encoded.
    codec = models.CharField(max_length=20)
    #: Fingerprints of its frames, as ``film_frames`` packs them; empty when it is too plain.
    video = models.BinaryField(default=b"")
    #: Seconds from its start at which the frames on its renditions are on screen.
    shown = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"film of item {self.item_id}"

    @classmethod
    def of(cls, item: MediaItem, facts: FilmFacts) -> Self:
        """A row that is not saved yet."""
        return cls(
            item=item,
            codec=facts.film.codec,
            video=pack(frames_of(facts.film)),
            shown=list(facts.shown),
        )

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Its fingerprinted frames, in order of time."""
        return unpack(self.video)

    @property
    def times_shown(self) -> str:
        """When the frames on its renditions are on screen: ``0:00, 0:07, 1:30``."""
        return ", ".join(on_the_clock(seconds) for seconds in self.shown)


class Appearance(models.Model):
    """A media item seen at an address."""

    address = models.ForeignKey(ReportedUrl, on_delete=models.PROTECT, related_name="appearances")
    item = models.ForeignKey(MediaItem, on_delete=models.PROTECT, related_name="appearances")
    #: Where on the page's server the bytes came from.
    source_url = models.CharField(max_length=2048)
    seen_at = models.DateTimeField()

    class Meta:
        """An item appears at an address once, however often it is seen there."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["address", "item"], name="appearance_once"),
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} at address {self.address_id}"
