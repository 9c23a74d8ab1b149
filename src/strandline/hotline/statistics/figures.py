"""The figures a manager sees, each computed from the record when it is asked for."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from strandline.hotline.hashlist.models import Entry
from strandline.hotline.reports.models import (
    Availability,
    MediaItem,
    Observation,
    Report,
    ReportedUrl,
    StateChange,
)
from strandline.hotline.reports.states import State
from strandline.hotline.statistics.counting import Counts, Figure
from strandline.hotline.statistics.median import days_to_removal
from strandline.hotline.takedown.models import Hosting

#: Shown large, above the whole table.
HEADLINES = frozenset({"received", "confirmed", "listed", "removed", "time-to-removal"})


@dataclass(frozen=True)
class Overview:
    """Everything on the page of figures, as of one moment."""

    at: datetime
    figures: tuple[Figure, ...]
    #: Confirmed addresses by the country that hosts them, most first.
    by_country: tuple[Figure, ...]

    @property
    def headlines(self) -> tuple[Figure, ...]:
        """The few that say how the hotline does."""
        return tuple(figure for figure in self.figures if figure.key in HEADLINES)

    @property
    def every(self) -> tuple[Figure, ...]:
        """All figures in the order of the page."""
        return self.figures + self.by_country


def overview(now: datetime) -> Overview:
    """Compute every figure."""
    return Overview(now, figures(), by_country())


def figures() -> tuple[Figure, ...]:
    """The way of a report in numbers, from coming in to coming back."""
    return (
        Figure(
            "received",
            "Reports received",
            Counts.REPORT,
            Report.objects.count(),
            "Every report taken in. Several can be of one address.",
        ),
        Figure(
            "addresses",
            "Addresses reported",
            Counts.ADDRESS,
            ReportedUrl.objects.count(),
            "Different addresses, after joining reports of the same one.",
        ),
        Figure(
            "captured",
            "Pictures found",
            Counts.IMAGE,
            MediaItem.objects.filter(kind=MediaItem.Kind.IMAGE).count(),
            "Different pictures by their bytes, wherever they appeared.",
        ),
        Figure(
            "captured-films",
            "Films found",
            Counts.VIDEO,
            MediaItem.objects.filter(kind=MediaItem.Kind.VIDEO).count(),
            "Different films by their bytes, wherever they appeared; also those nobody could read.",
        ),
        Figure(
            "confirmed",
            "Addresses confirmed",
            Counts.ADDRESS,
            _reached(State.SECOND_ASSESSED),
            "Addresses on which at least one picture or film was confirmed as illegal.",
        ),
        Figure(
            "listed",
            "Entries of the hash list",
            Counts.HASH,
            Entry.objects.filter(state=Entry.State.LISTED).count(),
            "Pictures and films whose fingerprints are on the list now, without withdrawn ones.",
        ),
        Figure(
            "noticed",
            "Addresses with a notice",
            Counts.ADDRESS,
            _reached(State.NOTICED),
            "Addresses whose host was sent at least one notice.",
        ),
        Figure(
            "removed",
            "Addresses removed",
            Counts.ADDRESS,
            _reached(State.REMOVED),
            "Addresses seen gone by two looks some time apart, at least once. Some came back.",
        ),
        Figure(
            "time-to-removal",
            "Median time to removal",
            Counts.DAY,
            days_to_removal(),
            "From an address's first report to its first removal. Half were faster.",
        ),
        Figure(
            "reopened",
            "Addresses that came back",
            Counts.ADDRESS,
            _reached(State.REOPENED),
            "Addresses opened again after they were settled.",
        ),
        Figure(
            "inconclusive",
            "Addresses with an inconclusive look",
            Counts.ADDRESS,
            _inconclusive(),
            "At least one look could not tell whether the content was there. It counts as nothing "
            "else, never as removal.",
        ),
    )


def by_country() -> tuple[Figure, ...]:
    """Confirmed addresses by the country that hosts them, most first."""
    last = Hosting.objects.filter(address=OuterRef("pk")).order_by("-pk").values("country")[:1]
    rows = (
        _confirmed()
        .annotate(hosted=Subquery(last))
        .values("hosted")
        .annotate(n=Count("pk"))
        .order_by("-n", "hosted")
    )
    return tuple(
        Figure(
            f"country-{row['hosted'] or 'unknown'}",
            row["hosted"] or "Not known",
            Counts.ADDRESS,
            row["n"],
            "Confirmed addresses by the country of the network that answered last.",
        )
        for row in rows
    )


def _reached(state: State) -> int:
    """How many addresses were ever in ``state``."""
    changes = StateChange.objects.filter(after=state)
    return changes.aggregate(n=Count("address", distinct=True))["n"] or 0


def _confirmed() -> QuerySet[ReportedUrl]:
    changes = StateChange.objects.filter(address=OuterRef("pk"), after=State.SECOND_ASSESSED)
    return ReportedUrl.objects.filter(Exists(changes))


def _inconclusive() -> int:
    looks = Observation.objects.filter(availability=Availability.INCONCLUSIVE)
    return looks.aggregate(n=Count("address", distinct=True))["n"] or 0
