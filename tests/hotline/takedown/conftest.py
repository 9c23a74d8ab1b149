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


@pytest.fixture
def hosted(address, confirm_at, now):
    """``hosted()``: a confirmed address with a traced host, its first notice in the outbox."""
    from django.db import transaction

    from strandline.hotline.reports.models import Availability, Observation
    from strandline.hotline.reports.states import State
    from strandline.hotline.takedown import traces
    from strandline.hotline.takedown.models import Hosting

    def make(*, abuse="abuse@host.example", upstream="abuse@network.example", at=now):
        row = address(State.CAPTURED, pictures=1)
        Observation.objects.create(
            address=row,
            at=at,
            availability=Availability.PRESENT,
            reason="1 of 1 pictures",
            status=200,
            final_url=row.url,
            ip="192.0.2.1",
        )
        confirm_at(row, at)
        row.trace.due_at = None
        row.trace.save()
        Hosting.objects.create(
            address=row,
            at=at,
            ip="192.0.2.1",
            asn=64496,
            network_name="HOST-NET",
            country="NL",
            host_name="Host",
            abuse_contact=abuse,
            upstream_contact=upstream,
            method="made for a test",
            by="test",
        )
        with transaction.atomic():
            traces._found(row, by="test", now=at)
        return row

    return make


@pytest.fixture
def confirm_at(db, hotline):
    return confirm_all


@pytest.fixture
def deliver(now):
    """``deliver()``: every mail that waits has left; ``deliver(refused=True)``: none is taken."""
    from django.db import transaction

    from strandline.hotline.jobs.models import OutboxMail
    from strandline.hotline.jobs.signals import mail_refused, mail_sent

    def leave(at=now, *, refused=False):
        state = OutboxMail.State.REFUSED if refused else OutboxMail.State.SENT
        for mail in OutboxMail.objects.filter(state=OutboxMail.State.WAITING):
            with transaction.atomic():
                mail.state, mail.due_at = state, None
                mail.sent_at = None if refused else at
                mail.save()
                signal = mail_refused if refused else mail_sent
                signal.send(OutboxMail, mail=mail, now=at)

    return leave


@pytest.fixture
def watched(hosted, deliver):
    """``watched()``: an address whose first notice has left."""

    def make(**options):
        row = hosted(**options)
        deliver()
        row.refresh_from_db()
        return row

    return make


@pytest.fixture
def see(monkeypatch, settings, hotline):
    """``see(address, sight, at)``: its look falls due and shows this; the address as it is then."""
    from strandline.hotline.jobs import due
    from strandline.hotline.jobs.tools import Tools
    from strandline.hotline.takedown import watch
    from strandline.hotline.takedown.models import Look

    def looking(address, sight, at, *, meanwhile=lambda: None):
        def look_at(row, tools, **_kwargs):
            meanwhile()
            return sight(row) if callable(sight) else sight

        monkeypatch.setattr(watch, "look_at", look_at)
        Look.objects.filter(address=address).update(due_at=at)
        row = due.claim(Look, worker="w1", now=at)
        assert row.address_id == address.pk
        with Tools(settings.HOTLINE) as tools:
            watch.look(row, tools, at)
        address.refresh_from_db()
        return address

    return looking
