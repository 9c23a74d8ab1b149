"""One's own page: exposure, whose totals no other page shows, and the password."""

from datetime import timedelta

from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.passwords import change_password
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import PasswordRefused
from strandline.hotline.wellbeing import services as wellbeing

SPANS = (
    ("Today", timedelta(days=1)),
    ("Seven days", timedelta(days=7)),
    ("Four weeks", timedelta(days=28)),
)


@allow(Permission.SEE_OWN_PAGE)
@require_safe
def own_page(request: StaffRequest) -> HttpResponse:
    """What I looked at, and the form for a new password."""
    return _show(request)


@allow(Permission.SEE_OWN_PAGE)
@sensitive_post_parameters()
@require_POST
def password(request: StaffRequest) -> HttpResponse:
    """Change one's own password."""
    try:
        person = change_password(
            request.user,
            current=request.POST.get("current", ""),
            new=request.POST.get("new", ""),
            again=request.POST.get("again", ""),
            now=clock.now(),
        )
    except PasswordRefused as refused:
        return _show(request, status=422, refused=refused)
    update_session_auth_hash(request, person)
    return _show(request, changed=True)


def _show(request: StaffRequest, status: int = 200, **more: object) -> HttpResponse:
    now = clock.now()
    person = request.user
    context = {
        "assesses": person.may(Permission.ASSESS),
        "spans": [(name, wellbeing.own_exposure(person, now - span)) for name, span in SPANS],
        "shift": wellbeing.shift(person, now),
        **more,
    }
    return render(request, "console/own-page.html", context, status=status)
