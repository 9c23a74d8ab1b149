"""Recording exposure, reading one's own, and the end of a shift."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Sum

from strandline.hotline.accounts.models import Person
from strandline.hotline.errors import TooFewPeople
from strandline.hotline.reports.models import MediaItem
from strandline.hotline.wellbeing.models import Exposure
from strandline.media import Style

#: What opening one rendition weighs. No study found that one style spares more than another (see
#: doi 10.1007/s00426-026-02241-5), so only how much detail is left counts here.
WEIGHTS = {Style.BLURRED.value: 1, Style.EDGES.value: 1, Style.GREY.value: 2}
#: Anything that keeps more than a rendition does.
WEIGHT_REVEALED = 4
#: Openings older than this belong to an earlier shift.
SHIFT = timedelta(hours=12)
#: After so much work without a pause, the page suggests one.
BREAK_AFTER = timedelta(hours=1)
#: So long without opening anything is a pause.
PAUSE = timedelta(minutes=10)
#: Sums are told only over this many people or more.
FEWEST_PEOPLE = 5


@dataclass(frozen=True)
class Shift:
    """Where somebody stands in their shift."""

    used: int
    budget: int
    #: Since when without a pause; none when at rest.
    at_work_since: datetime | None
    wants_break: bool

    @property
    def over(self) -> bool:
        """Whether the budget is used up: no further address is offered today."""
        return self.used >= self.budget


@dataclass(frozen=True)
class OwnExposure:
    """One person's figures, for that person."""

    openings: int
    items: int
    weighted: int


def record_exposure(
    person: Person,
    item: MediaItem,
    *,
    style: str,
    now: datetime,
    kind: Exposure.Kind = Exposure.Kind.SHOWN,
) -> Exposure:
    """Write down that a rendition is being opened, in the caller's transaction.

    Raises:
        TransactionManagementError: there is no transaction to be part of.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An exposure belongs to the transaction that opens the picture; none is open."
        )
    weight = WEIGHTS.get(style, WEIGHT_REVEALED)
    if kind == Exposure.Kind.REVEALED:
        weight = WEIGHT_REVEALED
    return Exposure.objects.create(
        person=person, item=item, style=style, kind=kind, at=now, weight=weight
    )


def weigh(person: Person, item: MediaItem, *, times: int, since: datetime) -> None:
    """Let this person's openings of ``item`` weigh ``times`` as much: it was hard to look at."""
    for exposure in Exposure.objects.filter(person=person, item=item, at__gte=since):
        base = WEIGHTS.get(exposure.style, WEIGHT_REVEALED)
        Exposure.objects.filter(pk=exposure.pk).update(weight=base * times)


def own_exposure(person: Person, since: datetime) -> OwnExposure:
    """What ``person`` opened since then. For that person's own page only."""
    found = Exposure.objects.filter(person=person, at__gte=since).aggregate(
        openings=Count("pk"), items=Count("item", distinct=True), weighted=Sum("weight")
    )
    return OwnExposure(found["openings"], found["items"], found["weighted"] or 0)


def shift(person: Person, now: datetime) -> Shift:
    """Where ``person`` stands: budget used in this shift, and whether a break is due."""
    views = Exposure.objects.filter(person=person, at__gt=now - SHIFT, at__lte=now)
    used = views.aggregate(weighted=Sum("weight"))["weighted"] or 0
    since = _at_work_since(views.order_by("-at").values_list("at", flat=True), now)
    return Shift(
        used=used,
        budget=settings.HOTLINE.shift_budget,
        at_work_since=since,
        wants_break=since is not None and now - since >= BREAK_AFTER,
    )


def team_exposure(people: Iterable[Person], since: datetime) -> OwnExposure:
    """Sums over several people, for planning; never over fewer than :data:`FEWEST_PEOPLE`.

    Raises:
        TooFewPeople: fewer of ``people`` opened anything since then.
    """
    views = Exposure.objects.filter(person__in=list(people), at__gte=since)
    found = views.aggregate(
        people=Count("person", distinct=True),
        openings=Count("pk"),
        items=Count("item", distinct=True),
        weighted=Sum("weight"),
    )
    if found["people"] < FEWEST_PEOPLE:
        raise TooFewPeople(f"Sums are told over {FEWEST_PEOPLE} people or more.")
    return OwnExposure(found["openings"], found["items"], found["weighted"] or 0)


def _at_work_since(times: Iterable[datetime], now: datetime) -> datetime | None:
    """When the current stretch without a pause began; ``times`` come newest first."""
    began: datetime | None = None
    later = now
    for at in times:
        if later - at >= PAUSE:
            break
        began = later = at
    return began
