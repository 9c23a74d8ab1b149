"""An address's record: what was reported, seen and decided, in order. No pictures."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.assessment.derived import findings
from strandline.hotline.assessment.models import Claim
from strandline.hotline.console import messages
from strandline.hotline.reports.models import Report, ReportedUrl
from strandline.hotline.reports.panels import PANELS
from strandline.hotline.reports.states import WAITING_FOR_ANALYSTS

#: Reports and items shown at most; the page says so when there are more.
MOST_ROWS = 200


@allow(Permission.SEE_QUEUE)
@require_safe
def address(request: StaffRequest, address: int) -> HttpResponse:
    """The record page."""
    row = ReportedUrl.objects.select_related("moved_from").filter(pk=address).first()
    if row is None:
        raise Http404
    changes = list(row.changes.all())
    panels = [panel for provide in PANELS if (panel := provide(row)).rows or panel.empty]
    busy = Claim.objects.filter(address=row, ended_at=None, until__gt=clock.now()).first()
    context = {
        "address": row,
        "changes": changes,
        "names": _names(change.by for change in changes),
        "observations": row.observations.order_by("-pk")[:MOST_ROWS],
        "reports": row.reports.order_by("pk")[:MOST_ROWS],
        "appearances": row.appearances.select_related("item", "item__verdict").order_by("pk")[
            :MOST_ROWS
        ],
        "findings": findings(row),
        "panels": panels,
        "busy": busy,
        "may_assess": request.user.may(Permission.ASSESS) and row.state in WAITING_FOR_ANALYSTS,
        "may_read": request.user.may(Permission.READ_NOTE),
    }
    return render(request, "console/address.html", context)


@allow(Permission.READ_NOTE)
@require_POST
def message(request: StaffRequest, address: int, reference: str) -> HttpResponse:
    """Open what a reporter wrote; the chain tells that it was read."""
    report = Report.objects.filter(address=address, reference=reference).first()
    if report is None:
        raise Http404
    with transaction.atomic():
        opened = messages.read(
            report,
            identity=settings.HOTLINE.secret("note-identity"),
            by=request.user.actor,
            now=clock.now(),
        )
    return render(request, "console/message.html", {"report": report, "messages": opened})


def _names(actors: Iterable[str]) -> dict[str, str]:
    """People's names by how the chain names them."""
    numbers = {
        int(actor.removeprefix("person:"))
        for actor in actors
        if actor.startswith("person:") and actor.removeprefix("person:").isdecimal()
    }
    return {person.actor: person.name for person in Person.objects.filter(pk__in=numbers)}
