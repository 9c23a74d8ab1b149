"""A site somebody named in order to read from it or send to it, and no other address."""

import contextlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from strandline.errors import LookupFailed, SiteFailed
from strandline.fetching.fetcher import Fetcher, FetchPolicy
from strandline.fetching.networks import IPAddress
from strandline.fetching.results import Answer, Failure

#: Seconds for one file.
TIME_LIMIT = 60.0
#: Bytes of one file.
MAX_BYTES = 64 * 2**20
_ABSENT = frozenset({404, 410})


@dataclass(frozen=True)
class NamedSite:
    """Files below one address, private networks included since a person named it.

    Exactly the addresses that the host has when this is made can be reached; no redirect is
    followed.
    """

    #: Without a final slash.
    url: str
    fetcher: Fetcher
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @classmethod
    def open(
        cls, url: str, *, seconds: float = TIME_LIMIT, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Look up what a person typed; raises SiteFailed when it is no address or has no host."""
        url, host = _read(url)
        policy = FetchPolicy(
            seconds=seconds,
            max_redirects=0,
            content_types=("*/*",),
            allow_networks=tuple(str(address) for address in _addresses(host)),
        )
        return cls(url, Fetcher(policy), MappingProxyType(dict(headers or {})))

    def read(self, path: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """The file at ``path``; FileNotFoundError when there is none, SiteFailed for all else."""
        url = f"{self.url}/{path}"
        answer = _answer(self.fetcher.fetch(url, headers=self.headers, max_bytes=max_bytes))
        if answer.status in _ABSENT:
            raise FileNotFoundError(f"There is no file {url}.")
        if answer.status != 200:
            raise SiteFailed(f"{url} could not be read: it answered with {answer.status}.")
        return answer.body

    def post(self, path: str, body: bytes, *, max_bytes: int = 2**20) -> tuple[int, bytes]:
        """Send ``body`` to ``path`` and return status and answer; raises SiteFailed for none."""
        url = f"{self.url}/{path}"
        answer = _answer(self.fetcher.post(url, body, headers=self.headers, max_bytes=max_bytes))
        return answer.status, answer.body


def _answer(result: Answer | Failure) -> Answer:
    if isinstance(result, Failure):
        raise SiteFailed(f"{result.url} gave no answer: {result.message}")
    return result


def _read(url: str) -> tuple[str, str]:
    """The address without a final slash, and its host."""
    try:
        parts = urlsplit(url.rstrip("/"))
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise SiteFailed(f"{url!r} is not a web address, like https://example.org/log.")
    if parts.query or parts.fragment:
        raise SiteFailed(f"{url!r} must end with a folder, without ? or #.")
    if host == "localhost":  # no name server answers for it (RFC 6761)
        host = "127.0.0.1"
        parts = parts._replace(netloc=host if port is None else f"{host}:{port}")
    return parts.geturl(), host


def _addresses(host: str) -> list[IPAddress]:
    """Every address of the host now; one kind is enough, since some servers fail for the other."""
    with contextlib.suppress(ValueError):
        return [ipaddress.ip_address(host)]
    found: list[str] = []
    failures: list[str] = []
    client = Fetcher()
    for kind in ("A", "AAAA"):
        try:
            found += client.lookup(host, kind)
        except LookupFailed as error:
            failures.append(error.message)
    if not found:
        reason = failures[0] if failures else "There is no such name, or it has no address."
        raise SiteFailed(f"{host} was not found. {reason}")
    return [ipaddress.ip_address(address) for address in found]
