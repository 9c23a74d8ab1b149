"""The audit chain: its latest entries, one subject's, and whether it holds."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from strandline.errors import NoteRefused
from strandline.hotline import clock
from strandline.hotline.accounts.access import StaffRequest, allow
from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission
from strandline.hotline.audit import checkpoints
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.audit.verify import Finding, verify
from strandline.hotline.console.typed import typed
from strandline.transparency import Verifier

PAGE = 100


@allow(Permission.SEE_AUDIT)
@require_safe
def audit(request: StaffRequest) -> HttpResponse:
    """Entries, newest first."""
    return _show(request)


@allow(Permission.SEE_AUDIT)
@require_POST
def verify_chain(request: StaffRequest) -> HttpResponse:
    """Read the whole chain against itself and its signed checkpoints."""
    return _show(request, _verify(), checked_at=clock.now())


def _verify() -> Finding:
    config = settings.HOTLINE
    key = config.home / "keys" / "audit-signer.vkey"
    try:
        pinned = checkpoints.read(
            config.home / "audit-checkpoints", Verifier.from_vkey(key.read_text().strip())
        )
    except NoteRefused as refused:
        said = f"The checkpoints cannot be trusted: {refused}"
        return Finding(ok=False, entries=0, checkpoints=0, sequence=None, message=said)
    return verify(pinned)


def _show(request: StaffRequest, finding: Finding | None = None, **more: object) -> HttpResponse:
    subject = typed(request.GET, "subject")
    before = request.GET.get("before", "")
    rows = AuditEntry.objects.order_by("-sequence")
    if subject:
        rows = rows.filter(subject=subject)
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(sequence__lt=int(before))
    entries = list(rows[: PAGE + 1])
    context = {
        "entries": entries[:PAGE],
        "more": entries[PAGE - 1].sequence if len(entries) > PAGE else None,
        "subject": subject,
        "names": {person.actor: person.name for person in Person.objects.all()},
        "finding": finding,
        **more,
    }
    return render(request, "console/audit.html", context)
