"""Members' statements about their own use of the list, which the public reads."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Path, Router, Schema
from ninja.errors import HttpError

from strandline.hotline import clock
from strandline.hotline.accountability.models import MonthlyFigures
from strandline.hotline.accountability.services import MOST, state_figures
from strandline.hotline.errors import FiguresRefused
from strandline.hotline.partners.calls import Problem, caller

router = Router(tags=["accountability"])

Count = Annotated[int, Field(ge=0, le=MOST)]


class FiguresIn(Schema):
    """What a member did with the list in one month."""

    #: Files that were compared with the list.
    compared: Count
    #: Of those, files that were on it.
    matched: Count
    #: Of those, files that were reported to the authority named in its law.
    reported: Count


class FiguresOut(FiguresIn):
    """The statement as the public reads it."""

    month: date
    stated_at: datetime


_REFUSALS: Mapping[int, Any] = {401: Problem, 403: Problem}


@router.get(
    "/figures", response={200: list[FiguresOut], **_REFUSALS}, summary="What you stated so far"
)
def stated(request: HttpRequest) -> list[MonthlyFigures]:
    """One's own statements, the latest month first."""
    return list(MonthlyFigures.objects.filter(member=caller(request)))


@router.put(
    "/figures/{month}",
    response={200: FiguresOut, 409: Problem, **_REFUSALS},
    summary="State your figures of one month; a second statement replaces the first",
)
def state(
    request: HttpRequest,
    month: Annotated[str, Path(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")],
    said: FiguresIn,
) -> MonthlyFigures:
    """The public reads them under your name, as your own word."""
    counts = said.dict()
    try:
        return state_figures(caller(request), month, **counts, now=clock.now())
    except FiguresRefused as refused:
        raise HttpError(409, refused.message) from refused
