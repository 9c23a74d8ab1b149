"""The audit chain: its latest entries, one subject's, and whether it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

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
#: What somebody looked at. The chain keeps who did, for an investigation of the record itself; this
#: page does not show it: it would be a table of what each colleague has to bear.
_LOOKING = frozenset({"console.show_rendition"})
_ANALYST = "an analyst"


@dataclass(frozen=True)
class Line:
    """One entry as the page shows it."""

    sequence: int
    at: datetime
    #: Empty where the chain's ``actor`` says enough.
    name: str
    actor: str
    action: str
    subject: str
    detail: Mapping[str, object]


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
    names = {person.actor: person.name for person in Person.objects.all()}
    context = {
        "entries": [_line(entry, names) for entry in entries[:PAGE]],
        "more": entries[PAGE - 1].sequence if len(entries) > PAGE else None,
        "subject": subject,
        "finding": finding,
        **more,
    }
    return render(request, "console/audit.html", context)


def _line(entry: AuditEntry, names: Mapping[str, str]) -> Line:
    name, actor, detail = names.get(entry.actor, ""), entry.actor, entry.detail
    if entry.action in _LOOKING:
        # The claim would name its analyst, too.
        name, actor = "", _ANALYST
        detail = {key: value for key, value in entry.detail.items() if key == "style"}
    return Line(entry.sequence, entry.at, name, actor, entry.action, entry.subject, detail)
