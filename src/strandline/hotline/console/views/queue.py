"""The queue: what waits, a search, and the button that begins an address."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
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
    busy = Claim.objects.filter(
        address__in=[row.pk for row in page.rows], ended_at=None, until__gt=now
    )
    context = {
        "page": page,
        "text": text,
        "state": request.GET.get("state", ""),
        "states": State.choices,
        "first_page": "?" + urlencode(kept) if after else "",
        "next_page": "?" + urlencode({**kept, "after": str(page.after)}) if page.after else "",
        "counts": [(state, search.count_capped(state)) for state in _COUNTED],
        "most_counted": search.MOST_COUNTED,
        "busy": set(busy.values_list("address", flat=True)),
        "may_assess": may_assess,
        "running": assessment.running(request.user, now=now) if may_assess else None,
        "shift": wellbeing.shift(request.user, now) if may_assess else None,
        "notice": notice,
    }
    return render(request, "console/queue.html", context, status=status)


def _states(chosen: str) -> Sequence[State]:
    if chosen == "any":
        return tuple(State)
    return (State(chosen),) if chosen in State.values else ()
