"""Name lookups, through the configured name servers and no other way."""

import ipaddress
from collections.abc import Callable, Sequence
from functools import cached_property

import dns.exception
import dns.name
import dns.nameserver
import dns.rdata
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.TXT
import dns.resolver

from strandline.errors import LookupFailed
from strandline.fetching.networks import IPAddress

_PATIENCE = 5.0  # seconds for one lookup, retries included
_SHORT_PATIENCE = 2.0  # for IPv6 addresses, when there are IPv4 ones


class NoAnswerInTime(LookupFailed):
    """The name servers did not answer in time."""


class Resolver:
    """Asks ``nameservers`` ("ip:port"), or those of the system when there are none.

    Nothing is cached, the hosts file is not read, no search domain is appended.
    """

    def __init__(self, nameservers: Sequence[str] = ()) -> None:
        self._nameservers = [_nameserver(text) for text in nameservers]

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        try:
            resolver = dns.resolver.Resolver(configure=not self._nameservers)
        except dns.resolver.NoResolverConfiguration:
            raise LookupFailed(
                "This machine names no name server, so no name can be looked up. "
                "Set one in the system or in the fetching policy."
            ) from None
        if self._nameservers:
            resolver.nameservers = self._nameservers
        resolver.search = []
        return resolver

    def lookup(self, name: str, rdtype: str, *, seconds: float = _PATIENCE) -> tuple[str, ...]:
        """Return the records of a name as text; ``()`` if there are none of this type.

        Names come without their final dot, the strings of a TXT record joined. Raises
        :class:`LookupFailed` when nothing is known: no answer in time, or a server's failure.
        """
        try:
            answer = self._resolver.resolve(
                dns.name.from_text(name), rdtype, search=False, lifetime=min(seconds, _PATIENCE)
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.resolver.LifetimeTimeout:
            raise NoAnswerInTime(
                f"The name servers did not answer in time when asked for {name}. Try again later."
            ) from None
        except dns.resolver.NoNameservers:
            raise LookupFailed(
                f"The name servers failed when asked for {name}. Try again later."
            ) from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise LookupFailed(f"{name} could not be looked up: {error}") from error
        return tuple(_text(record) for record in answer)

    def addresses(self, host: str, *, remaining: Callable[[], float]) -> tuple[IPAddress, ...]:
        """Return all IP addresses of a host, IPv4 first. Raises :class:`LookupFailed`.

        ``remaining`` tells the seconds left. One kind of address is enough: some name servers
        answer questions for IPv6 with an error, or not at all.
        """
        found: list[IPAddress] = []
        failure: LookupFailed | None = None
        for rdtype in ("A", "AAAA"):
            patience = _SHORT_PATIENCE if found else _PATIENCE
            try:
                records = self.lookup(host, rdtype, seconds=min(patience, remaining()))
            except NoAnswerInTime:
                if not found:
                    raise
            except LookupFailed as error:
                failure = failure or error
            else:
                found += [ipaddress.ip_address(record) for record in records]
        if failure is not None and not found:
            raise failure
        return tuple(found)


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.lstrip(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(host)), int(port))


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(record.strings).decode(errors="replace")
    if isinstance(
        record, dns.rdtypes.ANY.CNAME.CNAME | dns.rdtypes.ANY.NS.NS | dns.rdtypes.ANY.PTR.PTR
    ):
        return record.target.to_text(omit_final_dot=True)
    return record.to_text()
