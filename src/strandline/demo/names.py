"""The resolver of the simulated web: addresses of its hosts, and routing origin as TXT.

Origin and autonomous systems are answered in the form of Team Cymru's service
(https://www.team-cymru.com/ip-asn-mapping): ``1.1.64.127.origin.asn.cymru.com`` gives
``64496 | 127.64.1.0/24 | NL | ripencc | 2010-01-01``. Every other name does not exist.
"""

import socketserver
import struct
import threading
from ipaddress import IPv4Address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from strandline.demo.hosts import HOSTS, Host

_TTL = 60
_ORIGIN = ".origin.asn.cymru.com"
_SYSTEM = ".asn.cymru.com"
_ALLOCATED = "2010-01-01"


def addresses(services: dict[str, str]) -> dict[str, str]:
    """Host name -> IPv4 address, for every site, its domain and the given ``services``."""
    known = dict(services)
    for host in HOSTS:
        known[host.domain] = host.address
        known.update({page.site: host.address for page in host.pages})
    return known


def answer(query: dns.message.Message, known: dict[str, str]) -> dns.message.Message:
    """The reply to one query: NOERROR with or without records, or NXDOMAIN."""
    reply = dns.message.make_response(query, recursion_available=True)
    if len(query.question) != 1:
        reply.set_rcode(dns.rcode.FORMERR)
        return reply
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    texts = _origin(name)
    if name in known and question.rdtype == dns.rdatatype.A:
        _add(reply, question.name, dns.rdatatype.A, [known[name]])
    elif texts and question.rdtype == dns.rdatatype.TXT:
        _add(reply, question.name, dns.rdatatype.TXT, [f'"{text}"' for text in texts])
    elif name not in known and not texts and not _has_names_below(name, known):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply


def _add(
    reply: dns.message.Message,
    name: dns.name.Name,
    rdtype: dns.rdatatype.RdataType,
    records: list[str],
) -> None:
    rrset = dns.rrset.from_text_list(name, _TTL, dns.rdataclass.IN, rdtype, records)
    reply.answer.append(rrset)


def _has_names_below(name: str, known: dict[str, str]) -> bool:
    """A name between existing ones exists, without records (RFC 8020)."""
    return any(other.endswith(f".{name}") for other in known)


def _origin(name: str) -> list[str]:
    if name.endswith(_ORIGIN):
        labels = name.removesuffix(_ORIGIN).split(".")
        try:
            address = IPv4Address(".".join(reversed(labels)))
        except ValueError:
            return []
        return [
            f"{host.asn} | {host.network} | {host.country} | {host.registry} | {_ALLOCATED}"
            for host in HOSTS
            if address in host.network
        ]
    if name.endswith(_SYSTEM):
        return [_system(host) for host in HOSTS if name == f"as{host.asn}{_SYSTEM}"]
    return []


def _system(host: Host) -> str:
    owner = f"{host.network_name}, {host.country}"
    return f"{host.asn} | {host.country} | {host.registry} | {_ALLOCATED} | {owner}"


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    known: dict[str, str]


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    known: dict[str, str]


class _UdpQuestion(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        data, socket = self.request
        reply = _reply(data, self.server.known)
        if reply is not None:
            socket.sendto(reply, self.client_address)


class _TcpQuestion(socketserver.StreamRequestHandler):
    server: _TcpServer
    timeout = 5

    def handle(self) -> None:
        head = self.rfile.read(2)
        if len(head) < 2:
            return
        reply = _reply(self.rfile.read(struct.unpack("!H", head)[0]), self.server.known)
        if reply is not None:
            self.wfile.write(struct.pack("!H", len(reply)) + reply)


def _reply(data: bytes, known: dict[str, str]) -> bytes | None:
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None  # as a real resolver does with noise: nothing to answer to
    return answer(query, known).to_wire()


class Resolver:
    """A name server on one port of 127.0.0.1, over UDP and TCP."""

    def __init__(self, known: dict[str, str], port: int = 0) -> None:
        self._tcp, self._udp = _bind_both(port)
        self._tcp.known = self._udp.known = known
        self.port = int(self._tcp.server_address[1])
        self._threads = [
            threading.Thread(
                target=server.serve_forever, args=(0.02,), name=f"dns-{kind}", daemon=True
            )
            for kind, server in (("tcp", self._tcp), ("udp", self._udp))
        ]

    def start(self) -> None:
        """Answer from now on."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close both sockets."""
        for server, thread in zip((self._tcp, self._udp), self._threads, strict=True):
            if thread.is_alive():
                server.shutdown()
            server.server_close()


def _bind_both(port: int) -> tuple[_TcpServer, _UdpServer]:
    """Both protocols on one port; a free one when ``port`` is 0."""
    attempts = 1 if port else 50
    for attempt in range(1, attempts + 1):
        tcp = _TcpServer(("127.0.0.1", port), _TcpQuestion)
        try:
            return tcp, _UdpServer(("127.0.0.1", tcp.server_address[1]), _UdpQuestion)
        except OSError:
            tcp.server_close()
            if attempt == attempts:
                raise
    raise AssertionError("unreachable")
