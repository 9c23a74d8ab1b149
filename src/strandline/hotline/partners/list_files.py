"""The published list as files: each is checked against the member's scope before a byte leaves.

The files are static and signed: their bytes never change but for ``timestamp.json``, the log's
checkpoint and the proofs under it. What a member took of an edition is in the audit chain once for
each class and kind of hash, before the first of those bytes leaves.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import FileResponse, HttpRequest
from ninja import Router
from ninja.errors import HttpError

from strandline.hotline import clock
from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.feedback.holding import fetched
from strandline.hotline.hashlist import published
from strandline.hotline.hashlist.scopes import scope_of
from strandline.hotline.partners.calls import Problem, caller

files = Router(tags=["files"])

_CONTENT = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    "text/plain": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "object"}},
}
_ANSWERS = {
    "responses": {
        200: {"description": "The file, as docs/hashlist-format.md describes it",
              "content": _CONTENT},
    }
}  # fmt: skip
_TEXTS = (".index", "/manifest", ".proof", "checkpoint")


# RFC 9110, 9.3.2: what answers GET answers HEAD, with the same headers.
@files.api_operation(["HEAD"], "/{path:path}", include_in_schema=False)
@files.get(
    "/{path:path}",
    response={401: Problem, 403: Problem, 404: Problem},
    summary="A file of the published list",
    openapi_extra=_ANSWERS,
)
def file(request: HttpRequest, path: str) -> FileResponse:
    """Signed metadata, manifests, certificates, proofs, indexes, pages, or the log."""
    found = published.find(path)
    if found is None:
        raise HttpError(404, "There is no such file of the list.")
    member = caller(request)
    if not found.within(scope_of(member)):
        raise HttpError(403, "This is outside what was agreed with you; see the list's scope note.")
    if request.method != "HEAD" and found.listed_class is not None:
        _record(member, found, clock.now())
    return FileResponse(found.path.open("rb"), content_type=_type(path))


def _record(member: Member, found: published.File, now: datetime) -> None:
    """Write the download down, once for each edition, class and column."""
    assert found.listed_class is not None
    assert found.edition is not None
    detail: dict[str, Any] = {"class": found.listed_class.pk, "column": found.part}
    subject = f"edition:{found.edition}"
    told = AuditEntry.objects.filter(
        subject=subject, action="partners.download", actor=member.actor, detail=detail
    )
    if told.exists():
        return
    with transaction.atomic():
        chain.record(
            at=now, actor=member.actor, action="partners.download", subject=subject, detail=detail
        )
        # Whoever never says which edition it holds is taken to hold what it fetched.
        fetched(member, found.edition, now=now)


def _type(path: str) -> str:
    if path.endswith(".json"):
        return "application/json"
    if path.endswith(_TEXTS) or "/certificate." in path:
        return "text/plain; charset=utf-8"
    return "application/octet-stream"
