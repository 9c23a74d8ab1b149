"""The only way to a socket: every name is looked up, checked and pinned where it is connected.

An ``httpcore2`` network backend. Whatever an address was parsed to above, what counts is the host
that arrives here: it is looked up once, each of its IP addresses is checked, and the connection
goes to one of those checked, so that a second answer of the name server changes nothing.
"""

import ipaddress
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from strandline.errors import LookupFailed
from strandline.fetching.names import NoAnswerInTime, Resolver
from strandline.fetching.networks import IPAddress, Networks, is_reachable
from strandline.fetching.results import FailureReason, FetchFailed

_ATTEMPTS = 6  # addresses tried of one host
_PER_ATTEMPT = 6.0  # seconds, so that one dead address does not use up the fetch


class Deadline:
    """The end of the whole fetch, however slowly its parts arrive."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def put_off(self, seconds: float) -> None:
        """Let the whole fetch take ``seconds``, where that is longer."""
        longer = max(0.0, seconds - self._seconds)
        self._seconds += longer
        self._end += longer

    def remaining(self) -> float:
        """Return the seconds left, more than zero. Raises :class:`FetchFailed`."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> FetchFailed:
        """Return the failure of a fetch that took too long."""
        return FetchFailed(
            FailureReason.TIMED_OUT,
            f"No complete answer came within {self._seconds:g} seconds. It may work later.",
        )


class Allowance:
    """Bytes that may still be received, packed or not, headers included."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._left = 2 * max_bytes + 2**20  # chunked coding and headers take room of their own

    def grow(self, max_bytes: int) -> None:
        """Let ``max_bytes`` be received, where that is more."""
        more = max(0, max_bytes - self._max_bytes)
        self._max_bytes += more
        self._left += 2 * more

    def spend(self, count: int) -> None:
        """Count received bytes. Raises :class:`FetchFailed`."""
        self._left -= count
        if self._left < 0:
            raise too_large(self._max_bytes)


def too_large(max_bytes: int) -> FetchFailed:
    """Return the failure of an answer with more bytes than are accepted."""
    return FetchFailed(
        FailureReason.TOO_LARGE,
        f"The answer has more than the {max_bytes:,} bytes that are accepted. "
        "It was cut off and not kept.",
    )


class GuardedStream(httpcore2.NetworkStream):
    """A stream whose every step ends by the deadline."""

    def __init__(
        self,
        stream: httpcore2.NetworkStream,
        deadline: Deadline,
        allowance: Allowance,
        peer: tuple[str, int],
    ) -> None:
        self._stream = stream
        self._deadline = deadline
        self._allowance = allowance
        self._peer = peer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read what has arrived."""
        data = self._stream.read(max_bytes, timeout=self._deadline.remaining())
        self._allowance.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send all of ``buffer``."""
        self._stream.write(buffer, timeout=self._deadline.remaining())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Shake hands; the certificate is checked against the name, not the pinned address."""
        try:
            stream = self._stream.start_tls(
                ssl_context, server_hostname, timeout=self._deadline.remaining()
            )
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLError):
                raise _tls_failed(error.__cause__, server_hostname) from error
            raise
        return GuardedStream(stream, self._deadline, self._allowance, self._peer)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (the interface's own type)
        """Return ``server_addr``, whom this was connected to, or what the inner stream knows.

        The system forgets the other end as soon as that one has hung up, which a server may do
        before its answer is read.
        """
        return self._peer if info == "server_addr" else self._stream.get_extra_info(info)


def _tls_failed(error: ssl.SSLError, host: str | None) -> FetchFailed:
    said = getattr(error, "verify_message", "") or (error.reason or "").replace("_", " ").lower()
    return FetchFailed(
        FailureReason.TLS_FAILED,
        f"No secure connection to {host} could be made: {said.rstrip('.') or 'it broke off'}.",
    )


class PinningBackend(httpcore2.NetworkBackend):
    """Connects to checked addresses only."""

    def __init__(
        self, resolver: Resolver, allow: Networks, deadline: Deadline, allowance: Allowance
    ) -> None:
        self._resolver = resolver
        self._allow = allow
        self._deadline = deadline
        self._allowance = allowance
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of ``host`` that answers. Raises :class:`FetchFailed`."""
        addresses = self._checked(host)[:_ATTEMPTS]
        for index, address in enumerate(addresses):
            left = self._deadline.remaining()
            fair = left if index == len(addresses) - 1 else min(_PER_ATTEMPT, left / 2)
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, fair, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
            else:
                peer = str(address), port
                return GuardedStream(stream, self._deadline, self._allowance, peer)
        raise last

    def _checked(self, host: str) -> list[IPAddress]:
        addresses = self._addresses(host)
        # All of them, not the good ones among them: a name with one foot inside is a trap.
        for address in addresses:
            if not is_reachable(address, self._allow):
                raise FetchFailed(
                    FailureReason.REFUSED_ADDRESS,
                    f"{host} leads to {address}, which is not on the public Internet, "
                    "so it was not asked.",
                )
        return addresses

    def _addresses(self, host: str) -> list[IPAddress]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        try:
            addresses = self._resolver.addresses(host, remaining=self._deadline.remaining)
        except NoAnswerInTime as error:
            raise FetchFailed(FailureReason.TIMED_OUT, error.message) from None
        except LookupFailed as error:
            raise FetchFailed(FailureReason.CONNECTION_FAILED, error.message) from None
        if not addresses:
            raise FetchFailed(
                FailureReason.NAME_NOT_FOUND,
                f"There is no site named {host}: the name servers know no address for it.",
            )
        return list(addresses)


class GuardedTransport(httpx2.HTTPTransport):
    """httpx2's transport over a :class:`PinningBackend`, without proxies."""

    def __init__(self, backend: PinningBackend, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        # The constructor has no parameter for the backend; its pool has.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls, max_connections=1, network_backend=backend
        )
