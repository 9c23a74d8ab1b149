"""Whoever talks slowly does not keep others waiting. On the real server, over real sockets."""

import contextlib
import socket
import threading
import time

import pytest

WHOLE = b"GET /about/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
SLOW = b"POST /report/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na="
HASTY = """
from strandline.hotline.site.patience import PatientWorker

class Hasty(PatientWorker):
    read_seconds = 1.5
"""


@pytest.fixture
def hasty(real_server, tmp_path):
    """The public face with four threads and little patience; connects to it."""
    (tmp_path / "hasty.py").write_text(HASTY)
    port, log = real_server(also=("--worker-class", "hasty.Hasty"), PYTHONPATH=str(tmp_path))
    with contextlib.ExitStack() as open_lines:

        def connect():
            line = socket.create_connection(("127.0.0.1", port), timeout=20)
            return open_lines.enter_context(line)

        connect.log = log
        yield connect


def everything(line):
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65536):
            said += part
    return said


@pytest.mark.parametrize("start", [SLOW, SLOW[:40], SLOW[:1]], ids=["body", "header", "method"])
def test_slow_clients_do_not_stop_a_face(hasty, start):
    slow = [hasty() for _ in range(6)]
    for line in slow:
        line.sendall(start)
    time.sleep(0.3)
    began = time.monotonic()
    line = hasty()
    line.sendall(WHOLE)
    assert everything(line).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 10
    assert "Traceback" not in hasty.log.read_text()


def test_connections_that_say_nothing_take_no_thread(hasty):
    for _ in range(20):
        hasty()
    time.sleep(0.3)
    began = time.monotonic()
    line = hasty()
    line.sendall(WHOLE)
    assert everything(line).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 4


def test_a_request_that_trickles_ends_at_the_same_deadline(hasty):
    line = hasty()
    line.sendall(SLOW)

    def trickle():
        with contextlib.suppress(OSError):
            while True:
                line.sendall(b"x")
                time.sleep(0.2)

    began = time.monotonic()
    threading.Thread(target=trickle, daemon=True).start()
    assert b"200 OK" not in everything(line)
    assert time.monotonic() - began < 8


def test_a_second_request_on_a_connection_has_a_time_of_its_own(hasty):
    line = hasty()
    again = WHOLE.replace(b"close", b"keep-alive")
    line.sendall(again)
    assert line.recv(65536).startswith(b"HTTP/1.1 200")
    time.sleep(1)
    line.sendall(WHOLE)
    assert b"HTTP/1.1 200" in everything(line)


def test_a_form_that_arrives_in_parts_in_time_is_read_whole(hasty):
    line = hasty()
    for part in (SLOW, b"b" * 500, b"c" * 498):
        line.sendall(part)
        time.sleep(0.2)
    line.shutdown(socket.SHUT_WR)
    assert everything(line).startswith(b"HTTP/1.1 403"), "read, and refused for want of a cookie"
