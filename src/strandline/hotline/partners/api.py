"""The members' API: the signed list as files, and what it is, for whoever holds a key.

Every call needs a key (``Authorization: Bearer slk_…``) and every download is written down. The
files are static and signed: an edition's bytes never change, so a member may fetch them again.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer

from strandline.hotline import clock
from strandline.hotline.accounts.models import Member
from strandline.hotline.accounts.services import member_of
from strandline.hotline.audit import chain
from strandline.hotline.hashlist import published
from strandline.hotline.partners.match_api import router as matches
from strandline.lists.files import ENTRIES, LATEST, MANIFEST

#: Not structlog: its tracebacks show the values of variables, keys and hashes among them.
_log = logging.getLogger(__name__)


class Problem(Schema):
    """Why a call was not answered, for the person who reads it."""

    detail: str


class ListKey(HttpBearer):
    """A member's key that may read the list."""

    openapi_name = "ListKey"

    def authenticate(self, _request: HttpRequest, token: str) -> Member | None:
        """The member; none when the key is unknown, revoked, or may not read the list."""
        return member_of(token)


api = NinjaAPI(
    title="Strandline for members",
    version="1",
    description="The hotline's signed hash list. `strandline list sync` speaks this for you.",
    auth=ListKey(),
    docs_url=None,
    openapi_url="/api/v1/openapi.json",
    urls_namespace="partners-api",
)
about = Router(tags=["list"])
files = Router(tags=["files"])
anything_else = Router()

_REFUSALS: Mapping[int, Any] = {401: Problem, 404: Problem}


@api.exception_handler(AuthenticationError)
def _no_key(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    """RFC 6750, section 3: a refusal names the scheme that is wanted."""
    response = api.create_response(
        request, {"detail": "This needs a key of a member: Authorization: Bearer slk_…"}, status=401
    )
    response["WWW-Authenticate"] = 'Bearer realm="hash list"'
    return response


class Listing(Schema):
    """What list this is and how far it has come."""

    #: Its name, as every manifest says it.
    origin: str
    #: The key its manifests are signed with; have it confirmed in another way before trusting it.
    vkey: str
    #: The latest edition; none before the first.
    edition: int | None
    #: Where ``strandline list sync`` finds it.
    url: str


@about.get("/list", response={200: Listing, 401: Problem}, summary="What list this is")
def describe(request: HttpRequest) -> Listing:  # noqa: ARG001 - ninja's name
    """The list's name, key and latest edition."""
    served = published.latest()
    return Listing(
        origin=settings.HOTLINE.list_origin,
        vkey=(settings.HOTLINE.home / "keys" / "list-signer.vkey").read_text().strip(),
        edition=served[0] if served else None,
        url=f"{settings.HOTLINE.partners_url.rstrip('/')}/lists",
    )


#: RFC 9110, 9.3.2: what answers GET answers HEAD, with the same headers.
_HEAD = ["HEAD"]
_TEXT: Mapping[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
_LINES: Mapping[str, Any] = {"application/x-ndjson": {"schema": {"type": "string"}}}


def _answers(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"responses": {200: {"description": "The file, as it was signed", "content": content}}}


@files.api_operation(_HEAD, "/latest", include_in_schema=False)
@files.get(
    "/latest",
    response=_REFUSALS,
    summary="The latest edition's manifest",
    openapi_extra=_answers(_TEXT),
)
def latest(request: HttpRequest) -> HttpResponse:
    """The signed manifest of the edition that counts."""
    served = published.latest()
    if served is None:
        raise HttpError(404, "No edition has been published yet.")
    number, note = served
    _record(request, number, LATEST, clock.now())
    return HttpResponse(note, content_type="text/plain; charset=utf-8")


@files.api_operation(_HEAD, "/editions/{int:number}/manifest", include_in_schema=False)
@files.get(
    "/editions/{int:number}/manifest",
    response=_REFUSALS,
    summary="An edition's manifest",
    openapi_extra=_answers(_TEXT),
)
def manifest(request: HttpRequest, number: int) -> FileResponse:
    """The signed manifest of one edition."""
    path = published.manifest_of(number)
    return _file(request, number, MANIFEST, path, "text/plain; charset=utf-8")


@files.api_operation(_HEAD, "/editions/{int:number}/entries.jsonl", include_in_schema=False)
@files.get(
    "/editions/{int:number}/entries.jsonl",
    response=_REFUSALS,
    summary="An edition's entries",
    openapi_extra=_answers(_LINES),
)
def entries(request: HttpRequest, number: int) -> FileResponse:
    """Every entry of one edition, one JSON object a line, in order of sequence."""
    path = published.entries_of(number)
    return _file(request, number, ENTRIES, path, "application/x-ndjson")


@api.exception_handler(InterfaceError)
@api.exception_handler(OperationalError)
def _no_database(request: HttpRequest, error: Exception) -> HttpResponse:
    """Whatever was asked can be asked again."""
    _log.error("The database did not answer a member's call.", exc_info=error)
    response = api.create_response(
        request,
        {"detail": "The record cannot be reached just now. Nothing was done: send this again."},
        status=503,
    )
    response["Retry-After"] = "10"
    return response


@anything_else.api_operation(["GET", "HEAD"], "/api/v1/{path:rest}", include_in_schema=False)
@anything_else.api_operation(["GET", "HEAD"], "/lists/{path:rest}", include_in_schema=False)
def nothing_here(request: HttpRequest, rest: str) -> NoReturn:  # noqa: ARG001 - ninja's name
    """Whoever holds a key learns that there is nothing; others, only that a key is needed."""
    raise HttpError(404, "There is nothing at this address.")


def _file(
    request: HttpRequest, number: int, name: str, path: Path | None, content_type: str
) -> FileResponse:
    if path is None:
        raise HttpError(404, f"There is no edition {number}.")
    _record(request, number, name, clock.now())
    return FileResponse(path.open("rb"), content_type=content_type)


@transaction.atomic
def _record(request: HttpRequest, number: int, name: str, now: datetime) -> None:
    """Every copy of the list that leaves is in the audit chain, before its first byte leaves."""
    if request.method == "HEAD":
        return
    member = cast("Member", getattr(request, "auth"))  # noqa: B009 - set by ninja, unknown to Django
    chain.record(
        at=now,
        actor=member.actor,
        action="partners.download",
        subject=f"edition:{number}",
        detail={"file": name},
    )


api.add_router("/api/v1", about)
api.add_router("/api/v1", matches)
api.add_router("/lists", files)
# Last: it answers where nothing above does.
api.add_router("", anything_else)
