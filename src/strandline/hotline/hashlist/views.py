"""The console's page of the list: what it holds, its editions, and what a manager can do."""

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist import services
from strandline.hotline.hashlist.models import (
    Cosigning,
    Edition,
    Entry,
    Publication,
    Release,
    Why,
)
from strandline.hotline.hashlist.scheduling import foreseen, put_off, unfinished

#: Editions shown; the files keep them all.
SHOWN = 50
#: What members can be told of a withdrawal that a person decides.
TOLD = (Why.OTHER, Why.MISTAKE, Why.NOT_ILLEGAL, Why.INNOCENT, Why.SOURCE_WITHDREW)


@allow(Permission.PUBLISH)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """The list and its editions."""
    return _page(request)


@allow(Permission.PUBLISH)
@require_POST
def publish(request: StaffRequest) -> HttpResponse:
    """Ask for an edition now, or let one wait that members will refuse."""
    try:
        if request.POST.get("decision") == "wait":
            put_off(by=request.user.actor, now=clock.now())
        else:
            services.publish_now(
                knowingly=request.POST.get("knowingly") == "yes",
                by=request.user.actor,
                now=clock.now(),
            )
    except ListChangeRefused as refused:
        return _page(request, refused=refused)
    return redirect("hashlist")


@allow(Permission.PUBLISH)
@require_POST
def withdraw(request: StaffRequest) -> HttpResponse:
    """Take an entry off the list."""
    number = request.POST.get("entry", "").strip().removeprefix("entry-")
    try:
        services.withdraw(
            _entry(number),
            why=_why(request.POST.get("why", Why.OTHER.value)),
            reason=request.POST.get("reason", ""),
            by=request.user.actor,
            now=clock.now(),
        )
    except ListChangeRefused as refused:
        return _page(request, refused=refused)
    return redirect("hashlist")


def _entry(number: str) -> Entry:
    try:
        if number.isascii() and number.isdecimal() and len(number) < 19:
            return Entry.objects.get(pk=int(number))
    except ObjectDoesNotExist:
        pass
    raise ListChangeRefused(
        "entry", "There is no entry of this number. A match reports it, like entry-17."
    )


def _why(word: str) -> Why:
    found = next((why for why in TOLD if why.value == word), None)
    if found is None:
        raise ListChangeRefused("why", "Choose what members are told.")
    return found


def _page(request: StaffRequest, refused: ListChangeRefused | None = None) -> HttpResponse:
    publication, release = Publication.objects.first(), Release.objects.first()
    due_at = publication.due_at if publication else None
    counted = dict(
        Entry.objects.values_list("state").annotate(n=Count("pk")).values_list("state", "n")
    )
    context = {
        "listed": counted.get(Entry.State.LISTED, 0),
        "quarantined": counted.get(Entry.State.QUARANTINED, 0),
        "withdrawn": counted.get(Entry.State.WITHDRAWN, 0),
        "waiting": services.waiting_changes(),
        "may_publish": unfinished() is not None or services.first_unpublished() is not None,
        "unfinished": unfinished(),
        "foreseen": foreseen(),
        "publication": publication,
        "release": release,
        "told_late": bool(release and release.expires_at and release.expires_at <= clock.now()),
        "due_now": due_at is not None and due_at <= clock.now(),
        "witnesses": Cosigning.objects.order_by("witness"),
        "editions": Edition.objects.order_by("-number").prefetch_related("certificates")[:SHOWN],
        "reasons": TOLD,
        "refused": refused,
        "typed": request.POST,
    }
    return render(request, "hashlist/overview.html", context, status=422 if refused else 200)
