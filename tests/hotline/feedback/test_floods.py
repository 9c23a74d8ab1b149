"""A hostile member: however much it disputes, it empties nothing by itself."""

from datetime import timedelta

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import floods
from strandline.hotline.feedback.floods import LEAST, allowed_disputes, settle_flood
from strandline.hotline.feedback.giving import Said, give
from strandline.hotline.feedback.models import Flood, Review, Statement
from strandline.hotline.feedback.reviews import withdraw
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.jobs import due

pytestmark = pytest.mark.django_db


@pytest.fixture
def let_through(hands, now):
    """Do what is due about floods, as a worker would; how many portions it took."""

    def until_done():
        portions = 0
        while (row := due.claim(Flood, worker="w", now=now)) is not None:
            floods.let_through(row, hands, now)
            portions += 1
        return portions

    return until_done


def quarantined():
    return Entry.objects.filter(state=Entry.State.QUARANTINED).count()


def test_a_short_list_allows_a_few_disputes_and_a_long_one_no_more_than_the_limit(listed, policy):
    listed(2)
    assert allowed_disputes() == LEAST
    policy(flood_percent=1e6)
    assert allowed_disputes() == 50
    policy(flood_disputes=3)
    assert allowed_disputes() == 3


def test_a_flood_in_one_call_quarantines_nothing(listed, member, say):
    entries = listed(LEAST + 1)
    made = say(member(), "dispute", *entries)
    assert {one.state for one in made} == {"held-back"}
    assert quarantined() == 0
    assert not Review.objects.exists()
    flood = Flood.objects.get()
    assert (flood.disputes, flood.allowed) == (LEAST + 1, LEAST)
    assert AuditEntry.objects.get(action="feedback.flood").subject == flood.subject


def test_a_flood_in_small_calls_frees_what_it_had_quarantined(listed, member, say):
    entries = listed(LEAST + 1)
    hostile = member()
    for entry in entries[:-1]:
        say(hostile, "dispute", entry)
    assert quarantined() == LEAST
    say(hostile, "dispute", entries[-1])
    assert quarantined() == 0
    assert set(Review.objects.values_list("outcome", flat=True)) == {"lapsed"}


def test_what_others_dispute_too_stays_quarantined(listed, member, say):
    entries = listed(LEAST + 1)
    honest, hostile = member(), member()
    say(honest, "dispute", entries[0])
    say(hostile, "dispute", *entries)
    entries[0].refresh_from_db()
    assert entries[0].state == Entry.State.QUARANTINED
    assert quarantined() == 1


def test_while_a_flood_is_open_further_disputes_are_held_back_too(listed, member, say, now):
    entries = listed(LEAST + 3)
    hostile = member()
    say(hostile, "dispute", *entries[: LEAST + 1])
    late = say(hostile, "dispute", entries[-1], at=now + timedelta(days=9))
    assert late.state == "held-back"
    assert quarantined() == 0
    assert say(hostile, "confirm", entries[-2]).state == "counted"


def test_disputes_spread_over_time_are_no_flood(listed, member, say, now):
    entries = listed(3 * LEAST)
    careful = member()
    for day in range(3):
        some = entries[day * LEAST : (day + 1) * LEAST]
        say(careful, "dispute", *some, at=now + timedelta(days=2 * day))
    assert not Flood.objects.exists()
    assert quarantined() == 3 * LEAST


def test_a_member_that_was_right_so_far_is_no_flood(listed, member, say, person, now):
    entries = listed(LEAST + 2)
    careful, manager = member(), person("manager")
    say(careful, "dispute", *entries[:LEAST])
    for review in Review.objects.all():
        withdraw(review, why="mistake", reason="Right.", by=manager, now=now)
    say(careful, "dispute", *entries[LEAST:])
    assert not Flood.objects.exists()


def test_disputes_let_through_take_effect_as_any_others(
    listed, member, say, let_through, now, monkeypatch
):
    monkeypatch.setattr(floods, "AT_ONCE", 4)
    entries = listed(LEAST + 1)
    say(member(), "dispute", *entries)
    settle_flood(Flood.objects.get(), count=True, by="person:1", now=now)
    assert quarantined() == 0, "the worker does it, a portion at a time"
    assert let_through() == 2
    assert quarantined() == LEAST + 1
    assert Review.objects.filter(outcome="").count() == LEAST + 1


def test_a_member_whose_flood_was_let_through_can_dispute_another_entry(
    listed, member, say, let_through, now
):
    entries = listed(LEAST + 2)
    who = member()
    say(who, "dispute", *entries[:-1])
    settle_flood(Flood.objects.get(), count=True, by="person:1", now=now)
    let_through()
    assert say(who, "dispute", entries[-1]).state == "in-review"


def test_disputes_set_aside_never_count_and_their_member_is_told(listed, member, say, now):
    entries = listed(LEAST + 1)
    hostile, other = member(), member()
    say(hostile, "dispute", *entries)
    settle_flood(Flood.objects.get(), count=False, by="person:1", now=now)
    assert {row.state for row in Statement.objects.all()} == {"set-aside"}
    say(other, "confirm", entries[0])
    say(other, "dispute", entries[1])
    assert Review.objects.get().statements.count() == 1
    assert not Review.objects.get().by_quorum


def test_a_flood_is_settled_once(listed, member, say, now):
    say(member(), "dispute", *listed(LEAST + 1))
    flood = Flood.objects.get()
    settle_flood(flood, count=False, by="person:1", now=now)
    with pytest.raises(FeedbackRefused, match="already"):
        settle_flood(flood, count=True, by="person:2", now=now)
    assert Flood.objects.get().outcome == "set-aside"


def test_a_hostile_member_with_the_whole_list_and_every_way_to_say_it_empties_nothing(
    listed, member, now
):
    """Batches, repeats, changes of mind: never is more than the allowance out of the list."""
    entries = listed(40)
    hostile = member()
    for turn in range(6):
        for begin in range(0, 40, 7):
            said = [
                Said(entry.name, "dispute", ("adult", "not-illegal", "broken")[turn % 3])
                for entry in entries[begin : begin + 7]
            ]
            give(hostile, said, now=now + timedelta(minutes=turn))
            assert quarantined() <= LEAST
    assert quarantined() == 0
