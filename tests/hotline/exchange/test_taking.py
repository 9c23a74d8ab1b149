"""Taken in whole or not at all, and taken back."""

from contextlib import contextmanager

import pytest
from django.db import connection

from exchanged import digests, listed, row
from strandline.formats import HashRow
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ExchangeRefused
from strandline.hotline.exchange import files, services, taking
from strandline.hotline.exchange.handling import handle
from strandline.hotline.exchange.models import Delivery, Mention, Source
from strandline.hotline.hashlist.models import Entry, Event, Import, Why
from strandline.hotline.hashlist.services import (
    Identity,
    add_entry,
    import_entries,
    withdraw,
)
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.events import Fingerprints

pytestmark = pytest.mark.django_db
ALONE_NOT = Source.Trust.ALONE_NOT


def test_what_is_taken_in_is_listed_under_the_class_its_words_mean(source, give, take):
    peer = source(meanings={"Theirs": "B drawn"}, labels=["peer"])
    taken = take(give(peer, row("one", pdq="ab" * 32), row("two", category="Odd")))
    (entry,) = Entry.objects.all()
    assert entry.listed_class.name == "B drawn nl none peer"
    assert (entry.source, entry.fingerprint.pipeline) == ("Peer", "received")
    assert entry.fingerprint.value.sha256 == digests("one")["sha256"]
    assert taken.outcome == {"listed": 1}
    assert not files.path_of(taken.pk).exists()


def test_taking_in_and_back_are_in_the_chain_with_the_persons_name(source, give, take, take_back):
    take_back(take(give(source(), row("one"))))
    acts = list(AuditEntry.objects.values_list("action", "actor").order_by("sequence"))
    assert [action for action, _ in acts] == [
        *("exchange.add_source", "exchange.receive", "exchange.preview", "exchange.taking"),
        *("hashlist.import", "exchange.take_in", "exchange.taking_back"),
        *("hashlist.withdraw_many", "exchange.take_back"),
    ]
    assert {actor for _, actor in acts} == {"person:1", "worker"}


def test_taking_back_withdraws_with_events_and_members_see_why(
    source, give, take, take_back, states
):
    taken = take(give(source(), row("one"), row("two")))
    back = take_back(taken)
    assert states("one", "two") == ["withdrawn", "withdrawn"]
    assert list(Event.objects.values_list("action", "why")) == [
        ("add", "received"),
        ("add", "received"),
        ("withdraw", "import-reverted"),
        ("withdraw", "import-reverted"),
    ]
    assert back.state == Delivery.State.TAKEN_BACK
    assert back.outcome == {"listed": 2, "withdrawn, on taking back": 2}
    assert Import.objects.get().reverted_at is not None


def test_what_another_source_vouches_for_stays(source, give, take, take_back, states):
    first = take(give(source("One"), row("both"), row("only")))
    second = take(give(source("Two"), row("both")))
    take_back(first)
    assert states("both", "only") == ["listed", "withdrawn"]
    take_back(second)
    assert states("both") == ["withdrawn"]


def test_what_was_assessed_here_stays(source, give, take, take_back, states, now, hotline):
    import hashlib

    from strandline.hotline.reports.models import MediaItem

    known = digests("own")
    item = MediaItem.objects.create(
        **known,
        pdq=hashlib.sha256(b"x").hexdigest(),
        quality=100,
        pipeline="media-1",
        size=7,
        bytes_are=MediaItem.Bytes.DISCARDED,
        first_seen_at=now,
    )
    add_entry(item, category="A", by="test", now=now)
    taken = take(give(source(), row("own"), row("theirs")))
    assert taken.outcome == {"listed": 1, "vouched for": 1}
    take_back(taken)
    assert states("own", "theirs") == ["listed", "withdrawn"]


def test_the_same_list_again_brings_its_entries_back_under_their_numbers(
    source, give, take, take_back
):
    peer = source()
    take_back(take(give(peer, row("one"))))
    take(give(peer, row("one")))
    entry = Entry.objects.get()
    assert (entry.number, entry.state) == (1, "listed")


def test_a_source_that_is_not_trusted_alone_waits_for_a_second(source, give, take, states):
    take(give(source("One", trust=ALONE_NOT), row("both"), row("only")))
    assert states("both", "only") == ["quarantined", "quarantined"]
    second = take(give(source("Two", trust=ALONE_NOT), row("both")))
    assert states("both", "only") == ["listed", "quarantined"]
    assert second.outcome == {"vouched for": 1, "confirmed": 1}


def test_a_second_list_of_the_same_source_confirms_nothing(source, give, take, states):
    peer = source("One", trust=ALONE_NOT)
    take(give(peer, row("one")))
    take(give(peer, row("one")))
    assert states("one") == ["quarantined"]


def test_what_a_list_contradicts_is_kept_or_quarantined_and_restored(
    source, give, take, take_back, states
):
    one = source("One", meanings={"Theirs": "A camera"})
    two = source("Two", meanings={"Theirs": "C camera"})
    take(give(one, row("both")))
    take(give(two, row("both")))
    assert states("both") == ["listed"]
    second = take(give(two, row("both")), contested="quarantine")
    assert states("both") == ["quarantined"]
    assert second.outcome == {"contested": 1}
    take_back(second)
    assert states("both") == ["listed"]


def test_two_lists_that_contest_one_entry_must_both_be_taken_back(
    source, give, take, take_back, states
):
    take(give(source("One"), row("both")))
    against = [source(name, meanings={"Theirs": "C camera"}) for name in ("Two", "Three")]
    waiting = [give(peer, row("both")) for peer in against]
    taken = [take(delivery, contested="quarantine") for delivery in waiting]
    take_back(taken[0])
    assert states("both") == ["quarantined"]
    take_back(taken[1])
    assert states("both") == ["listed"]


def test_what_its_source_withdraws_goes_and_comes_back(source, give, take, take_back, states):
    peer = source()
    take(give(peer, row("one", source_id="7"), row("two", source_id="8")))
    gone = take(give(peer, row("x", source_id="7", withdrawn=True)))
    assert states("one", "two") == ["withdrawn", "listed"]
    assert gone.outcome == {"withdrawn by the source": 1}
    take_back(gone)
    assert states("one", "two") == ["listed", "listed"]
    assert Entry.objects.count() == 2


def test_after_that_the_first_delivery_can_still_be_taken_back(
    source, give, take, take_back, states
):
    peer = source()
    first = take(give(peer, row("one", source_id="7")))
    take_back(take(give(peer, row("x", source_id="7", withdrawn=True))))
    take_back(first)
    assert states("one") == ["withdrawn"]


def test_one_source_cannot_withdraw_what_another_gave(source, give, take, states):
    take(give(source("One"), row("one", source_id="7")))
    take(give(source("Two"), row("one", source_id="7", withdrawn=True)))
    assert states("one") == ["listed"]


def test_what_was_taken_back_comes_back_whole_with_what_is_said_of_it_now(
    source, give, take, take_back
):
    peer = source(meanings={"Theirs": "A camera", "Worse": "B camera"})
    rows = [row(str(number), source_id=str(number)) for number in range(5)]
    take_back(take(give(peer, *rows)))
    before = list(Entry.objects.values_list("fingerprint", flat=True))
    told = [*rows[:3], row("3", source_id="3", category="Worse"), row("4", pdq="ab" * 32), row("5")]
    taken = take(give(peer, *told))
    assert taken.outcome == {"listed": 6}
    assert list(
        Entry.objects.values_list("number", "state", "batch", "listed_class__category")
    ) == [(number, "listed", taken.batch_id, "B" if number == 4 else "A") for number in range(1, 7)]
    again = Event.objects.filter(sequence__gt=10).values_list("entry", "action", "before")
    assert list(again) == [
        *((number, "add", "" if number == 4 else "withdrawn") for number in range(1, 6)),
        (6, "add", ""),
    ]
    prints = Entry.objects.values_list("fingerprint", flat=True)
    assert [key in before for key in prints] == [True, True, True, True, False, False]
    assert set(taken.mentions.values_list("entry", "source_id")) == {
        *((1, "0"), (2, "1"), (3, "2"), (4, "3"), (5, ""), (6, ""))
    }


@pytest.fixture
def meanwhile(monkeypatch, now):
    """``meanwhile(act, …)``: each is done after one comparison, before the list is locked."""

    def arrange(*acts):
        left, seen = list(acts), []
        really = taking.staged

        @contextmanager
        def slow(delivery, tools, **more):
            with really(delivery, tools, **more) as ready:
                seen.append(bool(more))
                if left:
                    left.pop(0)()
                yield ready

        monkeypatch.setattr(taking, "staged", slow)
        return seen

    return arrange


@pytest.fixture
def listed_elsewhere(now):
    """``listed_elsewhere("two")`` lists this invented file, as another room would."""

    def add(name):
        what = Identity(Fingerprints(**digests(name)), EntryClass("A", "camera", "nl"))
        import_entries([what], source="Elsewhere", by="person:2", now=now)

    return add


def test_what_is_listed_while_rows_are_compared_is_not_listed_twice(
    source, give, take, states, meanwhile, listed_elsewhere
):
    seen = meanwhile(lambda: listed_elsewhere("two"))
    taken = take(give(source(), row("one"), row("two")))
    assert seen == [False, False]
    assert taken.outcome == {"listed": 1, "vouched for": 1}
    assert states("one", "two") == ["listed", "listed"]
    assert Entry.objects.count() == 2


def test_what_changes_about_a_known_entry_meanwhile_is_seen(
    source, give, take, states, meanwhile, listed_elsewhere, now
):
    listed_elsewhere("one")
    waiting = give(source(), row("one"))

    def somebody_withdraws():
        entry = Entry.objects.get()
        withdraw(entry, why=Why.NOT_ILLEGAL, reason="Looked at", by="person:2", now=now)

    meanwhile(somebody_withdraws)
    taken = take(waiting)
    assert taken.outcome == {}
    assert states("one") == ["withdrawn"]
    assert not Mention.objects.exists()


def test_a_change_elsewhere_in_the_list_costs_no_second_comparison(
    source, give, take, meanwhile, listed_elsewhere
):
    seen = meanwhile(lambda: listed_elsewhere("other"))
    assert take(give(source(), row("one"))).outcome == {"listed": 1}
    assert seen == [False]


def test_a_list_that_never_rests_is_compared_under_its_lock(
    source, give, take, meanwhile, listed_elsewhere
):
    acts = [lambda name=name: listed_elsewhere(name) for name in ("0", "1", "2")]
    seen = meanwhile(*acts)
    taken = take(give(source(), *(row(str(number)) for number in range(5))))
    assert seen == [False, False, False, True]
    assert taken.outcome == {"listed": 2, "vouched for": 3}


def test_two_rows_of_one_withdrawn_entry_bring_it_back_once(source, give, take, take_back):
    peer, known = source(), digests("one")
    take_back(take(give(peer, row("one"))))
    parts = [HashRow(**{name: known[name]}, category="Theirs") for name in ("sha256", "md5")]
    assert take(give(peer, *parts)).outcome == {"listed": 1}
    assert list(Entry.objects.values_list("number", "state")) == [(1, "listed")]


def test_nothing_that_was_laid_ready_is_left(source, give, take, now, hotline, monkeypatch):
    seen = give(source(), row("one"))
    services.take(seen, contested="keep", by="person:1", now=now)
    left = files.folder() / f"{seen.pk}.staged-1"
    left.write_bytes(b"of a worker that was killed")
    with Tools(hotline) as tools:
        handle(due.claim(Delivery, worker="test", now=now), tools, now)
    assert list(files.folder().iterdir()) == []


def test_killed_in_the_middle_nothing_is_visible_and_the_next_worker_does_it(
    source, give, work, now, hotline, states, monkeypatch
):
    seen = give(source(), *(row(str(number)) for number in range(50)))
    services.take(seen, contested="keep", by="person:1", now=now)
    before = AuditEntry.objects.count()

    class Killed(BaseException):
        pass

    def die(*_args, **_more):
        raise Killed

    for part in ("_check_same", "_mention", "_end", "_hold", "_confirm", "_contest", "_record"):
        with monkeypatch.context() as patch, Tools(hotline) as tools:
            patch.setattr(taking, part, die)
            claimed = due.claim(Delivery, worker="dies", now=now)
            with pytest.raises(Killed):
                handle(claimed, tools, now)
        due.release("dies")
        assert (Entry.objects.count(), Event.objects.count(), Import.objects.count()) == (0, 0, 0)
        assert Mention.objects.count() == 0
        assert AuditEntry.objects.count() == before
    work()
    assert states("0", "49") == ["listed", "listed"]


def test_a_file_that_cannot_be_read_any_more_leaves_nothing(source, give, now, hotline):
    seen = give(source(), row("one"))
    services.take(seen, contested="keep", by="person:1", now=now)
    files.remove(seen.pk)
    with Tools(hotline) as tools, pytest.raises(ExchangeRefused, match="Give it again"):
        handle(due.claim(Delivery, worker="test", now=now), tools, now)
    assert Entry.objects.count() == 0


def test_a_decision_is_made_once(source, give, take, now):
    taken = take(give(source(), row("one")))
    with pytest.raises(ExchangeRefused, match="meanwhile"):
        services.take(taken, contested="keep", by="person:1", now=now)
    with pytest.raises(ExchangeRefused, match="meanwhile"):
        services.discard(taken, by="person:1", now=now)
    with pytest.raises(ExchangeRefused, match="Say why"):
        services.take_back(taken, reason=" ", by="person:1", now=now)


def test_a_discarded_delivery_leaves_no_file(source, give, work, now):
    seen = give(source(), row("one"))
    services.discard(seen, by="person:1", now=now)
    work()
    assert not files.path_of(seen.pk).exists()
    assert Entry.objects.count() == 0


def test_repeated_rows_and_those_of_another_portion_are_one_entry(source, give, take, monkeypatch):
    from strandline.hotline.exchange import previewing, staging

    monkeypatch.setattr(previewing, "AT_ONCE", 3)
    monkeypatch.setattr(staging, "AT_ONCE", 8)
    rows = [row(str(number % 7)) for number in range(20)]
    seen = give(source(), *rows)
    assert seen.counts == {"new": 7, "repeated": 13}
    assert take(seen).outcome == {"listed": 7}
    assert Entry.objects.count() == 7


def test_the_work_grows_with_the_rows_and_not_faster(
    source, give, take, django_assert_max_num_queries
):
    seen = give(source(), *(row(str(number)) for number in range(300)))
    with django_assert_max_num_queries(100):
        take(seen)
    assert connection.vendor in {"sqlite", "postgresql"}


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("name", {"name": ""}),
        ("trust", {"trust": "blind"}),
        ("jurisdiction", {"jurisdiction": "Nederland"}),
        ("labels", {"labels": ["two words"]}),
        ("every_hours", {"every_hours": -1}),
        ("address", {"every_hours": 5}),
        ("address", {"address": "file:///etc/passwd"}),
        ("address", {"address": "https://user:word@peer.example"}),
        ("username", {"username": "a:b"}),
    ],
)
def test_terms_that_cannot_be_are_refused_by_field(field, terms, now):
    whole = {"name": "Peer", "trust": "trusted", "jurisdiction": "nl", **terms}
    with pytest.raises(ExchangeRefused) as refused:
        services.add_source(services.Terms(**whole), by="person:1", now=now)
    assert refused.value.field == field
    assert Source.objects.count() == 0


@pytest.mark.parametrize(
    "text", ["Theirs", "= A", "Theirs = D", "Theirs = A painted", "Theirs = A camera more", "x ="]
)
def test_a_meaning_that_is_none_is_refused_with_its_line(text):
    from strandline.hotline.exchange.meanings import read_meanings

    with pytest.raises(ExchangeRefused, match="Line 2"):
        read_meanings(f"\n{text}")


def test_meanings_are_read_as_they_are_shown():
    from strandline.hotline.exchange.meanings import read_meanings, text_of

    meanings = read_meanings("CGI/Animation = x = prohibited-non-photographic drawn\nOther = -")
    assert meanings == {"CGI/Animation = x": "prohibited-non-photographic drawn", "Other": ""}
    assert read_meanings(text_of(meanings)) == meanings


def test_a_list_of_another_is_listed_whatever_bytes_it_came_in(source, give, take):
    one = take(give(source("One"), data=listed(row("one"))))
    assert one.batch is not None
    assert one.sha256
