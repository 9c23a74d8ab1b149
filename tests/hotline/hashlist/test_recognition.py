"""What is listed already: settled without anybody looking, or hinted at."""

import pytest

from strandline.hotline.assessment.hints import hints_for
from strandline.hotline.assessment.models import Verdict
from strandline.hotline.assessment.words import Category
from strandline.hotline.hashlist import near
from strandline.hotline.hashlist.models import Entry, NearHint
from strandline.hotline.hashlist.near import NearIndex
from strandline.hotline.hashlist.services import add_entry, withdraw
from strandline.hotline.reports.models import Appearance, MediaItem, ReportedUrl
from strandline.hotline.reports.signals import address_captured
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


def flipped(pdq, bits):
    """``pdq`` with ``bits`` of its bits turned over."""
    return f"{int(pdq, 16) ^ ((1 << bits) - 1):064x}"


def capture(address, *items, now):
    for number, item in enumerate(items):
        Appearance.objects.create(
            address=address, item=item, source_url=f"{address.url}#{number}", seen_at=now
        )
    address_captured.send(ReportedUrl, address=address, now=now)
    address.refresh_from_db()
    return address


def decide(item, category, now):
    """A verdict as if two analysts had agreed, told to whoever listens."""
    from strandline.hotline.assessment.signals import item_decided

    verdict = Verdict.objects.create(
        item=item, category=category, baseline="", law="uk-1", how="agreed", decided_at=now
    )
    item_decided.send(Verdict, item=item, verdict=verdict, now=now)
    return verdict


@pytest.mark.parametrize(
    "category", [Category.A, Category.B, Category.C, Category.PROHIBITED], ids=str
)
def test_an_item_decided_illegal_is_listed_in_the_same_transaction(category, item, now, hotline):
    picture = item()
    decide(picture, category, now)
    entry = Entry.objects.get()
    assert (entry.item, entry.listed_class.category, entry.state) == (picture, category, "listed")


@pytest.mark.parametrize("category", [Category.NOT_ILLEGAL, Category.UNDETERMINED], ids=str)
def test_any_other_item_is_not_listed(category, item, now, hotline):
    decide(item(), category, now)
    assert not Entry.objects.exists()


def test_an_entry_whose_item_is_found_not_illegal_is_withdrawn(item, now, hotline):
    picture = item()
    add_entry(picture, category="C", by="test", now=now)
    decide(picture, Category.NOT_ILLEGAL, now)
    entry = Entry.objects.get()
    assert entry.state == Entry.State.WITHDRAWN
    assert "not illegal" in entry.reason


def test_a_listed_item_without_a_verdict_is_settled_without_a_look(address, item, now, hotline):
    known = item()
    entry = add_entry(known, category="B", labels=["baseline"], by="test", now=now)
    row = capture(address(State.CAPTURED), known, now=now)
    verdict = Verdict.objects.get(item=known)
    assert (verdict.category, verdict.how, verdict.entry) == ("B", "exact match", entry.number)
    assert verdict.baseline == "baseline"
    assert row.state == State.SECOND_ASSESSED
    assert Entry.objects.count() == 1, "it is listed already"


def test_one_unknown_picture_beside_a_listed_one_still_waits_for_analysts(
    address, item, now, hotline
):
    known, unknown = item(), item()
    add_entry(known, category="A", by="test", now=now)
    row = capture(address(State.CAPTURED), known, unknown, now=now)
    assert row.state == State.CAPTURED
    assert not Verdict.objects.filter(item=unknown).exists()


def test_a_withdrawn_entry_settles_nothing(address, item, now, hotline):
    known = item()
    withdraw(
        add_entry(known, category="A", by="test", now=now), reason="mistake", by="test", now=now
    )
    row = capture(address(State.CAPTURED), known, now=now)
    assert row.state == State.CAPTURED
    assert not Verdict.objects.exists()


@pytest.mark.parametrize(("bits", "hinted"), [(0, True), (31, True), (32, False)])
def test_a_likeness_is_hinted_within_thirty_one_bits(bits, hinted, address, item, now, hotline):
    known = item()
    add_entry(known, category="A", by="test", now=now)
    alike = item(pdq=flipped(known.pdq, bits))
    row = capture(address(State.CAPTURED), alike, now=now)
    assert NearHint.objects.filter(item=alike, distance=bits).exists() is hinted
    assert row.state == State.CAPTURED, "a likeness never decides"
    texts = [hint.text for hint in hints_for(alike)]
    assert any(f"{bits} of 256 bits" in text for text in texts) is hinted


@pytest.mark.parametrize("side", ["listed", "captured"])
def test_a_picture_too_plain_to_compare_gets_no_hint(side, address, item, now, hotline):
    known = item(quality=49 if side == "listed" else 100)
    add_entry(known, category="A", by="test", now=now)
    alike = item(pdq=known.pdq, quality=49 if side == "captured" else 100)
    capture(address(State.CAPTURED), alike, now=now)
    assert not NearHint.objects.exists()


def test_a_hint_ends_with_its_entry(address, item, now, hotline):
    known = item()
    entry = add_entry(known, category="A", by="test", now=now)
    alike = item(pdq=flipped(known.pdq, 3))
    capture(address(State.CAPTURED), alike, now=now)
    assert hints_for(alike)
    withdraw(entry, reason="A mistake", by="test", now=now)
    assert not [hint for hint in hints_for(alike) if "entry-" in hint.text]


def test_an_address_captured_again_keeps_one_hint(address, item, now, hotline):
    known = item()
    add_entry(known, category="A", by="test", now=now)
    alike = item(pdq=flipped(known.pdq, 3))
    row = capture(address(State.CAPTURED), alike, now=now)
    address_captured.send(ReportedUrl, address=row, now=now)
    assert NearHint.objects.count() == 1


def test_only_the_nearest_few_are_kept(address, item, now, hotline):
    pdq = item().pdq
    for bits in range(1, 9):
        known = item(pdq=flipped(pdq, bits))
        add_entry(known, category="A", by="test", now=now)
    probe = item(pdq=pdq)
    capture(address(State.CAPTURED), probe, now=now)
    assert sorted(NearHint.objects.values_list("distance", flat=True)) == [1, 2, 3, 4, 5]


def test_the_index_follows_the_list_entry_by_entry_and_is_built_once(
    item, now, hotline, monkeypatch
):
    index, known = NearIndex(), []
    for _ in range(2):  # the first one found is built, all later ones are added
        known.append(add_entry(item(), category="A", by="test", now=now))
        index.query(known[-1].item.pdq)
    monkeypatch.delattr(near.Index, "build")
    for _ in range(12):
        known.append(add_entry(item(), category="A", by="test", now=now))
        for entry in known:
            assert [match.id for match in index.query(entry.item.pdq)] == [str(entry.number)]


def test_the_index_forgets_entries_of_a_transaction_that_was_undone(item, now, hotline):
    from django.db import transaction

    index = NearIndex()
    undone = item()
    with transaction.atomic():
        add_entry(undone, category="A", by="test", now=now)
        assert index.query(undone.pdq)
        transaction.set_rollback(True)
    other = item()
    add_entry(other, category="A", by="test", now=now)
    assert index.query(undone.pdq) == []
    assert [match.id for match in index.query(other.pdq)] == ["1"]
    assert MediaItem.objects.count() == 2
