"""One address, one answer: an HTTP client that cannot be turned inwards."""

import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx2

from strandline import __version__
from strandline.errors import AddressRefused
from strandline.fetching.address import WebAddress, read
from strandline.fetching.body import ACCEPTED_CODINGS, read_body
from strandline.fetching.names import Resolver
from strandline.fetching.networks import read_networks
from strandline.fetching.results import Answer, Failure, FailureReason, FetchFailed, Hop
from strandline.fetching.wire import (
    Allowance,
    Deadline,
    GuardedTransport,
    PinningBackend,
    too_large,
)

_MAX_URL = 8192  # characters; signed addresses of picture servers are longer than people's
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # token (RFC 9110, 5.6.2)
_OUR_HEADERS = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "host", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    )
)


@dataclass(frozen=True)
class FetchPolicy:
    """The limits of a fetch. The defaults suit a reported page and its pictures."""

    #: For the whole fetch: lookups, redirects and body together.
    seconds: float = 20
    #: Of the final body, as received and as unpacked.
    max_bytes: int = 25 * 2**20
    max_redirects: int = 8
    #: Bare types a successful answer may have; ``image/*`` and ``*/*`` stand for many.
    content_types: tuple[str, ...] = (
        *("text/html", "application/xhtml+xml", "text/plain"),
        "image/*",
    )
    #: Those of ``content_types``, such as films, of which an answer may have ``large_bytes`` and
    #: take ``large_seconds`` where that is more. A caller's own ``max_bytes`` holds for them too.
    large_types: tuple[str, ...] = ()
    large_bytes: int = 0
    large_seconds: float = 0
    #: Networks (CIDR) reached although they are not public. Nothing else opens them.
    allow_networks: tuple[str, ...] = ()
    #: Name servers as "ip:port"; none: those of the system.
    nameservers: tuple[str, ...] = ()
    user_agent: str = f"Strandline/{__version__}"


@dataclass
class _Way:
    """How far a fetch has come."""

    asked: str
    here: WebAddress
    headers: dict[str, str]
    #: What is sent along; None when something is only asked for.
    body: bytes | None = None
    hops: list[Hop] = field(default_factory=list)
    seen: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    #: Whether answers of ``large_types`` may be larger than the limit.
    may_be_large: bool = False


class Fetcher:
    """Fetches public addresses; may be shared between threads.

    Each fetch has connections and cookies of its own, kept for its redirects and no longer.
    ``tls`` replaces the system's trusted authorities (tests have their own). Raises
    ``ValueError`` for a policy whose networks or name servers are none.
    """

    def __init__(
        self, policy: FetchPolicy | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.policy = policy or FetchPolicy()
        self._tls = tls or ssl.create_default_context()
        self._resolver = Resolver(self.policy.nameservers)
        read_networks(self.policy.allow_networks)
        # It logs each address fetched. A list of these belongs in the record, not in a log.
        logging.getLogger("httpx2").setLevel(logging.WARNING)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held between fetches."""

    def lookup(self, name: str, rdtype: str) -> tuple[str, ...]:
        """Return DNS records as text, ``()`` if there are none. Raises LookupFailed."""
        return self._resolver.lookup(name, rdtype)

    def fetch(
        self,
        url: str,
        *,
        referrer: str | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Answer | Failure:
        """Get one address, following its redirects; whatever happens out there is a result.

        ``headers`` go to the host that was asked and to no other it redirects to; ``referrer``
        goes along, as browsers send it. Raises ``ValueError`` only for a header that cannot be
        sent or is not the caller's to set.
        """
        own = _sendable(headers or {})
        limit = self.policy.max_bytes if max_bytes is None else max_bytes
        hops: list[Hop] = []
        try:
            start = self._read(url)
            if referrer is not None:
                own["referer"] = self._read(referrer).url
            way = _Way(url, start, own, hops=hops, may_be_large=max_bytes is None)
            return self._follow(way, limit)
        except FetchFailed as failed:
            return Failure(url, failed.reason, failed.message, tuple(hops))

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Answer | Failure:
        """Send ``body`` to one address, under the same guards as ``fetch``.

        A redirect is not followed: it is the answer, since what is sent is meant for this host
        alone. Raises ``ValueError`` as ``fetch`` does.
        """
        own = _sendable({**(headers or {}), "content-type": content_type})
        limit = self.policy.max_bytes if max_bytes is None else max_bytes
        hops: list[Hop] = []
        try:
            return self._follow(_Way(url, self._read(url), own, body, hops), limit)
        except FetchFailed as failed:
            return Failure(url, failed.reason, failed.message, tuple(hops))

    def _read(self, url: str) -> WebAddress:
        try:
            address = read(url, allow=self.policy.allow_networks, longest=_MAX_URL, lookalikes=True)
        except AddressRefused as refused:
            private = refused.code == "private"
            reason = FailureReason.REFUSED_ADDRESS if private else FailureReason.BAD_URL
            raise FetchFailed(reason, refused.message) from None
        if address.network == "onion":
            raise FetchFailed(
                FailureReason.REFUSED_ADDRESS,
                "Onion services cannot be reached from here yet; the address has to be looked at "
                "by other means.",
            )
        return address

    def _follow(self, way: _Way, limit: int) -> Answer:
        deadline = Deadline(self.policy.seconds)
        allowance = Allowance(limit)
        backend = PinningBackend(self._resolver, self.policy.allow_networks, deadline, allowance)
        with httpx2.Client(
            transport=GuardedTransport(backend, self._tls),
            trust_env=False,
            timeout=self.policy.seconds,
            headers={
                "user-agent": self.policy.user_agent,
                "accept": "*/*",
                "accept-encoding": ACCEPTED_CODINGS,
            },
        ) as client:
            while True:
                _refuse_circle(way, client)
                try:
                    answer = self._ask(client, way, limit, deadline, allowance)
                except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
                    raise _explained(error, way.here, deadline) from error
                if isinstance(answer, Answer):
                    return answer
                if len(way.hops) > self.policy.max_redirects:
                    raise FetchFailed(
                        FailureReason.TOO_MANY_REDIRECTS,
                        f"The address redirects more than {self.policy.max_redirects} times.",
                    )
                self._turn(way, answer)

    def _ask(
        self,
        client: httpx2.Client,
        way: _Way,
        limit: int,
        deadline: Deadline,
        allowance: Allowance,
    ) -> Answer | str:
        """Return the answer, or the location it redirects to."""
        here = way.here
        method = "GET" if way.body is None else "POST"
        with client.stream(method, here.url, headers=way.headers, content=way.body) as response:
            peer = response.extensions["network_stream"].get_extra_info("server_addr")
            way.hops.append(Hop(here.url, response.status_code, str(peer[0])))
            location = response.headers.get("location")
            if response.status_code in _REDIRECTS and location and way.body is None:
                return str(location)
            kind = str(response.headers.get("content-type", ""))
            bare = kind.partition(";")[0].strip().lower()
            if response.is_success and bare and not _matches(bare, self.policy.content_types):
                raise FetchFailed(
                    FailureReason.UNSUPPORTED_TYPE,
                    f"The address leads to {bare[:80]}, which is not a kind that is looked at.",
                )
            if response.is_success and way.may_be_large and _matches(bare, self.policy.large_types):
                limit = max(limit, self.policy.large_bytes)
                allowance.grow(limit)
                deadline.put_off(self.policy.large_seconds)
            declared = response.headers.get("content-length", "")
            if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
                raise too_large(limit)
            body = read_body(
                response.iter_raw(),
                response.headers.get("content-encoding", ""),
                max_bytes=limit,
                deadline=deadline,
            )
            charset = _CHARSET.search(kind)
            return Answer(
                url=way.asked,
                final_url=here.url,
                hops=tuple(way.hops),
                status=response.status_code,
                content_type=bare,
                charset=charset[1].lower() if charset else None,
                body=body,
                ip=way.hops[-1].ip,
                headers=MappingProxyType(dict(response.headers.items())),
            )

    def _turn(self, way: _Way, location: str) -> None:
        target, mark, query = location.partition("?")
        try:
            joined = urljoin(way.here.url, target.replace("\\", "/") + mark + query)
        except ValueError:
            raise FetchFailed(
                FailureReason.BAD_URL, "The site redirects to something that is not an address."
            ) from None
        before, way.here = way.here, self._read(joined)
        weaker = before.scheme == "https" and way.here.scheme == "http"
        if way.here.host != before.host or weaker:
            way.headers = {k: v for k, v in way.headers.items() if k == "referer" and not weaker}


def _matches(content_type: str, known: tuple[str, ...]) -> bool:
    return any(fnmatchcase(content_type, each) for each in known)


def _refuse_circle(way: _Way, client: httpx2.Client) -> None:
    """Refuse to ask the same again; with a new cookie it is another question."""
    cookies = sorted(f"{c.domain};{c.path};{c.name}={c.value}" for c in client.cookies.jar)
    step = (way.here.url, tuple(cookies))
    if step in way.seen:
        raise FetchFailed(FailureReason.REDIRECT_LOOP, "The address redirects in a circle.")
    way.seen.add(step)


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OUR_HEADERS:
            raise ValueError(f"The header {name!r} cannot be set for a fetch.")
        if not value.isascii() or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise ValueError(f"The value of the header {name!r} cannot be sent.")
    return {name.lower(): value for name, value in headers.items()}


def _explained(error: Exception, here: WebAddress, deadline: Deadline) -> FetchFailed:
    if isinstance(error, httpx2.TimeoutException):
        return deadline.passed()
    if isinstance(error, httpx2.NetworkError):
        return FetchFailed(
            FailureReason.CONNECTION_FAILED,
            f"{here.host} could not be reached, or broke off the connection. It may work later.",
        )
    if isinstance(error, httpx2.InvalidURL):
        return FetchFailed(FailureReason.BAD_URL, "The address cannot be asked for.")
    return FetchFailed(
        FailureReason.BAD_RESPONSE,
        f"What {here.host} sent is not a complete and correct answer, so it was left.",
    )
