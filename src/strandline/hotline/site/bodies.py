"""The gate in front of every form of every face: small, plain, and never a file.

The partners' API takes what its calls are made of, by the beginning of the address; nothing else is
different there, but that a refusal is a sentence in JSON.
"""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from strandline.hotline.config import Face

Next = Callable[[HttpRequest], HttpResponseBase]

PLAIN_FORM = "application/x-www-form-urlencoded"
#: The one form that carries a file: a list of hashes, never a picture.
LIST_FORM = "/exchange/deliveries"
_FORMS = frozenset({PLAIN_FORM, ""})
#: What the partners' face takes besides forms, by the beginning of the address.
CALLS: Mapping[str, frozenset[str]] = {
    "/api/v1/": frozenset({"application/json"}),
    "/v2/": frozenset({"application/xml", "text/xml"}),
}


def small_plain_forms_only(get_response: Next) -> Next:
    """Refuse a body by its headers, before a byte of it is read.

    Anything but a plain form is 415: a file would put suspected material into this machine's
    memory. More than ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes is 413. A body of undeclared length is
    never read: Django takes it for empty.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return get_response(request)
        if _gives_a_list(request):
            return get_response(request) if _is_no_larger(request) else _refuse(request, 413)
        if request.content_type not in (_calls(request) or _FORMS):
            return _refuse(request, 415)
        declared = request.META.get("CONTENT_LENGTH") or "0"
        is_number = declared.isascii() and declared.isdecimal()
        if not is_number or int(declared) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _refuse(request, 413)
        return get_response(request)

    return middleware


def _calls(request: HttpRequest) -> frozenset[str] | None:
    """What calls to this address are made of; none where people's forms are."""
    if settings.HOTLINE.face == Face.PARTNERS:
        for beginning, kinds in CALLS.items():
            if request.path.startswith(beginning):
                return kinds
    return None


def _gives_a_list(request: HttpRequest) -> bool:
    """Whether this is the form by which staff give a list of others.

    Its page lets nobody without the permission send a byte, and writes the file to disk in pieces.
    """
    return (
        settings.HOTLINE.face == "console"
        and request.path == LIST_FORM
        and request.content_type == "multipart/form-data"
    )


def _is_no_larger(request: HttpRequest) -> bool:
    declared = request.META.get("CONTENT_LENGTH") or ""
    most = settings.HOTLINE.import_max_bytes + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return declared.isascii() and declared.isdecimal() and int(declared[:20]) <= most


def _refuse(request: HttpRequest, status: int) -> HttpResponse:
    kinds = _calls(request)
    if kinds is not None:
        sentences = {
            413: f"A body of at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes, with its "
            "length declared, is taken here. Nothing was read: send less at once.",
            415: f"Only {', '.join(sorted(kinds))} is taken here, and never a picture or another "
            "file. Nothing was read.",
        }
        return JsonResponse({"detail": sentences[status]}, status=status)
    return render(request, "site/body-refused.html", {"status": status}, status=status)
