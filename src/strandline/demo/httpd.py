"""The HTTP server of the simulated web: one port on every host's loopback address."""

import json
import selectors
import socket
import socketserver
import sys
import threading
from collections.abc import Iterable
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from urllib.parse import urlsplit

from strandline.demo.clock import FileClock
from strandline.demo.registry import Registries
from strandline.demo.sites import Sent, Sites

_ATTEMPTS = 50


def listen(addresses: Iterable[str], port: int = 0) -> list[socket.socket]:
    """Listening sockets on one port of every address; OSError when ``port`` is taken on one."""
    wanted = list(addresses)
    if not all(ip_address(address).is_loopback for address in wanted):
        raise ValueError("The simulated web listens on loopback addresses only.")
    for attempt in range(1, _ATTEMPTS + 1):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for address in wanted:
                sockets.append(_listen(address, chosen))
                chosen = sockets[0].getsockname()[1]
        except OSError:
            for opened in sockets:
                opened.close()
            if port or attempt == _ATTEMPTS:
                raise
        else:
            return sockets
    raise AssertionError("unreachable")


def _listen(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        opened.listen(64)
    except OSError:
        opened.close()
        raise
    return opened


class HttpServer:
    """Serves the sites and the registries on sockets from ``listen``, a thread per connection."""

    def __init__(
        self,
        sockets: list[socket.socket],
        sites: Sites,
        registries: Registries,
        clock: FileClock,
    ) -> None:
        self._sockets = sockets
        self._server = _Dispatcher(sites, registries, clock)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Close the sockets and cut every open connection."""
        self._wake.close()
        if self._thread.is_alive():
            self._thread.join()
        for opened in (*self._sockets, self._woken):
            opened.close()
        self._server.cut_connections()
        self._server.server_close()  # waits for the connections' threads

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for opened in (*self._sockets, self._woken):
                selector.register(opened, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        return
                    if isinstance(key.fileobj, socket.socket):
                        self._server.process_request(*key.fileobj.accept())


class _Dispatcher(socketserver.ThreadingTCPServer):
    """The threads of socketserver without its own listening socket."""

    # Not daemons: server_close() then waits for them, and no connection outlives the server.
    daemon_threads = False

    def __init__(self, sites: Sites, registries: Registries, clock: FileClock) -> None:
        super().__init__(("127.0.0.1", 0), _Request, bind_and_activate=False)
        self.sites = sites
        self.registries = registries
        self.clock = clock
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self._lock:
            for request in self._open:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:  # the other side was quicker
                    continue

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Visitors hang up whenever they like; anything else is printed with its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    server: _Dispatcher
    protocol_version = "HTTP/1.1"
    server_version = "Simulated"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        self._send(self._answer(), with_body=True)

    def do_HEAD(self) -> None:
        self._send(self._answer(), with_body=False)

    def _answer(self) -> Sent:
        site = (self.headers.get("Host") or "").partition(":")[0].lower().rstrip(".")
        # Doubled slashes come from joining addresses; servers commonly fold them.
        path = "/" + "/".join(part for part in urlsplit(self.path).path.split("/") if part)
        if self.server.sites.knows(site):
            referrer = self.headers.get("Referer") or ""
            return self.server.sites.reply(site, path, referrer, self.server.clock.now())
        reply = self.server.registries.reply(site, path)
        body = json.dumps(reply.document, indent=1).encode()
        wait = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
        return Sent(reply.status, reply.content_type, body, wait)

    def _send(self, sent: Sent, *, with_body: bool) -> None:
        self.send_response(sent.status)
        self.send_header("Content-Type", sent.content_type)
        for name, value in sent.headers.items():
            self.send_header(name, value)
        # One request per connection: stopping then never waits for an idle visitor.
        self.send_header("Connection", "close")
        if sent.stream is None:
            self.send_header("Content-Length", str(len(sent.body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if not with_body:
            return
        self.wfile.write(sent.body)
        if sent.stream is not None:
            for block in sent.stream:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block))
            self.wfile.write(b"0\r\n\r\n")

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The simulated time: a captured answer then fits the record's dates."""
        if timestamp is not None:
            return super().date_time_string(timestamp)
        return format_datetime(self.server.clock.now(), usegmt=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the tests and the demonstration read the record, not a server's log."""
