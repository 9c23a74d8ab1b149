"""Taken back, a delivery leaves the list as if it had never come."""

import hashlib
from itertools import permutations

import pytest

from exchanged import digests, row
from strandline.hotline.accounts.services import add_member
from strandline.hotline.assessment.models import Verdict
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ExchangeRefused
from strandline.hotline.exchange import services, taking, vouching
from strandline.hotline.exchange.handling import handle
from strandline.hotline.exchange.models import Delivery, Source
from strandline.hotline.exchange.services import Terms, change_source
from strandline.hotline.feedback import weighing
from strandline.hotline.feedback.giving import Said
from strandline.hotline.feedback.giving import give as say
from strandline.hotline.hashlist import checks
from strandline.hotline.hashlist.models import Entry, Event, Why
from strandline.hotline.hashlist.receivers import list_or_withdraw
from strandline.hotline.hashlist.services import (
    add_entry,
    import_entries,
    quarantine,
    restore,
)
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.models import MediaItem

pytestmark = pytest.mark.django_db
TRUSTED, ALONE_NOT = Source.Trust.TRUSTED, Source.Trust.ALONE_NOT


@pytest.fixture
def told():
    """``told()``: what members were told of the only entry, in order."""

    def events():
        return [f"{each.action} {each.why}" for each in Event.objects.order_by("sequence")]

    return events


@pytest.fixture
def trust(now):
    """``trust(source, how)`` changes how far a source is trusted."""

    def change(source, how):
        terms = Terms(name=source.name, trust=how, jurisdiction="nl", meanings=source.meanings)
        change_source(source, terms, by="person:1", now=now)
        source.refresh_from_db()

    return change


@pytest.fixture
def assessed(now, hotline):
    """``assessed("one")``: this invented file came with a report; two analysts agree."""

    def assess(name, category="A"):
        item = MediaItem.objects.create(
            **digests(name),
            pdq=hashlib.sha256(name.encode()).hexdigest(),
            quality=100,
            pipeline="media-1",
            size=7,
            bytes_are=MediaItem.Bytes.DISCARDED,
            first_seen_at=now,
        )
        verdict = Verdict.objects.create(
            item=item, category=category, law="nl", how=Verdict.How.AGREED, decided_at=now
        )
        list_or_withdraw(item=item, verdict=verdict, now=now)

    return assess


@pytest.fixture
def against(source, give, take):
    """``against("Three", "one")``: taken in from this source, that it is another category."""

    def deliver(name, *files):
        peer = source(name, meanings={"Theirs": "C camera"})
        return take(give(peer, *(row(each) for each in files)), contested="quarantine")

    return deliver


@pytest.mark.parametrize("other", [TRUSTED, ALONE_NOT])
def test_what_waited_for_a_second_source_waits_again_without_it(
    other, source, give, take, take_back, states, told
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    second = take(give(source("Two", trust=other), row("one")))
    assert states("one") == ["listed"]
    back = take_back(second)
    assert states("one") == ["quarantined"]
    assert told()[-1] == "quarantine single-source"
    assert back.outcome["quarantined until confirmed, on taking back"] == 1


def test_what_a_trusted_source_brought_waits_once_only_another_vouches_for_it(
    source, give, take, take_back, states
):
    first = take(give(source("One"), row("both"), row("only")))
    take(give(source("Two", trust=ALONE_NOT), row("both")))
    take_back(first)
    assert states("both", "only") == ["quarantined", "withdrawn"]


def test_the_next_source_that_has_the_same_lists_it_again(source, give, take, take_back, states):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    take_back(take(give(source("Two"), row("one"))))
    take(give(source("Three", trust=ALONE_NOT), row("one")))
    assert states("one") == ["listed"]


def test_the_same_list_given_again_lists_it_again(source, give, take, take_back, states):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    two = source("Two")
    take_back(take(give(two, row("one"))))
    again = take(give(two, row("one")))
    assert states("one") == ["listed"]
    take_back(again)
    assert states("one") == ["quarantined"]


def test_two_that_are_left_still_bear_it_together(source, give, take, take_back, states):
    peers = [source(name, trust=ALONE_NOT) for name in ("One", "Two", "Three")]
    taken = [take(give(peer, row("one"))) for peer in peers]
    before = Event.objects.count()
    take_back(taken[0])
    assert states("one") == ["listed"]
    assert Event.objects.count() == before
    take_back(taken[1])
    assert states("one") == ["quarantined"]
    take_back(taken[2])
    assert states("one") == ["withdrawn"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_all_are_taken_back_nothing_stays(
    order, source, give, take, take_back, states
):
    trusts = {"One": ALONE_NOT, "Two": TRUSTED, "Three": ALONE_NOT}
    taken = [take(give(source(name, trust=how), row("one"))) for name, how in trusts.items()]
    left = {0, 1, 2}
    for each in order:
        take_back(taken[each])
        left.discard(each)
        listed = 1 in left or len(left) > 1
        assert states("one") == ["listed" if listed else "quarantined" if left else "withdrawn"]


def test_a_second_list_of_the_same_source_makes_no_difference(
    source, give, take, take_back, states
):
    peer = source("One")
    taken = [take(give(peer, row("one"))) for _ in range(2)]
    before = Event.objects.count()
    take_back(taken[0])
    assert states("one") == ["listed"]
    assert Event.objects.count() == before
    take_back(taken[1])
    assert states("one") == ["withdrawn"]


def test_what_a_person_let_be_matched_stays_while_its_source_has_it(
    source, give, take, take_back, states, now
):
    peer = source("One", trust=ALONE_NOT)
    taken = [take(give(peer, row("one"))) for _ in range(2)]
    restore(Entry.objects.get(), reason="Looked at", by="person:2", now=now)
    take_back(taken[1])
    assert states("one") == ["listed"]


def test_sources_are_judged_by_the_trust_they_have_today(
    source, give, take, take_back, states, trust
):
    one, two = source("One"), source("Two")
    take(give(one, row("one")))
    second = take(give(two, row("one")))
    trust(one, ALONE_NOT)
    assert states("one") == ["listed"]
    take_back(second)
    assert states("one") == ["quarantined"]


def test_a_source_that_is_trusted_by_now_bears_it_alone(
    source, give, take, take_back, states, trust
):
    one = source("One", trust=ALONE_NOT)
    take(give(one, row("one")))
    second = take(give(source("Two"), row("one")))
    trust(one, TRUSTED)
    take_back(second)
    assert states("one") == ["listed"]


def test_what_its_own_source_brought_goes_however_it_is_trusted_by_now(
    source, give, take, take_back, states, trust
):
    one = source("One")
    taken = take(give(one, row("one")))
    trust(one, ALONE_NOT)
    take_back(taken)
    assert states("one") == ["withdrawn"]


def test_it_is_taken_back_once(source, give, take, take_back, states, now, hotline):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    taken = take(give(source("Two"), row("one")))
    back = take_back(taken)
    before = (Event.objects.count(), AuditEntry.objects.count())
    with pytest.raises(ExchangeRefused, match="meanwhile"):
        services.take_back(back, reason="again", by="person:2", now=now)
    assert due.claim(Delivery, worker="test", now=now) is None
    assert (Event.objects.count(), AuditEntry.objects.count()) == before


def test_what_was_assessed_here_since_stays(source, give, take, take_back, states, assessed):
    taken = take(give(source("One"), row("one")))
    assessed("one")
    assert Entry.objects.get().why == Why.REASSESSED
    take_back(taken)
    assert states("one") == ["listed"]


def test_what_was_assessed_here_stays_whoever_else_vouches_for_it(
    source, give, take, take_back, states, assessed
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    second = take(give(source("Two"), row("one")))
    assessed("one")
    take_back(second)
    assert states("one") == ["listed"]


def test_what_was_assessed_here_as_legal_stays_off(source, give, take, take_back, states, assessed):
    taken = take(give(source("One"), row("one")))
    assessed("one", category="not-illegal")
    before = Event.objects.count()
    take_back(taken)
    assert states("one") == ["withdrawn"]
    assert Event.objects.count() == before


def test_what_another_import_brought_stays(source, give, take, take_back, states, now):
    from strandline.hotline.hashlist.services import Identity
    from strandline.lists.published.classes import EntryClass
    from strandline.lists.published.events import Fingerprints

    what = Identity(Fingerprints(**digests("one")), EntryClass("A", "camera", "nl"))
    import_entries([what], source="Elsewhere", by="person:2", now=now)
    take(give(source("One", trust=ALONE_NOT), row("one")))
    take_back(take(give(source("Two"), row("one"))))
    assert states("one") == ["listed"]


@pytest.mark.parametrize("waiting", [False, True])
def test_a_member_that_confirms_it_is_no_source(
    waiting, source, give, take, take_back, states, now
):
    if waiting:
        take(give(source("One", trust=ALONE_NOT), row("one")))
    taken = take(give(source("Two"), row("one")))
    member = add_member(name="Example Platform", by="test", now=now)
    said = say(member, [Said("entry-1", "confirm", "seen")], now=now)
    assert said[0].problem == ""
    take_back(taken)
    assert states("one") == ["quarantined" if waiting else "withdrawn"]


def test_what_it_contradicted_is_not_listed_on_one_word_alone(
    source, give, take, take_back, states, against, told
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    second = take(give(source("Two", trust=ALONE_NOT), row("one")))
    contradicting = against("Three", "one")
    assert told()[-1] == "quarantine contradicted"
    take_back(second)
    assert states("one") == ["quarantined"]
    take_back(contradicting)
    assert states("one") == ["quarantined"]
    assert told()[-2:] == ["restore cleared", "quarantine single-source"]
    take(give(source("Four", trust=ALONE_NOT), row("one")))
    assert states("one") == ["listed"]


def test_what_waits_and_is_contradicted_is_not_listed_by_a_second_source(
    source, give, take, take_back, states, against
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    contradicting = against("Two", "one")
    take(give(source("Three"), row("one")))
    assert states("one") == ["quarantined"]
    take_back(contradicting)
    assert states("one") == ["listed"]


def test_taking_back_a_contradiction_leaves_what_waits_waiting(
    source, give, take, take_back, states, against
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    before = Event.objects.count()
    take_back(against("Two", "one"))
    assert states("one") == ["quarantined"]
    assert Event.objects.count() == before


def test_what_was_quarantined_for_something_else_since_stays_so(
    source, give, take, take_back, states, against, now
):
    take(give(source("One"), row("one"), row("two")))
    contradicting = against("Two", "one", "two")
    one = Entry.objects.get(pk=1)
    restore(one, reason="Looked at", by="person:2", now=now)
    quarantine(one, why=Why.DISPUTED, reason="Two members dispute it.", by="feedback", now=now)
    take_back(contradicting)
    assert states("one", "two") == ["quarantined", "listed"]


def test_what_was_quarantined_in_the_words_of_before_is_restored_too(
    source, give, take, take_back, states, against, now
):
    take(give(source("One"), row("one")))
    contradicting = against("Two", "one")
    entry = Entry.objects.get()
    restore(entry, reason="again", by="test", now=now)
    quarantine(entry, why=Why.DISPUTED, reason="Two says otherwise", by="person:1", now=now)
    take_back(contradicting)
    assert states("one") == ["listed"]


def test_what_others_look_at_is_looked_at_before_it_is_matched_again(
    source, give, take, take_back, states, against, monkeypatch, now
):
    """A picture may have become a known innocent one, or disputed, while it was contradicted."""

    def innocent(numbers, at):
        for entry in Entry.objects.filter(pk__in=numbers, fingerprint__md5=digests("one")["md5"]):
            quarantine(entry, why=Why.INNOCENT, reason="A logo", by="feedback", now=at)

    take(give(source("One"), row("one"), row("two")))
    contradicting = against("Two", "one", "two")
    monkeypatch.setattr(checks, "CHECKS", [innocent])
    take_back(contradicting)
    assert states("one", "two") == ["quarantined", "listed"]


def test_what_members_disputed_meanwhile_is_not_matched_again(
    source, give, take, take_back, states, against, monkeypatch, now
):
    monkeypatch.setattr(checks, "CHECKS", [weighing.look_again])
    take(give(source("One"), row("one"), row("two")))
    contradicting = against("Two", "one", "two")
    for name in ("Three", "Four", "Five"):
        member = add_member(name=name, by="test", now=now)
        say(member, [Said("entry-1", "dispute", "adult")], now=now)
    take_back(contradicting)
    assert states("one", "two") == ["quarantined", "listed"]
    assert Entry.objects.get(pk=1).why == Why.DISPUTED


def test_a_managers_quarantine_of_a_source_is_not_ended_by_another_list(
    source, give, take, states, now
):
    take(give(source("One"), row("one")))
    reason = "Rests on One alone, whose entries are contested (alarm 1)"
    quarantine(Entry.objects.get(), why=Why.SINGLE_SOURCE, reason=reason, by="person:2", now=now)
    take(give(source("Two", trust=ALONE_NOT), row("one")))
    assert states("one") == ["quarantined"]


def test_what_a_source_withdraws_waits_where_one_word_is_left(
    source, give, take, take_back, states
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    two = source("Two")
    take(give(two, row("one", source_id="7")))
    gone = take(give(two, row("x", source_id="7", withdrawn=True)))
    assert states("one") == ["quarantined"]
    assert gone.outcome == {"quarantined until confirmed": 1}
    take_back(gone)
    assert states("one") == ["listed"]


def test_what_waited_when_its_source_withdrew_it_waits_when_it_comes_back(
    source, give, take, take_back, states
):
    peer = source("One", trust=ALONE_NOT)
    take(give(peer, row("one", source_id="7")))
    gone = take(give(peer, row("x", source_id="7", withdrawn=True)))
    assert states("one") == ["withdrawn"]
    take_back(gone)
    assert states("one") == ["quarantined"]


def test_what_was_contradicted_when_its_source_withdrew_it_is_so_when_it_comes_back(
    source, give, take, take_back, states, against
):
    peer = source("One")
    take(give(peer, row("one", source_id="7")))
    contradicting = against("Two", "one")
    gone = take(give(peer, row("x", source_id="7", withdrawn=True)))
    take_back(gone)
    assert states("one") == ["quarantined"]
    take_back(contradicting)
    assert states("one") == ["listed"]


def test_our_own_entry_is_never_touched(source, give, take, take_back, states, now, hotline):
    item = MediaItem.objects.create(
        **digests("own"),
        pdq=hashlib.sha256(b"x").hexdigest(),
        quality=100,
        pipeline="media-1",
        size=7,
        bytes_are=MediaItem.Bytes.DISCARDED,
        first_seen_at=now,
    )
    add_entry(item, category="A", by="test", now=now)
    take(give(source("One", trust=ALONE_NOT), row("own")))
    before = Event.objects.count()
    take_back(take(give(source("Two"), row("own"))))
    assert states("own") == ["listed"]
    assert Event.objects.count() == before


def test_all_of_it_happens_at_once_with_its_entry_in_the_chain(
    source, give, take, states, now, hotline, work, monkeypatch
):
    take(give(source("One", trust=ALONE_NOT), row("one")))
    taken = take(give(source("Two"), row("one"), row("two")))
    services.take_back(taken, reason="wrong list", by="person:1", now=now)
    before = (Event.objects.count(), AuditEntry.objects.count())

    class Killed(BaseException):
        pass

    def die(*_args, **_more):
        raise Killed

    for room, part in ((vouching, "wait"), (vouching, "free"), (taking, "_record")):
        with monkeypatch.context() as patch, Tools(hotline) as tools:
            patch.setattr(room, part, die)
            claimed = due.claim(Delivery, worker="dies", now=now)
            with pytest.raises(Killed):
                handle(claimed, tools, now)
        due.release("dies")
        assert (Event.objects.count(), AuditEntry.objects.count()) == before
        assert states("one", "two") == ["listed", "listed"]
    work()
    assert states("one", "two") == ["quarantined", "withdrawn"]
    acts = list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))
    assert acts[before[1] :] == [
        *("hashlist.withdraw_many", "hashlist.quarantine_many", "exchange.take_back"),
    ]
