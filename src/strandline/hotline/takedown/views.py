"""The console's page of hosts: what only a person can settle, and what hosts answered."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import NoticeRefused, StateRefused
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.states import State
from strandline.hotline.takedown.models import HostAnswer, Hosting, Trace
from strandline.hotline.takedown.notices import clear_by_police
from strandline.hotline.takedown.traces import name_contact

#: Rows of each kind on the page; the oldest wait first, so that none is left behind.
SHOWN = 100


@allow(Permission.MANAGE_WORK)
@require_safe
def hosts(request: StaffRequest) -> HttpResponse:
    """Addresses without a contact, addresses that wait for police, answers of hosts."""
    return _page(request)


@allow(Permission.MANAGE_WORK)
@require_POST
def contact(request: StaffRequest, address: int) -> HttpResponse:
    """Name whom to write to about an address."""
    row = get_object_or_404(ReportedUrl, pk=address, trace__isnull=False)
    typed = request.POST.get("mailbox", "")
    try:
        name_contact(row, typed, by=request.user.actor, now=clock.now())
    except NoticeRefused as refused:
        return _page(request, refused=refused, at=row.pk, typed=typed)
    return redirect("hosts")


@allow(Permission.MANAGE_WORK)
@require_POST
def cleared(request: StaffRequest, address: int) -> HttpResponse:
    """Record that police have what they need, so that the notice may leave."""
    row = get_object_or_404(ReportedUrl, pk=address)
    try:
        clear_by_police(row, by=request.user.actor, now=clock.now())
    except StateRefused as refused:
        return _page(request, refused=refused, at=row.pk)
    return redirect("hosts")


def _page(
    request: StaffRequest,
    *,
    refused: NoticeRefused | StateRefused | None = None,
    at: int = 0,
    typed: str = "",
) -> HttpResponse:
    wanted = Trace.objects.exclude(wanted="").select_related("address")
    rows = list(wanted.order_by("wanted_since", "pk")[:SHOWN])
    found = Hosting.objects.filter(address__in=[row.address_id for row in rows]).order_by("pk")
    latest = {hosting.address_id: hosting for hosting in found}
    police_first = settings.HOTLINE.takedown.police_first
    for_police = (
        ReportedUrl.objects.filter(state=State.TRACED)
        .exclude(changes__after=State.CLEARED_BY_POLICE)
        .order_by("pk")
    )
    answers = HostAnswer.objects.select_related("notice__address", "notice__mail")
    context = {
        "wanted": [(row, latest.get(row.address_id)) for row in rows],
        "wanted_in_all": wanted.count(),
        "for_police": for_police[:SHOWN] if police_first else (),
        "police_first": police_first,
        "answers": answers.order_by("-pk")[:SHOWN],
        "refused": refused,
        "at": at,
        "typed": typed,
    }
    return render(request, "takedown/hosts.html", context, status=422 if refused else 200)
