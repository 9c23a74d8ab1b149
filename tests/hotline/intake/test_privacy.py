"""No visitor's address or browser is written anywhere, and nothing typed is stored in the clear."""

import itertools
import logging
import re
import select
import socket

import pytest
from django.db import connection

from public_visitor import Visitor, seven
from strandline.hotline.intake import views

#: Each as no other test or setting has it.
ADDRESS = "198.51.100.173"
FORWARDED = "203.0.113.219"
SIX = "2001:db8:77aa::1f1f"
BROWSER = "Quernstone/9.71"
COOKIE = "marzipan-lighthouse"
REFERER = "https://somewhere-quite-else.example/"
SECRETS = (ADDRESS, FORWARDED, SIX, BROWSER, COOKIE, REFERER)


@pytest.fixture
def traced(db, clock, face, _cheap_codes):
    """A visitor who can be told apart by everything a request can carry."""
    client = face("public")
    client.defaults |= {
        "REMOTE_ADDR": ADDRESS,
        "HTTP_X_FORWARDED_FOR": f"{FORWARDED}, 10.0.0.1",
        "HTTP_X_REAL_IP": FORWARDED,
        "HTTP_FORWARDED": f'for="[{SIX}]"',
        "HTTP_USER_AGENT": BROWSER,
        "HTTP_REFERER": REFERER,
        "REMOTE_HOST": "quernstone.example",
    }
    client.cookies["other"] = COOKIE
    return Visitor(client)


def everything_stored():
    """Every cell of every table, as text and as bytes."""
    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                cells += [bytes(c) if isinstance(c, memoryview) else str(c).encode() for c in row]
    return b"\n".join(c if isinstance(c, bytes) else c.encode() for c in cells)


def visit_everything(visitor):
    for path in ("/", "/about/", "/report/", "/outcome/", "/nowhere/", "/healthz"):
        visitor.open(path)
    visitor.report("http://10.0.0.1/")
    page = visitor.report(note="the message in the clear", contact="the contact in the clear")
    code = seven(page)
    outcome = visitor.outcome(code)
    assert outcome.status_code == 200
    visitor.outcome("some wrong words")
    visitor.add(outcome, "the addition in the clear")
    visitor.post("/report/", b"%00=%ff")
    visitor.client.generic("POST", "/report/", b"x", content_type="multipart/form-data")
    return code


def test_no_table_holds_anything_of_the_visitor(traced):
    visit_everything(traced)
    stored = everything_stored()
    assert b"pictures.example.com" in stored, "the dump shows what is stored"
    for secret in (*SECRETS, "quernstone"):
        assert secret.encode() not in stored


def test_no_table_holds_what_was_typed_in_the_clear_or_the_words(traced):
    code = visit_everything(traced)
    stored = everything_stored()
    assert b"in the clear" not in stored
    assert code.encode() not in stored
    assert code.replace(" ", "").encode() not in stored
    for one, next_one in itertools.pairwise(code.split()):
        assert not re.search(rf"\b{one}\W{{0,3}}{next_one}\b".encode(), stored)


def test_no_log_holds_anything_of_the_visitor(traced, caplog, capfd, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("broken on purpose")

    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            logging.getLogger(name).propagate = True
        visit_everything(traced)
        monkeypatch.setattr(views, "send_report", broken)
        traced.client.raise_request_exception = False
        assert traced.report().status_code == 500
    shown = capfd.readouterr()
    logged = caplog.text + shown.out + shown.err
    assert "broken on purpose" in logged, "the log shows what failed"
    for secret in (*SECRETS, "quernstone", "in the clear"):
        assert secret not in logged


def test_no_log_holds_the_words(traced, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        code = visit_everything(traced)
    shown = capfd.readouterr()
    assert code not in caplog.text + shown.out + shown.err


def test_the_server_itself_logs_no_visitors_address_whatever_is_sent(real_server):
    """The real server, on a socket, spoken to from another loopback address than its own."""
    port, log = real_server()
    for sent in (
        b"GET /about/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /report/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /report/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\nshort",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ):
        say(port, sent, source="127.0.0.173")
    assert "127.0.0.173" not in log.read_text()


def say(port, sent, *, source):
    """Send bytes from an address, and listen until the server has nothing more to say."""
    with socket.create_connection(
        ("127.0.0.1", port), timeout=5, source_address=(source, 0)
    ) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        while select.select([line], [], [], 5)[0]:
            try:
                if not line.recv(65536):
                    return
            except OSError:
                return
