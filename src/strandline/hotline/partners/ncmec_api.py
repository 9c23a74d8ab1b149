"""The list in the shape of NCMEC's hash sharing, version 2, for software that speaks only that.

A member's key is the password of HTTP basic authentication; any user name goes with it. See
``docs/formats.md`` for what this shape cannot carry.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid5

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBasicAuth

from strandline.formats import FormatRefused
from strandline.formats.ncmec_feedback import read_submission, write_reasons
from strandline.formats.ncmec_paging import BEGINNING
from strandline.formats.ncmec_writing import Member as Named
from strandline.formats.ncmec_writing import members as write_members
from strandline.formats.ncmec_writing import status as write_status
from strandline.formats.values import moment
from strandline.hotline import clock
from strandline.hotline.accounts.models import Member
from strandline.hotline.accounts.services import member_of
from strandline.hotline.audit import chain
from strandline.hotline.exchange import serving
from strandline.hotline.exchange.serving import Asked
from strandline.hotline.feedback import giving
from strandline.hotline.feedback.holding import fetched
from strandline.hotline.feedback.words import REASONS, Reason, Say
from strandline.hotline.hashlist.scopes import scope_of
from strandline.hotline.partners.calls import caller

_XML = "application/xml; charset=utf-8"
#: GUIDs of our reasons for a dispute are made from their words, so that they never change.
_REASONS = UUID("6a1f4a5e-3d0c-5b57-9d0e-5c2f0b3c7d11")
#: Fingerprints that one may speak of; what is said holds for the whole entry.
_KINDS = frozenset({"md5", "sha1", "sha256", "pdq", "pdna"})


class BasicKey(HttpBasicAuth):
    """A member's key as a password."""

    def authenticate(self, _request: HttpRequest, _username: str, password: str) -> Member | None:
        """The member; none when the key is unknown, revoked, or may not read the list."""
        return member_of(password)


router = Router(tags=["ncmec"], auth=BasicKey())


@router.get("/status", include_in_schema=False)
def status(request: HttpRequest) -> HttpResponse:
    """Who is asking, as this server sees it."""
    member = caller(request)
    body = write_status(
        address=request.META.get("REMOTE_ADDR", ""),
        username=member.name,
        member=Named(member.pk, member.name),
    )
    return HttpResponse(body, content_type=_XML)


@router.get("/members", include_in_schema=False)
def members(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - ninja names the argument
    """Who shares entries here: this hotline alone."""
    return HttpResponse(write_members([serving.sharer()]), content_type=_XML)


class PageIn(Schema):
    """Which entries are wanted; times are UTC."""

    from_: Annotated[str, Field(alias="from", max_length=40)] = ""
    to: Annotated[str, Field(max_length=40)] = ""
    start: Annotated[int, Field(ge=0, lt=2**53)] = 0
    size: Annotated[int, Field(ge=1)] = serving.MOST_ENTRIES
    #: Only this server writes it, into the address of the next page.
    after: Annotated[int, Field(ge=0, lt=2**53)] = 0


@router.get("/entries", include_in_schema=False)
def entries(request: HttpRequest, asked: Query[PageIn]) -> HttpResponse:
    """One page of what became public between two times, within the member's scope."""
    member, now = caller(request), clock.now()
    since = _time(asked.from_, BEGINNING)
    until = min(_time(asked.to, now), now)
    served = serving.page(
        Asked(since, until, asked.start, asked.after, asked.size), scope_of(member)
    )
    if served.entries:
        _record(member, served, now)
    return HttpResponse(served.body, content_type=_XML)


@transaction.atomic
def _record(member: Member, served: serving.Served, now: datetime) -> None:
    """Write down what leaves, before its first byte does."""
    chain.record(
        at=now,
        actor=member.actor,
        action="partners.download",
        subject=f"edition:{served.edition}",
        detail={"shape": "ncmec", "entries": served.entries},
    )
    if served.is_last:
        fetched(member, served.edition, now=now)


@router.get("/feedback/{kind}/reasons", include_in_schema=False)
def reasons(request: HttpRequest, kind: str) -> HttpResponse:  # noqa: ARG001 - ninja names the argument
    """Why one may say that an entry is wrong."""
    _check_kind(kind)
    known = ((_guid(reason), str(reason.label)) for reason in REASONS[Say.DISPUTE])
    return HttpResponse(write_reasons(kind, known), content_type=_XML)


@router.put("/entries/{int:sharer}/{entry}/{kind}/feedback", include_in_schema=False)
def feedback(request: HttpRequest, sharer: int, entry: str, kind: str) -> HttpResponse:
    """Confirm or dispute an entry; saying the same again changes nothing."""
    member = caller(request)
    _check_kind(kind)
    if sharer != serving.sharer().id:
        raise HttpError(404, "Every entry here is shared by member 1.")
    try:
        given = read_submission(request.body)
    except FormatRefused as refused:
        raise HttpError(400, refused.message) from None
    say, reason = Say.CONFIRM, Reason.SEEN
    if not given.affirmative:
        say, reason = Say.DISPUTE, _reason(given.reasons[0])
    said = giving.Said(entry, say.value, reason.value, note="")
    (taken,) = giving.give(member, [said], now=clock.now())
    if taken.statement is None:
        raise HttpError(404 if taken.problem == giving.UNKNOWN else 400, taken.problem)
    return HttpResponse(status=200, content_type=_XML)


def _time(given: str, otherwise: datetime) -> datetime:
    if not given:
        return otherwise
    read = moment(given)
    if read is None:
        raise HttpError(400, "Write a time as 2026-01-07T00:00:00Z, in UTC.")
    return max(read, datetime(1970, 1, 2, tzinfo=UTC))


def _check_kind(kind: str) -> None:
    if kind.lower() not in _KINDS:
        raise HttpError(404, f"Fingerprints here are {', '.join(sorted(_KINDS))}.")


def _guid(reason: Reason) -> UUID:
    return uuid5(_REASONS, reason.value)


def _reason(guid: UUID) -> Reason:
    for reason in REASONS[Say.DISPUTE]:
        if _guid(reason) == guid:
            return reason
    raise HttpError(400, "This reason is not one of those that are listed here.")
