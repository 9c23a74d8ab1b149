"""Assessing: one item at a time, nothing shown until asked for, nothing that opens by itself."""

import re

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from strandline.errors import NotStored
from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.assessment import hints, words
from strandline.hotline.assessment import services as assessment
from strandline.hotline.assessment.checks import MOST_CHILDREN
from strandline.hotline.assessment.models import Claim
from strandline.hotline.console import drafts, work
from strandline.hotline.errors import AssessmentRefused, ClaimRefused
from strandline.hotline.reports.models import Appearance, Film, MediaItem
from strandline.hotline.wellbeing import services as wellbeing
from strandline.media import Style

_NUMBER = re.compile("[0-9]{1,18}")
#: In the order of their keys, 1, 2, 3.
STYLES = ((Style.BLURRED, "Blurred"), (Style.EDGES, "Outlines"), (Style.GREY, "Grey"))
_STYLE_VALUES = frozenset(style.value for style in Style)
SETTLED_MEANWHILE = "The item before this one was recorded already; nothing more is needed there."


@allow(Permission.ASSESS)
@require_http_methods(["GET", "HEAD", "POST"])
def assess(request: StaffRequest, claim: int) -> HttpResponse:
    """The item this claim is at, its form, or the summary once nothing remains."""
    held = _own_claim(request, claim)
    if request.method == "POST":
        return _act(request, held)
    return _next(request, held)


@allow(Permission.ASSESS)
@require_safe
def rendition(request: StaffRequest, claim: int, item: int, style: str) -> HttpResponse:
    """One degraded picture of an item this claim is for. Never the original."""
    held = _own_claim(request, claim)
    if not held.runs_at(clock.now()) or style not in _STYLE_VALUES:
        raise Http404
    row = assessment.remaining(held).filter(pk=item).first()
    if row is None:
        raise Http404
    try:
        shown = work.open_rendition(held, row, Style(style), now=clock.now())
    except NotStored as missing:
        raise Http404 from missing
    return HttpResponse(
        shown.data,
        content_type=shown.content_type,
        headers={"Cache-Control": "no-store", "Content-Disposition": "inline"},
    )


def _act(request: StaffRequest, held: Claim) -> HttpResponse:
    wish = request.POST.get("do", "")
    if wish in {"skip", "stop"}:
        skip = wish == "skip"
        assessment.release(held, skip=skip, by=request.user.actor, now=clock.now())
        return redirect("assess", claim=held.pk)
    item = _posted_item(request, held)
    ran_out = held.ran_out_by(clock.now())
    if held.ended_at is not None and not ran_out:
        return _summary(request, held, status=409)
    if not ran_out and not assessment.remaining(held).filter(pk=item.pk).exists():
        return _next(request, held, notice=SETTLED_MEANWHILE, status=409)
    draft = drafts.read(request.POST)
    if wish == "record":
        return _record(request, held, item, draft)
    if wish == "again":
        return _again(request, held, item, draft)
    return _edit(request, held, item, draft, wish)


def _edit(
    request: StaffRequest, held: Claim, item: MediaItem, draft: drafts.Draft, wish: str
) -> HttpResponse:
    """The same form again: with the picture, with a row more or less, or just as it was."""
    if wish == "child":
        return _show(request, held, item, draft.with_one_more_child(), focus="child")
    number = wish.removeprefix("remove-")
    if number != wish and _NUMBER.fullmatch(number) and int(number) < len(draft.children):
        return _show(request, held, item, draft.without_child(int(number)), focus="more")
    shown = _style(draft) if wish == "show" else None
    return _show(request, held, item, draft, shown=shown, focus="picture")


def _record(
    request: StaffRequest, held: Claim, item: MediaItem, draft: drafts.Draft
) -> HttpResponse:
    if faults := draft.faults():
        return _show(request, held, item, draft, faults=faults)
    try:
        assessed = work.record(held, item, draft.observations(), now=clock.now())
    except AssessmentRefused as refused:
        faults = refused.fields or {"": refused.message}
        return _show(request, held, item, draft, faults=faults)
    except ClaimRefused as refused:
        return _show(request, held, item, draft, faults={"": refused.message})
    return redirect("assess", claim=assessed.claim_id)


def _again(
    request: StaffRequest, held: Claim, item: MediaItem, draft: drafts.Draft
) -> HttpResponse:
    """Take the address again after the time was up, with the form as it was typed."""
    try:
        current = work.take_again(held, now=clock.now())
    except ClaimRefused as refused:
        return _show(request, held, item, draft, faults={"": refused.message})
    if not assessment.remaining(current).filter(pk=item.pk).exists():
        return _next(request, current, notice=SETTLED_MEANWHILE, status=409)
    return _show(request, current, item, draft, focus="picture")


def _next(request: StaffRequest, held: Claim, notice: str = "", status: int = 200) -> HttpResponse:
    """The item this claim is at, hidden, with an empty form; the summary when nothing remains."""
    item = assessment.remaining(held).first() if held.runs_at(clock.now()) else None
    if item is None:
        return _summary(request, held, status=status)
    return _show(request, held, item, drafts.Draft(), focus="picture", notice=notice, status=status)


def _show(
    request: StaffRequest,
    held: Claim,
    item: MediaItem,
    draft: drafts.Draft,
    *,
    faults: dict[str, str] | None = None,
    shown: Style | None = None,
    focus: str = "",
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    now = clock.now()
    runs = held.runs_at(now)
    done = held.assessments.count()
    context = {
        "claim": held,
        "item": item,
        "appearance": Appearance.objects.filter(address=held.address, item=item).first(),
        "film": Film.objects.defer("video").filter(item=item).first(),
        "elsewhere": item.appearances.count() - 1,
        "draft": draft,
        "chosen_style": _style(draft),
        "shown": shown if runs else None,
        "runs": runs,
        "notice": notice,
        "styles": STYLES,
        "acts": words.Act.choices,
        "most_children": MOST_CHILDREN,
        "questions": [
            (q, draft.answers[q.name], (faults or {}).get(q.name)) for q in drafts.QUESTIONS
        ],
        "ages": words.AgeBand.choices,
        "sexes": words.Sex.choices,
        "maturities": words.Maturity.choices,
        "reasons": words.Reason.choices,
        "blank_child": drafts.ChildDraft(),
        "faults": faults or {},
        "focus": focus,
        "number": done + 1,
        "total": done + assessment.remaining(held).count(),
        "hints": hints.hints_for(item),
        "shift": wellbeing.shift(request.user, now),
    }
    if faults:
        status = 422
    elif not runs:
        status = 409
    return render(request, "console/assess.html", context, status=status)


def _summary(request: StaffRequest, held: Claim, status: int = 200) -> HttpResponse:
    """What this person recorded here; nothing of what colleagues did, nothing of the outcome."""
    now = clock.now()
    context = {
        "claim": held,
        "recorded": held.assessments.order_by("pk"),
        "ran_out": held.ran_out_by(now),
        "may_go_on": assessment.may_take_again(held, now=now),
        "shift": wellbeing.shift(request.user, now),
    }
    return render(request, "console/summary.html", context, status=status)


def _own_claim(request: StaffRequest, claim: int) -> Claim:
    """The claim, if it is this person's: anybody else's does not exist for them."""
    held = Claim.objects.select_related("address", "analyst").filter(pk=claim, analyst=request.user)
    if (found := held.first()) is None:
        raise Http404
    return found


def _posted_item(request: StaffRequest, held: Claim) -> MediaItem:
    """The item the form is about; of another address there is none."""
    number = request.POST.get("item", "")
    items = MediaItem.objects.filter(appearances__address=held.address, refusal="")
    found = items.filter(pk=int(number)).first() if _NUMBER.fullmatch(number) else None
    if found is None:
        raise Http404
    return found


def _style(draft: drafts.Draft) -> Style:
    return Style(draft.style) if draft.style in _STYLE_VALUES else Style.BLURRED
