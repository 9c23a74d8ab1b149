import http.client
import json
import signal
import threading
from datetime import timedelta

import pytest

from strandline.demo import hosts
from strandline.demo.clock import FileClock
from strandline.demo.httpd import listen
from strandline.demo.web import SimulatedWeb


def status(port, key):
    page = hosts.page(key)
    connection = http.client.HTTPConnection(hosts.host_of(page).address, port, timeout=5)
    try:
        connection.request("GET", page.path, headers={"Host": f"{page.site}:{port}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_process_tells_its_addresses_and_ends_at_sigterm(start_web):
    process, addresses = start_web()
    assert addresses["networks"] == [hosts.NETWORK]
    assert status(addresses["http_port"], "removes-at-first") == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    assert process.stdout.read() == ""
    with pytest.raises(ConnectionRefusedError):
        status(addresses["http_port"], "removes-at-first")


def test_a_killed_process_started_again_on_its_ports_continues(start_web, send_mail):
    process, before = start_web()
    clock = FileClock(before["clock"])
    send_mail(before["smtp_address"], "abuse@alder-hosting.example", "about your page")
    clock.advance(timedelta(days=1))
    assert status(before["http_port"], "removes-at-first") == 404
    process.kill()
    process.wait(timeout=5)
    ports = [
        f"--http-port={before['http_port']}",
        f"--dns-port={before['dns_address'].partition(':')[2]}",
        f"--smtp-port={before['smtp_address'].partition(':')[2]}",
    ]
    _, after = start_web(*ports)
    assert after == before
    assert status(after["http_port"], "removes-at-first") == 404
    assert status(after["http_port"], "removes-at-second") == 200


def test_a_second_notice_counts_across_a_restart(tmp_path, clock, send_mail):
    for _ in range(2):
        with SimulatedWeb(tmp_path / "web", clock) as web:
            assert status(web.http_port, "removes-at-second") == 200
            send_mail(web.smtp_address, "abuse@cedar-cloud.example", "about your page")
        clock.advance(timedelta(days=1))
    with SimulatedWeb(tmp_path / "web", clock) as web:
        assert status(web.http_port, "removes-at-second") == 404


def test_a_callback_sees_each_mail_once_it_is_kept(tmp_path, clock, send_mail):
    seen = []
    with SimulatedWeb(
        tmp_path / "web", clock, on_mail=lambda mail: seen.append((mail, mail.path.exists()))
    ) as web:
        send_mail(web.smtp_address, "abuse@alder-hosting.example", "text")
    assert [(mail.recipients, kept) for mail, kept in seen] == [
        (("abuse@alder-hosting.example",), True)
    ]


def test_leaving_ends_every_thread_even_under_a_download(tmp_path, clock):
    before = set(threading.enumerate())
    page = hosts.page("endless")
    with SimulatedWeb(tmp_path / "web", clock) as web:
        connection = http.client.HTTPConnection(
            hosts.host_of(page).address, web.http_port, timeout=5
        )
        connection.request("GET", page.path, headers={"Host": page.site})
        answer = connection.getresponse()
        assert answer.read(1000)
    answer.close()
    connection.close()
    assert set(threading.enumerate()) == before


def test_a_taken_port_is_an_error(tmp_path, web, clock):
    with (
        pytest.raises(OSError, match="in use"),
        SimulatedWeb(tmp_path / "other", clock, http_port=web.http_port),
    ):
        pass


def test_it_listens_on_loopback_addresses_only():
    with pytest.raises(ValueError, match="loopback"):
        listen(["127.64.0.1", "0.0.0.0"])


def test_its_addresses_can_be_written_as_json(web):
    assert json.loads(json.dumps(web.addresses()))["http_port"] == web.http_port
