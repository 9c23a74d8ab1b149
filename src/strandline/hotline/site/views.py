"""The few pages that belong to no room."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Alive, and the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its proof of origin: nothing was done.

    A view that can show its form again with what was typed carries that as ``.form_expired``.
    """
    match = request.resolver_match
    own = getattr(match.func, "form_expired", None) if match else None
    if own is not None:
        answer: HttpResponse = own(request)
        return answer
    return render(request, "site/form-expired.html", {"reason": reason}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Something no browser of a person sends."""
    return render(request, "site/bad-request.html", status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """No such page, or not for this person: the two look alike."""
    return render(request, "site/not-found.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Something of ours broke."""
    return render(request, "site/server-error.html", status=500)
