"""Where another hotline hands in its certificate of an edition."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from strandline.hotline import clock
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.certificates import MAX_NOTE, take_certificate
from strandline.hotline.partners.calls import Problem, caller

router = Router(tags=["list"])


class CertificateIn(Schema):
    """A certificate, as ``strandline list certify`` signs it."""

    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE)]


class CertificateOut(Schema):
    """What became of it."""

    hotline: str
    edition: int
    classes: int
    #: ``received``, ``logged`` or ``released``.
    state: str


@router.post(
    "/certificates",
    response={200: CertificateOut, 401: Problem, 422: Problem},
    summary="Certify an edition",
)
def certify(request: HttpRequest, body: CertificateIn) -> CertificateOut:
    """Take in a signed certificate of a hotline that the policy names; again changes nothing."""
    member = caller(request)
    try:
        taken = take_certificate(body.note, by=member.actor, now=clock.now())
    except ListChangeRefused as refused:
        raise HttpError(422, refused.message) from refused
    return CertificateOut(
        hotline=taken.hotline,
        edition=taken.edition_id,
        classes=taken.classes,
        state=taken.state,
    )
