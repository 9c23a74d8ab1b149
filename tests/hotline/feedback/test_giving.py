"""Taking in what members say: idempotent, within their scope, with the effects of the rules."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.audit.verify import verify
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback.giving import Said, give
from strandline.hotline.feedback.models import Review, Statement
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.hashlist.services import withdraw
from strandline.lists.published.classes import Scope

pytestmark = pytest.mark.django_db


def test_a_first_dispute_quarantines_what_one_source_vouches_for(listed, member, say):
    (entry,) = listed()
    made = say(member(), "dispute", entry)
    assert entry.state == Entry.State.QUARANTINED
    assert Event.objects.last().why == "disputed"
    review = Review.objects.get()
    assert made.review == review
    assert "only one source" in review.quarantined_because
    assert made.state == "in-review"


def test_a_dispute_of_a_confirmed_entry_asks_for_a_review_and_no_more(listed, member, say):
    (entry,) = listed()
    say(member(), "confirm", entry)
    say(member(), "dispute", entry)
    assert entry.state == Entry.State.LISTED
    assert Review.objects.get().is_open


def test_a_quorum_of_independent_members_quarantines_at_once(listed, member, say):
    (entry,) = listed()
    for _ in range(3):
        say(member(), "confirm", entry)
    say(member(), "dispute", entry)
    say(member(), "dispute", entry)
    assert entry.state == Entry.State.QUARANTINED
    assert Review.objects.get().by_quorum


def test_members_of_one_group_are_not_independent(listed, member, say):
    (entry,) = listed()
    say(member(), "confirm", entry)
    say(member(group="One House"), "dispute", entry)
    say(member(group="One House"), "dispute", entry)
    assert entry.state == Entry.State.LISTED


def test_saying_the_same_again_changes_nothing(listed, member, say):
    (entry,) = listed()
    who = member()
    first = say(who, "dispute", entry)
    acts = AuditEntry.objects.count()
    assert say(who, "dispute", entry) == first
    assert AuditEntry.objects.count() == acts
    assert (Statement.objects.count(), Review.objects.count()) == (1, 1)


def test_a_batch_that_is_sent_again_late_revives_nothing(listed, member, say):
    """A retry of an old call, after the member changed its mind: its references give it away."""
    (entry,) = listed()
    who = member()
    first = say(who, "dispute", entry, reference="7")
    say(who, "confirm", entry, reference="8")
    again = say(who, "dispute", entry, reference="7")
    assert again.pk == first.pk
    assert again.state == "replaced"
    assert entry.state == Entry.State.LISTED


def test_one_case_number_covers_several_entries_in_one_call(listed, member, now):
    one, other = listed(2)
    said = [Said(entry.name, "dispute", "adult", reference="case-4711") for entry in (one, other)]
    who = member()
    taken = give(who, said, now=now)
    assert [each.statement.entry_id for each in taken] == [one.pk, other.pk]
    assert [each.statement for each in give(who, said, now=now)] == [
        each.statement for each in taken
    ]
    assert Statement.objects.count() == 2


def test_something_else_under_a_used_reference_is_a_problem_and_never_lost_silently(
    listed, member, now
):
    (entry,) = listed()
    who = member()
    said = [
        Said(entry.name, "dispute", "adult", reference="7"),
        Said(entry.name, "confirm", "seen", reference="7"),
    ]
    first, second = give(who, said, now=now)
    assert (first.statement.say, first.problem) == ("dispute", "")
    assert second.statement is None
    assert "reference" in second.problem
    (later,) = give(who, [said[1]], now=now)
    assert "reference" in later.problem
    assert Statement.objects.get().standing == "counted"


def test_a_member_that_changes_its_mind_undoes_what_it_caused(listed, member, say):
    (entry,) = listed()
    who = member()
    say(who, "dispute", entry)
    assert entry.state == Entry.State.QUARANTINED
    say(who, "confirm", entry)
    assert entry.state == Entry.State.LISTED
    assert Review.objects.get().outcome == "lapsed"


def test_one_entry_twice_in_a_batch_counts_as_said_last(listed, member, now):
    (entry,) = listed()
    said = [Said(entry.name, "dispute", "adult"), Said(entry.name, "confirm", "seen")]
    first, last = give(member(), said, now=now)
    assert (first.statement.standing, last.statement.standing) == ("replaced", "counted")
    entry.refresh_from_db()
    assert entry.state == Entry.State.LISTED


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"entry": "entry-9"}, "no entry of this number"),
        ({"entry": "x"}, "no entry of this number"),
        ({"entry": "9" * 40}, "no entry of this number"),
        ({"entry": ""}, "no entry of this number"),
        ({"say": "love"}, "Say one of"),
        ({"reason": "seen"}, "The reason of 'dispute'"),
        ({"reason": ""}, "The reason of 'dispute'"),
        ({"reason": "other"}, "Write a note"),
        ({"note": "x" * 501}, "at most 500"),
        ({"note": "\x00"}, "no null"),
        ({"reference": "x" * 65}, "at most 64"),
        ({"reference": "a\nb"}, "printable"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_rest_of_the_batch_is_kept(
    said, problem, listed, member, now
):
    (entry,) = listed()
    usual = {"entry": entry.name, "say": "dispute", "reason": "adult"}
    wrong, right = give(
        member(), [Said(**usual | said), Said(entry.name, "confirm", "seen")], now=now
    )
    assert problem in wrong.problem
    assert wrong.statement is None
    assert right.statement.say == "confirm"


def test_an_entry_outside_a_members_scope_does_not_exist_for_it(listed, member, now):
    (entry,) = listed(category="C")
    narrow = member(scope=Scope(categories=frozenset({"A"})))
    outside, nowhere = give(
        narrow,
        [Said(entry.name, "dispute", "adult"), Said("entry-999", "dispute", "adult")],
        now=now,
    )
    assert outside.problem == nowhere.problem != ""


def test_more_than_a_call_holds_is_refused_whole(member, now):
    with pytest.raises(FeedbackRefused, match="1000"):
        give(member(), [Said("entry-1", "confirm", "seen")] * 1001, now=now)


def test_enough_members_who_find_it_of_no_use_get_it_reviewed(listed, member, say):
    (entry,) = listed()
    for _ in range(2):
        say(member(), "not-useful", entry)
    assert not Review.objects.exists()
    say(member(), "not-useful", entry)
    assert Review.objects.get().cause == "not-useful"
    assert Review.objects.get().statements.count() == 3
    assert entry.state == Entry.State.LISTED


def test_a_dispute_of_what_is_withdrawn_already_is_kept_and_asks_nobody(listed, member, say, now):
    (entry,) = listed()
    withdraw(entry, reason="A mistake", by="person:1", now=now)
    assert say(member(), "dispute", entry).state == "counted"
    assert not Review.objects.exists()


def test_a_review_ends_by_itself_when_the_entry_was_withdrawn_elsewhere(listed, member, say, now):
    (entry,) = listed()
    say(member(), "dispute", entry)
    withdraw(entry, reason="A mistake", by="person:1", now=now)
    say(member(), "dispute", entry, at=now + timedelta(minutes=1))
    assert Review.objects.get().outcome == "withdrawn"


def test_a_call_and_what_it_causes_are_in_the_chain(listed, member, say):
    entries = listed(2)
    who = member()
    say(who, "dispute", *entries)
    acts = list(AuditEntry.objects.values_list("action", "actor"))
    assert acts[-5:] == [
        ("feedback.give", who.actor),
        ("feedback.open_review", "feedback"),
        ("hashlist.quarantine", "feedback"),
        ("feedback.open_review", "feedback"),
        ("hashlist.quarantine", "feedback"),
    ]
    assert AuditEntry.objects.get(action="feedback.give").detail == {"dispute": 2}
    assert verify().ok


@pytest.mark.django_db(transaction=True)
def test_members_who_dispute_at_the_same_moment_share_one_review(listed, member, now, hotline):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    entries = listed(6)
    failures = []

    def dispute(who):
        try:
            give(who, [Said(entry.name, "dispute", "adult") for entry in entries[:5]], now=now)
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=dispute, args=[member()]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Review.objects.filter(by_quorum=True).count() == Review.objects.count() == 5
    assert Statement.objects.filter(standing="counted").count() == 30
    assert Event.objects.filter(action="quarantine").count() == 5
    assert verify().ok


def test_what_members_dispute_while_it_is_not_matched_is_quarantined_when_it_would_be(
    listed, member, say, policy, now
):
    from strandline.hotline.hashlist import services
    from strandline.hotline.hashlist.checks import check_listed
    from strandline.hotline.hashlist.models import Why

    policy(quorum=2)
    disputed, other = listed(2)
    for entry in (disputed, other):
        why = Why.CONTRADICTED
        services.quarantine(entry, why=why, reason="Two says otherwise", by="person:1", now=now)
    for _ in range(2):
        say(member(), "dispute", disputed)
    for entry in (disputed, other):
        services.restore(entry, reason="Taken back", by="person:1", now=now)
    check_listed([disputed.pk, other.pk], now=now)
    for entry in (disputed, other):
        entry.refresh_from_db()
    assert [disputed.state, other.state] == ["quarantined", "listed"]
    assert disputed.why == Why.DISPUTED
