"""Deciding what members contest."""

import pytest

from strandline.hotline.assessment.models import Assessment, Claim
from strandline.hotline.assessment.words import Stage
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback.models import Review
from strandline.hotline.feedback.reviews import keep, withdraw
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.hashlist.services import add_entry
from strandline.hotline.hashlist.services import withdraw as take_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def senior(person):
    return person("senior-analyst")


@pytest.fixture
def disputed(listed, member, say):
    """An entry in quarantine, and the statement that put it there."""
    (entry,) = listed()
    return entry, say(member(), "dispute", entry)


def test_an_entry_that_is_kept_is_matched_again_and_its_member_reads_why(disputed, senior, now):
    entry, statement = disputed
    keep(Review.objects.get(), reason="It is what it says.", by=senior, now=now)
    entry.refresh_from_db()
    statement.refresh_from_db()
    assert entry.state == Entry.State.LISTED
    assert (statement.state, statement.review.reason) == ("kept", "It is what it says.")
    assert Event.objects.last().why == "cleared"


def test_an_entry_that_goes_is_withdrawn_under_the_word_that_was_chosen(disputed, senior, now):
    entry, statement = disputed
    withdraw(Review.objects.get(), why="not-illegal", reason="She is 30.", by=senior, now=now)
    entry.refresh_from_db()
    statement.refresh_from_db()
    assert entry.state == Entry.State.WITHDRAWN
    assert statement.state == "withdrawn"
    assert Event.objects.last().why == "not-illegal"
    assert AuditEntry.objects.filter(action="feedback.close_review").get().actor == senior.actor


def test_one_member_cannot_quarantine_again_what_was_kept(disputed, senior, member, say, now):
    entry, _ = disputed
    keep(Review.objects.get(), reason="It is.", by=senior, now=now)
    say(member(), "dispute", entry)
    assert entry.state == Entry.State.LISTED
    assert Review.objects.filter(outcome="").count() == 1
    say(member(), "dispute", entry)
    assert entry.state == Entry.State.QUARANTINED, "but a new quorum can"


def test_a_dispute_that_was_answered_weighs_nothing_in_the_next_review(
    disputed, senior, member, say, now
):
    entry, _ = disputed
    keep(Review.objects.get(), reason="It is.", by=senior, now=now)
    say(member(), "dispute", entry)
    assert Review.objects.get(outcome="").statements.count() == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 251])
def test_a_decision_needs_a_reason_that_fits(reason, disputed, senior, now):
    for act in (keep, lambda *a, **k: withdraw(*a, why="mistake", **k)):
        with pytest.raises(FeedbackRefused) as refused:
            act(Review.objects.get(), reason=reason, by=senior, now=now)
        assert refused.value.field == "reason"
    assert Review.objects.get().is_open


@pytest.mark.parametrize("why", ["", "flood", "moved", "x"])
def test_a_withdrawal_needs_a_word_that_fits(why, disputed, senior, now):
    with pytest.raises(FeedbackRefused) as refused:
        withdraw(Review.objects.get(), why=why, reason="x", by=senior, now=now)
    assert refused.value.field == "why"


def test_a_review_is_decided_once(disputed, senior, now):
    review = Review.objects.get()
    keep(review, reason="It is.", by=senior, now=now)
    stale = Review(pk=review.pk)
    with pytest.raises(FeedbackRefused, match="meanwhile"):
        withdraw(stale, why="mistake", reason="x", by=senior, now=now)
    assert Entry.objects.get().state == Entry.State.LISTED


def test_what_was_withdrawn_elsewhere_cannot_be_kept_but_closed(disputed, senior, now):
    entry, statement = disputed
    take_off(entry, reason="A mistake", by="person:9", now=now)
    with pytest.raises(FeedbackRefused, match="cannot stay"):
        keep(Review.objects.get(), reason="x", by=senior, now=now)
    withdraw(Review.objects.get(), why="mistake", reason="It was.", by=senior, now=now)
    statement.refresh_from_db()
    assert statement.state == "withdrawn"


def test_whoever_assessed_the_picture_does_not_judge_the_dispute(
    address, member, say, person, senior, now
):
    where = address("captured", pictures=1)
    item = where.appearances.get().item
    claim = Claim.objects.create(
        address=where, analyst=senior, stage=Stage.FIRST, taken_at=now, until=now
    )
    Assessment.objects.create(
        item=item, analyst=senior, claim=claim, stage=Stage.FIRST, at=now, category="A", law="uk-1"
    )
    entry = add_entry(item, category="A", by="test", now=now)
    say(member(), "dispute", entry)
    with pytest.raises(FeedbackRefused, match="yourself"):
        keep(Review.objects.get(), reason="I was right.", by=senior, now=now)
    keep(Review.objects.get(), reason="They were right.", by=person("senior-analyst"), now=now)
