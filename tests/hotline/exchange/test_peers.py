"""A peer's server, walked to the end before anything is kept of it."""

import base64
import dataclasses
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from formats_rows import image, ncmec
from strandline.hotline.errors import ExchangeRefused
from strandline.hotline.exchange import files, peers
from strandline.hotline.exchange.models import Delivery, Source
from strandline.hotline.exchange.services import Terms, add_source
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

pytestmark = pytest.mark.django_db


class Peer(ThreadingHTTPServer):
    """Serves pages of entries to whoever knows the password."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages, self.asked, self.broken_at = [], [], None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        peer = self.server
        peer.asked.append(self.path)
        known = base64.b64encode(b"me:secret word").decode()
        query = parse_qs(urlsplit(self.path).query)
        page = int(query.get("start", ["0"])[0])
        if self.headers.get("Authorization") != f"Basic {known}":
            return self.answer(401, "")
        if page == peer.broken_at:
            return self.answer(200, "<queryResult>")
        more = page + 1 < len(peer.pages)
        link = f"<paging><next>/v2/entries?start={page + 1}</next></paging>" if more else ""
        return self.answer(200, ncmec(*peer.pages[page], paging=link))

    def answer(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def peer():
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def peered(hotline, settings, peer, now, monkeypatch):
    """A source with that server, reachable although it is on loopback."""
    web = dataclasses.replace(settings.HOTLINE.web, allow_networks=("127.0.0.0/8",))
    keys = hotline.home / "own-keys"
    keys.mkdir()
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, web=web)
    source = add_source(
        Terms(
            "Peer", "trusted", "us", {"A1": "A camera"},
            address="https://peer.example", username="me", every_hours=24,
        ),
        by="person:1",
        now=now,
    )  # fmt: skip
    secret = keys / "password"
    secret.write_text("secret word\n")
    secret.chmod(0o600)
    settings.HOTLINE = dataclasses.replace(
        settings.HOTLINE, secret_files={**settings.HOTLINE.secret_files, source.secret: secret}
    )
    Source.objects.filter(pk=source.pk).update(address=peer.url)
    return source


@pytest.fixture
def ask(settings, now):
    def do(at=now):
        with Tools(settings.HOTLINE) as tools:
            row = due.claim(Source, worker="test", now=at)
            assert row is not None
            peers.fetch(row, tools, at)
            row.refresh_from_db()
        return row

    return do


@pytest.fixture
def read_and_take(settings, now, work):
    from strandline.hotline.exchange import services

    def do():
        from strandline.hotline.exchange.handling import handle

        with Tools(settings.HOTLINE) as tools:
            handle(due.claim(Delivery, worker="test", now=now), tools, now)
            delivery = Delivery.objects.latest("pk")
            services.take(delivery, contested="keep", by="person:1", now=now)
            handle(due.claim(Delivery, worker="test", now=now), tools, now)

    return do


def entries(*numbers):
    return [image(number, md5=f"{number:032x}") for number in numbers]


def test_every_page_becomes_one_delivery_and_the_checkpoint_waits_for_it(
    peer, peered, ask, read_and_take, now
):
    peer.pages = [entries(1, 9), entries(4), entries(2)]
    source = ask()
    (delivery,) = Delivery.objects.all()
    assert (source.checkpoint, source.last_error) == (None, "")
    assert source.due_at == now + timedelta(hours=24)
    assert delivery.until == now
    read_and_take()
    assert Entry.objects.count() == 4
    source.refresh_from_db()
    assert source.checkpoint == now


def test_the_next_window_overlaps_the_last(peer, peered, ask, read_and_take, now):
    peer.pages = [entries(1)]
    ask()
    read_and_take()
    ask(now + timedelta(days=1))
    query = parse_qs(urlsplit(peer.asked[-1]).query)
    assert query["from"] == ["2026-03-02T08:00:00.000Z"]
    assert query["to"] == ["2026-03-03T09:00:00.000Z"]


def test_a_page_that_breaks_leaves_nothing_and_is_tried_again(peer, peered, ask):
    peer.pages = [entries(1), entries(2)]
    peer.broken_at = 1
    source = ask()
    assert source.last_error.startswith("page 2: ")
    assert source.failures == 1
    assert source.checkpoint is None
    assert Delivery.objects.count() == 0
    assert list(files.folder().iterdir()) == []


def test_a_wrong_password_is_a_failure_a_person_reads(peer, peered, ask, settings):
    settings.HOTLINE.secret_files[peered.secret].write_text("another\n")
    assert "status 401" in ask().last_error


def test_a_missing_password_is_a_failure_that_says_where_it_belongs(peer, peered, ask, settings):
    settings.HOTLINE.secret_files[peered.secret].unlink()
    assert peered.secret in ask().last_error
    assert peer.asked == []


def test_an_entry_that_says_nothing_fails_the_window(peer, peered, ask):
    peer.pages = [[image(1, md5="xyz")]]
    assert "md5" in ask().last_error
    assert Delivery.objects.count() == 0


def test_nothing_new_moves_the_checkpoint(peer, peered, ask, now):
    peer.pages = [[]]
    source = ask()
    assert source.checkpoint == now
    assert Delivery.objects.count() == 0


def test_while_one_waits_for_a_decision_no_other_is_fetched(peer, peered, ask, now):
    peer.pages = [entries(1)]
    ask()
    later = now + timedelta(days=1)
    source = ask(later)
    assert len(peer.asked) == 1
    assert source.due_at == later + peers.LOOK_AGAIN


def test_a_server_inside_is_not_asked_unless_that_was_allowed(peer, peered, ask, settings):
    web = dataclasses.replace(settings.HOTLINE.web, allow_networks=())
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, web=web)
    peer.pages = [entries(1)]
    assert "did not answer" in ask().last_error
    assert peer.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://peer.example", "http://192.0.2.7", "http://localhost.peer.example",
        "http://127.0.0.1@peer.example", "HTTP://peer.example", "http://[::1", "ftp://127.0.0.1",
    ],
)  # fmt: skip
def test_a_password_is_never_sent_over_the_network_in_the_clear(db, now, address):
    with pytest.raises(ExchangeRefused, match="https://"):
        add_source(Terms("Peer", "trusted", "us", address=address), by="person:1", now=now)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080", "http://[::1]/v2", "http://localhost"]
)
def test_a_server_on_this_very_machine_may_be_asked_without_https(db, now, address):
    add_source(Terms("Peer", "trusted", "us", address=address), by="person:1", now=now)
    assert Source.objects.get().address == address
