"""What became of a fetch: a complete answer, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from strandline.errors import StrandlineError


class FailureReason(StrEnum):
    """Why there is no complete answer."""

    REFUSED_ADDRESS = "refused-address"
    NAME_NOT_FOUND = "name-not-found"
    CONNECTION_FAILED = "connection-failed"
    TLS_FAILED = "tls-failed"
    TIMED_OUT = "timed-out"
    TOO_LARGE = "too-large"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    REDIRECT_LOOP = "redirect-loop"
    UNSUPPORTED_TYPE = "unsupported-type"
    BAD_URL = "bad-url"
    BAD_RESPONSE = "bad-response"


@dataclass(frozen=True)
class Hop:
    """One response on the way: the address asked, its HTTP status, the IP address it came from."""

    url: str
    status: int
    ip: str


@dataclass(frozen=True)
class Answer:
    """A complete response, whatever its status.

    ``hops`` ends with the response itself. ``content_type`` is bare and in lower case, empty if
    none was sent. ``body`` is decoded from gzip or deflate. ``headers`` have names in lower case;
    those sent twice are joined by a comma.
    """

    url: str
    final_url: str
    hops: tuple[Hop, ...]
    status: int
    content_type: str
    charset: str | None
    body: bytes = field(repr=False)
    ip: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Failure:
    """No complete answer: nothing of what was received is kept but the hops before it broke off."""

    url: str
    reason: FailureReason
    message: str
    hops: tuple[Hop, ...] = ()


class FetchFailed(StrandlineError):
    """Ends a fetch from within; becomes a :class:`Failure` and never leaves this room."""

    def __init__(self, reason: FailureReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
