"""Events: which change follows which state, and what each leaves in the record."""

import pytest
from django.db import DatabaseError, connection, transaction

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ListChangeRefused
from strandline.hotline.hashlist import services
from strandline.hotline.hashlist.classing import identity_of, make_class
from strandline.hotline.hashlist.models import Entry, Event, Why
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.events import Fingerprints, Kind

pytestmark = pytest.mark.django_db

DIGEST = "ab" * 32


@pytest.fixture
def do(now):
    """``do("withdraw", entry)``: one verb on an entry, with a reason."""

    def act(verb, entry, **more):
        facts = {"reason": "Because of a test", "by": "person:1", "now": now}
        return getattr(services, verb)(entry, **(facts | more))

    return act


def history(entry):
    return [
        (event.sequence, event.action, event.before, event.why, event.listed_class.category)
        for event in entry.events.all()
    ]


def test_an_entry_can_be_contested_cleared_and_withdrawn_and_listed_again(listed, do, now):
    (entry,) = listed(1)
    do("quarantine", entry)
    assert Entry.objects.get().state == Entry.State.QUARANTINED
    do("restore", entry)
    do("withdraw", entry, why=Why.MISTAKE)
    services.add_entry(entry.item, category="A", by="test", now=now)
    assert history(entry) == [
        (1, "add", "", "confirmed", "A"),
        (2, "quarantine", "listed", "disputed", "A"),
        (3, "restore", "quarantined", "cleared", "A"),
        (4, "withdraw", "listed", "mistake", "A"),
        (5, "add", "withdrawn", "confirmed", "A"),
    ]
    entry.refresh_from_db()
    assert (entry.number, entry.state) == (1, Entry.State.LISTED)


@pytest.mark.parametrize(
    ("before", "verb"),
    [
        ([], "restore"),
        (["quarantine"], "quarantine"),
        (["withdraw"], "withdraw"),
        (["withdraw"], "quarantine"),
        (["withdraw"], "restore"),
    ],
)
def test_a_change_that_does_not_follow_the_state_is_refused_and_writes_nothing(
    before, verb, listed, do
):
    (entry,) = listed(1)
    for step in before:
        do(step, entry)
    written = Event.objects.count()
    with pytest.raises(ListChangeRefused, match=r"already|cannot be") as refused:
        do(verb, entry)
    assert refused.value.field == "entry"
    assert Event.objects.count() == written


def test_an_entry_in_quarantine_is_not_amended(listed, do):
    (entry,) = listed(1)
    do("quarantine", entry)
    what = identity_of(entry.item, make_class("B"))
    with pytest.raises(ListChangeRefused, match="is quarantined, so it cannot be amended"):
        do("amend", entry, what=what)


def test_a_change_of_class_is_a_withdrawal_and_an_addition_under_one_number(listed, do):
    (entry,) = listed(1)
    do("amend", entry, what=identity_of(entry.item, make_class("B", labels=["baseline"])))
    assert history(entry) == [
        (1, "add", "", "confirmed", "A"),
        (2, "withdraw", "listed", "moved", "A"),
        (3, "add", "", "reassessed", "B"),
    ]
    do("amend", entry, what=identity_of(entry.item, make_class("A")))
    assert history(entry)[3:] == [
        (4, "withdraw", "listed", "moved", "B"),
        (5, "add", "withdrawn", "reassessed", "A"),
    ]
    assert Entry.objects.get().state == Entry.State.LISTED
    assert len({event.fingerprint_id for event in entry.events.exclude(fingerprint=None)}) == 1


def test_new_fingerprints_in_the_same_class_are_an_amendment_and_old_ones_are_kept(listed, do):
    (entry,) = listed(1)
    first = entry.fingerprint
    what = services.Identity(Fingerprints(sha256=DIGEST), make_class("A"))
    do("amend", entry, what=what, why=Why.REHASHED)
    assert [event.action for event in entry.events.all()] == ["add", "amend"]
    assert entry.events.first().fingerprint == first
    assert Entry.objects.get().fingerprint.value == what.fingerprints


def test_an_amendment_that_changes_nothing_is_no_event(listed, do):
    (entry,) = listed(1)
    do("amend", entry, what=identity_of(entry.item, make_class("A")))
    assert Event.objects.count() == 1
    assert not AuditEntry.objects.filter(action="hashlist.amend").exists()


def test_films_and_opaque_values_are_kept_as_they_were_received(now, hotline):
    from strandline.lists.published.events import Frame

    frames = (Frame(0, 100, "0f" * 32), Frame(2**32 - 1, 7, "f0" * 32))
    told = Fingerprints(md5="12" * 16, video=frames, photodna="5a" * 144)
    entry_class = EntryClass("A1", "camera", "us")
    what = services.Identity(told, entry_class, kind=Kind.VIDEO, pipeline="vpdq-1")
    entry = services.add_received(what, source="Example", by="person:1", now=now)
    entry = Entry.objects.get(pk=entry.pk)
    assert entry.fingerprint.value == told
    assert (entry.fingerprint.kind, entry.fingerprint.pipeline) == ("video", "vpdq-1")
    assert (entry.item, entry.source, entry.entry_class) == (None, "Example", entry_class)


def test_a_change_that_is_undone_gives_its_number_to_the_next(listed, do):
    first, second = listed(2)
    with transaction.atomic():
        do("withdraw", first)
        transaction.set_rollback(True)
    do("quarantine", second)
    assert list(Event.objects.values_list("sequence", "action")) == [
        (1, "add"), (2, "add"), (3, "quarantine"),
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["event", "fingerprint"])
@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_change_what_was_said(what, act, listed):
    (entry,) = listed(1)
    statement = {
        "update": f"UPDATE hashlist_{what} SET {'reason' if what == 'event' else 'md5'} = 'x'",
        "delete": f"DELETE FROM hashlist_{what}",
    }[act]
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert entry.events.get().reason == ""


def test_many_are_quarantined_in_one_act(listed, now):
    entries = listed(5)
    services.withdraw(entries[0], reason="x", by="test", now=now)
    asked = Entry.objects.filter(number__lte=4)
    changed = services.quarantine_many(
        asked, why=Why.FLOOD, reason="A flood", subject="member:3", by="feedback", now=now
    )
    assert changed == 3
    assert list(Entry.objects.values_list("state", flat=True)) == [
        "withdrawn", "quarantined", "quarantined", "quarantined", "listed",
    ]  # fmt: skip
    assert list(Event.objects.values_list("sequence", flat=True)) == list(range(1, 10))
    act = AuditEntry.objects.get(action="hashlist.quarantine_many")
    assert (act.subject, act.detail["entries"], act.detail["sequence"]) == ("member:3", 3, 7)
