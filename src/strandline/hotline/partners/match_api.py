"""The match service as members call it: ``POST /api/v1/match`` and ``GET /api/v1/usage``.

The body of a call is read by ``matchservice.asking``, not by ninja: a thousand items are to cost
milliseconds, and the fault of one is to be told with that one. The schemas here are what the
description says of it, and tests hold the two against each other.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from ninja import Router, Schema
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field

from strandline.hotline import clock
from strandline.hotline.errors import NoList
from strandline.hotline.matchservice import asking, service
from strandline.hotline.matchservice.allowance import Left
from strandline.hotline.matchservice.models import Standing
from strandline.hotline.matchservice.standing import Caller, caller_of

Hex32 = Annotated[str, Field(pattern="^[0-9a-fA-F]{32}$")]
Hex40 = Annotated[str, Field(pattern="^[0-9a-fA-F]{40}$")]
Hex64 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]
Quality = Annotated[int, Field(ge=0, le=100)]


class MatchKey(HttpBearer):
    """A key that may ask the match service: any member's, look-up keys included."""

    openapi_name = "MatchKey"

    def authenticate(self, _request: HttpRequest, token: str) -> Caller | None:
        """Who asks; none when the key is unknown or revoked."""
        return caller_of(token)


class Frame(Schema):
    """One frame of a film."""

    model_config = ConfigDict(extra="forbid")

    #: From the film's beginning.
    ms: Annotated[int, Field(ge=0, lt=2**32)]
    quality: Quality
    pdq: Hex64


class AskedItem(Schema):
    """One picture or film, by its hashes; at least one of them."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(max_length=asking.LONGEST_ID)] | None = None
    sha256: Hex64 | None = None
    sha1: Hex40 | None = None
    md5: Hex32 | None = None
    pdq: Hex64 | None = None
    quality: Quality | None = None
    film: Annotated[list[Frame], Field(min_length=1, max_length=asking.MOST_FRAMES)] | None = None


class Call(Schema):
    """What is asked."""

    model_config = ConfigDict(extra="forbid")

    items: Annotated[list[AskedItem], Field(min_length=1, max_length=asking.MOST_ITEMS)]


class MatchOut(Schema):
    """A listed entry; told only to whoever may hold the list."""

    entry: str
    category: str
    provenance: str
    jurisdiction: str
    survivor: str
    labels: list[str]
    column: Literal["sha256", "sha1", "md5", "pdq", "video"]
    distance: int
    edition: int
    #: Of the film that was asked about, in milliseconds; empty for a picture.
    frames: list[int]


class ItemOut(Schema):
    """The answer to one item, in the same order."""

    id: str | None
    #: Null when nothing could be compared.
    listed: bool | None
    #: The perceptual hash says too little to be compared.
    too_plain: bool
    error: str | None
    matches: list[MatchOut]


class AnswerOut(Schema):
    """The answer: the same shape for one picture, a thousand, and films."""

    edition: int | None
    items: list[ItemOut]


class LeftOut(Schema):
    """A quota and what is left of it, in look-ups."""

    limit: int
    used: int
    left: int


class UsageOut(Schema):
    """What your organisation asked, with all its keys. Days and months are UTC's."""

    #: ``one-bit`` or ``entries``: what answers tell this key.
    answers: Literal["one-bit", "entries"]
    key: Standing.State
    calls_today: int
    look_ups_today: int
    listed_today: int
    refused_today: int
    look_ups_this_month: int
    per_second: float
    at_once: int
    day: LeftOut
    month: LeftOut


class Refusal(Schema):
    """Why a call was not answered, for the person who reads it."""

    detail: str


router = Router(tags=["match"], auth=MatchKey())

_REFUSALS: dict[int, Any] = dict.fromkeys((400, 401, 403, 413, 415, 422, 429, 503), Refusal)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_DEFINITIONS = "#/components/schemas/{model}"


def _body() -> dict[str, Any]:
    """The request's description, with its parts in place."""
    schema = Call.model_json_schema()
    parts = schema.pop("$defs")
    item = parts["AskedItem"]
    film = item["properties"]["film"]["anyOf"][0]
    film["items"] = parts["Frame"]
    schema["properties"]["items"]["items"] = item
    return {"required": True, "content": {"application/json": {"schema": schema}}}


@router.post(
    "/match",
    response={200: AnswerOut, **_REFUSALS},
    summary="Are these hashes listed?",
    openapi_extra={"requestBody": _body()},
)
def match(request: HttpRequest) -> HttpResponse:
    """1 to 1,000 items, by their hashes. Never send a picture."""
    caller = _caller(request)
    try:
        answer = service.match(caller, _read(request), clock.now())
    except service.Suspended:
        return _refuse(
            403,
            "This key is suspended until the hotline has looked at how it was used. Write to them.",
        )
    except service.Revoked:
        refused = _refuse(401, "This key was revoked while the answer was made. Nothing is told.")
        refused["WWW-Authenticate"] = 'Bearer realm="hash list"'
        return refused
    except service.AskedWrong as wrong:
        return _refuse(wrong.status, wrong.message)
    except service.TooMuch as much:
        refused = _refuse(429 if much.seconds is not None else 413, much.message)
        if much.seconds is not None:
            refused["Retry-After"] = str(much.seconds)
        return _with_quota(refused, caller, None)
    except NoList as nothing:
        refused = _refuse(503, nothing.message)
        refused["Retry-After"] = "60"
        return refused
    answered = HttpResponse(answer.body, content_type="application/json")
    if answer.wait is not None:
        answered["Retry-After"] = str(answer.wait)
    return _with_quota(answered, caller, answer.left)


def _only(allowed: str) -> Callable[[HttpRequest], HttpResponse]:
    def refuse(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - ninja reads the names
        refused = _refuse(405, f"Only {allowed} is answered at this address. Nothing was done.")
        refused["Allow"] = allowed
        return refused

    return refuse


for _path, _allowed in (("/match", "POST"), ("/usage", "GET")):
    router.add_api_operation(
        _path,
        [method for method in _METHODS if method != _allowed],
        _only(_allowed),
        auth=None,
        include_in_schema=False,
    )


@router.get(
    "/usage", response={200: UsageOut, 401: Refusal, 503: Refusal}, summary="What you have used"
)
def usage(request: HttpRequest) -> UsageOut:
    """Your figures and what is left of your quotas."""
    caller = _caller(request)
    used = service.used(caller, clock.now())
    limits, left = caller.limits, used.left
    return UsageOut(
        answers="entries" if caller.entitled else "one-bit",
        key=caller.state,
        calls_today=used.calls_today,
        look_ups_today=used.look_ups_today,
        listed_today=used.listed_today,
        refused_today=used.refused_today,
        look_ups_this_month=used.look_ups_this_month,
        per_second=limits.per_second,
        at_once=limits.burst,
        day=LeftOut(limit=limits.per_day, used=limits.per_day - left.day, left=left.day),
        month=LeftOut(limit=limits.per_month, used=limits.per_month - left.month, left=left.month),
    )


def _caller(request: HttpRequest) -> Caller:
    return cast("Caller", getattr(request, "auth"))  # noqa: B009 - set by ninja, unknown to Django


def _read(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig:
        raise asking.AskedWrong(
            413,
            f"The body has more than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes. "
            "Send fewer items at once.",
        ) from None
    except UnreadablePostError:
        raise asking.AskedWrong(400, "The body did not arrive whole. Send it again.") from None


def _refuse(status: int, message: str) -> HttpResponse:
    body = Refusal(detail=message).model_dump_json()
    return HttpResponse(body, status=status, content_type="application/json")


def _with_quota(response: HttpResponse, caller: Caller, left: Left | None) -> HttpResponse:
    """Quota headers as most clients know them; what is left only where it was just looked up."""
    limits = caller.limits
    response["RateLimit-Policy"] = (
        f'"now";q={limits.burst}, "day";q={limits.per_day};w=86400, "month";q={limits.per_month}'
    )
    if left is not None:
        response["RateLimit"] = f'"now";r={left.now}, "day";r={left.day}, "month";r={left.month}'
    return response
