"""What a copy comes to, held against a plain dictionary; and the store under kills and readers."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from killing import killed_before
from strandline.hashing import Digests, FilmHash, FrameHash, Policy
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Action, Column, EntryClass
from strandline.lists.published.events import Entry, Event, Fingerprints, Frame, Kind
from strandline.lists.state import Count, Query, State, Step, gathering
from strandline.lists.state import state as state_module

#: Unless every step is asked for, a kill is tried before some of them.
EVERY_KILL = bool(os.environ.get("STRANDLINE_EVERY_KILL"))
A = EntryClass("A", "camera", "gb")
B = EntryClass("B", "drawn", "de", labels=("series",))
PIPELINE = "media-1+pdq-1"


def digest(kind, seed):
    return hashlib.new(kind, str(seed).encode()).hexdigest()


def fingerprints(seed, **changes):
    values = {
        "sha256": digest("sha256", seed),
        "sha1": digest("sha1", seed),
        "md5": digest("md5", seed),
        "pdq": digest("sha256", f"pdq {seed}"),
        "quality": 100,
    }
    return Fingerprints(**(values | changes))


def add(sequence, number, entry_class=A, seed=None, kind=Kind.IMAGE, action=Action.ADD, **changes):
    told = fingerprints(number if seed is None else seed, **changes)
    entry = Entry(number, entry_class, kind, PIPELINE, told)
    return Event(sequence, action, number, entry_class, "", entry)


def act(action, sequence, number, entry_class=A, reason=""):
    return Event(sequence, action, number, entry_class, reason)


def blocks(events):
    by_class = {}
    for event in sorted(events, key=lambda event: event.sequence):
        by_class.setdefault(event.entry_class, []).append(event)
    return [Block.of(some) for some in by_class.values()]


def step(edition, *events):
    return Step(edition, blocks(events))


@pytest.fixture
def state(tmp_path):
    return State.build(tmp_path / "store", [step(1, add(1, 1), add(2, 2, B), add(3, 3))])


def found(state, **query):
    return [(hit.number, hit.column) for hit in state.find(**query)]


def test_the_same_bytes_are_found_by_the_strongest_digest_that_is_known(state):
    known = fingerprints(2)
    everything = {"sha256": known.sha256, "sha1": known.sha1, "md5": known.md5, "pdq": known.pdq}
    [hit] = state.find(**everything)
    assert (hit.name, hit.column, hit.entry_class) == ("entry-2", Column.SHA256, B)
    assert (hit.distance, hit.edition, hit.sequence, hit.pipeline) == (0, 1, 2, PIPELINE)
    assert hit.exact
    assert not hit.weaker
    for column in ("sha1", "md5"):
        [hit] = state.find(**{column: everything[column].upper()})
        assert (hit.number, hit.weaker) == (2, True)


def test_a_file_made_to_share_an_md5_is_not_taken_for_the_listed_one(state):
    other = digest("sha256", "another file")
    assert found(state, sha256=other, md5=fingerprints(2).md5) == []
    assert found(state, sha256=other, sha1=fingerprints(2).sha1) == []


def test_a_picture_is_found_within_the_radius_and_not_beyond_it(state):
    pdq = int(fingerprints(3).pdq, 16)
    near = f"{pdq ^ (2**31 - 1):064x}"
    [hit] = state.find(pdq=near)
    assert (hit.number, hit.column, hit.distance, hit.radius) == (3, Column.PDQ, 31, 31)
    assert found(state, pdq=near, radius=30) == []
    assert found(state, pdq=near, quality=49) == []


def test_what_is_withdrawn_or_under_quarantine_is_not_found_until_it_is_back(state):
    known = {"sha256": fingerprints(1).sha256, "pdq": fingerprints(1).pdq}
    state.apply([step(2, act(Action.QUARANTINE, 4, 1, reason="disputed"))])
    assert found(state, **known) == []
    assert state.entry(1).quarantined
    assert state.counts() == {A: Count(1, 1), B: Count(1, 0)}
    state.apply([step(3, act(Action.RESTORE, 5, 1))])
    assert found(state, **known) == [(1, Column.SHA256)]
    state.apply([step(4, act(Action.WITHDRAW, 6, 1))])
    assert found(state, **known) == []
    assert state.entry(1) is None
    assert state.counts() == {A: Count(1, 0), B: Count(1, 0)}
    assert (state.edition, state.sequence, len(state)) == (4, 6, 2)


def test_an_amendment_replaces_all_that_was_known(state):
    state.apply([step(2, add(4, 1, seed="new", action=Action.AMEND))])
    assert found(state, sha256=fingerprints(1).sha256, pdq=fingerprints(1).pdq) == []
    [hit] = state.find(pdq=fingerprints("new").pdq)
    assert (hit.number, hit.edition, hit.sequence) == (1, 2, 4)


def test_an_entry_moves_to_another_class_and_keeps_its_name(state):
    state.apply([step(2, act(Action.WITHDRAW, 4, 1, reason="moved"), add(5, 1, B))])
    [hit] = state.find(sha256=fingerprints(1).sha256)
    assert (hit.name, hit.entry_class) == ("entry-1", B)
    assert state.counts() == {A: Count(1, 0), B: Count(2, 0)}


@pytest.mark.parametrize(
    "event",
    [
        add(4, 1),
        add(4, 9, action=Action.AMEND),
        act(Action.WITHDRAW, 4, 9),
        act(Action.RESTORE, 4, 1),
        act(Action.WITHDRAW, 4, 1, B),
        add(4, 2, A, action=Action.AMEND),
    ],
    ids=["added twice", "amends none", "withdraws none", "restores live", "of B", "to A"],
)
def test_events_that_contradict_what_is_held_are_refused_and_nothing_is_applied(state, event):
    with pytest.raises(state_module.ListRefused, match="contradicts what is held"):
        state.apply([step(2, add(5, 7), event)])
    assert (state.edition, len(state), state.entry(7)) == (1, 3, None)


def test_events_behind_what_is_held_are_refused(state):
    with pytest.raises(state_module.ListRefused, match="go back behind edition 1"):
        state.apply([step(2, add(3, 9))])


def test_a_check_that_refuses_what_would_come_out_stops_it(state):
    def refuse(counts):
        assert counts == {A: Count(3, 0), B: Count(1, 0)}
        raise state_module.ListRefused("no")

    with pytest.raises(state_module.ListRefused, match="no"):
        state.apply([step(2, add(4, 9))], check=refuse)
    assert state.entry(9) is None


def test_a_snapshot_lists_entries_under_quarantine(tmp_path):
    live, held = blocks([add(1, 1), add(2, 2)])[0], None
    held = Block(**(vars(live) | {"action": np.array([1, 4], np.uint8)}))
    state = State.build(tmp_path / "store", [Step(3, [held], snapshot=True)])
    assert state.counts() == {A: Count(1, 1)}
    assert found(state, sha256=fingerprints(2).sha256) == []
    with pytest.raises(state_module.ListRefused, match="row of a snapshot"):
        State.build(tmp_path / "other", [Step(3, [held])])


FRAMES = tuple(Frame(n * 1000, 90, digest("sha256", f"frame {n}")) for n in range(4))


def test_a_film_is_found_by_a_still_and_by_a_film_and_says_where(tmp_path):
    film = add(1, 5, B, kind=Kind.VIDEO, pdq=None, quality=0, video=FRAMES)
    state = State.build(tmp_path / "store", [step(1, film)])
    shown = film_of(
        FrameHash(FRAMES[1].pdq, 90, 10.0, 11.0),
        FrameHash(digest("sha256", "other"), 90, 11.0, 14.0),
    )
    for _ in range(2):  # once from the arrays, once from what changed since
        [hit] = state.find(pdq=FRAMES[2].pdq)
        assert (hit.number, hit.column, hit.ranges) == (5, Column.VIDEO, ((2.0, 3.0),))
        [hit] = state.find_film(shown)
        assert (hit.ranges, hit.query_ranges) == (((1.0, 2.0),), ((10.0, 11.0),))
        assert hit.share == 0.25
        if state.edition == 1:
            state.apply([step(2, Event(2, Action.AMEND, 5, B, "", film.entry))])


def film_of(*frames):
    return FilmHash(
        kind="video",
        format="mp4",
        codec="h264",
        width=64,
        height=64,
        duration=4.0,
        digests=Digests("", "", ""),
        frames=frames,
        pipeline="",
        policy=Policy.EVERY_SECOND,
        truncated=False,
        samples=4,
    )


# Against a dictionary.


@st.composite
def histories(draw):
    """Editions of events that fit each other, and what they come to."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    held, editions, sequence = {}, [], 0
    for _ in range(draw(st.integers(1, 6))):
        events = []
        for _ in range(rng.randint(0, 12)):
            sequence += rng.randint(1, 3)
            number = rng.randint(1, 8)
            known = held.get(number)
            if known is None:
                event = add(sequence, number, rng.choice((A, B)), seed=rng.randint(1, 5))
                held[number] = (event.entry, False)
            else:
                entry, contested = known
                action = rng.choice(
                    (Action.AMEND, Action.WITHDRAW)
                    + ((Action.RESTORE,) if contested else (Action.QUARANTINE,))
                )
                if action is Action.AMEND:
                    event = add(
                        sequence, number, entry.entry_class, rng.randint(1, 5), action=action
                    )
                    held[number] = (event.entry, contested)
                else:
                    event = act(action, sequence, number, entry.entry_class)
                    held[number] = (entry, action is Action.QUARANTINE)
                    if action is Action.WITHDRAW:
                        del held[number]
            events.append(event)
        editions.append((events, dict(held)))
    return editions


def agrees(state, held):
    assert {entry.number: entry for entry in state.entries()}.keys() == held.keys()
    for entry in state.entries():
        known, contested = held[entry.number]
        assert (entry.fingerprints, entry.entry_class) == (known.fingerprints, known.entry_class)
        assert entry.quarantined == contested
        assert state.entry(entry.number) == entry
    for seed in range(1, 6):
        wanted = fingerprints(seed)
        expected = {n for n, (e, q) in held.items() if not q and e.fingerprints == wanted}
        for query in ({"sha256": wanted.sha256}, {"md5": wanted.md5}, {"pdq": wanted.pdq}):
            assert {hit.number for hit in state.find(**query)} == expected


@settings(max_examples=25, deadline=None)
@given(histories(), st.booleans(), st.booleans(), st.booleans())
def test_whatever_happens_the_store_holds_what_a_dictionary_holds(
    tmp_path_factory, editions, anew, at_once, in_a_file
):
    directory = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(state_module, "RECENT_LEAST", 5 if anew else 10_000)
        patched.setattr(gathering, "_IN_MEMORY", 0 if in_a_file else 1 << 20)
        steps = [step(n, *events) for n, (events, _) in enumerate(editions, 1)]
        if at_once:
            agrees(State.build(directory, steps), editions[-1][1])
            return
        state = State.build(directory, steps[:1])
        reader = State.open(directory)
        for each, (_, held) in zip(steps, editions, strict=True):
            if each.edition > 1:
                state.apply([each])
            agrees(state, held)
            agrees(reader, held)
        state.verify()
        agrees(State.open(directory), held)


def test_a_kill_at_any_step_leaves_the_store_before_or_after(tmp_path, monkeypatch):
    first = tmp_path / "first"
    State.build(first, [step(1, add(1, 1))]).apply([step(2, add(2, 2))])
    for anew in (False, True):
        monkeypatch.setattr(state_module, "RECENT_LEAST", 0 if anew else 10)
        seen, number, killed = set(), 0, True
        while killed:
            number += 1 if EVERY_KILL or not anew else 6
            copy = tmp_path / f"killed-{anew}-{number}"
            shutil.copytree(first, copy)
            killed = killed_before(
                number, copy, lambda copy=copy: State.open(copy).apply([step(3, add(3, 3))])
            )
            state = State.open(copy)
            state.verify()
            seen.add(state.edition)
            if state.edition == 2:
                state.apply([step(3, add(3, 3))])
            state.apply([step(4, add(4, 4))])
            assert [held.number for held in state.entries()] == [1, 2, 3, 4]
            state.verify()
        assert seen == {2, 3}


def test_a_byte_that_differs_anywhere_is_found(tmp_path):
    directory = tmp_path / "store"
    state = State.build(directory, [step(1, add(1, 1), add(2, 2, B))])
    state.apply([step(2, add(3, 3))])
    state.apply([step(3, add(4, 4))])
    state.verify()
    checked = 0
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for changed in (flipped(whole), whole + b"\0", whole[:-1]):
            if changed == whole:
                continue
            path.write_bytes(changed)
            with pytest.raises(state_module.ListRefused):
                State.open(directory).verify()
            checked += 1
        path.write_bytes(whole)
    assert checked == 6 * 3
    (directory / "extra").write_bytes(b"")
    with pytest.raises(state_module.ListRefused, match="does not belong"):
        State.open(directory).verify()


def flipped(data):
    at = len(data) // 2
    return data[:at] + bytes(b ^ 1 for b in data[at : at + 1]) + data[at + 1 :]


def test_another_process_sees_what_was_applied_with_its_next_question(state):
    code = (
        "import sys; from pathlib import Path; from strandline.lists.state import State\n"
        "state = State.open(Path(sys.argv[1]))\n"
        "for line in sys.stdin:\n"
        "    print([hit.number for hit in state.find(sha256=line.strip())], flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(state.directory)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:

        def asked():
            print(fingerprints(9).sha256, file=reader.stdin, flush=True)
            return reader.stdout.readline().strip()

        assert asked() == "[]"
        state.apply([step(2, add(4, 9))])
        assert asked() == "[9]"
        State.build(state.directory, [step(1, add(1, 1))])
        assert asked() == "[]"
        reader.stdin.close()


def test_one_event_takes_milliseconds(state):
    times = []
    for n in range(20):
        begin = time.perf_counter()
        state.apply([step(2 + n, add(10 + n, 10 + n))])
        assert state.find(md5=fingerprints(10 + n).md5)
        times.append(time.perf_counter() - begin)
    assert sorted(times)[10] < 0.05


def test_many_are_answered_as_one_by_one(state):
    queries = [Query(sha256=fingerprints(n).sha256, pdq=fingerprints(n).pdq) for n in range(6)]
    one_by_one = [
        state.find(sha256=query.sha256, pdq=query.pdq, quality=query.quality) for query in queries
    ]
    assert state.find_many(queries) == one_by_one
    assert [len(hits) for hits in one_by_one] == [0, 1, 1, 1, 0, 0]
    assert state.find_many([]) == []


def test_a_hash_of_another_length_is_refused(state):
    for query in ({"sha256": "ab"}, {"md5": "x" * 32}, {"pdq": 17}):
        with pytest.raises(state_module.ListRefused, match="hexadecimal digits"):
            state.find(**query)
