"""The registries of the simulated web: RDAP answers (RFC 9083) and bootstrap files (RFC 9224).

The answers copy the shapes met in practice: one registry puts the abuse contact beside the
owner, another inside the owner's entity, and some networks have none. Contacts are jCards
(RFC 7095).
"""

from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from strandline.demo.hosts import HOSTS, NETWORK, Contact, Host

#: Address of every registry and of the bootstrap files; inside NETWORK, in nobody's /24.
ADDRESS = "127.64.0.1"
BOOTSTRAP_SITE = "data.registries.example"
DOMAIN_SITE = "rdap.registrars.example"
#: Seconds a busy registry asks for.
RETRY_AFTER = 60

RDAP_TYPE = "application/rdap+json"
_CONFORMANCE = ["rdap_level_0", "cidr0"]
_PUBLISHED = "2026-01-02T03:04:05Z"

Document = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A JSON document to send."""

    status: int
    document: Document
    content_type: str = RDAP_TYPE
    retry_after: int | None = None


def registry_site(registry: str) -> str:
    """The host name of the RDAP service of one of the registries for addresses."""
    return f"rdap.{registry}.example"


def services() -> dict[str, str]:
    """Host name -> address of everything this module answers for."""
    names = {registry_site(host.registry) for host in HOSTS} | {BOOTSTRAP_SITE, DOMAIN_SITE}
    return dict.fromkeys(sorted(names), ADDRESS)


class Registries:
    """Answers requests to the sites of ``services()``; remembers only who was told to wait."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._told_to_wait: set[str] = set()

    def reply(self, site: str, path: str) -> Reply:
        """The answer to GET ``path`` at ``site``."""
        match [part for part in path.split("/") if part]:
            case ["bootstrap", "ipv4.json"] if site == BOOTSTRAP_SITE:
                return self._bootstrap_networks()
            case ["bootstrap", "dns.json"] if site == BOOTSTRAP_SITE:
                return self._bootstrap_domains()
            case ["ip", address, *_]:
                return self._network(site, address)
            case ["domain", name] if site == DOMAIN_SITE:
                return self._domain(name.lower().rstrip("."))
        return _error(HTTPStatus.NOT_FOUND, "There is nothing of this kind here.")

    def _bootstrap_networks(self) -> Reply:
        registries = sorted({host.registry for host in HOSTS})
        found = [
            [
                [str(host.network) for host in HOSTS if host.registry == registry],
                [f"http://{registry_site(registry)}:{self._port}/"],
            ]
            for registry in registries
        ]
        return _bootstrap(f"RDAP bootstrap file for {NETWORK}", found)

    def _bootstrap_domains(self) -> Reply:
        service = [["example"], [f"http://{DOMAIN_SITE}:{self._port}/"]]
        return _bootstrap("RDAP bootstrap file for domains", [service])

    def _network(self, site: str, text: str) -> Reply:
        try:
            address = IPv4Address(text)
        except AddressValueError:
            return _error(HTTPStatus.BAD_REQUEST, "This is not an IPv4 address.")
        for host in HOSTS:
            if address in host.network and site == registry_site(host.registry):
                if host.busy_at_first and host.label not in self._told_to_wait:
                    self._told_to_wait.add(host.label)
                    return _error(
                        HTTPStatus.TOO_MANY_REQUESTS,
                        "Too many questions: ask again later.",
                        retry_after=RETRY_AFTER,
                    )
                return Reply(HTTPStatus.OK, network_document(host, self._port))
        return _error(HTTPStatus.NOT_FOUND, "No such network in this registry.")

    def _domain(self, name: str) -> Reply:
        for host in HOSTS:
            if name == host.domain and host.domain_listed:
                return Reply(HTTPStatus.OK, domain_document(host, self._port))
        return _error(HTTPStatus.NOT_FOUND, "No such domain.")


def network_document(host: Host, port: int) -> Document:
    """The answer about a host's network (RFC 9083, section 5.4)."""
    network = host.network
    where = f"http://{registry_site(host.registry)}:{port}/ip/{network}"
    return {
        "rdapConformance": _CONFORMANCE,
        "objectClassName": "ip network",
        "handle": f"{network[0]} - {network[-1]}",
        "startAddress": str(network[0]),
        "endAddress": str(network[-1]),
        "ipVersion": "v4",
        "name": host.network_name,
        "type": "ASSIGNED PA",
        "country": host.country,
        "parentHandle": "127.64.0.0 - 127.64.255.255",
        "status": ["active"],
        "cidr0_cidrs": [{"v4prefix": str(network.network_address), "length": network.prefixlen}],
        "events": _EVENTS,
        "links": [{"value": where, "rel": "self", "href": where, "type": RDAP_TYPE}],
        "port43": f"whois.{host.registry}.example",
        "entities": _network_entities(host),
        "notices": [_notice("Terms", "Answers are for finding out who is responsible.")],
    }


def domain_document(host: Host, port: int) -> Document:
    """The answer about a host's domain (RFC 9083, section 5.3)."""
    where = f"http://{DOMAIN_SITE}:{port}/domain/{host.domain}"
    registrar = host.registrar_abuse.removeprefix("abuse@")
    inner = _entity("", ["abuse"], "Registrar Abuse Desk", host.registrar_abuse, "group")
    outer = _entity("9999", ["registrar"], f"Registrar {registrar}", None, "org")
    outer["publicIds"] = [{"type": "IANA Registrar ID", "identifier": "9999"}]
    outer["entities"] = [inner]
    return {
        "rdapConformance": ["rdap_level_0"],
        "objectClassName": "domain",
        "handle": f"{host.number:04d}_DOMAIN-EXAMPLE",
        "ldhName": host.domain.upper(),
        "status": ["client transfer prohibited"],
        "nameservers": [
            {"objectClassName": "nameserver", "ldhName": f"ns{n}.{host.domain}"} for n in (1, 2)
        ],
        "secureDNS": {"delegationSigned": False},
        "events": _EVENTS,
        "links": [{"value": where, "rel": "self", "href": where, "type": RDAP_TYPE}],
        "entities": [outer],
    }


_EVENTS = [
    {"eventAction": "registration", "eventDate": "2010-01-01T00:00:00Z"},
    {"eventAction": "last changed", "eventDate": _PUBLISHED},
]


def _network_entities(host: Host) -> list[Document]:
    handle = host.network_name.removesuffix("-NET")
    owner = _entity(f"ORG-{handle}", ["registrant"], f"{handle.title()} Hosting", None, "org")
    noc = _entity(
        f"NOC-{handle}",
        ["technical", "administrative"],
        "Operations",
        f"noc@{host.domain}",
        "group",
    )
    abuse = _entity(f"ABUSE-{handle}", ["abuse"], "Abuse Desk", host.abuse, "group")
    match host.contact:
        case Contact.FLAT:
            return [owner, noc, abuse]
        case Contact.NESTED:
            owner["entities"] = [abuse]
            return [noc, owner]
        case Contact.MISSING:
            return [owner, noc]


def _entity(handle: str, roles: list[str], name: str, mail: str | None, kind: str) -> Document:
    card: list[list[Any]] = [
        ["version", {}, "text", "4.0"],
        ["fn", {}, "text", name],
        ["kind", {}, "text", kind],
        ["adr", {"label": "1 Example Street\nExampleton"}, "text", ["", "", "", "", "", "", ""]],
    ]
    if mail is not None:
        card.append(["email", {"type": "work"}, "text", mail])
    entity: Document = {
        "objectClassName": "entity",
        "roles": roles,
        "vcardArray": ["vcard", card],
    }
    if handle:
        entity["handle"] = handle
    return entity


def _notice(title: str, text: str) -> Document:
    return {"title": title, "description": [text]}


def _bootstrap(description: str, found: list[list[list[str]]]) -> Reply:
    document: Document = {
        "version": "1.0",
        "publication": _PUBLISHED,
        "description": description,
        "services": found,
    }
    return Reply(HTTPStatus.OK, document, "application/json")


def _error(status: HTTPStatus, text: str, *, retry_after: int | None = None) -> Reply:
    document: Document = {
        "rdapConformance": ["rdap_level_0"],
        "errorCode": int(status),
        "title": status.phrase,
        "description": [text],
    }
    return Reply(status, document, retry_after=retry_after)
