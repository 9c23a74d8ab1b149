"""The public face as its visitors meet it."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from public_visitor import Visitor


@pytest.fixture
def clock(monkeypatch, now):
    """``clock.now`` is what the pages take for the present."""

    class Clock:
        pass

    clock = Clock()
    clock.now = now
    monkeypatch.setattr("strandline.hotline.clock.now", lambda: clock.now)
    return clock


@pytest.fixture
def _cheap_codes(monkeypatch):
    """Argon2 at a thousandth of its cost: many reports are sent here."""
    monkeypatch.setattr("strandline.hotline.reports.return_code.MEMORY_KIB", 64)


@pytest.fixture
def visitor(db, clock, face, _cheap_codes):
    """Somebody at the public face."""
    return Visitor(face("public"))


@pytest.fixture
def real_server(tmp_path):
    """``real_server(**environment)`` starts the public face as it is served; its port and log.

    ``also`` are further options of gunicorn.
    """
    from strandline.cli.hotline import gunicorn_options

    running = []

    def start(also=(), **environment):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        log = tmp_path / f"{port}.log"
        command = [sys.executable, "-m", "gunicorn", *gunicorn_options(f"127.0.0.1:{port}", 4)]
        with log.open("wb") as out:
            running.append(
                subprocess.Popen(
                    [*command, *also, "strandline.hotline.site.wsgi"],
                    env={**os.environ, "STRANDLINE_FACE": "public", **environment},
                    stdout=out,
                    stderr=out,
                )
            )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return port, log
        pytest.fail(f"the server did not start: {log.read_text()}")

    yield start
    for server in running:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
