"""The list read back: blocks as the events were, and counts as they add up."""

import numpy as np
import pytest

from strandline.hotline.hashlist import reading, services
from strandline.hotline.hashlist.models import Entry, Event, ListedClass
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.events import Fingerprints, Frame, Kind

pytestmark = pytest.mark.django_db
CLASS = EntryClass("A1", "camera", "us", labels=("series",))


@pytest.fixture
def received(now, hotline):
    def take(number, **values):
        told = Fingerprints(**({"sha256": f"{number:064x}"} | values))
        what = services.Identity(told, CLASS, kind=Kind.VIDEO, pipeline="vpdq-1")
        return services.add_received(what, source="Example", by="test", now=now)

    return take


@pytest.fixture
def history(received, now):
    """Films, opaque values, bare digests; contested, cleared, withdrawn."""
    frames = (Frame(0, 100, "0f" * 32), Frame(2**32 - 1, 3, "f0" * 32))
    entries = [
        received(1),
        received(2, video=frames, md5="12" * 16),
        received(3, photodna="5a" * 144, pdq="0f" * 32, quality=77),
        received(4, sha256=None, sha1="ab" * 20),
    ]
    facts = {"reason": "A test", "by": "test", "now": now}
    services.quarantine(entries[0], **facts)
    services.quarantine(entries[1], **facts)
    services.restore(entries[0], **facts)
    services.withdraw(entries[1], **facts)
    services.quarantine(entries[3], **facts)
    return entries


def blocks(**span):
    return list(reading.delta(ListedClass.objects.get(), **span))


def test_blocks_hold_what_each_event_says(history):
    (block,) = blocks(after=0, up_to=9)
    told = list(block.events())
    assert [event.sequence for event in told] == list(range(1, 10))
    rows = Event.objects.select_related("fingerprint", "listed_class")
    for event, row in zip(told, rows, strict=True):
        assert (event.action, event.number, event.reason) == (row.action, row.entry_id, row.why)
        assert event.entry_class == CLASS
        if row.fingerprint:
            assert event.entry.fingerprints == row.fingerprint.value
            assert (event.entry.kind, event.entry.pipeline) == ("video", "vpdq-1")


def test_arrays_made_at_once_are_those_made_event_by_event(history):
    (block,) = blocks(after=0, up_to=9)
    other = Block.of(block.events())
    for name in ("sequence", "number", "action", "kind"):
        assert np.array_equal(getattr(block, name), getattr(other, name))
    assert set(block.columns) == set(other.columns) == {
        Column.SHA256, Column.SHA1, Column.MD5, Column.PDQ, Column.VIDEO, Column.PHOTODNA,
    }  # fmt: skip
    for column, values in block.columns.items():
        assert np.array_equal(values.data, other.columns[column].data), column
        assert np.array_equal(values.present, other.columns[column].present), column


def test_a_portion_more_or_less_makes_no_difference(history, monkeypatch):
    (whole,) = blocks(after=2, up_to=8)
    monkeypatch.setattr(reading, "AT_ONCE", 2)
    parts = blocks(after=2, up_to=8)
    assert [len(part) for part in parts] == [2, 2, 2]
    assert list(Block.join(parts).events()) == list(whole.events())


@pytest.mark.parametrize("at", range(10))
def test_counts_add_up_from_any_event_on(at, history):
    listed_class = ListedClass.objects.get()
    nothing = reading.Held(0, 0, 0)
    before = reading.held(listed_class, after=0, up_to=at, before=nothing)
    assert reading.held(listed_class, after=at, up_to=9, before=before) == reading.Held(3, 1, 9)


def test_the_number_of_statements_does_not_grow_with_the_list(received, django_assert_num_queries):
    for number in range(1, 40):
        received(number)
    with django_assert_num_queries(3):  # the class, a portion, and that there is no more
        assert sum(len(block) for block in blocks(after=0, up_to=39)) == 39
    assert Entry.objects.count() == 39
