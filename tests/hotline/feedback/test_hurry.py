"""What members match and should not does not wait for the usual day of the next edition."""

import dataclasses
from datetime import timedelta

import pytest
from django.db import transaction

from strandline.hotline.accounts.roles import Role
from strandline.hotline.feedback import innocent
from strandline.hotline.hashlist import scheduling
from strandline.hotline.hashlist.models import Entry, Publication, Why
from strandline.hotline.hashlist.scheduling import HURRY
from strandline.hotline.hashlist.services import quarantine_many, restore

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def due():
    return Publication.objects.values_list("due_at", flat=True).get()


@pytest.fixture
def held(listed, published, now):
    """``held(3)``: entries that members have; the next edition is due a day after a change."""

    def make(many=1, **facts):
        found = listed(many, **facts)
        published(now)
        Publication.objects.update(due_at=None)
        return found

    return make


@pytest.fixture
def usual(settings):
    return settings.HOTLINE.publish_every


def test_an_entry_that_nobody_else_vouches_for_is_off_within_minutes(held, member, say, now):
    (entry,) = held()
    say(member(), "dispute", entry, at=now + HOUR)
    assert due() == now + HOUR + HURRY


def test_a_quorum_brings_an_edition_forward_that_was_due_later(
    held, listed, member, say, now, usual
):
    (entry,) = held()
    listed()
    assert due() == now + usual
    say(member(), "confirm", entry)
    say(member(), "dispute", entry, at=now + HOUR)
    assert due() == now + usual, "a review alone hurries nothing"
    say(member(), "dispute", entry, at=now + 2 * HOUR)
    assert due() == now + 2 * HOUR + HURRY


def test_disputes_that_come_together_are_one_edition(held, member, say, now):
    first, second = held(2)
    who = member()
    say(who, "dispute", first, at=now + HOUR)
    say(who, "dispute", second, at=now + HOUR + HURRY / 2)
    assert due() == now + HOUR + HURRY


def test_an_edition_that_is_due_sooner_is_not_put_off(held, member, say, now):
    (entry,) = held()
    Publication.objects.update(due_at=now)
    say(member(), "dispute", entry)
    assert due() == now


def test_what_no_edition_listed_is_not_hurried(held, listed, member, say, now, usual):
    held()
    (entry,) = listed()
    say(member(), "dispute", entry, at=now + HOUR)
    assert due() == now + usual


def test_what_is_restored_waits_its_usual_time(held, member, say, published, now, usual):
    (entry,) = held()
    say(member(), "dispute", entry)
    published(now)
    Publication.objects.update(due_at=None)
    entry.refresh_from_db()
    restore(entry, reason="Somebody looked.", by="test", now=now + HOUR)
    assert due() == now + HOUR + usual


def test_a_contested_source_is_hurried_alike(held, now):
    entries = held(3)
    changed = quarantine_many(
        Entry.objects.filter(pk__in=[each.pk for each in entries]),
        why=Why.SINGLE_SOURCE,
        reason="contested",
        subject="source-alarm:1",
        by="test",
        now=now + HOUR,
    )
    assert changed == 3
    assert due() == now + HOUR + HURRY


def test_an_entry_that_looks_like_an_innocent_picture_is_hurried(held, person, now):
    (entry,) = held(pdq="ab" * 32)
    made = innocent.propose(
        what="logo", pdq="ab" * 32, reason="A bank's", by=person(Role.MANAGER), now=now
    )
    innocent.accept(made, by=person(Role.SENIOR_ANALYST), now=now + HOUR)
    entry.refresh_from_db()
    assert (entry.state, due()) == ("quarantined", now + HOUR + HURRY)


def test_a_dispute_that_comes_while_an_edition_is_written_is_not_forgotten(held, member, say, now):
    (entry,) = held()
    say(member(), "dispute", entry, at=now + HOUR)
    # The worker was at the edition before, and is done.
    Publication.objects.update(due_at=None)
    with transaction.atomic():
        scheduling.schedule()
    assert due() == now + HOUR + HURRY


def test_an_edition_that_members_would_refuse_waits_for_a_person(
    held, member, say, now, usual, monkeypatch
):
    (entry,) = held()
    monkeypatch.setattr(scheduling, "foreseen", object)
    say(member(), "dispute", entry, at=now + HOUR)
    assert due() == now + HOUR + usual


def test_a_setting_shorter_than_the_hurry_stands(held, member, say, now, settings):
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, publish_every=timedelta(minutes=1))
    (entry,) = held()
    say(member(), "dispute", entry)
    assert due() == now + timedelta(minutes=1)


def test_it_is_the_disputes_own_transaction(held, member, say, now):
    (entry,) = held()
    who = member()
    with transaction.atomic():
        say(who, "dispute", entry)
        assert due() == now + HURRY
        transaction.set_rollback(True)
    entry.refresh_from_db()
    assert (entry.state, due()) == ("listed", None)
