import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from list_histories import CAMERA, DRAWN, add, drawn_events
from strandline.errors import ListRefused
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Action, Column
from strandline.lists.published.events import Entry, Event, Fingerprints, Kind

few = drawn_events(12)


@settings(max_examples=30, deadline=None)
@given(few)
def test_a_block_of_events_gives_them_again(events):
    assert list(Block.of(events).events()) == events


@settings(max_examples=30, deadline=None)
@given(few, st.data())
def test_rows_are_chosen_by_slice_or_by_truth(events, data):
    block = Block.of(events)
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(events))] * 2)))
    chosen = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))

    assert list(block.take(slice(start, stop)).events()) == events[start:stop]
    assert list(block.take(np.array(chosen, np.bool_)).events()) == [
        event for event, kept in zip(events, chosen, strict=True) if kept
    ]


@settings(max_examples=30, deadline=None)
@given(few, st.data())
def test_joined_parts_are_the_whole(events, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events) - 1))) if len(events) > 1 else [])
    bounds = [0, *cuts, len(events)]
    parts = [Block.of(events[one:other]) for one, other in itertools.pairwise(bounds)]

    assert list(Block.join(parts).events()) == events


def test_a_block_of_no_events_needs_a_class():
    assert len(Block.of([], CAMERA)) == 0
    with pytest.raises(ListRefused, match="which class"):
        Block.of([])


def test_events_of_two_classes_are_not_mixed():
    with pytest.raises(ListRefused, match="one class"):
        Block.of([add(1), add(2, entry_class=DRAWN)])
    with pytest.raises(ListRefused, match="several classes"):
        Block.join([Block.of([add(1)]), Block.of([add(2, entry_class=DRAWN)])])


def test_only_some_columns_leave_the_rows():
    block = Block.of([add(1), add(2)]).only([Column.PDQ])

    assert set(block.columns) == {Column.PDQ}
    assert [event.entry.fingerprints.sha256 for event in block.events()] == [None, None]


def test_an_entry_without_a_known_hash_is_no_event():
    with pytest.raises(ListRefused, match="at least one"):
        list(Block.of([add(1)]).only([]).events())


def test_a_row_of_a_snapshot_under_quarantine_is_an_addition_as_an_event():
    block = Block.of([add(1)])
    snapshot = dataclasses.replace(block, action=np.array([4], np.uint8))

    assert list(snapshot.events()) == list(block.events())


def test_a_quality_without_a_pdq_is_not_kept():
    told = Fingerprints(sha256="ab" * 32, quality=40)
    event = Event(1, Action.ADD, 1, CAMERA, "", Entry(1, CAMERA, Kind.IMAGE, "-", told))

    (found,) = Block.of([event]).events()

    assert found.entry.fingerprints == Fingerprints(sha256="ab" * 32)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sequence": np.array([2, 1], np.uint64)}, "order of sequence"),
        ({"sequence": np.array([1, 1], np.uint64)}, "order of sequence"),
        ({"sequence": np.array([0, 1], np.uint64)}, "order of sequence"),
        ({"sequence": np.array([1, 2**53], np.uint64)}, "order of sequence"),
        ({"number": np.array([0, 1], np.uint64)}, "number that cannot be"),
        ({"number": np.array([1], np.uint64)}, "several lengths"),
        ({"action": np.array([1, 6], np.uint8)}, "something unknown"),
        ({"action": np.array([1, 3], np.uint8)}, "should only name"),
        ({"kind": np.array([1, 3], np.uint8)}, "about something unknown"),
        ({"kind": np.array([1, 0], np.uint8)}, "should only name"),
        ({"pipeline": np.array([1, 0], np.uint32)}, "lack a pipeline"),
        ({"pipeline": np.array([1, 2], np.uint32)}, "lack a pipeline"),
        ({"reason": np.array([0, 9], np.uint32)}, "lack a pipeline or a reason"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(changes, why):
    block = Block.of([add(1), add(2)])
    with pytest.raises(ListRefused, match=why):
        dataclasses.replace(block, **changes)


def test_hashes_of_rows_that_tell_nothing_are_refused():
    withdrawn = Block.of([add(1), Event(2, Action.WITHDRAW, 1, CAMERA)])
    with pytest.raises(ListRefused, match="where no entry is told"):
        dataclasses.replace(withdrawn, columns=Block.of([add(1), add(2)]).columns)


def test_a_column_with_a_value_too_few_is_refused():
    values = Block.of([add(1), add(2)]).columns[Column.SHA256]
    with pytest.raises(ListRefused, match="for each row"):
        dataclasses.replace(values, data=values.data[:1])
