"""The public's pages. No page sets a session, reads a visitor's address or needs a script."""

from datetime import datetime

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_http_methods, require_safe

from strandline.hotline import clock
from strandline.hotline.errors import Busy, ReportRefused, TooManyReports
from strandline.hotline.intake import forms
from strandline.hotline.intake.services import (
    Typed,
    acknowledge,
    send_follow_up,
    send_report,
)
from strandline.hotline.intake.words import tell
from strandline.hotline.reports.models import Report
from strandline.hotline.reports.services import report_by_code

#: How long an outcome page can send a message without the code being typed again, in seconds.
PASS_LIVES = 3600

_BUSY = (
    "Very many people are asking at this moment, and your words were not checked. They are still "
    "here: please wait a moment and press Open again."
)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this is for, and the two ways on."""
    return render(request, "intake/start.html")


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """How it works and what is stored."""
    return render(request, "intake/about.html")


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The report form, and the answer to it."""
    now = clock.now()
    if request.method != "POST":
        return _report_form(request, Typed(), now=now)
    typed = _typed(request)
    token = request.POST.get("form", "")
    try:
        received = send_report(typed, token=token, language=_language(request), now=now)
    except ReportRefused as refused:
        return _report_form(request, typed, refused=refused, sent=token, now=now)
    return render(request, "intake/received.html", {"received": received, "token": token})


@require_http_methods(["GET", "HEAD", "POST"])
def noted(request: HttpRequest) -> HttpResponse:
    """The reporter has written the words down: nothing shows them again."""
    if request.method != "POST":
        return redirect("start")
    acknowledge(request.POST.get("form", ""))
    return render(request, "intake/noted.html")


@require_http_methods(["GET", "HEAD", "POST"])
def outcome(request: HttpRequest) -> HttpResponse:
    """A field for the return code, and the outcome it opens."""
    if request.method != "POST":
        return render(request, "intake/outcome-form.html")
    typed, note = request.POST.get("code", ""), request.POST.get("note", "")
    now = clock.now()
    if not typed.strip():
        problem = "Type the seven words first."
    else:
        try:
            found = report_by_code(typed, now=now)
        except Busy:
            return _code_form(request, problem=_BUSY, typed=typed, note=note, status=503)
        if found is not None:
            return _outcome_page(request, found, note=note, now=now)
        problem = (
            "No report opens with these words. Check each word and their order. A code that has "
            "expired looks the same as a wrong one."
        )
    return _code_form(request, problem=problem, typed=typed, note=note)


@require_http_methods(["GET", "HEAD", "POST"])
def follow_up(request: HttpRequest) -> HttpResponse:
    """A message added from the outcome page."""
    if request.method != "POST":
        return redirect("outcome")
    now = clock.now()
    found = _report_of_pass(request.POST.get("pass", ""), now)
    text = request.POST.get("note", "")
    if found is None:
        problem = (
            "The outcome had been open for more than an hour, so your message was not stored. It "
            "is still here: type your seven words again, then send it."
        )
        return _code_form(request, problem=problem, note=text)
    try:
        send_follow_up(found, text, token=request.POST.get("form", ""), now=now)
    except ReportRefused as refused:
        sent = request.POST.get("form", "")
        return _outcome_page(request, found, note=text, refused=refused, sent=sent, now=now)
    return render(request, "intake/message-added.html")


def form_expired(request: HttpRequest) -> HttpResponse:
    """A report without its proof of origin: nothing is stored, and all that was typed is kept."""
    refused = ReportRefused(
        "form",
        "Your browser did not send this site's cookie back, so nothing was stored. Everything you "
        "typed is still here: allow cookies for this site, and send it again.",
    )
    return _report_form(request, _typed(request), refused=refused, status=403, now=clock.now())


report.form_expired = form_expired  # type: ignore[attr-defined]


def _report_form(
    request: HttpRequest,
    typed: Typed,
    *,
    now: datetime,
    refused: ReportRefused | None = None,
    sent: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"typed": typed, "token": _next_token(sent, refused, now), "refused": refused}
    return render(
        request, "intake/report.html", context, status=_status(refused) if status == 200 else status
    )


def _code_form(
    request: HttpRequest, *, problem: str, note: str, typed: str = "", status: int = 422
) -> HttpResponse:
    context = {"problem": problem, "typed": typed, "note": note}
    return render(request, "intake/outcome-form.html", context, status=status)


def _outcome_page(
    request: HttpRequest,
    found: Report,
    *,
    now: datetime,
    note: str = "",
    refused: ReportRefused | None = None,
    sent: str = "",
) -> HttpResponse:
    context = {
        "outcome": tell(found),
        "note": note,
        "refused": refused,
        "token": _next_token(sent, refused, now),
        "pass": _pass_for(found, now),
    }
    return render(request, "intake/outcome.html", context, status=_status(refused))


def _next_token(sent: str, refused: ReportRefused | None, now: datetime) -> str:
    """A fresh token; but a form that has to wait keeps its own, which grows old enough."""
    waits = isinstance(refused, TooManyReports) and forms.age(sent, now) is not None
    return sent if waits else forms.new_token(now)


def _status(refused: ReportRefused | None) -> int:
    if refused is None:
        return 200
    return 503 if isinstance(refused, TooManyReports) else 422


def _typed(request: HttpRequest) -> Typed:
    return Typed(
        address=request.POST.get("address", ""),
        referrer=request.POST.get("referrer", ""),
        note=request.POST.get("note", ""),
        contact=request.POST.get("contact", ""),
    )


def _language(request: HttpRequest) -> str:
    """The first language's primary tag and nothing else: more would tell visitors apart."""
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        primary = tag.partition("-")[0]
        is_language = primary.isascii() and primary.isalpha() and len(primary) in {2, 3}
        return primary if is_language else ""
    return ""


def _pass_for(report: Report, now: datetime) -> str:
    return _signer().sign(f"{report.reference}.{int(now.timestamp())}")


def _report_of_pass(text: str, now: datetime) -> Report | None:
    try:
        reference, _, issued = _signer().unsign(text).rpartition(".")
    except BadSignature:
        return None
    if now.timestamp() - int(issued) > PASS_LIVES:
        return None
    since = now - settings.HOTLINE.intake.code_lives
    return Report.objects.filter(reference=reference, received_at__gte=since).first()


def _signer() -> Signer:
    return Signer(salt="strandline.intake.pass")
