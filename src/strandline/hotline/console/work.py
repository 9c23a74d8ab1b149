"""What an analyst does at the console that concerns two rooms at once: assessing and wellbeing."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from strandline.errors import NotStored
from strandline.hotline.accounts.models import Person
from strandline.hotline.assessment import services as assessment
from strandline.hotline.assessment.models import Assessment, Claim
from strandline.hotline.assessment.words import Category, Observations
from strandline.hotline.audit import chain
from strandline.hotline.errors import ClaimRefused
from strandline.hotline.reports.models import MediaItem, ReportedUrl
from strandline.hotline.wellbeing import services as wellbeing
from strandline.media import Style
from strandline.vault import Vault

#: How much harder an opening weighs once the person recorded what it showed.
SEVERITY = {Category.A: 3, Category.B: 2}

#: What a rendition can be, by its first bytes; anything else is not sent to a browser.
_TYPES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


@dataclass(frozen=True)
class Rendition:
    """A degraded picture, opened."""

    data: bytes
    content_type: str


def claim_next(analyst: Person, *, now: datetime) -> Claim | None:
    """The next address, unless the shift's budget is used up.

    Raises:
        ClaimRefused: enough for today; a claim that is running may still be finished.
    """
    _check_budget(analyst, now)
    return assessment.claim_next(analyst, now=now)


def claim(address: ReportedUrl, analyst: Person, *, now: datetime) -> Claim:
    """A claim on this address, unless the shift's budget is used up.

    Raises:
        ClaimRefused: as for :func:`claim_next`, or because it cannot be claimed.
    """
    _check_budget(analyst, now)
    return assessment.claim(address, analyst, now=now)


def take_again(held: Claim, *, now: datetime) -> Claim:
    """The claim itself while it runs; after that a new one, unless the budget is used up.

    Raises:
        ClaimRefused: as for :func:`claim_next`, or because it cannot be taken again.
    """
    if not held.runs_at(now):
        _check_budget(held.analyst, now)
    return assessment.take_again(held, now=now)


def record(held: Claim, item: MediaItem, seen: Observations, *, now: datetime) -> Assessment:
    """Record an assessment, and let what was seen weigh in its analyst's own budget.

    A claim whose time was up is taken again for it, if nobody else has the address by now.

    Raises:
        ClaimRefused: it cannot be taken again; nothing was recorded.
        AssessmentRefused: as for :func:`assessment.services.assess`; nothing was recorded.
    """
    since = held.taken_at
    with transaction.atomic():
        chain.lock()
        current = take_again(held, now=now)
        assessed = assessment.assess(current, item, seen, now=now)
        times = SEVERITY.get(Category(assessed.category), 1)
        if times > 1:
            wellbeing.weigh(current.analyst, item, times=times, since=since)
    return assessed


def open_rendition(held: Claim, item: MediaItem, style: Style, *, now: datetime) -> Rendition:
    """Open one degraded picture; who saw what when is written down before it is handed out.

    Raises:
        NotStored: there is no such rendition.
    """
    config = settings.HOTLINE
    vault = Vault(config.vault, recipients=[config.recipient("rendition-identity")])
    key = item.rendition_key(style.value)
    data = vault.get(key, config.secret("rendition-identity"))
    content_type = next((name for magic, name in _TYPES if data.startswith(magic)), None)
    if content_type is None:
        raise NotStored(f"What is stored as {key!r} is no picture; it was not shown.")
    with transaction.atomic():
        chain.lock()
        wellbeing.record_exposure(held.analyst, item, style=style.value, now=now)
        chain.record(
            at=now,
            actor=held.analyst.actor,
            action="console.show_rendition",
            subject=f"item:{item.pk}",
            detail={"style": style.value, "claim": held.pk},
        )
    return Rendition(data, content_type)


def _check_budget(analyst: Person, now: datetime) -> None:
    if assessment.running(analyst, now=now) is None and wellbeing.shift(analyst, now).over:
        raise ClaimRefused(
            "You have looked at enough for today. Thank you: what you saw need not be seen by "
            "anybody again. The queue will be here tomorrow, and colleagues are at it."
        )
