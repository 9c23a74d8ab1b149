"""The manager's page of alarms: members in a flood of disputes, sources that turn out contested."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import floods, sources
from strandline.hotline.feedback.models import Flood, SourceAlarm, Statement
from strandline.hotline.feedback.views.parts import parts
from strandline.hotline.feedback.words import Standing

State = SourceAlarm.State
#: Disputes of a flood that the page shows.
SAMPLE = 10
SHOWN = 50


@allow(Permission.SETTLE_FLOODS)
@require_safe
def alarms(request: StaffRequest) -> HttpResponse:
    """What waits for a manager, and what was decided lately."""
    return _page(request)


@allow(Permission.SETTLE_FLOODS)
@require_POST
def settle_flood(request: StaffRequest, flood: int) -> HttpResponse:
    """The held-back disputes count, or are set aside."""
    row = get_object_or_404(Flood.objects.select_related("member"), pk=flood)
    decision = request.POST.get("decision", "")
    if decision not in Flood.Outcome.values:
        raise Http404
    try:
        floods.settle_flood(
            row,
            count=decision == Flood.Outcome.COUNTED,
            by=request.user.actor,
            now=clock.now(),
        )
    except FeedbackRefused as refused:
        return _page(request, refused=refused)
    return redirect("feedback-alarms")


@allow(Permission.SETTLE_FLOODS)
@require_POST
def decide_source(request: StaffRequest, alarm: int) -> HttpResponse:
    """Quarantine what rests on a source alone, or not; later restore or withdraw it."""
    row = get_object_or_404(SourceAlarm, pk=alarm)
    decision = request.POST.get("decision", "")
    if decision not in State.values:
        raise Http404
    try:
        sources.decide_alarm(
            row,
            State(decision),
            reason=request.POST.get("reason", ""),
            by=request.user.actor,
            now=clock.now(),
        )
    except FeedbackRefused as refused:
        return _page(request, refused=refused, at=row.pk)
    return redirect("feedback-alarms")


def _page(
    request: StaffRequest, *, refused: FeedbackRefused | None = None, at: int = 0
) -> HttpResponse:
    open_floods = Flood.objects.filter(outcome="").select_related("member").order_by("pk")
    open_alarms = SourceAlarm.objects.filter(state__in=(State.OPEN, State.QUARANTINED))
    context = {
        **parts(request, "alarms"),
        "floods": [(flood, *_held(flood)) for flood in open_floods[:SHOWN]],
        "sources": [
            (alarm, sources.resting_on(alarm.source).count())
            for alarm in open_alarms.order_by("pk")[:SHOWN]
        ],
        "settled_floods": Flood.objects.exclude(outcome="")
        .select_related("member")
        .order_by("-decided_at")[:20],
        "settled_sources": SourceAlarm.objects.exclude(
            state__in=(State.OPEN, State.QUARANTINED)
        ).order_by("-decided_at")[:20],
        "refused": refused,
        "at": at,
        "typed": request.POST,
    }
    return render(request, "feedback/alarms.html", context, status=422 if refused else 200)


def _held(flood: Flood) -> tuple[int, list[Statement]]:
    held = Statement.objects.filter(flood=flood, standing=Standing.HELD_BACK)
    return held.count(), list(held.select_related("entry").order_by("pk")[:SAMPLE])
