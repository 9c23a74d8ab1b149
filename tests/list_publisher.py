"""A publisher with a fixed key and clock, and a real web server for what it publishes."""

import hashlib
import http.server
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from strandline.lists import Entry, latest_digest, write_edition
from strandline.transparency import Signer

SIGNER = Signer.from_seed("hotline.example", bytes(range(32)))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
API_KEY = "member-key-1"


def make_entry(number: int, **changes: object) -> Entry:
    seed = f"entry {number}".encode()
    values: dict[str, object] = {
        "sequence": number,
        "id": f"e{number}",
        "kind": "image",
        "sha256": hashlib.sha256(seed).hexdigest(),
        "sha1": hashlib.sha1(seed).hexdigest(),
        "md5": hashlib.md5(seed).hexdigest(),
        "pdq": hashlib.sha256(b"pdq" + seed).hexdigest(),
        "quality": 100,
        "pipeline": "media-1+pdq-1",
        "category": "confirmed",
    }
    return Entry(**(values | changes))  # type: ignore[arg-type]


@dataclass
class Publisher:
    """Publishes editions into one folder, an hour apart."""

    directory: Path
    signer: Signer = SIGNER
    origin: str = "hotline.example"

    def publish(self, number: int, entries: list[Entry], **changes: object):
        arguments = {
            "number": number,
            "entries": entries,
            "published_at": START + timedelta(hours=number),
            "origin": self.origin,
            "signer": self.signer,
            "previous": latest_digest(self.directory),
        }
        return write_edition(self.directory, **(arguments | changes))  # type: ignore[arg-type]


@dataclass
class Site:
    """What the server does, and what it was asked."""

    url: str
    directory: Path
    #: Answers that differ from the files: path -> (status, headers, body).
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def entry():
    return make_entry


@pytest.fixture
def publisher(tmp_path):
    return Publisher(tmp_path / "published")


@pytest.fixture
def site(publisher):
    """The publisher's folder behind a bearer check, on loopback."""
    publisher.directory.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(publisher.directory))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            found.asked.append(self.path)
            if self.headers["Authorization"] != f"Bearer {API_KEY}":
                self._answer(401, {}, b"who are you?")
            elif self.path in found.answers:
                self._answer(*found.answers[self.path])
            else:
                super().do_GET()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Site(f"http://127.0.0.1:{server.server_port}", publisher.directory)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()
