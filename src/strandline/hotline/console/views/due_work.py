"""The manager's page of due work: what keeps failing, and mail nobody knows the end of."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.jobs import due, outbox
from strandline.hotline.jobs.models import DueWork, OutboxMail


@allow(Permission.MANAGE_WORK)
@require_safe
def due_work(request: StaffRequest) -> HttpResponse:
    """What a person should look at."""
    uncertain = OutboxMail.objects.filter(state=OutboxMail.State.UNCERTAIN).order_by("pk")
    failing = [row for row in due.failing() if not _is_uncertain(row)]
    context = {
        "failing": [(due.name_of(type(row)), row) for row in failing],
        "uncertain": uncertain[:200],
        "next_due": due.next_due(),
    }
    return render(request, "console/due-work.html", context)


@allow(Permission.MANAGE_WORK)
@require_POST
def retry(request: StaffRequest, kind: str, row: int) -> HttpResponse:
    """Make a row that was given up due again."""
    found = due.find(kind, row)
    if found is None or _is_uncertain(found):
        raise Http404
    due.retry(found, by=request.user.actor, now=clock.now())
    return redirect("due-work")


@allow(Permission.MANAGE_WORK)
@require_POST
def settle_mail(request: StaffRequest, mail: int) -> HttpResponse:
    """What the manager found out about a mail."""
    found = OutboxMail.objects.filter(pk=mail, state=OutboxMail.State.UNCERTAIN).first()
    answer = request.POST.get("was_sent", "")
    if found is None or answer not in {"yes", "no"}:
        raise Http404
    outbox.settle_uncertain(found, was_sent=answer == "yes", by=request.user.actor, now=clock.now())
    return redirect("due-work")


def _is_uncertain(row: DueWork) -> bool:
    """A mail that may have left is never simply sent again."""
    return isinstance(row, OutboxMail) and row.state == OutboxMail.State.UNCERTAIN
