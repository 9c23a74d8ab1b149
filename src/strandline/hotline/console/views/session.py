"""Signing in and out."""

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from strandline.hotline import clock
from strandline.hotline.accounts import services
from strandline.hotline.accounts.models import Person
from strandline.hotline.console.menu import home_of
from strandline.hotline.console.typed import typed
from strandline.hotline.errors import SignInRefused

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door."""
    after = request.POST.get("next", request.GET.get("next", ""))
    if request.method != "POST":
        if isinstance(request.user, Person) and request.user.is_active:
            return redirect(home_of(request.user))
        return render(request, "console/sign-in.html", {"next": _local(after)})
    email = typed(request.POST, "email")
    try:
        person = services.sign_in(
            email=email, password=request.POST.get("password", ""), now=clock.now()
        )
    except SignInRefused as refused:
        context = {"next": _local(after), "email": email, "error": refused.message}
        return render(request, "console/sign-in.html", context, status=422)
    login(request, person, backend=BACKEND)
    return redirect(_local(after) or home_of(person))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Out; what was claimed stays claimed until its time is up."""
    person = request.user if isinstance(request.user, Person) else None
    logout(request)
    if person is not None:
        services.sign_out(person, now=clock.now())
    return redirect("sign-in")


def _local(after: str) -> str:
    """``after`` if it is a path of this site, else nothing."""
    is_local = after.startswith("/") and url_has_allowed_host_and_scheme(after, allowed_hosts=None)
    return after if is_local else ""
