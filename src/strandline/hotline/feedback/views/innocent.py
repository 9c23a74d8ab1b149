"""The page of common innocent pictures: by their hashes, never by the pictures themselves."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import innocent as pictures
from strandline.hotline.feedback.models import Innocent, Review
from strandline.hotline.feedback.views.parts import parts
from strandline.hotline.feedback.words import Cause

State = Innocent.State
SHOWN = 200


@allow(Permission.REVIEW_ENTRIES)
@require_http_methods(["GET", "HEAD", "POST"])
def innocents(request: StaffRequest) -> HttpResponse:
    """The list, what is proposed for it, and the form that proposes a picture."""
    if request.method != "POST":
        return _page(request)
    given = {name: request.POST.get(name, "") for name in ("what", "sha256", "pdq", "reason")}
    try:
        pictures.propose(**given, by=request.user, now=clock.now())
    except FeedbackRefused as refused:
        return _page(request, refused=refused)
    return redirect("feedback-innocent")


@allow(Permission.REVIEW_ENTRIES)
@require_POST
def decide(request: StaffRequest, innocent: int) -> HttpResponse:
    """Accept or decline a proposal, remove a picture."""
    row = get_object_or_404(Innocent, pk=innocent)
    by, now, reason = request.user, clock.now(), request.POST.get("reason", "")
    decision = request.POST.get("decision", "")
    if decision not in {"accept", "decline", "remove"}:
        raise Http404
    try:
        if decision == "accept":
            pictures.accept(row, by=by, now=now)
        elif decision == "decline":
            pictures.decline(row, reason=reason, by=by, now=now)
        else:
            pictures.remove(row, reason=reason, by=by, now=now)
    except FeedbackRefused as refused:
        return _page(request, refused=refused, at=row.pk)
    return redirect("feedback-innocent")


def _page(
    request: StaffRequest, *, refused: FeedbackRefused | None = None, at: int = 0
) -> HttpResponse:
    rows = Innocent.objects.all()
    context = {
        **parts(request, "innocent"),
        "proposed": rows.filter(state=State.PROPOSED).order_by("pk")[:SHOWN],
        "accepted": rows.filter(state=State.ACCEPTED).order_by("-decided_at")[:SHOWN],
        "accepted_in_all": rows.filter(state=State.ACCEPTED).count(),
        "held": Review.objects.filter(cause=Cause.INNOCENT, outcome="").count(),
        "kinds": Innocent.What.choices,
        "names": {person.actor: person.name for person in Person.objects.all()},
        "refused": refused,
        "at": at,
        "typed": request.POST,
    }
    return render(request, "feedback/innocent.html", context, status=422 if refused else 200)
