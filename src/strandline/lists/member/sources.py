"""Where a published list is read from: a web address a person named, or a bundle on a disk."""

import ipaddress
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol, Self

from strandline.errors import ListRefused, NotPublished, SiteFailed, SourceFailed
from strandline.fetching import Failure, FailureReason
from strandline.fetching.named_site import NamedSite

#: Seconds for one file.
TIME_LIMIT = 600
#: Called with what is read, bytes so far, and bytes in all.
Progress = Callable[[str, int, int], None]

_ANSWERS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it did not accept the API key",
    HTTPStatus.FORBIDDEN: "the API key may not read this list",
}
#: Where a list is served beside the interface of its publisher.
_BESIDE = "/lists"
_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Source(Protocol):
    """A published folder, read one file at a time."""

    def read(self, path: str, max_bytes: int) -> bytes:
        """The file at ``path``; raises NotPublished, or SourceFailed when there is no answer."""

    def has(self, path: str) -> bool:
        """Whether it is worth asking for ``path``."""


class Throttle:
    """Keeps the average below a rate: after each file as long a pause as it should have taken."""

    def __init__(
        self,
        bytes_per_second: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._free = clock()

    def passed(self, count: int) -> None:
        """Wait until ``count`` bytes more may have passed."""
        if not self._rate:
            return
        self._free = max(self._free, self._clock() - 1) + count / self._rate
        pause = self._free - self._clock()
        if pause > 0:
            self._sleep(pause)


@dataclass(frozen=True)
class WebSource:
    """A list published at a web address; its redirects are not followed, so no key travels."""

    site: NamedSite
    api_key: str | None = field(default=None, repr=False)
    throttle: Throttle = field(default_factory=lambda: Throttle(None))

    @classmethod
    def open(cls, url: str, *, api_key: str | None = None, limit_rate: int | None = None) -> Self:
        """Look the address up; raises ListRefused when it is none or the key must not be sent."""
        if api_key is not None and not re.fullmatch(r"[!-~]{1,500}", api_key):
            raise ListRefused("The API key contains spaces or other characters a key cannot have.")
        try:
            site = NamedSite.open(url, seconds=TIME_LIMIT)
        except SiteFailed as failed:
            raise SourceFailed(failed.message) from failed
        plain = site.url.startswith("http:")
        networks = site.fetcher.policy.allow_networks
        public = any(ipaddress.ip_network(each).is_global for each in networks)
        if api_key and plain and public:
            raise ListRefused(
                f"The API key was not sent to {url}: without https anyone on the way could read it."
            )
        return cls(site, api_key, Throttle(limit_rate))

    def has(self, path: str) -> bool:
        """Only asking tells."""
        del path
        return True

    def read(self, path: str, max_bytes: int) -> bytes:
        """The file at ``path``; raises NotPublished, or SourceFailed when there is no answer."""
        url = f"{self.site.url}/{path}"
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        answer = self.site.fetcher.fetch(url, headers=headers, max_bytes=max_bytes)
        if isinstance(answer, Failure):
            if answer.reason is FailureReason.TOO_MANY_REDIRECTS:
                raise SourceFailed(
                    f"{url} redirects to another address. It was not followed, since your API key "
                    "must not travel; if you trust that address, name it."
                )
            raise SourceFailed(f"{url} could not be fetched: {answer.message}")
        self.throttle.passed(len(answer.body))
        if answer.status in _ABSENT:
            raise NotPublished(f"There is no {url}.")
        if answer.status != HTTPStatus.OK:
            reason = _ANSWERS.get(answer.status, f"it answered with status {answer.status}")
            raise SourceFailed(f"{url} could not be fetched: {reason}.")
        return answer.body

    def tell(self, edition: int) -> None:
        """Say which edition is held, to a publisher whose list is served beside its interface.

        So that the publisher knows who still holds what was withdrawn (docs/feedback.md). That it
        is not heard, or not understood, is no trouble of the member's.
        """
        base = self.site.url.removesuffix(_BESIDE)
        if not self.api_key or base == self.site.url:
            return
        self.site.fetcher.post(
            f"{base}/api/v1/holding",
            json.dumps({"edition": edition}).encode(),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.api_key}"},
            max_bytes=2**20,
        )
