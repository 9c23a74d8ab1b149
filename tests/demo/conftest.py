import http.client
import json
import smtplib
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import count

import pytest
import pytest_socket

from strandline.demo import hosts
from strandline.demo.clock import FileClock
from strandline.demo.web import SimulatedWeb

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def clock(tmp_path):
    clock = FileClock(tmp_path / "clock")
    clock.set(START)
    return clock


@pytest.fixture(autouse=True)
def _the_simulated_web_is_let_in():
    """Where the run closes sockets but for 127.0.0.1, open those of the simulated hosts too."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", hosts.NETWORK])


@pytest.fixture
def web(tmp_path, clock):
    with SimulatedWeb(tmp_path / "web", clock) as web:
        yield web


@dataclass
class Got:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def location(self):
        return self.headers["Location"]


@dataclass
class Visitor:
    """Asks the simulated web's servers by socket address and Host header."""

    web: SimulatedWeb

    def get(self, site, path, *, method="GET", referrer=None, address=None):
        if address is None:
            address = next(h.address for h in hosts.HOSTS if site.endswith(h.domain))
        headers = {"Host": f"{site}:{self.web.http_port}"}
        if referrer:
            headers["Referer"] = referrer
        connection = http.client.HTTPConnection(address, self.web.http_port, timeout=5)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return Got(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def page(self, key, **options):
        page = hosts.page(key)
        return self.get(page.site, page.path, **options)

    def picture(self, key, number=1, *, decoy=False, **options):
        page = hosts.page(key)
        return self.get(page.site, page.picture_path(number, decoy=decoy), **options)

    def statuses(self, key, days, **options):
        """The status on this day and on each of the following ones."""
        seen = []
        for _ in range(days):
            seen.append(self.page(key, **options).status)
            self.web.clock.advance(timedelta(days=1))
        return seen


@pytest.fixture
def visitor(web):
    return Visitor(web)


_numbers = count(1)


def _send(smtp_address, to, text, *, message_id=None):
    message = EmailMessage()
    message["From"] = "notices@hotline.example"
    message["To"] = to
    message["Subject"] = "Notice"
    message["Message-ID"] = message_id or f"<{next(_numbers)}@hotline.example>"
    message.set_content(text)
    host, _, port = smtp_address.partition(":")
    with smtplib.SMTP(host, int(port), timeout=5) as smtp:
        smtp.send_message(message)


@pytest.fixture
def send_mail():
    return _send


@pytest.fixture
def mail(web):
    def send(to, text, **options):
        _send(web.smtp_address, to, text, **options)

    return send


@pytest.fixture
def notify(web, mail):
    """Send the host of a page a notice about it."""

    def send(key, **options):
        page = hosts.page(key)
        mail(hosts.host_of(page).abuse, f"Please remove {page.url(web.http_port)} .", **options)

    return send


@pytest.fixture
def start_web(tmp_path):
    """Run the web as a process; (process, the addresses it printed)."""
    started = []

    def start(*options):
        command = [sys.executable, "-m", "strandline.demo.web", str(tmp_path / "web"), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, json.loads(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=5)
        process.stdout.close()
