"""Where a list is published: an address the operator typed, fetched from and from nowhere else."""

import contextlib
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from strandline.errors import ListRefused, LookupFailed
from strandline.fetching import Failure, FailureReason, Fetcher, FetchPolicy

#: Seconds for one file.
TIME_LIMIT = 600

#: Called with a step ("latest" or "entries.jsonl"), bytes so far, and bytes in all.
Progress = Callable[[str, int, int], None]

_ANSWERS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it did not accept the API key",
    HTTPStatus.FORBIDDEN: "the API key may not read this list",
    HTTPStatus.NOT_FOUND: "no list is published there",
}


@dataclass(frozen=True)
class Source:
    """The published folder, read one file at a time."""

    fetcher: Fetcher
    #: Without a final slash.
    url: str
    api_key: str | None
    progress: Progress | None

    def read(self, name: str, max_bytes: int) -> bytes:
        """The file ``name`` below the address; raises ListRefused when there is no whole answer."""
        url = f"{self.url}/{name}"
        step = name.rpartition("/")[2]
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        self._tell(step, 0, max_bytes)
        answer = self.fetcher.fetch(url, headers=headers, max_bytes=max_bytes)
        if isinstance(answer, Failure):
            if answer.reason is FailureReason.TOO_MANY_REDIRECTS:
                raise ListRefused(
                    f"{url} redirects to another address. It was not followed, since your API key "
                    "must not travel; if you trust that address, sync from it."
                )
            raise ListRefused(f"{url} could not be fetched: {answer.message}")
        if answer.status != HTTPStatus.OK:
            reason = _ANSWERS.get(answer.status, f"it answered with status {answer.status}")
            raise ListRefused(f"{url} could not be fetched: {reason}.")
        self._tell(step, len(answer.body), len(answer.body))
        return answer.body

    def _tell(self, step: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(step, done, total)


@contextlib.contextmanager
def open_source(
    url: str, *, api_key: str | None, fetcher: Fetcher | None, progress: Progress | None
) -> Iterator[Source]:
    """Check what the operator typed and make it readable; raises ListRefused.

    Without ``fetcher``, exactly the addresses the host has now can be reached, private ones too,
    and no redirect is followed: an API key never travels anywhere else.
    """
    url, scheme, host = _check_address(url)
    if api_key is not None and not re.fullmatch(r"[!-~]{1,500}", api_key):
        raise ListRefused("The API key contains spaces or other characters a key cannot have.")
    if fetcher is not None:
        yield Source(fetcher, url, api_key, progress)
        return
    addresses = _addresses(host)
    if api_key and scheme == "http" and any(address.is_global for address in addresses):
        raise ListRefused(
            f"The API key was not sent to {url}: without https anyone on the way could read it."
        )
    policy = FetchPolicy(
        seconds=TIME_LIMIT,
        max_redirects=0,
        content_types=("*/*",),
        allow_networks=tuple(str(address) for address in addresses),
    )
    with Fetcher(policy) as client:
        yield Source(client, url, api_key, progress)


def _check_address(url: str) -> tuple[str, str, str]:
    """The address without a final slash, its scheme and its host."""
    try:
        parts = urlsplit(url.rstrip("/"))
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise ListRefused(f"{url!r} is not a web address of a list, like https://example.org/list.")
    if parts.query or parts.fragment:
        raise ListRefused("The address of a list must end with its folder, without ? or #.")
    if host == "localhost":  # no name server answers for it (RFC 6761)
        host = "127.0.0.1"
        parts = parts._replace(netloc=host if port is None else f"{host}:{port}")
    return parts.geturl(), parts.scheme, host


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Every address of the host now; one kind is enough, since some servers fail for the other."""
    with contextlib.suppress(ValueError):
        return [ipaddress.ip_address(host)]
    found: list[str] = []
    failures: list[str] = []
    with Fetcher() as client:
        for kind in ("A", "AAAA"):
            try:
                found += client.lookup(host, kind)
            except LookupFailed as error:
                failures.append(error.message)
    if not found:
        reason = failures[0] if failures else "There is no such name, or it has no address."
        raise ListRefused(f"{host} was not found. {reason}")
    return [ipaddress.ip_address(address) for address in found]
