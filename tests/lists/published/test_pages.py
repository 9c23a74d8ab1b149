import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from list_histories import CAMERA, DRAWN, History, add, deltas, drawn_events, entry
from strandline.errors import ListRefused
from strandline.lists.published import pages
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Action, Column
from strandline.lists.published.events import Event
from strandline.lists.published.pages import decode, encode, in_pages

BASE = f"editions/000012/{DRAWN.id}"
CAMERA_BASE = f"editions/000012/{CAMERA.id}"


@settings(max_examples=30, deadline=None)
@given(drawn_events())
def test_a_page_gives_the_events_again(events):
    assert list(decode(encode(Block.of(events), BASE, 3)).events()) == events


@settings(max_examples=30, deadline=None)
@given(drawn_events(12), st.integers(1, 5), st.integers(1, 3))
def test_pages_do_not_depend_on_how_the_events_came(events, rows, cut):
    whole = pages.MAX_ROWS
    pages.MAX_ROWS = rows
    try:
        parts = [Block.of(events[at : at + cut]) for at in range(0, len(events), cut)]
        found = [encode(block, BASE, page) for page, block in enumerate(in_pages(parts))]
        at_once = [
            encode(block, BASE, page) for page, block in enumerate(in_pages([Block.of(events)]))
        ]
        assert found == at_once
        assert len(found) == -(-len(events) // rows)
        assert [event for page in found for event in decode(page).events()] == events
    finally:
        pages.MAX_ROWS = whole


def test_films_with_many_frames_are_cut_into_more_pages(monkeypatch):
    events = [add(5 * number) for number in range(1, 30)]
    frames = [len(event.entry.fingerprints.video) for event in events]
    monkeypatch.setattr(pages, "MAX_FRAMES", 6)

    found = [decode(encode(block, CAMERA_BASE, 0)) for block in in_pages([Block.of(events)])]

    assert [event for block in found for event in block.events()] == events
    assert all(block.frames.sum() <= 6 for block in found)
    assert len(found) < sum(frames)


@settings(max_examples=30, deadline=None)
@given(drawn_events(5), st.data())
def test_a_changed_byte_of_any_file_is_refused_or_says_something_else(events, data):
    files = encode(Block.of(events), BASE, 0)
    path = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[path]) - 1))
    changed = bytearray(files[path])
    changed[at] ^= data.draw(st.integers(1, 255))

    try:
        block = decode(files | {path: bytes(changed)})
        found = list(block.events())
    except ListRefused:
        return
    assert found != events
    assert encode(block, BASE, 0) == files | {path: bytes(changed)}


@settings(max_examples=30, deadline=None)
@given(drawn_events(5), st.data())
def test_a_file_cut_off_or_lengthened_is_refused(events, data):
    files = encode(Block.of(events), BASE, 0)
    path = data.draw(st.sampled_from(sorted(files)))
    whole = files[path]
    other = data.draw(
        st.integers(0, len(whole) - 1).map(lambda end: whole[:end])
        | st.binary(min_size=1).map(lambda more: whole + more)
    )
    with pytest.raises(ListRefused):
        decode(files | {path: other})


def test_a_member_reads_the_core_with_whichever_columns_it_has():
    events = History().events(60)
    ((_, (block,)),) = deltas((CAMERA,), events)
    files = encode(block, CAMERA_BASE, 0)
    some = {
        path: data for path, data in files.items() if path.rpartition(".")[2] in {"core", "pdq"}
    }

    found = decode(some)

    assert list(found.columns) == [Column.PDQ]
    assert found.sequence.tolist() == block.sequence.tolist()
    assert np.array_equal(found.columns[Column.PDQ].data, block.columns[Column.PDQ].data)


def test_a_column_that_no_row_has_gives_no_file():
    files = encode(Block.of([Event(7, Action.WITHDRAW, 3, CAMERA, "moved")]), CAMERA_BASE, 0)

    assert list(files) == [f"{CAMERA_BASE}/000000.core"]


def test_a_page_is_not_read_without_its_core_or_with_another_page():
    files = encode(Block.of([add(1)]), CAMERA_BASE, 0)
    other = encode(Block.of([add(2)]), CAMERA_BASE, 1)
    core = f"{CAMERA_BASE}/000000.core"

    for chosen in ({}, {k: v for k, v in files.items() if k != core}, files | other):
        with pytest.raises(ListRefused, match="its core"):
            decode(chosen)


def test_a_page_moved_to_another_place_is_refused():
    files = encode(Block.of([add(1)]), CAMERA_BASE, 0)
    moved = {path.replace("000012", "000013"): data for path, data in files.items()}
    elsewhere = {path.replace(CAMERA.id, DRAWN.id): data for path, data in files.items()}

    for wrong in (moved, elsewhere):
        with pytest.raises(ListRefused, match="damaged"):
            decode(wrong)


def test_a_page_of_another_class_than_its_folder_is_refused():
    core = f"{BASE}/000000.core"
    files = encode(Block.of([Event(1, Action.WITHDRAW, 1, CAMERA)]), BASE, 0)

    with pytest.raises(ListRefused, match="another class"):
        decode({core: files[core]})


def test_a_column_of_a_page_with_other_rows_is_refused():
    files = encode(Block.of([add(1)]), CAMERA_BASE, 0)
    longer = encode(Block.of([add(1), add(2)]), CAMERA_BASE, 0)
    path = f"{CAMERA_BASE}/000000.pdq"

    with pytest.raises(ListRefused, match="damaged"):
        decode(files | {path: longer[path]})


@pytest.mark.parametrize("value", ["1", 1.0, True, None, [], -1, 0, 2**70, {"a": 1}])
@pytest.mark.parametrize("key", ["rows", "first", "class", "path", "reasons", "values"])
def test_a_header_with_other_values_is_refused(key, value):
    files = encode(Block.of([add(1)]), CAMERA_BASE, 0)
    path = f"{CAMERA_BASE}/000000.{'sha256' if key == 'values' else 'core'}"
    magic, header, payload = files[path].split(b"\n", 2)
    told = json.loads(header) | {key: value}
    wrong = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    if wrong == header or (key, value) == ("reasons", []):
        return

    with pytest.raises(ListRefused):
        decode(files | {path: b"\n".join([magic, wrong, payload])})


def test_a_page_of_a_later_version_says_so():
    path = f"{CAMERA_BASE}/000000.core"
    with pytest.raises(ListRefused, match="newer strandline"):
        decode({path: b"strandline page 3\n{}\n"})


def test_steps_that_pass_the_largest_number_are_refused():
    block = Block.of([add(1), add(2**53 - 1, 7)])
    files = encode(block, CAMERA_BASE, 0)
    path = f"{CAMERA_BASE}/000000.core"
    wrong = files[path].replace(b'"first":[1,1]', b'"first":[9,1]')

    with pytest.raises(ListRefused, match="order of sequence"):
        decode(files | {path: wrong})


def test_snapshots_hold_rows_that_tell_an_entry_and_no_others():
    told = Block.of([add(1)])
    contested = dataclasses.replace(told, action=np.array([4], np.uint8))
    base = CAMERA_BASE.replace("editions", "snapshots")

    assert decode(encode(contested, base, 0)).action.tolist() == [4]
    with pytest.raises(ListRefused, match="do not belong"):
        encode(contested, CAMERA_BASE, 0)
    for other in (Action.WITHDRAW, Action.QUARANTINE, Action.RESTORE):
        with pytest.raises(ListRefused, match="do not belong"):
            encode(Block.of([Event(1, other, 1, CAMERA)]), base, 0)
    with pytest.raises(ListRefused, match="do not belong"):
        encode(Block.of([Event(1, Action.AMEND, 1, CAMERA, "", entry(1))]), base, 0)


def test_an_entry_without_hashes_is_not_written():
    with pytest.raises(ListRefused, match="without any hash"):
        encode(Block.of([add(1)]).only([]), CAMERA_BASE, 0)


def test_no_more_is_written_than_a_page_holds():
    with pytest.raises(ListRefused, match="more than a page"):
        encode(Block.of([], CAMERA), CAMERA_BASE, 0)


def test_a_page_costs_little_more_than_its_hashes():
    rows = 4096
    events = [add(5 * number + 1) for number in range(rows)]
    files = encode(Block.of(events), CAMERA_BASE, 0)
    bare = sum(
        len(values.data) * values.data.shape[1] for values in Block.of(events).columns.values()
    )

    # quality takes up to 7 bits, and a bit for each hash that is not always there
    assert sum(map(len, files.values())) - bare < 2.0 * rows
