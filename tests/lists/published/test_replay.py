import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from list_histories import CAMERA, DRAWN, History, add, deltas, entry
from strandline.errors import ListRefused
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Action
from strandline.lists.published.events import Event
from strandline.lists.published.replay import NOTHING, replay, standing_rows


def blocks_of(events, entry_class=CAMERA, cut=7):
    return dict(deltas((entry_class,), events, cut))[entry_class]


def name(sequence, action, number, reason=""):
    return Event(sequence, action, number, CAMERA, reason)


def amend(sequence, number):
    return Event(sequence, Action.AMEND, number, CAMERA, "", entry(number, CAMERA, sequence))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 120), st.integers(1, 30))
def test_a_replay_comes_to_what_events_one_by_one_come_to(seed, count, cut):
    history = History(seed)
    events = history.events(count)

    for entry_class in (CAMERA, DRAWN):
        known = history.standing(entry_class)
        found = replay(blocks_of(events, entry_class, cut))
        assert found.number.tolist() == list(known)
        assert found.told.tolist() == [each.told for each in known.values()]
        reasons = [found.reasons[why - 1] if why else None for why in found.quarantine.tolist()]
        assert reasons == [each.quarantine for each in known.values()]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 80), st.integers(0, 80))
def test_a_replay_can_go_on_from_where_one_ended(seed, count, more):
    history = History(seed)
    first, then = blocks_of(history.events(count)), blocks_of(history.events(more))

    on_top = replay(then, replay(first))
    at_once = replay([*first, *then])

    assert np.array_equal(on_top.number, at_once.number)
    assert np.array_equal(on_top.told, at_once.told)
    assert on_top.quarantined == at_once.quarantined
    assert on_top.sequence == at_once.sequence


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_a_snapshot_tells_each_entry_as_it_stands_and_replays_to_itself(seed, count):
    history = History(seed)
    blocks = blocks_of(history.events(count))
    standing = replay(blocks)

    rows = list(standing_rows(blocks, standing))

    known = sorted(history.standing(CAMERA).values(), key=lambda each: each.told)
    assert [event.entry for block in rows for event in block.events()] == [
        each.entry for each in known
    ]
    again = replay(rows)
    assert np.array_equal(again.number, standing.number)
    assert np.array_equal(again.told, standing.told)
    assert [again.reasons[why - 1] for why in again.quarantine.tolist() if why] == [
        standing.reasons[why - 1] for why in standing.quarantine.tolist() if why
    ]


@pytest.mark.parametrize(
    "events",
    [
        [add(1), add(2, 1)],
        [name(1, Action.WITHDRAW, 1)],
        [name(1, Action.RESTORE, 1)],
        [name(1, Action.QUARANTINE, 1)],
        [amend(1, 1)],
        [add(1), name(2, Action.RESTORE, 1)],
        [add(1), name(2, Action.QUARANTINE, 1), name(3, Action.QUARANTINE, 1)],
        [add(1), name(2, Action.QUARANTINE, 1), amend(3, 1), name(4, Action.QUARANTINE, 1)],
        [add(1), name(2, Action.WITHDRAW, 1), amend(3, 1)],
        [add(1), name(2, Action.WITHDRAW, 1), name(3, Action.WITHDRAW, 1)],
        [add(1), name(2, Action.QUARANTINE, 1), add(3, 1)],
    ],
)
def test_events_that_contradict_each_other_are_refused(events):
    with pytest.raises(ListRefused, match="entry-1 contradict"):
        replay([Block.of([add(100, 7)]).take(slice(0, 0)), Block.of(events)])


def test_an_amendment_does_not_lift_a_quarantine_and_a_new_addition_has_none():
    contested = [add(1), name(2, Action.QUARANTINE, 1, "contested"), amend(3, 1)]
    back = [*contested, name(4, Action.WITHDRAW, 1), add(5, 1)]

    assert replay([Block.of(contested)]).quarantined == 1
    assert replay([Block.of(back)]).quarantined == 0


def test_blocks_out_of_order_are_refused():
    with pytest.raises(ListRefused, match="go back behind number 5"):
        replay([Block.of([add(5)]), Block.of([add(4)])])


def test_nothing_comes_to_nothing():
    assert len(replay([])) == len(NOTHING) == 0
    assert list(standing_rows([Block.of([add(1)])], NOTHING)) == []
