"""The gate in front of every form of every face: small, plain, and never a file."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

Next = Callable[[HttpRequest], HttpResponseBase]

PLAIN_FORM = "application/x-www-form-urlencoded"


def small_plain_forms_only(get_response: Next) -> Next:
    """Refuse a body by its headers, before a byte of it is read.

    Anything but a plain form is 415: a file would put suspected material into this machine's
    memory. More than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes is 413. A body of undeclared length is
    never read: Django takes it for empty.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return get_response(request)
        if request.content_type not in {PLAIN_FORM, ""}:
            return _refuse(request, 415)
        declared = request.META.get("CONTENT_LENGTH") or "0"
        is_number = declared.isascii() and declared.isdecimal()
        if not is_number or int(declared) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _refuse(request, 413)
        return get_response(request)

    return middleware


def _refuse(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "site/body-refused.html", {"status": status}, status=status)
