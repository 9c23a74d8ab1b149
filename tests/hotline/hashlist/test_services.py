"""Adding to the list, withdrawing from it, and when publishing is due."""

import dataclasses
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections, transaction

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist.models import Entry, Publication
from strandline.hotline.hashlist.services import (
    add_entry,
    first_unpublished,
    publish_now,
    waiting_changes,
    withdraw,
)

pytestmark = pytest.mark.django_db


def test_entries_are_numbered_from_one_without_a_gap(listed):
    assert [entry.number for entry in listed(4)] == [1, 2, 3, 4]


def test_an_item_is_listed_once(item, now, hotline):
    picture = item()
    first = add_entry(picture, category="A", labels=["b", "a"], by="test", now=now)
    again = add_entry(picture, category="C", by="test", now=now)
    assert again == first
    assert (again.listed_class.category, again.listed_class.labels) == ("A", ["a", "b"])
    assert Entry.objects.count() == 1
    assert AuditEntry.objects.filter(action="hashlist.add_entry").count() == 1


def test_an_addition_that_is_undone_gives_its_number_to_the_next(item, listed, now):
    listed(2)
    with transaction.atomic():
        add_entry(item(), category="A", by="test", now=now)
        transaction.set_rollback(True)
    assert [entry.number for entry in listed(1)] == [3]


def test_what_is_done_to_the_list_is_in_the_chain(listed, now):
    (entry,) = listed(1)
    withdraw(entry, reason="A mistake", by="person:7", now=now)
    acts = AuditEntry.objects.filter(subject="entry:1").values_list("action", "actor")
    assert list(acts) == [("hashlist.add_entry", "test"), ("hashlist.withdraw", "person:7")]


@pytest.mark.parametrize(
    ("reason", "field"), [("", "reason"), ("  ", "reason"), ("x" * 251, "reason")]
)
def test_a_withdrawal_needs_a_reason(reason, field, listed, now):
    (entry,) = listed(1)
    with pytest.raises(ListChangeRefused) as refused:
        withdraw(entry, reason=reason, by="test", now=now)
    assert refused.value.field == field
    assert Entry.objects.get().state == Entry.State.LISTED


def test_a_withdrawn_entry_cannot_be_withdrawn_again(listed, now):
    (entry,) = listed(1)
    withdraw(entry, reason="A mistake", by="test", now=now)
    with pytest.raises(ListChangeRefused, match="already"):
        withdraw(entry, reason="Again", by="test", now=now)
    assert AuditEntry.objects.filter(action="hashlist.withdraw").count() == 1


def test_publishing_is_due_some_time_after_the_first_waiting_change(listed, item, now, hotline):
    listed(1)
    later = now + timedelta(hours=5)
    add_entry(item(), category="A", by="test", now=later)
    assert Publication.objects.get().due_at == now + hotline.publish_every
    assert first_unpublished() == now
    assert waiting_changes() == 2


def test_the_wait_is_a_setting(item, now, settings, hotline):
    settings.HOTLINE = dataclasses.replace(hotline, publish_every=timedelta(minutes=10))
    add_entry(item(), category="A", by="test", now=now)
    assert Publication.objects.get().due_at == now + timedelta(minutes=10)


def test_publish_now_makes_it_due_at_once(listed, now):
    listed(1)
    publish_now(by="person:1", now=now)
    assert Publication.objects.get().due_at == now


def test_publish_now_is_refused_when_nothing_changed(listed, publish, now):
    with pytest.raises(ListChangeRefused, match="Nothing has changed"):
        publish_now(by="person:1", now=now)
    listed(1)
    publish(now)
    with pytest.raises(ListChangeRefused, match="Nothing has changed"):
        publish_now(by="person:1", now=now)


def test_publish_now_revives_work_that_was_given_up(listed, now):
    listed(1)
    Publication.objects.update(due_at=None, given_up_at=now, failures=8)
    publish_now(by="person:1", now=now)
    row = Publication.objects.get()
    assert (row.due_at, row.given_up_at, row.failures) == (now, None, 0)


@pytest.mark.django_db(transaction=True)
def test_numbers_stay_gapless_when_several_list_at_once(item, now, hotline):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    pictures = [item() for _ in range(24)]
    failures = []

    def add(mine):
        try:
            for picture in mine:
                add_entry(picture, category="A", by="test", now=now)
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=add, args=[pictures[part::4]]) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(Entry.objects.values_list("number", flat=True)) == list(range(1, 25))
