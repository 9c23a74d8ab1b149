"""The queue: what waits, a search, and the button that begins an address."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.assessment import services as assessment
from strandline.hotline.assessment.models import Claim
from strandline.hotline.console import search, work
from strandline.hotline.console.typed import typed
from strandline.hotline.errors import ClaimRefused
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.states import WAITING_FOR_ANALYSTS, State
from strandline.hotline.wellbeing import services as wellbeing


@dataclass(frozen=True)
class Line:
    """One row of the table, in text: fifty rows of template filters cost more than their query."""

    href: str
    url: str
    state: str
    priority: str
    reports: str
    day: str
    busy: bool


LONGEST_SHOWN = 110
#: Counted at the top of the page.
_COUNTED = (State.CAPTURED, State.ASSESSED, State.TRIAGED, State.NEEDS_INFORMATION)


@allow(Permission.SEE_QUEUE)
@require_safe
def queue(request: StaffRequest) -> HttpResponse:
    """What waits, most urgent first; or what a search found."""
    return _show(request)


@allow(Permission.ASSESS)
@require_POST
def claim_next(request: StaffRequest) -> HttpResponse:
    """Begin the most urgent address this analyst may assess."""
    try:
        held = work.claim_next(request.user, now=clock.now())
    except ClaimRefused as refused:
        return _show(request, notice=refused.message, status=409)
    if held is None:
        nothing = "Nothing is waiting that you could assess. Well done, everybody."
        return _show(request, notice=nothing)
    return redirect("assess", claim=held.pk)


@allow(Permission.ASSESS)
@require_POST
def claim(request: StaffRequest, address: int) -> HttpResponse:
    """Begin this very address."""
    row = ReportedUrl.objects.filter(pk=address).first()
    if row is None:
        return _show(request, notice="There is no such address.", status=404)
    try:
        held = work.claim(row, request.user, now=clock.now())
    except ClaimRefused as refused:
        return _show(request, notice=refused.message, status=409)
    return redirect("assess", claim=held.pk)


def _show(request: StaffRequest, notice: str = "", status: int = 200) -> HttpResponse:
    now = clock.now()
    text = typed(request.GET, "q")[:2048]
    states = _states(request.GET.get("state", ""))
    after = search.read_mark(request.GET.get("after", ""))
    if text:
        page = search.search(text, states, after)
    else:
        page = search.queue(states or WAITING_FOR_ANALYSTS, after)
    may_assess = request.user.may(Permission.ASSESS)
    kept = {name: request.GET[name] for name in ("q", "state") if request.GET.get(name)}
    running = Claim.objects.filter(
        address__in=[row.pk for row in page.rows], ended_at=None, until__gt=now
    )
    busy = set(running.values_list("address", flat=True))
    context = {
        "lines": [_line(row, busy) for row in page.rows],
        "text": text,
        "state": request.GET.get("state", ""),
        "states": State.choices,
        "first_page": "?" + urlencode(kept) if after else "",
        "next_page": "?" + urlencode({**kept, "after": str(page.after)}) if page.after else "",
        "counts": [(state, search.count_capped(state)) for state in _COUNTED],
        "most_counted": search.MOST_COUNTED,
        "may_assess": may_assess,
        "running": assessment.running(request.user, now=now) if may_assess else None,
        "shift": wellbeing.shift(request.user, now) if may_assess else None,
        "notice": notice,
    }
    return render(request, "console/queue.html", context, status=status)


def _line(row: ReportedUrl, busy: set[int]) -> Line:
    return Line(
        href=reverse("address", kwargs={"address": row.pk}),
        url=row.url if len(row.url) <= LONGEST_SHOWN else row.url[:LONGEST_SHOWN] + "…",
        state=State(row.state).label,
        priority=str(row.priority),
        reports=str(row.reports_count),
        day=f"{row.first_reported_at.day} {row.first_reported_at:%b %Y}",
        busy=row.pk in busy,
    )


def _states(chosen: str) -> Sequence[State]:
    if chosen == "any":
        return tuple(State)
    return (State(chosen),) if chosen in State.values else ()
