"""The custodian's page: a reporter's contact, one at a time, with a reason."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.console import messages
from strandline.hotline.console.typed import typed
from strandline.hotline.reports.models import Report

SHORTEST_REASON = 10
LONGEST_REASON = 500


@allow(Permission.OPEN_CONTACT)
@require_http_methods(["GET", "HEAD", "POST"])
def contacts(request: StaffRequest) -> HttpResponse:
    """Find a report by its reference and open the contact its reporter left."""
    if request.method != "POST":
        return render(request, "console/contacts.html", {"faults": {}})
    reference = typed(request.POST, "reference").upper()
    reason = " ".join(typed(request.POST, "reason").split())
    report = Report.objects.filter(reference=reference).first()
    faults = {}
    if report is None:
        faults["reference"] = "No report has this reference. It looks like R-7K3M-9QXF."
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        faults["reason"] = (
            f"Say why in {SHORTEST_REASON} to {LONGEST_REASON} characters: whoever checks the "
            "chain later reads it."
        )
    context: dict[str, object] = {"reference": reference, "reason": reason, "faults": faults}
    if report is None or faults:
        return render(request, "console/contacts.html", context, status=422)
    contact = messages.open_contact(
        report,
        reason=reason,
        identity=settings.HOTLINE.secret("contact-identity"),
        by=request.user.actor,
        now=clock.now(),
    )
    return render(
        request, "console/contacts.html", {**context, "opened": report, "contact": contact}
    )
