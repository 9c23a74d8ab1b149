"""What the record says in the end: the figures of ``demo --json``, and each address's way.

Everything is counted from the database's rows; only what the member's copy matched comes from the
member, who has no part in the record.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from strandline.demo.hosts import Page, pages
from strandline.hotline.assessment.models import Assessment, Verdict
from strandline.hotline.assessment.words import Stage
from strandline.hotline.audit import checkpoints
from strandline.hotline.audit.verify import verify
from strandline.hotline.hashlist.models import Edition, Entry
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.reports.models import (
    Availability,
    Capture,
    MediaItem,
    Observation,
    Report,
    ReportedUrl,
    StateChange,
)
from strandline.hotline.reports.states import State
from strandline.hotline.takedown.models import Notice
from strandline.transparency import Verifier


@dataclass(frozen=True)
class Ending:
    """What became of one address."""

    url: str
    #: Its page in the simulated web's table; none for an address that is not in it.
    page: Page | None
    state: State
    category: str
    notices: int
    looks: int
    #: Days from the first report to the first 'removed'; none while it was not.
    days: float | None
    #: States it went through, in order.
    path: tuple[str, ...]


def figures(*, member_matches: int, member_false_matches: int) -> dict[str, Any]:
    """The object that ``./scripts/demo --json`` prints."""
    found = verify_audit()
    latest = Edition.objects.filter(state=Edition.State.PUBLISHED).last()
    sent = Notice.objects.filter(mail__state=OutboxMail.State.SENT)
    return {
        "reports": Report.objects.count(),
        "addresses": ReportedUrl.objects.count(),
        "duplicates": Report.objects.filter(duplicate_of__isnull=False).count(),
        "captured": Capture.objects.filter(captured_at__isnull=False).count(),
        "items": MediaItem.objects.count(),
        "undecodable": MediaItem.objects.filter(refusal="undecodable").count(),
        "assessed": _items_at(Stage.FIRST),
        "second_assessed": _items_at(Stage.SECOND),
        "entries": Entry.objects.filter(state=Entry.State.LISTED).count(),
        "edition": latest.number if latest else 0,
        "member_matches": member_matches,
        "member_false_matches": member_false_matches,
        "notices": sent.count(),
        "removed": _addresses_that_became(State.REMOVED),
        "inconclusive": Observation.objects.filter(availability=Availability.INCONCLUSIVE).count(),
        "reopened": _addresses_that_became(State.REOPENED),
        "audit_entries": found.entries,
        "audit_ok": found.ok,
    }


def verify_audit() -> Any:  # noqa: ANN401 - audit.verify.Finding
    """Read the whole chain against its signed checkpoints."""
    config = settings.HOTLINE
    vkey = (config.home / "keys" / "audit-signer.vkey").read_text().strip()
    kept = config.home / "audit-checkpoints"
    return verify(checkpoints.read(kept, Verifier.from_vkey(vkey)))


def endings(port: int) -> list[Ending]:
    """What became of every address, in the order of their arrival."""
    by_url = {page.url(port): page for page in pages()}
    return [_ending(address, by_url) for address in ReportedUrl.objects.order_by("pk")]


def _ending(address: ReportedUrl, by_url: dict[str, Page]) -> Ending:
    changes = list(address.changes.order_by("pk"))
    removed = next((c.at for c in changes if c.after == State.REMOVED), None)
    return Ending(
        url=address.url,
        page=by_url.get(address.url),
        state=State(address.state),
        category=_category(address),
        notices=address.notices.filter(mail__state=OutboxMail.State.SENT).count(),
        looks=address.observations.count(),
        days=_days(address.first_reported_at, removed),
        path=tuple(c.after for c in changes),
    )


def _category(address: ReportedUrl) -> str:
    from strandline.hotline.assessment.laws import worst  # noqa: PLC0415
    from strandline.hotline.assessment.words import Category  # noqa: PLC0415

    found = Verdict.objects.filter(item__appearances__address=address)
    categories = [Category(category) for category in found.values_list("category", flat=True)]
    return worst(categories).label if categories else ""


def _days(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - begin).total_seconds() / 86_400


def _items_at(stage: Stage) -> int:
    return Assessment.objects.filter(stage=stage).values("item").distinct().count()


def _addresses_that_became(state: State) -> int:
    return StateChange.objects.filter(after=state).values("address").distinct().count()
