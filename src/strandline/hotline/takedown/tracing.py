"""Finding out who answers for an address: registries over RDAP, routing over DNS.

Reaches outside by ``strandline.fetching`` alone and writes nothing. Whatever a registry answers,
tracing ends with what could be found and with what went wrong, in words; a registry that asks to
be asked later, or a resolver that fails, leaves a time to try again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import quote

from strandline.errors import LookupFailed
from strandline.fetching import Answer, Failure, Fetcher
from strandline.hotline.takedown import rdap, routing

T = TypeVar("T")

#: Bootstrap files are asked for once in this many seconds, by one process.
KEEP_BOOTSTRAP = 3600.0
#: When a registry says 'later' without saying when, or does not answer.
LATER = timedelta(minutes=15)
#: The longest wait a registry may ask for.
LATEST = timedelta(hours=12)
BUSY = (429, 503)

_bootstraps: dict[str, tuple[float, bytes]] = {}


@dataclass
class Traced:
    """Everything one trace found."""

    ip: str | None = None
    origin: routing.Origin | None = None
    as_name: str = ""
    network: rdap.Network | None = None
    parent: rdap.Network | None = None
    domain: rdap.Domain | None = None
    system: rdap.System | None = None
    #: What was asked and what went wrong, for the record.
    asked: list[str] = field(default_factory=list)
    #: Set when asking again may find more.
    again_in: timedelta | None = None

    @property
    def country(self) -> str:
        """Country of the network; the routing registry's where the network's says nothing."""
        own = self.network.country if self.network else ""
        return own or (self.origin.country if self.origin else "")

    @property
    def contacts(self) -> tuple[str, ...]:
        """Mailboxes in the order to write to: network, enclosing network, its system, registrar."""
        sources = (self.network, self.parent, self.system, self.domain)
        return tuple(dict.fromkeys(found.abuse for found in sources if found and found.abuse))


def trace_host(
    host: str, site: str, fetcher: Fetcher, bootstrap: str, *, ip: str | None = None
) -> Traced:
    """Trace the server of ``host`` (at ``ip``, where known) and the registrar of ``site``."""
    traced = Traced()
    ask = _Registries(fetcher, bootstrap, traced)
    traced.ip = ip or ask.resolve(host)
    if traced.ip is not None:
        traced.origin = routing.read_origin(ask.texts(routing.origin_question(traced.ip)))
        traced.network = ask.network(traced.ip)
        if traced.network is not None:
            traced.parent = ask.parent(traced.network, traced.ip)
    if traced.origin is not None:
        name = ask.texts(routing.system_question(traced.origin.asn))
        traced.as_name = routing.read_system_name(name)
        traced.system = ask.system(traced.origin.asn)
    if not _is_ip(site):
        traced.domain = ask.domain(site)
    return traced


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class _Registries:
    """The questions of one trace; notes each in ``traced``."""

    def __init__(self, fetcher: Fetcher, bootstrap: str, traced: Traced) -> None:
        self._fetcher = fetcher
        self._bootstrap = bootstrap if bootstrap.endswith("/") else f"{bootstrap}/"
        self._traced = traced

    def resolve(self, host: str) -> str | None:
        """The first address of a host name, or the address it is."""
        if _is_ip(host):
            return host
        for kind in ("A", "AAAA"):
            for found in self._lookup(host, kind):
                if _is_ip(found):
                    return found
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """TXT records of a name."""
        return self._lookup(name, "TXT")

    def network(self, ip: str) -> rdap.Network | None:
        """The network of an address; where its registry has nothing, the one around it."""
        for question in (ip, *rdap.enclosing(ip)):
            base = self._base_for_address(ip)
            found, missing = self._ask(base, f"ip/{question}", rdap.read_network)
            if found is not None or not missing:
                return found
        return None

    def parent(self, network: rdap.Network, ip: str) -> rdap.Network | None:
        """The network that encloses ``network``, if a registry names another one."""
        if network.up:
            found, _ = self._ask((network.up,), "", rdap.read_network)
        elif question := rdap.wider(network):
            # The smallest network that encloses a wider prefix (RFC 9082, 3.1.1).
            base = self._base_for_address(ip)
            found, _ = self._ask(base, f"ip/{question}", rdap.read_network)
        else:
            return None
        return found if found and found.encloses(network) else None

    def system(self, asn: int) -> rdap.System | None:
        """An autonomous system."""
        base = rdap.services_for_system(self._file("asn.json"), asn)
        return self._ask(base, f"autnum/{asn}", rdap.read_system)[0]

    def domain(self, site: str) -> rdap.Domain | None:
        """A domain; where no registry has it, the domain it is under."""
        file = self._file("dns.json")
        labels = site.split(".")
        for start in range(max(1, min(3, len(labels) - 1))):
            name = ".".join(labels[start:])
            base = rdap.services_for_domain(file, name)
            found, missing = self._ask(base, f"domain/{quote(name)}", rdap.read_domain)
            if found is not None or not missing:
                return found
        return None

    def _base_for_address(self, ip: str) -> tuple[str, ...]:
        address = ip_address(ip)
        return rdap.services_for_address(self._file(f"ipv{address.version}.json"), address)

    def _ask(
        self, bases: tuple[str, ...], path: str, read: Callable[[bytes], T | None]
    ) -> tuple[T | None, bool]:
        """What a registry says, and whether it said that it has nothing."""
        missing = False
        for base in bases[:2]:
            answer = self._get(f"{base}{path}")
            if answer is None:
                continue
            if answer.status == 200 and (found := read(answer.body)) is not None:
                return found, False
            if answer.status == 200:
                self._note(f"{answer.url} gave no usable answer")
            missing = missing or answer.status == 404
        return None, missing

    def _get(self, url: str) -> Answer | None:
        answer = self._fetcher.fetch(url, max_bytes=rdap.MOST_BYTES)
        if isinstance(answer, Failure):
            self._note(f"{url}: {answer.reason.value}")
            self._later(LATER)
            return None
        self._note(f"{url} ({answer.status})")
        if answer.status in BUSY:
            self._later(retry_after(answer.headers.get("retry-after", "")))
        elif answer.status >= 500:
            self._later(LATER)
        return answer

    def _file(self, name: str) -> bytes:
        url = f"{self._bootstrap}{name}"
        kept = _bootstraps.get(url)
        if kept and time.monotonic() - kept[0] < KEEP_BOOTSTRAP:
            return kept[1]
        answer = self._get(url)
        if answer is None or answer.status not in {200, 404}:
            return b""
        body = answer.body if answer.status == 200 else b""
        _bootstraps[url] = (time.monotonic(), body)
        return body

    def _lookup(self, name: str, kind: str) -> tuple[str, ...]:
        try:
            found = self._fetcher.lookup(name, kind)
        except LookupFailed as failed:
            self._note(f"{kind} of {name}: {failed.message}")
            self._later(LATER)
            return ()
        self._note(f"{kind} of {name}")
        return found

    def _note(self, text: str) -> None:
        self._traced.asked.append(text)

    def _later(self, wait: timedelta) -> None:
        self._traced.again_in = max(self._traced.again_in or wait, wait)


def retry_after(text: str) -> timedelta:
    """How long a Retry-After header (RFC 9110, 10.2.3) asks to wait: a minute to :data:`LATEST`.

    A date is read against no clock of ours: it waits :data:`LATER`, as an unreadable value does.
    """
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 8:
        return max(timedelta(minutes=1), min(timedelta(seconds=int(text)), LATEST))
    return LATER
