"""The members' API: the signed list as files, and what it is, for whoever holds a key.

Every call needs a key (``Authorization: Bearer slk_…``) and every download is written down. The
files are static and signed: an edition's bytes never change, so a member may fetch them again.
"""

import logging
from typing import NoReturn

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer

from strandline.hotline.accounts.models import Member
from strandline.hotline.accounts.services import member_of
from strandline.hotline.hashlist import published
from strandline.hotline.partners.accountability_api import router as figures
from strandline.hotline.partners.calls import Problem
from strandline.hotline.partners.certificates_api import router as certificates
from strandline.hotline.partners.feedback_api import notes
from strandline.hotline.partners.feedback_api import router as feedback
from strandline.hotline.partners.list_files import files
from strandline.hotline.partners.match_api import router as matches
from strandline.hotline.partners.ncmec_api import router as ncmec

#: Not structlog: its tracebacks show the values of variables, keys and hashes among them.
_log = logging.getLogger(__name__)


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
anything_else = Router()


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
    #: The key its manifests are signed with.
    vkey: str
    #: Of its first root of trust; compare it with the publisher in another way before pinning it.
    root_fingerprint: str
    #: The latest edition; none before the first.
    edition: int | None
    #: Where ``strandline list sync`` finds it.
    url: str


@about.get("/list", response={200: Listing, 401: Problem}, summary="What list this is")
def describe(request: HttpRequest) -> Listing:  # noqa: ARG001 - ninja's name
    """The list's name, key and latest edition."""
    served = published.latest_edition()
    return Listing(
        origin=settings.HOTLINE.list_origin,
        vkey=(settings.HOTLINE.home / "keys" / "list-signer.vkey").read_text().strip(),
        root_fingerprint=published.root_fingerprint(),
        edition=served.number if served else None,
        url=f"{settings.HOTLINE.partners_url.rstrip('/')}/lists",
    )


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
def nothing_here(request: HttpRequest, rest: str) -> NoReturn:  # noqa: ARG001 - ninja's name
    """Whoever holds a key learns that there is nothing; others, only that a key is needed."""
    raise HttpError(404, "There is nothing at this address.")


api.add_router("/api/v1", about)
api.add_router("/api/v1", matches)
api.add_router("/api/v1", figures)
api.add_router("/api/v1", certificates)
api.add_router("/api/v1", feedback)
# Before the files: these are signed for each member.
api.add_router("/lists", notes)
api.add_router("/lists", files)
# For software that speaks only NCMEC's shape.
api.add_router("/v2", ncmec)
# Last: it answers where nothing above does.
api.add_router("", anything_else)
