"""The simulated web around a hotline, and addresses on it that are confirmed."""

import dataclasses
import time
from datetime import timedelta

import pytest
import pytest_socket

from strandline.demo import hosts
from strandline.demo.clock import FileClock
from strandline.demo.web import SimulatedWeb


@pytest.fixture
def clock(tmp_path, now):
    clock = FileClock(tmp_path / "clock")
    clock.set(now)
    return clock


@pytest.fixture
def web(tmp_path, clock, settings, hotline):
    """The simulated web, and this hotline set to reach it."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", hosts.NETWORK])
    with SimulatedWeb(tmp_path / "web", clock) as web:
        host, _, port = web.smtp_address.partition(":")
        settings.HOTLINE = dataclasses.replace(
            settings.HOTLINE,
            clock_file=clock.path,
            web=dataclasses.replace(
                settings.HOTLINE.web,
                allow_networks=web.networks,
                nameservers=(web.dns_address,),
                rdap_bootstrap=web.rdap_bootstrap_url,
                max_bytes=2**20,
                seconds=10,
            ),
            mail=dataclasses.replace(
                settings.HOTLINE.mail,
                host=host,
                port=int(port),
                sent_maildir=web.maildir,
                grace_seconds=0.2,
            ),
        )
        yield web


@pytest.fixture
def tools(web, settings):
    from strandline.hotline.jobs.tools import Tools

    with Tools(settings.HOTLINE) as tools:
        yield tools


@pytest.fixture
def work(tools):
    """Do all that is due at the clock's time."""
    from strandline.hotline.jobs.worker import run_until_idle

    return lambda worker="w1": run_until_idle(tools, worker=worker)


@pytest.fixture
def days(clock, work):
    """``days(3)``: three days pass, and everything is done when it is due."""
    from strandline.hotline.jobs import due

    def passing(number):
        end = clock.now() + timedelta(days=number)
        work()
        while (at := due.next_due()) is not None and at <= end:
            clock.set(max(at, clock.now()))
            work()
        clock.set(end)

    return passing


@pytest.fixture
def report(web, clock, work):
    """``report("moves")``: that page of the simulated web, reported and captured."""
    from strandline.hotline.reports.services import take_report

    def take(key, **options):
        url = hosts.page(key).url(web.http_port)
        taken = take_report(address=url, now=clock.now(), **options)
        work()
        taken.report.address.refresh_from_db()
        return taken.report.address

    return take


@pytest.fixture
def confirm(clock):
    """``confirm(address)``: every picture that could be read is found illegal."""
    return lambda address: confirm_all(address, clock.now())


@pytest.fixture
def confirmed(report, confirm):
    """``confirmed("moves")``: that page, reported, captured and confirmed."""

    def lead(key, **options):
        return confirm(report(key, **options))

    return lead


def confirm_all(address, now):
    from strandline.hotline.assessment import words
    from strandline.hotline.assessment.models import Verdict
    from strandline.hotline.assessment.signals import address_confirmed
    from strandline.hotline.reports.models import MediaItem, ReportedUrl
    from strandline.hotline.reports.services import change_states
    from strandline.hotline.reports.states import State

    for item in MediaItem.objects.filter(appearances__address=address, refusal="", verdict=None):
        Verdict.objects.create(
            item=item,
            category=words.Category.C,
            law="test",
            how=Verdict.How.AGREED,
            decided_at=now,
        )
    address.refresh_from_db()
    path = (State.ASSESSED, State.SECOND_ASSESSED)
    change_states(address, path, by="test", now=now)
    address_confirmed.send(ReportedUrl, address=address, now=now)
    return address


@pytest.fixture
def eventually():
    """Wait, a second at most, for what another thread does."""

    def wait(check):
        end = time.monotonic() + 3
        while not (found := check()) and time.monotonic() < end:
            time.sleep(0.02)
        return found

    return wait
