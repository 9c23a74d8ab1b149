"""Reading what registries say (RDAP, RFC 9083; its bootstrap, RFC 9224): bytes in, facts out.

The answers come from outside and are read as hostile: size, depth and number of entities are
limited, wrong types are passed over, and what is no JSON object is simply no answer (``None``).
Registries differ in where they put the abuse contact: beside the owner (ARIN) or inside the
owner's entity (RIPE); both are found, the one nearest to the top first.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from strandline.hotline.takedown.mailbox import read_mailbox

#: Larger answers are not read. IANA's own bootstrap files are below 200 kB.
MOST_BYTES = 2**20
#: Entities inside entities that are followed, and entities read in all.
DEEPEST = 5
MOST_ENTITIES = 300
#: Characters kept of any name.
LONGEST_NAME = 120

Ip = IPv4Address | IPv6Address
Document = dict[str, Any]


@dataclass(frozen=True)
class Party:
    """An entity of an answer: who, in which roles, under which mailboxes."""

    roles: frozenset[str]
    name: str
    mailboxes: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """An IP network (RFC 9083, 5.4)."""

    handle: str
    name: str
    country: str
    first: Ip | None
    last: Ip | None
    owner: str
    abuse: str
    #: Where the enclosing network is described, if the answer says.
    up: str

    @property
    def span(self) -> str:
        """First and last address, for a reader."""
        return f"{self.first} - {self.last}" if self.first and self.last else ""

    def encloses(self, other: "Network") -> bool:
        """Whether this is a wider network around ``other``."""
        mine, theirs = _range(self), _range(other)
        if mine is None or theirs is None or mine[0] != theirs[0] or mine == theirs:
            return False
        return mine[1] <= theirs[1] and theirs[2] <= mine[2]


@dataclass(frozen=True)
class Domain:
    """A domain (RFC 9083, 5.3) and its registrar."""

    name: str
    registrar: str
    abuse: str


@dataclass(frozen=True)
class System:
    """An autonomous system (RFC 9083, 5.5)."""

    name: str
    owner: str
    abuse: str


def read_network(body: bytes) -> Network | None:
    """The network an answer describes."""
    document = _document(body, "ip network")
    if document is None:
        return None
    parties = list(_parties(document))
    country = _text(document, "country").upper()
    return Network(
        handle=_text(document, "handle"),
        name=_text(document, "name"),
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
        first=_ip(document, "startAddress"),
        last=_ip(document, "endAddress"),
        owner=_name(parties, "registrant"),
        abuse=_abuse(parties),
        up=_link(document, "up") or _link(document, "rdap-up"),
    )


def read_domain(body: bytes) -> Domain | None:
    """The domain an answer describes; its abuse contact is the registrar's (RFC 9083, 5.3)."""
    document = _document(body, "domain")
    if document is None:
        return None
    parties = list(_parties(document))
    return Domain(
        name=_text(document, "ldhName").lower().rstrip("."),
        registrar=_name(parties, "registrar"),
        abuse=_abuse(parties),
    )


def read_system(body: bytes) -> System | None:
    """The autonomous system an answer describes."""
    document = _document(body, "autnum")
    if document is None:
        return None
    parties = list(_parties(document))
    return System(_text(document, "name"), _name(parties, "registrant"), _abuse(parties))


def services_for_address(bootstrap: bytes, ip: Ip) -> tuple[str, ...]:
    """Base addresses of the registry for ``ip``: the longest prefix wins (RFC 9224, 5.1, 5.2)."""
    best, found = -1, tuple[str, ...]()
    for key, services in _services(bootstrap):
        try:
            network = ip_network(key, strict=False)
        except ValueError:
            continue
        if network.version == ip.version and ip in network and network.prefixlen > best:
            best, found = network.prefixlen, services
    return found


def services_for_domain(bootstrap: bytes, name: str) -> tuple[str, ...]:
    """Base addresses of the registry for ``name``: the most labels win (RFC 9224, 4)."""
    labels = name.lower().rstrip(".").split(".")
    known = {key.lower().strip("."): services for key, services in _services(bootstrap)}
    for start in range(len(labels)):
        services = known.get(".".join(labels[start:]))
        if services:
            return services
    return ()


def services_for_system(bootstrap: bytes, asn: int) -> tuple[str, ...]:
    """Base addresses of the registry for ``asn``, by ranges as ``64496-64511`` (RFC 9224, 5.3)."""
    for key, services in _services(bootstrap):
        first, _, last = key.partition("-")
        numbers = first.isdecimal() and (last or first).isdecimal() and len(key) < 30
        if numbers and int(first) <= asn <= int(last or first):
            return services
    return ()


def _load(body: bytes) -> Document | None:
    if len(body) > MOST_BYTES:
        return None
    try:
        loaded = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) else None


def _document(body: bytes, kind: str) -> Document | None:
    document = _load(body)
    if document is None or document.get("objectClassName") != kind:
        return None
    return document


def _services(bootstrap: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    document = _load(bootstrap) or {}
    for service in _list(document.get("services")):
        match service:
            case [list(keys), list(urls), *_]:
                bases = tuple(
                    url if url.endswith("/") else f"{url}/"
                    for url in urls
                    if isinstance(url, str) and url.startswith(("https://", "http://"))
                )
                # The secure one first, as RFC 9224, 3 asks.
                ordered = tuple(sorted(bases, key=lambda url: url.startswith("http://")))
                for key in keys:
                    if isinstance(key, str) and ordered:
                        yield key, ordered
            case _:
                continue


def _parties(document: Document) -> Iterator[Party]:
    """Every entity, those nearest to the top first."""
    waiting = deque((entity, 1) for entity in _list(document.get("entities")))
    read = 0
    while waiting and read < MOST_ENTITIES:
        entity, depth = waiting.popleft()
        read += 1
        if not isinstance(entity, dict):
            continue
        roles = frozenset(
            role.lower() for role in _list(entity.get("roles")) if isinstance(role, str)
        )
        name, mailboxes = _card(entity.get("vcardArray"))
        yield Party(roles, name, mailboxes)
        if depth < DEEPEST:
            waiting.extend((inner, depth + 1) for inner in _list(entity.get("entities")))


def _card(card: object) -> tuple[str, tuple[str, ...]]:
    """Name and mailboxes of a jCard: ``["vcard", [[name, parameters, type, value]]]`` (7095)."""
    match card:
        case ["vcard", list(properties), *_]:
            pass
        case _:
            return "", ()
    name = ""
    mailboxes: list[str] = []
    for entry in properties[:100]:
        match entry:
            case [str(key), _, _, *values]:
                for value in values:
                    if key.lower() == "fn" and isinstance(value, str):
                        name = name or _clean(value)
                    elif key.lower() == "email" and (mailbox := read_mailbox(value)):
                        mailboxes.append(mailbox)
            case _:
                continue
    return name, tuple(mailboxes)


def _abuse(parties: list[Party]) -> str:
    return next(
        (mailbox for p in parties if "abuse" in p.roles for mailbox in p.mailboxes),
        "",
    )


def _name(parties: list[Party], role: str) -> str:
    return next((p.name for p in parties if role in p.roles and p.name), "")


def _link(document: Document, relation: str) -> str:
    for link in _list(document.get("links")):
        if isinstance(link, dict) and link.get("rel") == relation:
            href = link.get("href")
            if isinstance(href, str) and href.startswith(("https://", "http://")):
                return href
    return ""


def _text(document: Document, key: str) -> str:
    value = document.get(key)
    return _clean(value) if isinstance(value, str) else ""


def _ip(document: Document, key: str) -> Ip | None:
    try:
        return ip_address(_text(document, key))
    except ValueError:
        return None


def _clean(text: str) -> str:
    """One line of printable text that any database and mail can hold."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text[: LONGEST_NAME * 4])
    return " ".join(shown.split())[:LONGEST_NAME].strip()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _range(network: Network) -> tuple[int, int, int] | None:
    """IP version, first and last address as numbers."""
    first, last = network.first, network.last
    if first is None or last is None or first.version != last.version:
        return None
    return first.version, int(first), int(last)


def enclosing(ip: str) -> tuple[str, ...]:
    """Wider prefixes around an address, to ask about when a registry has nothing closer."""
    address = ip_address(ip)
    lengths = (24, 16) if address.version == 4 else (48, 32)
    return tuple(str(ip_network(f"{ip}/{length}", strict=False)) for length in lengths)


def wider(network: Network) -> str:
    """The smallest prefix that is wider than ``network``; empty when there is none."""
    span = _range(network)
    if span is None or network.first is None:
        return ""
    _, first, last = span
    common = network.first.max_prefixlen - (first ^ last).bit_length()
    if common < 9:  # nobody is responsible for more than that
        return ""
    return str(ip_network(f"{network.first}/{common - 1}", strict=False))
