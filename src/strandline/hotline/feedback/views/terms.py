"""The administrator's page of one member: what it may have, and how it is reached."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import Member
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import terms as agreed
from strandline.hotline.feedback.models import ScopeSigning, Terms
from strandline.hotline.feedback.models.members import WORDS
from strandline.hotline.hashlist.models import ListedClass
from strandline.lists.published.classes import Column

COLUMNS = (
    (Column.SHA256, "SHA-256"),
    (Column.SHA1, "SHA-1"),
    (Column.MD5, "MD5"),
    (Column.PDQ, "PDQ, for likeness"),
    (Column.VIDEO, "Frames of films"),
    (Column.PHOTODNA, "PhotoDNA, as received from others"),
)
LABELS = {
    "categories": "Categories",
    "provenances": "Provenance",
    "jurisdictions": "Jurisdictions",
    "survivors": "Survivor class",
    "labels": "Labels an entry must have",
    "without_labels": "Labels an entry must not have",
}


@allow(Permission.SET_SCOPES)
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: StaffRequest, member: int) -> HttpResponse:
    """What is set, and the form that sets it."""
    found = get_object_or_404(Member, pk=member)
    if request.method != "POST":
        return _page(request, found)
    try:
        scope = agreed.read_scope(
            request.POST.getlist("columns"), {part: request.POST.get(part, "") for part in WORDS}
        )
        agreed.set_terms(
            found,
            scope,
            mailbox=request.POST.get("mailbox", "").strip(),
            group=request.POST.get("group", ""),
            by=request.user.actor,
            now=clock.now(),
        )
    except FeedbackRefused as refused:
        return _page(request, found, refused=refused)
    return redirect("member-terms", member=found.pk)


def _page(
    request: StaffRequest, member: Member, *, refused: FeedbackRefused | None = None
) -> HttpResponse:
    row = Terms.objects.filter(member=member).first()
    if refused:
        columns = request.POST.getlist("columns")
        typed = {part: request.POST.get(part, "") for part in (*WORDS, "mailbox", "group")}
    else:
        columns = row.columns if row else [column.value for column in Column]
        typed = {part: " ".join(getattr(row, part)) if row else "" for part in WORDS}
        typed |= {"mailbox": row.mailbox if row else "", "group": row.group if row else ""}
    context = {
        "member": member,
        "terms": row,
        "signing": ScopeSigning.objects.filter(member=member).first(),
        "columns": [(each.value, label, each.value in columns) for each, label in COLUMNS],
        "words": [(part, LABELS[part], typed[part], _known(part)) for part in WORDS],
        "typed": typed,
        "refused": refused,
    }
    return render(request, "feedback/terms.html", context, status=422 if refused else 200)


def _known(part: str) -> list[str]:
    """Words that entries have: what can be typed there to some effect."""
    field = {
        "categories": "category",
        "provenances": "provenance",
        "jurisdictions": "jurisdiction",
        "survivors": "survivor",
    }.get(part)
    if field:
        rows = ListedClass.objects.order_by(field).values_list(field, flat=True)
        return list(rows.distinct()[:30])
    labels = ListedClass.objects.values_list("labels", flat=True)
    return sorted({label for row in labels[:500] for label in row})[:30]
