"""Contested entries: what waits for a decision, and one of them with all that is known of it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.assessment.models import Verdict
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import entries, innocent, reviews
from strandline.hotline.feedback.models import Review, Statement
from strandline.hotline.feedback.views.parts import parts
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.reports.models import Appearance

#: Rows of each kind; the oldest wait first, so that none is left behind.
SHOWN = 100
MOST_NEAR = 10


@allow(Permission.REVIEW_ENTRIES)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """Entries that wait for a decision, and the last that were decided."""
    rows = Review.objects.select_related("entry__listed_class").prefetch_related("statements")
    waiting = rows.filter(outcome="")
    context = {
        **parts(request, "reviews"),
        # What is quarantined is kept from members while it waits: those come first.
        "waiting": waiting.order_by("-entry__state", "pk")[:SHOWN],
        "waiting_in_all": waiting.count(),
        "decided": rows.exclude(outcome="").order_by("-decided_at")[:20],
    }
    return render(request, "feedback/overview.html", context)


@allow(Permission.REVIEW_ENTRIES)
@require_safe
def review(request: StaffRequest, review: int) -> HttpResponse:
    """One contested entry."""
    return _page(request, _find(review))


@allow(Permission.REVIEW_ENTRIES)
@require_POST
def keep(request: StaffRequest, review: int) -> HttpResponse:
    """The entry stays."""
    row = _find(review)
    try:
        reviews.keep(row, reason=request.POST.get("reason", ""), by=request.user, now=clock.now())
    except FeedbackRefused as refused:
        return _page(request, _find(review), refused=refused, asked="keep")
    return redirect("feedback-review", review=row.pk)


@allow(Permission.REVIEW_ENTRIES)
@require_POST
def withdraw(request: StaffRequest, review: int) -> HttpResponse:
    """The entry goes."""
    row = _find(review)
    try:
        reviews.withdraw(
            row,
            why=request.POST.get("why", ""),
            reason=request.POST.get("reason", ""),
            by=request.user,
            now=clock.now(),
        )
    except FeedbackRefused as refused:
        return _page(request, _find(review), refused=refused, asked="withdraw")
    return redirect("feedback-review", review=row.pk)


def _find(number: int) -> Review:
    rows = Review.objects.select_related("entry__listed_class", "entry__fingerprint")
    return get_object_or_404(rows, pk=number)


def _page(
    request: StaffRequest,
    row: Review,
    *,
    refused: FeedbackRefused | None = None,
    asked: str = "",
) -> HttpResponse:
    entry = row.entry
    statements = Statement.objects.filter(entry=entry).select_related("member", "review", "flood")
    print_ = entry.fingerprint
    context = {
        **parts(request, "reviews"),
        "review": row,
        "entry": entry,
        "statements": statements.order_by("-pk")[:SHOWN],
        "events": entry.events.select_related("listed_class").order_by("sequence"),
        "near": _near(entry),
        "innocent": innocent.likeness(print_.sha256, print_.pdq),
        "verdict": Verdict.objects.filter(item=entry.item_id).first() if entry.item_id else None,
        "addresses": _addresses(entry),
        "names": {person.actor: person.name for person in Person.objects.all()},
        "brought_it": reviews.brought_it(request.user, entry),
        "whys": reviews.WITHDRAWN_BECAUSE,
        "refused": refused,
        "asked": asked,
        "typed": request.POST,
    }
    return render(request, "feedback/review.html", context, status=422 if refused else 200)


def _addresses(entry: Entry) -> list[int]:
    """Where it was seen, the latest first: there is what its analysts recorded."""
    seen = Appearance.objects.filter(item=entry.item_id) if entry.item_id else None
    if seen is None:
        return []
    return list(seen.order_by("-address").values_list("address", flat=True).distinct()[:5])


def _near(entry: Entry) -> list[tuple[Entry, int]]:
    """Listed entries that look like this one: if they are contested too, it is rarely chance."""
    if not entry.fingerprint.pdq:
        return []
    found = [(n, bits) for n, bits in entries.near(entry.fingerprint.pdq) if n != entry.pk]
    rows = Entry.objects.select_related("listed_class").in_bulk(
        [number for number, _ in found[:MOST_NEAR]]
    )
    return [(rows[number], bits) for number, bits in found[:MOST_NEAR] if number in rows]
