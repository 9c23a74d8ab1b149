"""A server on loopback whose answers a test sets, and what it takes to capture from it."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """Pages, pictures and films by path; ``put`` gives the address of what was put there."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: dict[str, tuple[int, str, bytes]] = {}

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path: str, content_type: str, body: bytes, status: int = 200) -> str:
        self.answers[path] = (status, content_type, body)
        return self.url(path)


@contextlib.contextmanager
def served() -> Iterator[Site]:
    """A site for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = site.answers.get(self.path, (404, "text/plain", b"not found"))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # whoever asked hangs up early
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reaching_loopback(config, **web):
    """The configuration of a hotline that may fetch from loopback."""
    values = {"allow_networks": ("127.0.0.0/8",), "seconds": 10.0, **web}
    return dataclasses.replace(config, web=dataclasses.replace(config.web, **values))


def captured(url, now, examiner, times=1):
    """That address, reported and captured; as often as ``times`` says, a day apart."""
    from django.conf import settings

    from strandline.hotline.jobs import due
    from strandline.hotline.jobs.tools import Tools
    from strandline.hotline.reports.capture import capture
    from strandline.hotline.reports.models import Capture
    from strandline.hotline.reports.services import take_report

    taken = take_report(address=url, now=now)
    with Tools(settings.HOTLINE) as tools:
        tools.__dict__["examiner"] = examiner  # its workers are kept for further addresses
        for number in range(times):
            at = now + timedelta(days=number)
            row = due.claim(Capture, worker="w", now=at)
            capture(row, tools, at)
    taken.report.address.refresh_from_db()
    return taken.report.address
