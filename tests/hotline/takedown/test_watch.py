from datetime import timedelta

import pytest

from strandline.hotline.errors import LeaseLost
from strandline.hotline.jobs import due
from strandline.hotline.reports.models import Observation, ReportedUrl
from strandline.hotline.reports.signals import address_reported_again
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import watch
from strandline.hotline.takedown.models import Look
from takedown_sights import BUSY, GONE, elsewhere, present

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def levels(address):
    return [f"{n.round} {n.level} {n.recipient}" for n in address.notices.all()]


def due_at(address):
    return Look.objects.get(address=address).due_at


def removed(see, address, at):
    see(address, GONE, at)
    return see(address, GONE, at + DAY)


def test_a_look_is_due_a_day_after_the_notice_left(watched, now):
    address = watched()
    assert address.state == State.MONITORED
    assert due_at(address) == now + DAY


def test_one_look_that_finds_it_gone_is_not_removal(watched, see, now):
    address = see(watched(), GONE, now + DAY)
    assert address.state == State.MONITORED
    assert due_at(address) == now + DAY + timedelta(hours=20)


def test_two_looks_too_close_together_are_not_removal(watched, see, now):
    address = watched()
    see(address, GONE, now + DAY)
    see(address, GONE, now + DAY + 19 * HOUR)
    assert address.state == State.MONITORED
    assert due_at(address) == now + DAY + 20 * HOUR


def test_two_gone_looks_apart_are_removal_with_503_between(watched, see, now):
    address = watched()
    for hours, sight in enumerate((GONE, BUSY, BUSY, GONE)):
        see(address, sight, now + DAY + 10 * HOUR * hours)
    assert address.state == State.REMOVED
    assert due_at(address) == now + DAY + 30 * HOUR + 7 * DAY


def test_a_sight_of_the_content_between_begins_anew(watched, see, now):
    address = watched()
    for day, sight in enumerate((GONE, present, GONE), 1):
        see(address, sight, now + DAY * day)
    assert address.state == State.MONITORED
    see(address, GONE, now + 4 * DAY)
    assert address.state == State.REMOVED


def test_503_for_ever_ends_unavailable_never_removed(watched, see, now):
    address = watched()
    for day in range(1, 36):
        see(address, BUSY, now + day * DAY)
    assert address.state == State.UNAVAILABLE
    assert levels(address) == ["1 first abuse@host.example"]
    see(address, present, now + 42 * DAY)
    assert [c.after for c in address.changes.all()][-2:] == [State.MONITORED, State.UNCHANGED]


def test_what_is_unavailable_can_be_found_removed_or_moved(watched, see, now):
    for sights, end in (
        ((GONE, GONE), State.REMOVED),
        ((elsewhere("http://x.example/"),), "moved"),
    ):
        address = watched()
        see(address, BUSY, now + 40 * DAY)
        assert address.state == State.UNAVAILABLE
        for week, sight in enumerate(sights, 7):
            see(address, sight, now + week * 7 * DAY)
        assert address.state == end


def test_reminder_and_escalation_go_out_once_when_they_are_due(watched, see, deliver, now):
    address = watched()
    for day in range(1, 12):
        see(address, present, now + day * DAY)
        deliver(now + day * DAY)
        if day == 2:
            assert len(levels(address)) == 1
    assert levels(address) == [
        "1 first abuse@host.example",
        "1 reminder abuse@host.example",
        "1 escalation abuse@network.example",
    ]
    sent = [(n.sent_at - now).days for n in address.notices.all()]
    assert sent == [0, 3, 7]


def test_nobody_is_reminded_of_what_could_not_be_seen(watched, see, now):
    address = watched()
    for day in range(1, 9):
        see(address, BUSY, now + day * DAY)
    assert len(levels(address)) == 1


def test_an_escalation_with_nobody_to_write_to_waits_for_a_person(watched, see, now):
    address = watched(upstream="")
    for day in (3, 7, 8):
        see(address, present, now + day * DAY)
    address.trace.refresh_from_db()
    assert address.trace.wanted == "upstream"
    assert address.trace.wanted_since == now + 7 * DAY


def test_what_stays_up_is_recorded_as_unchanged_and_looked_at_each_week_for_half_a_year(
    watched, see, now
):
    address = see(watched(), present, now + 35 * DAY)
    assert address.state == State.UNCHANGED
    assert due_at(address) == now + 42 * DAY
    see(address, present, now + 42 * DAY)
    assert (address.state, due_at(address)) == (State.UNCHANGED, now + 49 * DAY)
    see(address, present, now + (35 + 182) * DAY)
    assert (address.state, due_at(address)) == (State.CLOSED, None)


def test_what_was_unchanged_and_goes_after_all_is_removed_with_the_reason(watched, see, now):
    address = see(watched(), present, now + 35 * DAY)
    see(address, GONE, now + 42 * DAY)
    assert address.state == State.UNCHANGED
    see(address, GONE, now + 43 * DAY)
    assert address.state == State.REMOVED
    assert address.changes.last().reason.startswith("gone since 2026-04-13")


def test_moved_content_is_followed_once_and_its_new_home_is_captured(watched, see, now):
    address = watched()
    new = "http://new.example/page"
    see(address, elsewhere(new), now + DAY)
    assert address.state == State.MOVED
    there = ReportedUrl.objects.get(url=new)
    assert (there.moved_from, there.state) == (address, State.TRIAGED)
    assert there.capture.due_at == now + DAY
    see(address, elsewhere(new), now + 8 * DAY)
    assert address.state == State.MOVED
    assert ReportedUrl.objects.count() == 2


def test_content_that_moves_to_a_known_address_has_that_one_looked_at(watched, see, now):
    address, other = watched(), watched()
    Look.objects.filter(address=other).update(due_at=None)
    ReportedUrl.objects.filter(pk=other.pk).update(
        url="http://other.example/", host="other.example"
    )
    see(address, elsewhere("http://other.example/"), now + DAY)
    assert address.state == State.MOVED
    assert due_at(other) == now + DAY


def test_content_redirected_to_where_nothing_can_be_reported_is_still_present(watched, see, now):
    address = see(watched(), elsewhere("http://user@new.example/"), now + DAY)
    assert address.state == State.MONITORED


def test_looks_go_on_after_removal_and_then_the_case_is_closed(watched, see, now):
    address = removed(see, watched(), now + DAY)
    since = now + 2 * DAY
    assert due_at(address) == since + 7 * DAY
    for days, after in ((7, 14), (14, 21), (21, 28)):
        see(address, GONE, since + days * DAY)
        assert (address.state, due_at(address)) == (State.REMOVED, since + after * DAY)
    see(address, BUSY, since + 28 * DAY)
    assert (address.state, due_at(address)) == (State.REMOVED, since + 29 * DAY)
    see(address, GONE, since + 29 * DAY)
    assert (address.state, due_at(address)) == (State.CLOSED, None)


def test_what_returns_is_reopened_and_gets_a_new_round_of_notices(watched, see, deliver, now):
    address = removed(see, watched(), now + DAY)
    see(address, present, now + 9 * DAY)
    assert address.state == State.REOPENED
    address.trace.refresh_from_db()
    assert address.trace.due_at == now + 9 * DAY
    assert due_at(address) is None


def test_an_address_reported_again_after_it_was_closed_is_looked_at_at_once(watched, see, now):
    address = removed(see, watched(), now + DAY)
    see(address, GONE, now + 40 * DAY)
    assert (address.state, due_at(address)) == (State.CLOSED, None)
    again = now + 90 * DAY
    address_reported_again.send(ReportedUrl, address=address, now=again)
    assert due_at(address) == again
    see(address, BUSY, again)
    assert due_at(address) == again + DAY
    see(address, present, again + DAY)
    assert address.state == State.REOPENED


def test_a_closed_address_that_cannot_be_reached_is_not_tried_for_ever(watched, see, now):
    address = removed(see, watched(), now + DAY)
    see(address, GONE, now + 40 * DAY)
    address_reported_again.send(ReportedUrl, address=address, now=now + 90 * DAY)
    see(address, BUSY, now + 93 * DAY)
    assert (address.state, due_at(address)) == (State.CLOSED, None)


def test_a_look_that_was_asked_for_during_a_look_is_not_lost(watched, see, now):
    address = watched()
    at = now + DAY
    see(address, present, at, meanwhile=lambda: watch.ask_look(address, now=at))
    assert due_at(address) == at
    see(address, present, at)
    assert due_at(address) == at + DAY


def test_a_worker_that_lost_its_lease_writes_no_observation(watched, see, now):
    address = watched()
    before = Observation.objects.count()

    def somebody_else_takes_it():
        Look.objects.filter(address=address).update(lease_until=now)
        assert due.claim(Look, worker="w2", now=now + 2 * DAY)

    with pytest.raises(LeaseLost):
        see(address, GONE, now + DAY, meanwhile=somebody_else_takes_it)
    assert Observation.objects.count() == before


def test_nothing_is_looked_at_while_the_notice_has_not_left(hosted, see, now):
    address = hosted()
    Look.objects.create(address=address)

    def never(row):
        raise AssertionError("it must not be fetched")

    see(address, never, now + DAY)
    assert (address.state, due_at(address)) == (State.TRACED, None)
