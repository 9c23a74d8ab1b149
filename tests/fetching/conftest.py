"""A small hostile web on loopback: pages on several addresses and a name server that lies."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import pytest_socket

from strandline.fetching import Fetcher, FetchPolicy

OUTSIDE = ("127.64.10.1", "127.64.10.2")  # allowed in these tests: the public Internet
INSIDE = "127.65.10.1"  # not allowed: somebody's private network
NETWORK = "127.64.0.0/16"

Page = Callable[["Visit"], None]


class Visit(BaseHTTPRequestHandler):
    """One request; a page is a function that gets it and answers as badly as it likes."""

    protocol_version = "HTTP/1.1"
    server: "Host"
    #: What came with a POST.
    sent = b""

    def do_GET(self) -> None:
        self.server.web.visits.append(
            (self.server.server_address[0], self.path, dict(self.headers))
        )
        self.close_connection = True
        try:
            self.server.web.pages[self.path.partition("?")[0]](self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.server.web.broken_off.set()

    def do_POST(self) -> None:
        self.sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        sent = {"Content_Type": "text/html", "Content_Length": str(len(body)), **headers}
        for name, value in sent.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, location: str, status: int = 302, **headers: str) -> None:
        self.answer(b"moved", status, Location=location, **headers)

    def log_message(self, *args: object) -> None:
        pass


class Host(ThreadingHTTPServer):
    daemon_threads = True
    web: "Web"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients under test break off


@dataclass
class Web:
    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    visits: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    broken_off: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "one.test") -> str:
        return f"http://{host}:{self.port}{path}"

    def visited(self) -> list[tuple[str, str]]:
        return [(ip, path) for ip, path, _ in self.visits]

    def serve(self, ip: str, tls: ssl.SSLContext | None = None, port: int | None = None) -> Host:
        host = Host((ip, self.port if port is None else port), Visit)
        host.web = self
        if tls:
            host.socket = tls.wrap_socket(
                host.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=host.serve_forever, args=(0.02,), daemon=True).start()
        return host


@pytest.fixture(autouse=True)
def _sockets_closed_but_for_loopback(socket_enabled: None) -> None:
    """Narrow sockets to loopback as everywhere, but to all of it: several hosts are played."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"])


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    hosts = [web.serve(OUTSIDE[0])]
    web.port = hosts[0].server_address[1]
    hosts += [web.serve(ip) for ip in (*OUTSIDE[1:], INSIDE)]
    yield web
    for host in hosts:
        host.shutdown()
        host.server_close()


@dataclass
class Names:
    """Answers by name and type. A tuple of lists is answered in turn, its last for ever."""

    address: str = ""
    zone: dict[tuple[str, str], list[str] | tuple[list[str], ...] | str] = field(
        default_factory=dict
    )
    asked: list[tuple[str, str]] = field(default_factory=list)

    def reply(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        turn = self.asked.count((name, kind))
        self.asked.append((name, kind))
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        known = self.zone.get((name, kind))
        if known == "silence":
            return None
        if isinstance(known, str):
            reply.set_rcode(dns.rcode.from_text(known))
        elif known is None:
            if not any(name == other for other, _ in self.zone):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        else:
            records = known[min(turn, len(known) - 1)] if isinstance(known, tuple) else known
            reply.answer += self._sets(question.name, kind, records)
        return reply.to_wire()

    @staticmethod
    def _sets(name: dns.name.Name, kind: str, records: list[str]) -> Iterator[dns.rrset.RRset]:
        if records and records[0].startswith("CNAME "):
            target = dns.name.from_text(records[0].removeprefix("CNAME "))
            yield dns.rrset.from_text(name, 1, "IN", "CNAME", target.to_text())
            name, records = target, records[1:]
        if records:
            yield dns.rrset.from_text(name, 1, "IN", kind, *records)


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names()
    for number, ip in enumerate(OUTSIDE):
        names.zone[("one.test", "two.test")[number], "A"] = [ip]
    names.zone["inside.test", "A"] = [INSIDE]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.64.0.53", 0))
    names.address = "{}:{}".format(*udp.getsockname())

    def serve() -> None:
        while True:
            wire, client = udp.recvfrom(4096)
            if wire == b"stop":
                return
            reply = names.reply(wire)
            if reply:
                udp.sendto(reply, client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield names
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
        stopper.sendto(b"stop", udp.getsockname())
    thread.join()
    udp.close()


@pytest.fixture(scope="session")
def system_trust() -> ssl.SSLContext:
    return ssl.create_default_context()  # 50 ms each


@pytest.fixture
def fetcher_with(names: Names, system_trust: ssl.SSLContext) -> Callable[..., Fetcher]:
    def make(tls: ssl.SSLContext | None = None, **limits: object) -> Fetcher:
        settings = {
            "seconds": 5,
            "max_bytes": 100_000,
            "allow_networks": (NETWORK,),
            "nameservers": (names.address,),
        }
        return Fetcher(FetchPolicy(**{**settings, **limits}), tls=tls or system_trust)

    return make


@pytest.fixture
def fetcher(fetcher_with: Callable[..., Fetcher]) -> Fetcher:
    return fetcher_with()
