"""What the public reads of members is what they said last, and what the words say it is."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client

from strandline.hotline.accounts.models import ApiKey, Role
from strandline.hotline.accounts.services import add_key, add_member
from strandline.hotline.feedback import holding
from strandline.hotline.feedback.giving import Said, give
from strandline.hotline.feedback.models import Statement
from strandline.hotline.feedback.words import Standing
from strandline.hotline.hashlist.models import Edition, Event
from strandline.hotline.matchservice.models import Usage
from strandline.hotline.transparency.members import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(hotline, now):
    return add_member(name="Example Forum", by="test", now=now)


@pytest.fixture
def editions(received, now):
    """Three published editions."""
    received(1)
    for number in (1, 2, 3):
        Edition.objects.create(
            number=number, state="published", up_to=Event.objects.count(), published_at=now
        )


@pytest.fixture
def visitor(wear):
    wear("public")
    return Client()


def page(visitor):
    return " ".join(visitor.get("/transparency/members/").content.decode().split())


def row(visitor):
    answer = visitor.get("/transparency/data/members.csv")
    [found] = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    return found


def test_the_edition_a_member_holds_is_the_one_it_said_last(visitor, member, editions, now):
    holding.fetched(member, 3, now=now)
    assert (row(visitor)["holds_edition"], row(visitor)["fetched_edition"]) == ("", "3")
    assert "fetched edition 3" in page(visitor)
    holding.report(member, 2, now=now + timedelta(hours=1))
    holding.report(member, 1, now=now + timedelta(hours=2))
    assert "holds edition 1, as it says" in page(visitor)
    assert (row(visitor)["holds_edition"], row(visitor)["fetched_edition"]) == ("1", "3")
    holding.report(member, 2, now=now + timedelta(hours=3))
    assert "holds edition 2, as it says" in page(visitor)


def test_only_the_last_word_on_an_entry_counts(visitor, member, received, now):
    entry = received(1)
    for say, reason in (("dispute", "adult"), ("confirm", "seen")):
        [taken] = give(member, [Said(entry.name, say, reason)], now=now)
        assert taken.statement
    assert (row(visitor)["confirmed"], row(visitor)["disputed"]) == ("1", "0")
    assert "0 entries disputed, 1 confirmed" in page(visitor)


def test_a_dispute_that_was_held_back_is_told_as_made(visitor, member, received, now):
    give(member, [Said(received(1).name, "dispute", "adult")], now=now)
    Statement.objects.update(standing=Standing.HELD_BACK)
    assert row(visitor)["disputed"] == "1"


def test_look_ups_are_worded_as_what_they_count(visitor, wear, member, now):
    add_key(member, by="test", now=now, role=Role.LOOK_UP)
    Usage.objects.create(key=ApiKey.objects.get(), day=now.date(), calls=1, look_ups=7, listed=2)
    assert "2 items listed, in 7 look-ups, as we saw" in page(visitor)
    from strandline.hotline.transparency.opendata import TABLES

    [columns] = [table.columns for table in TABLES if table.name == "members"]
    assert "could not be read" in columns["look_ups"]
    assert "hashes" not in columns["look_ups"]


def test_a_film_and_an_item_that_cannot_be_read_are_as_many_look_ups_as_the_words_say():
    from strandline.hotline.matchservice import asking

    frame = {"pdq": "0" * 63 + "1", "quality": 100, "ms": 0}
    body = {"items": [{"film": [frame, frame | {"ms": 1}]}, {"sha256": "malformed"}]}
    assert [item.cost for item in asking.read(json.dumps(body).encode())] == [2, 1]


def test_there_are_as_many_queries_for_many_members_as_for_one(
    member, editions, now, django_assert_num_queries
):
    for number in range(5):
        other = add_member(name=f"Member {number}", by="test", now=now)
        holding.report(other, 1 + number % 3, now=now)
    with django_assert_num_queries(6):
        assert [each.holds for each in accounts()] == [None, 1, 2, 3, 1, 2]


def test_entries_are_described_as_the_manifest_counts_them(visitor, log, manifests):
    """Edition 2 lists five entries, one of which is set aside."""
    from strandline.hotline.transparency.opendata import TABLES

    answer = visitor.get("/transparency/data/editions.csv")
    table = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert (table[1]["entries"], table[1]["quarantined"]) == ("5", "1")
    for columns in (each.columns for each in TABLES if "quarantined" in each.columns):
        assert columns["entries"] == "entries listed, those set aside among them"
        assert columns["quarantined"].startswith("of those, ")
    assert "with 5 entries, 1 of them set aside." in " ".join(
        visitor.get("/transparency/editions/2/").content.decode().split()
    )
