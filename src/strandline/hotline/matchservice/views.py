"""The managers' page of the match service: alarms first, then who asks how much."""

from datetime import UTC

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import MatchChangeRefused
from strandline.hotline.matchservice import alarms, figures
from strandline.hotline.matchservice.models import Alarm
from strandline.hotline.matchservice.standing import Limits

#: Settled alarms shown; the audit chain has them all.
SHOWN = 20
LIMITS = ("per_second", "burst", "per_day", "per_month")


@allow(Permission.MANAGE_MATCHES)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """Alarms and use."""
    return _page(request)


@allow(Permission.MANAGE_MATCHES)
@require_POST
def settle(request: StaffRequest, alarm: int) -> HttpResponse:
    """Decide on an alarm."""
    found = Alarm.objects.select_related("key__member").filter(pk=alarm).first()
    if found is None:
        raise Http404
    try:
        outcome = request.POST.get("outcome", "")
        alarms.settle_alarm(found, outcome, by=request.user.actor, now=clock.now())
    except MatchChangeRefused as refused:
        return _page(request, refused=refused)
    return redirect("match-service")


@allow(Permission.MANAGE_MATCHES)
@require_POST
def restore(request: StaffRequest, key: int) -> HttpResponse:
    """Let a slowed or suspended key ask as before."""
    found = ApiKey.objects.select_related("member").filter(pk=key).first()
    if found is None:
        raise Http404
    try:
        alarms.restore_key(found, by=request.user.actor, now=clock.now())
    except MatchChangeRefused as refused:
        return _page(request, refused=refused)
    return redirect("match-service")


@allow(Permission.MANAGE_MATCHES)
@require_POST
def agree(request: StaffRequest, member: int) -> HttpResponse:
    """Agree with a member on how much it may ask."""
    found = Member.objects.filter(pk=member).first()
    if found is None:
        raise Http404
    typed = {name: request.POST.get(name, "").replace(",", "").strip() for name in LIMITS}
    given = {name: _number(text) for name, text in typed.items()}
    try:
        alarms.agree(found, Limits(**given), by=request.user.actor, now=clock.now())
    except MatchChangeRefused as refused:
        return _page(request, refused=refused, of=found.pk, typed=typed)
    return redirect("match-service")


def _number(text: str) -> int:
    """What was typed; 0, which no limit can be, for anything that is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _page(
    request: StaffRequest,
    refused: MatchChangeRefused | None = None,
    of: int = 0,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    now = clock.now()
    context = {
        "open": Alarm.objects.select_related("key__member").filter(settled_at=None).order_by("pk"),
        "settled": Alarm.objects.select_related("key__member")
        .exclude(settled_at=None)
        .order_by("-settled_at")[:SHOWN],
        "outcomes": Alarm.Outcome,
        "members": figures.of_members(now.astimezone(UTC).date()),
        "days": figures.DAYS,
        "refused": refused,
        "of": of,
        "typed": typed or {},
    }
    status = 422 if refused else 200
    return render(request, "matchservice/overview.html", context, status=status)
