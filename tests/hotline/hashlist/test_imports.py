"""What other organisations send: listed together, taken back together, never over our own word."""

import hashlib

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist import events, services
from strandline.hotline.hashlist.models import Entry, Event, Import, Publication, Why
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.events import Fingerprints

pytestmark = pytest.mark.django_db
THEIRS = EntryClass("A1", "camera", "us")


def row(number, **values):
    digest = hashlib.sha256(f"received {number}".encode()).hexdigest()
    return services.Identity(Fingerprints(**(values or {"sha256": digest})), THEIRS)


@pytest.fixture
def send(now, hotline):
    def take(*rows, source="Example exchange"):
        return services.import_entries(iter(rows), source=source, by="person:1", now=now)

    return take


def test_what_is_new_is_listed_in_order_and_told_once(send, listed):
    listed(2)
    came = send(*(row(number) for number in range(3)))
    assert (came.added, came.known) == (3, 0)
    batch = Import.objects.get()
    assert (batch.first_sequence, batch.last_sequence, batch.entries) == (3, 5, 3)
    assert list(batch.rows.values_list("number", "source")) == [
        (number, "Example exchange") for number in (3, 4, 5)
    ]
    (act,) = AuditEntry.objects.filter(action="hashlist.import")
    assert (act.subject, act.detail["added"]) == (f"import:{batch.pk}", 3)
    assert Publication.objects.get().due_at is not None


def test_what_is_listed_or_comes_twice_is_left_out(send, listed):
    (own,) = listed(1)
    again = services.Identity(Fingerprints(sha256=own.fingerprint.sha256), THEIRS)
    came = send(again, row(1), row(1), row(2, md5="ab" * 16), row(2, md5="ab" * 16))
    assert (came.added, came.known) == (2, 3)
    assert send(row(1), row(2, md5="ab" * 16)).batch is None
    assert Import.objects.count() == 1


@pytest.mark.parametrize(
    "values",
    [{"photodna": "5a" * 144}, {"pdq": "0f" * 32, "quality": 80}, {"sha1": "ab" * 20}],
    ids=["photodna", "pdq", "sha1"],
)
def test_what_has_no_sha256_is_recognised_by_what_it_has(values, send):
    assert send(row(1, **values)).added == 1
    assert send(row(1, **values)).known == 1


def test_repeats_are_noticed_across_portions(send, monkeypatch):
    monkeypatch.setattr(events, "AT_ONCE", 4)
    came = send(*(row(number % 10) for number in range(30)))
    assert (came.added, came.known) == (10, 20)
    assert list(Event.objects.values_list("sequence", flat=True)) == list(range(1, 11))


def test_an_import_is_taken_back_whole_but_what_was_confirmed_here_stays(send, item, now, hotline):
    from strandline.hotline.assessment.models import Verdict

    picture = item()
    came = send(row(1), row(2), row(3, sha256=picture.sha256))
    Verdict.objects.create(
        item=picture, category="A", baseline="", law="uk-1", how="agreed", decided_at=now
    )
    services.entry_of(picture)
    assert services.revert_import(came.batch, by="person:1", now=now) == 2
    assert list(Entry.objects.values_list("state", flat=True)) == [
        "withdrawn", "withdrawn", "listed",
    ]  # fmt: skip
    with pytest.raises(ListChangeRefused, match="already"):
        services.revert_import(came.batch, by="person:1", now=now)
    assert AuditEntry.objects.filter(action="hashlist.revert_import").count() == 1


def test_what_was_taken_back_can_be_sent_again_and_keeps_its_number(send, now):
    came = send(row(1))
    services.revert_import(came.batch, by="person:1", now=now)
    again = send(row(1), row(2))
    assert again.added == 2
    assert list(Entry.objects.values_list("number", "state")) == [(1, "listed"), (2, "listed")]
    assert set(Entry.objects.values_list("batch", flat=True)) == {again.batch.pk}


def test_what_was_withdrawn_here_does_not_come_back_by_an_import(send, now):
    send(row(1))
    services.withdraw(
        Entry.objects.get(), why=Why.NOT_ILLEGAL, reason="Looked at", by="person:1", now=now
    )
    came = send(row(1), row(2))
    assert (came.added, came.withdrawn_here) == (1, 1)
    assert Entry.objects.get(number=1).state == Entry.State.WITHDRAWN


def test_a_row_that_cannot_be_read_undoes_the_whole_import(send, now):
    def rows():
        yield row(1)
        raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        services.import_entries(rows(), source="Example", by="person:1", now=now)
    assert not Entry.objects.exists()
    assert not Import.objects.exists()


@pytest.mark.parametrize("source", ["", "  ", "x" * 121])
def test_an_import_needs_a_source(source, send):
    with pytest.raises(ListChangeRefused) as refused:
        send(row(1), source=source)
    assert refused.value.field == "source"


def test_known_entries_are_found_by_any_digest(send, listed):
    (own,) = listed(1)
    send(row(1, md5="ab" * 16, photodna="5a" * 144))
    found = services.known_entries(
        [Fingerprints(md5=own.fingerprint.md5), Fingerprints(photodna="5a" * 144)]
    )
    assert {value: [entry.number for entry in entries] for value, entries in found.items()} == {
        own.fingerprint.md5: [1],
        "5a" * 144: [2],
    }
