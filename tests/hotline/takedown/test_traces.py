from datetime import timedelta

import pytest

from strandline.hotline.errors import LeaseLost, NoticeRefused
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import answers, traces
from strandline.hotline.takedown.models import Hosting, Trace
from strandline.hotline.takedown.rdap import Domain, Network
from strandline.hotline.takedown.routing import Origin
from strandline.hotline.takedown.tracing import Traced
from takedown_sights import GONE

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def network(abuse="abuse@host.example"):
    return Network("N-1", "HOST-NET", "NL", None, None, "Host", abuse, "")


@pytest.fixture
def confirmed_row(address, confirm_at, now):
    return lambda: confirm_at(address(State.CAPTURED, pictures=1), now)


@pytest.fixture
def do_trace(monkeypatch, settings, hotline):
    """``do_trace(traced, now)``: the trace that is due finds this."""

    def run(traced, now):
        monkeypatch.setattr(traces, "trace_host", lambda *_, **__: traced)
        row = due.claim(Trace, worker="w1", now=now)
        if row is None:
            return None
        with Tools(settings.HOTLINE) as tools:
            traces.trace(row, tools, now)
        row.refresh_from_db()
        return row

    return run


def levels(address):
    return [f"{n.round} {n.level} {n.recipient}" for n in address.notices.all()]


def test_a_confirmed_address_is_traced_and_its_first_notice_posted(confirmed_row, do_trace, now):
    address = confirmed_row()
    traced = Traced(
        ip="192.0.2.1",
        origin=Origin(64496, "192.0.2.0/24", "DE"),
        network=network(),
        domain=Domain("host.example", "Registrar", "abuse@registrar.example"),
        asked=["A of host.example"],
    )
    row = do_trace(traced, now)
    assert (row.due_at, row.wanted) == (None, "")
    address.refresh_from_db()
    assert address.state == State.TRACED
    hosting = address.hostings.get()
    assert (hosting.country, hosting.asn, hosting.network) == ("NL", 64496, "192.0.2.0/24")
    assert (hosting.abuse_contact, hosting.upstream_contact) == (
        "abuse@host.example",
        "abuse@registrar.example",
    )
    assert levels(address) == ["1 first abuse@host.example"]


def test_a_registry_that_says_later_is_asked_later(confirmed_row, do_trace, now):
    address = confirmed_row()
    busy = Traced(ip="192.0.2.1", again_in=timedelta(minutes=1), asked=["busy (429)"])
    row = do_trace(busy, now)
    assert (row.tries, row.due_at) == (1, now + timedelta(minutes=1))
    row = do_trace(busy, row.due_at)
    assert (row.tries, row.due_at) == (2, now + timedelta(minutes=3))
    do_trace(Traced(ip="192.0.2.1", network=network()), row.due_at)
    assert levels(address) == ["1 first abuse@host.example"]
    assert Hosting.objects.count() == 1


def test_the_networks_contact_is_worth_a_wait_but_not_for_ever(confirmed_row, do_trace, now):
    address = confirmed_row()
    registrar = Domain("host.example", "Registrar", "abuse@registrar.example")
    busy = Traced(ip="192.0.2.1", domain=registrar, again_in=timedelta(minutes=1))
    at = now
    for tries in range(1, traces.MOST_TRIES):
        row = do_trace(busy, at)
        assert (row.tries, levels(address)) == (tries, [])
        at = row.due_at
    do_trace(busy, at)
    assert levels(address) == ["1 first abuse@registrar.example"]


def test_an_address_without_any_contact_waits_for_a_person_and_keeps_its_place(
    confirmed_row, do_trace, now
):
    address = confirmed_row()
    row = do_trace(Traced(ip="192.0.2.1", network=network("")), now)
    assert (row.due_at, row.wanted, row.wanted_since) == (None, "contact", now)
    address.refresh_from_db()
    assert (address.state, levels(address)) == (State.SECOND_ASSESSED, [])


def test_a_contact_a_person_names_gets_the_notice(confirmed_row, do_trace, now):
    address = confirmed_row()
    do_trace(Traced(ip="192.0.2.1", network=network("")), now)
    traces.name_contact(address, "desk@host.example", by="person:1", now=now + DAY)
    address.refresh_from_db()
    assert (address.state, levels(address)) == (State.TRACED, ["1 first desk@host.example"])
    last = address.hostings.last()
    assert (last.method, last.by, last.ip) == ("named by a person", "person:1", "192.0.2.1")
    assert address.hostings.count() == 2
    with pytest.raises(NoticeRefused):
        traces.name_contact(address, "desk@host.example", by="person:2", now=now + DAY)


@pytest.mark.parametrize("typed", ["", "desk", "desk@host.example\nBcc: x@y.example"])
def test_what_is_no_mailbox_is_refused_and_nothing_changes(confirmed_row, do_trace, now, typed):
    address = confirmed_row()
    do_trace(Traced(ip="192.0.2.1"), now)
    with pytest.raises(NoticeRefused):
        traces.name_contact(address, typed, by="person:1", now=now)
    assert address.hostings.count() == 1
    address.trace.refresh_from_db()
    assert address.trace.wanted == "contact"


def test_a_named_contact_after_refused_mail_begins_another_round(hosted, deliver, now):
    address = hosted(upstream="")
    deliver(refused=True)
    traces.name_contact(address, "desk@host.example", by="person:1", now=now)
    deliver()
    assert levels(address) == ["1 first abuse@host.example", "2 first desk@host.example"]
    address.refresh_from_db()
    assert address.state == State.MONITORED


def test_a_named_contact_above_the_host_gets_the_escalation(watched, see, now):
    from takedown_sights import present

    address = watched(upstream="")
    for day in (3, 7):
        see(address, present, now + day * DAY)
    traces.name_contact(address, "noc@network.example", by="person:1", now=now + 7 * DAY)
    assert levels(address)[-1] == "1 escalation noc@network.example"


def test_a_host_that_says_not_ours_is_not_written_to_again(watched, do_trace, deliver, now):
    address = watched()
    answers.answer_notice(address.notices.get(), "not-ours", "", now=now)
    found = Traced(
        ip="192.0.2.1",
        network=network(),
        domain=Domain("host.example", "Registrar", "abuse@registrar.example"),
    )
    do_trace(found, now)
    assert levels(address)[1:] == ["2 first abuse@registrar.example"]
    answers.answer_notice(address.notices.last(), "not-ours", "", now=now)
    row = do_trace(found, now)
    assert (row.wanted, len(levels(address))) == ("owner", 2)
    address.refresh_from_db()
    assert address.state == State.MONITORED


def test_a_trace_under_way_when_the_host_answers_is_done_again(watched, now):
    address = watched()
    traces.trace_again(address, now=now)
    under_way = due.claim(Trace, worker="w1", now=now)
    answers.answer_notice(address.notices.get(), "not-ours", "", now=now)
    with pytest.raises(LeaseLost), due.finish(under_way):
        pass
    assert due.claim(Trace, worker="w2", now=now).pk == under_way.pk


def test_nothing_is_sent_about_what_is_gone_by_the_time_it_is_traced(watched, see, do_trace, now):
    address = watched()
    answers.answer_notice(address.notices.get(), "not-ours", "", now=now)
    see(address, GONE, now + DAY)
    see(address, GONE, now + 2 * DAY)
    assert address.state == State.REMOVED
    row = do_trace(Traced(ip="192.0.2.9", network=network("other@host.example")), now + 2 * DAY)
    assert (row.due_at, len(levels(address))) == (None, 1)


def test_reopened_content_is_traced_anew_and_noticed_in_a_new_round(
    watched, see, do_trace, deliver, now
):
    from takedown_sights import present

    address = watched()
    see(address, GONE, now + DAY)
    see(address, GONE, now + 2 * DAY)
    see(address, present, now + 9 * DAY)
    do_trace(Traced(ip="192.0.2.9", network=network("new@host.example")), now + 9 * DAY)
    deliver(now + 9 * DAY)
    address.refresh_from_db()
    assert address.state == State.MONITORED
    assert levels(address) == ["1 first abuse@host.example", "2 first new@host.example"]
    assert address.look.due_at == now + 10 * DAY
