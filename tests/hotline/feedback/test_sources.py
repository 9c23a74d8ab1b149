"""A source that turns out contested: an alarm, and what rests on it alone out of the way."""

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FeedbackRefused, LeaseLost
from strandline.hotline.feedback import sources
from strandline.hotline.feedback.models import Review, SourceAlarm
from strandline.hotline.feedback.reviews import withdraw
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.jobs import due

pytestmark = pytest.mark.django_db

State = SourceAlarm.State
LEAST = sources.LEAST


@pytest.fixture
def work(hands, now):
    """Do what is due about sources, as a worker would; how many portions it took."""

    def until_done():
        portions = 0
        while (row := due.claim(SourceAlarm, worker="w", now=now)) is not None:
            sources.act(row, hands, now)
            portions += 1
        return portions

    return until_done


@pytest.fixture
def contested(listed, member, say):
    """A source of 30 entries, 5 of them disputed, one confirmed; and another source."""
    bad, good = listed(30, source="Bad Import"), listed(10, source="Good Import")
    say(member(), "confirm", bad[-1])
    say(member(), "dispute", *bad[:LEAST])
    return bad, good


def states(entries):
    rows = Entry.objects.in_bulk([entry.pk for entry in entries])
    return [rows[entry.pk].state for entry in entries]


def test_few_contested_entries_are_chance(listed, member, say):
    say(member(), "dispute", *listed(LEAST - 1, source="Bad Import"))
    assert not SourceAlarm.objects.exists()


def test_a_contested_source_raises_an_alarm_and_quarantines_nothing_more(contested):
    bad, _ = contested
    alarm = SourceAlarm.objects.get()
    assert (alarm.source, alarm.contested, alarm.brought) == ("Bad Import", LEAST, 30)
    assert alarm.state == State.OPEN
    assert alarm.due_at is None
    assert states(bad[LEAST:]) == ["listed"] * 25
    assert AuditEntry.objects.filter(action="feedback.source_alarm").count() == 1


def test_one_decision_quarantines_what_rests_on_the_source_alone(contested, work, now):
    bad, good = contested
    alarm = SourceAlarm.objects.get()
    sources.decide_alarm(alarm, State.QUARANTINED, reason="All wrong", by="person:1", now=now)
    assert work() == 1
    assert states(bad) == ["quarantined"] * 29 + ["listed"], "the confirmed one goes on"
    assert states(good) == ["listed"] * 10
    assert Event.objects.filter(why="single-source").count() == 24
    assert SourceAlarm.objects.get().changed == 24
    assert Review.objects.count() == LEAST, "no pile of reviews: one decision frees them all"


@pytest.mark.usefixtures("contested")
def test_the_work_goes_on_a_portion_at_a_time(work, now, monkeypatch):
    monkeypatch.setattr(sources, "AT_ONCE", 10)
    alarm = SourceAlarm.objects.get()
    sources.decide_alarm(alarm, State.QUARANTINED, reason="All wrong", by="person:1", now=now)
    assert work() == 3
    assert SourceAlarm.objects.get().changed == 24


def test_restoring_frees_what_the_alarm_quarantined_and_nobody_contests(
    contested, work, member, say, now
):
    bad, _ = contested
    alarm = SourceAlarm.objects.get()
    sources.decide_alarm(alarm, State.QUARANTINED, reason="All wrong", by="person:1", now=now)
    work()
    say(member(), "dispute", bad[10])
    sources.decide_alarm(alarm, State.RESTORED, reason="It was not", by="person:1", now=now)
    work()
    assert states(bad[:LEAST]) == ["quarantined"] * LEAST
    assert states(bad[LEAST:10] + bad[11:]) == ["listed"] * 24
    assert states(bad[10:11]) == ["quarantined"]


def test_withdrawing_takes_off_what_the_alarm_quarantined(contested, work, now):
    bad, good = contested
    alarm = SourceAlarm.objects.get()
    sources.decide_alarm(alarm, State.QUARANTINED, reason="All wrong", by="person:1", now=now)
    work()
    sources.decide_alarm(alarm, State.WITHDRAWN, reason="They are", by="person:1", now=now)
    work()
    assert states(bad[LEAST:-1]) == ["withdrawn"] * 24
    assert states(bad[-1:] + good) == ["listed"] * 11


def test_a_dismissed_alarm_comes_back_only_when_it_is_much_worse(
    contested, listed, member, say, now
):
    bad, _ = contested
    sources.decide_alarm(
        SourceAlarm.objects.get(), State.DISMISSED, reason="Known", by="person:1", now=now
    )
    say(member(), "dispute", *bad[LEAST : LEAST + 4])
    assert SourceAlarm.objects.count() == 1
    say(member(), "dispute", bad[LEAST + 4])
    assert SourceAlarm.objects.count() == 2


def test_one_members_word_never_sets_off_the_automatic_quarantine(contested, work):
    assert 100 * LEAST > 30 * 10, "it is above the higher threshold"
    assert SourceAlarm.objects.get().state == State.OPEN
    assert work() == 0


def test_what_a_quorum_disputes_sets_it_off(contested, member, say, work):
    bad, good = contested
    say(member(), "dispute", *bad[:LEAST])
    alarm = SourceAlarm.objects.get()
    assert (alarm.state, alarm.decided_by) == (State.QUARANTINED, "feedback")
    work()
    assert states(bad) == ["quarantined"] * 29 + ["listed"]
    assert states(good) == ["listed"] * 10


def test_what_reviews_withdrew_sets_it_off(contested, person, work, now):
    bad, _ = contested
    manager = person("manager")
    for review in Review.objects.all():
        withdraw(review, why="not-illegal", reason="It is not.", by=manager, now=now)
    assert SourceAlarm.objects.get().state == State.QUARANTINED
    work()
    assert states(bad[LEAST:-1]) == ["quarantined"] * 24


def test_a_decision_needs_a_reason_and_comes_once(contested, now):
    alarm = SourceAlarm.objects.get()
    with pytest.raises(FeedbackRefused, match="Say why"):
        sources.decide_alarm(alarm, State.QUARANTINED, reason=" ", by="person:1", now=now)
    with pytest.raises(FeedbackRefused, match="meanwhile"):
        sources.decide_alarm(alarm, State.RESTORED, reason="x", by="person:1", now=now)
    sources.decide_alarm(alarm, State.DISMISSED, reason="x", by="person:1", now=now)
    with pytest.raises(FeedbackRefused, match="meanwhile"):
        sources.decide_alarm(alarm, State.QUARANTINED, reason="x", by="person:1", now=now)


def test_a_worker_that_was_overtaken_by_another_decision_writes_nothing(contested, hands, now):
    bad, _ = contested
    alarm = SourceAlarm.objects.get()
    sources.decide_alarm(alarm, State.QUARANTINED, reason="All wrong", by="person:1", now=now)
    row = due.claim(SourceAlarm, worker="w", now=now)
    sources.decide_alarm(alarm, State.RESTORED, reason="It was not", by="person:1", now=now)
    with pytest.raises(LeaseLost):
        sources.act(row, hands, now)
    assert states(bad[LEAST:]) == ["listed"] * 25
