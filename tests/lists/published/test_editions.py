import dataclasses

import pytest

from killing import killed_before
from list_histories import CAMERA, DRAWN, ORIGIN, SALT_KEY, START, History, add, deltas
from strandline.errors import ListRefused
from strandline.lists.published import editions
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Action
from strandline.lists.published.editions import Counts, EditionPlan, index_path, write_edition
from strandline.lists.published.events import Event
from strandline.lists.published.index_file import Index, PageFile, parse_index
from strandline.lists.published.manifests import parse_manifest
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.replay import replay


@pytest.fixture
def small_snapshots(monkeypatch):
    """Snapshots become due after some ten events."""
    monkeypatch.setattr(editions, "SPARE_ROWS", 10)


def contents(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def index_of(directory, manifest, entry_class=CAMERA):
    return parse_index((directory / index_path(manifest.edition, entry_class)).read_text())


def blocks_of(directory, files):
    return list(read_blocks(lambda path: (directory / path).read_bytes(), files))


def publish(directory, seed, editions_=12, each=14):
    history = History(seed)
    for _ in range(editions_):
        history.publish(directory, history.events(each))
    return history


def test_what_was_published_is_what_the_history_comes_to(tmp_path, small_snapshots):
    history = publish(tmp_path, seed=3)
    manifest = history.manifests[-1]

    for entry_class in history.classes:
        index = index_of(tmp_path, manifest, entry_class)
        assert index.snapshot > index.since > 0
        blocks = blocks_of(tmp_path, index.current())
        known = history.standing(entry_class)
        assert replay(blocks).number.tolist() == list(known)
        told = {event.number: event.entry for b in blocks for event in b.events() if event.entry}
        assert all(told[number] == each.entry for number, each in known.items())
        state = manifest.states()[entry_class]
        assert Counts(state.entries, state.quarantined) == history.counts()[entry_class]
        assert state.root == index.root()
    assert manifest.sequence == history.sequence
    assert parse_manifest(manifest.text()) == manifest


def test_every_snapshot_is_the_replay_of_the_events_before_it(tmp_path, small_snapshots):
    history = publish(tmp_path, seed=4, editions_=20)
    seen = set()

    for manifest in history.manifests:
        for entry_class in manifest.states():
            index = index_of(tmp_path, manifest, entry_class)
            if not index.since or index.snapshot != manifest.edition:
                continue
            seen.add(index.snapshot)
            before = index_of(tmp_path, history.manifests[index.since - 1], entry_class)
            # the snapshot before, then every event since, as a member that followed has them
            followed = replay(
                blocks_of(tmp_path, index.after(index.since)),
                replay(blocks_of(tmp_path, before.current())),
            )
            anew = replay(blocks_of(tmp_path, index.current()))
            assert followed.number.tolist() == anew.number.tolist()
            assert followed.told.tolist() == anew.told.tolist()
            assert followed.quarantined == anew.quarantined
    assert len(seen) > 2


def test_the_same_events_give_the_same_bytes_however_they_came(tmp_path, small_snapshots):
    for name, block in (("one", 1000), ("two", 1), ("three", 3)):
        history = History(5)
        for _ in range(8):
            history.publish(tmp_path / name, history.events(20), block)

    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "three")


def test_writing_an_edition_again_changes_nothing(tmp_path, small_snapshots):
    history = publish(tmp_path, seed=6, editions_=4)
    events, plan = history.events(30), history.plan()
    written = history.publish(tmp_path, events)
    before = contents(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    assert (
        write_edition(
            tmp_path, plan, deltas(history.classes, events), history.counts(), salt_key=SALT_KEY
        )
        == written
    )
    assert contents(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == times


def test_a_publisher_killed_at_any_step_writes_the_same_when_run_again(tmp_path, small_snapshots):
    history = publish(tmp_path, seed=7, editions_=3)
    events, plan, counts = history.events(30), history.plan(), history.counts()
    published = contents(tmp_path)

    def work():
        write_edition(tmp_path, plan, deltas(history.classes, events), counts, salt_key=SALT_KEY)

    kills = 0
    while killed_before(1 + 5 * kills, tmp_path, work):
        kills += 1
        held = contents(tmp_path)
        assert all(held[path] == data for path, data in published.items())
    assert kills > 5

    fresh = tmp_path.with_name("fresh")
    again = publish(fresh, seed=7, editions_=3)
    again.publish(fresh, again.events(30))
    assert contents(tmp_path) == contents(fresh)


def test_what_a_killed_run_of_other_events_left_is_removed(tmp_path):
    left = History(8)
    left.publish(tmp_path, left.events(60))
    (tmp_path / "editions/000001/half.part").write_bytes(b"half")
    (tmp_path / "snapshots/000001/0123456789abcdef").mkdir(parents=True)
    (tmp_path / "snapshots/000001/0123456789abcdef/000000.core").write_bytes(b"left")

    history = History(9, classes=(CAMERA,))
    history.publish(tmp_path, history.events(5))
    alone = History(9, classes=(CAMERA,))
    alone.publish(tmp_path.with_name("alone"), alone.events(5))

    assert contents(tmp_path) == contents(tmp_path.with_name("alone"))


def test_a_published_edition_is_not_written_over(tmp_path):
    history = History(10)
    manifest = history.publish(tmp_path, history.events(20))
    (tmp_path / "editions/000001/manifest").write_text(manifest.text())
    before = contents(tmp_path)
    other = History(11)
    events = other.events(20)

    with pytest.raises(ListRefused, match="already published with other content"):
        other.publish(tmp_path, events)
    assert contents(tmp_path) == before


def test_a_file_of_a_published_edition_that_was_lost_is_written_again(tmp_path):
    history = History(10)
    events, plan = history.events(20), history.plan()
    manifest = history.publish(tmp_path, events)
    (tmp_path / "editions/000001/manifest").write_text(manifest.text())
    before = contents(tmp_path)
    (tmp_path / f"editions/000001/{CAMERA.id}/000000.core").unlink()

    write_edition(
        tmp_path, plan, deltas(history.classes, events), history.counts(), salt_key=SALT_KEY
    )

    assert contents(tmp_path) == before


def test_an_edition_of_no_events_names_every_class_as_it_was(tmp_path):
    history = publish(tmp_path, seed=12, editions_=2)
    before = history.manifests[-1]

    manifest = history.publish(tmp_path, [])

    assert manifest.classes == before.classes
    assert manifest.previous == before.digest()
    assert index_of(tmp_path, manifest) == index_of(tmp_path, before)


def test_the_first_edition_of_a_list_may_be_empty(tmp_path):
    manifest = History().publish(tmp_path, [])

    assert (manifest.entries, manifest.classes, manifest.previous) == (0, (), None)


def test_counts_that_events_cannot_lead_to_are_refused(tmp_path):
    plan = EditionPlan(ORIGIN, 1, START)
    block = [(CAMERA, [Block.of([add(1), add(2)])])]

    for wrong in (Counts(1, 0), Counts(2, 1), Counts(2, -1)):
        with pytest.raises(ListRefused, match="cannot have"):
            write_edition(tmp_path, plan, block, {CAMERA: wrong}, salt_key=SALT_KEY)


def test_events_behind_the_edition_before_are_refused(tmp_path):
    history = publish(tmp_path, seed=13, editions_=1)
    late = add(history.sequence, 999)

    with pytest.raises(ListRefused, match="go back behind"):
        write_edition(
            tmp_path, history.plan(), [(CAMERA, [Block.of([late])])], {}, salt_key=SALT_KEY
        )


def test_a_sequence_number_given_twice_is_refused(tmp_path):
    events = [
        (each, [Block.of([add(1, number, each)])]) for number, each in enumerate((CAMERA, DRAWN), 1)
    ]
    counts = {CAMERA: Counts(1, 0), DRAWN: Counts(1, 0)}

    with pytest.raises(ListRefused, match="more events than sequence numbers"):
        write_edition(tmp_path, EditionPlan(ORIGIN, 1, START), events, counts, salt_key=SALT_KEY)


def test_a_class_has_its_events_in_one_place(tmp_path):
    events = [(CAMERA, [Block.of([add(1)])]), (CAMERA, [Block.of([add(2)])])]

    with pytest.raises(ListRefused, match="in two places"):
        write_edition(
            tmp_path,
            EditionPlan(ORIGIN, 1, START),
            events,
            {CAMERA: Counts(1, 0)},
            salt_key=SALT_KEY,
        )


def test_a_number_that_skips_an_edition_is_refused(tmp_path):
    history = publish(tmp_path, seed=14, editions_=1)
    plan = dataclasses.replace(history.plan(), number=3)

    with pytest.raises(ListRefused, match="not edition 2"):
        write_edition(tmp_path, plan, [], {}, salt_key=SALT_KEY)


def test_an_index_of_the_edition_before_that_was_changed_is_refused(tmp_path):
    history = publish(tmp_path, seed=15, editions_=1)
    path = tmp_path / index_path(1, CAMERA)
    path.write_text(path.read_text().replace("hotline.example", "hotline.exampel"))

    with pytest.raises(ListRefused, match="write that edition again"):
        history.publish(tmp_path, [])
    path.unlink()
    with pytest.raises(ListRefused, match="write that edition again"):
        history.publish(tmp_path, [])


def test_a_snapshot_that_does_not_fit_the_record_is_refused(tmp_path, small_snapshots):
    """The record says that nothing is under quarantine; the events say otherwise."""
    events = [
        *[add(number) for number in range(1, 31)],
        Event(31, Action.QUARANTINE, 30, CAMERA, "contested"),
        *[Event(31 + number, Action.WITHDRAW, number, CAMERA) for number in range(1, 25)],
    ]

    with pytest.raises(ListRefused, match="look for the event that is missing"):
        write_edition(
            tmp_path,
            EditionPlan(ORIGIN, 1, START),
            deltas((CAMERA,), events),
            {CAMERA: Counts(6, 0)},
            salt_key=SALT_KEY,
        )


def page_files(folder, rows, pages):
    return [
        PageFile(f"{folder}/{CAMERA.id}/{page:06d}.core", 1, rows, "00" * 32, "00" * 16)
        for page in range(pages)
    ]


FULL = page_files("editions/000001", 65_536, 20)
HALVES = page_files("snapshots/000001", 50_000, 2)


@pytest.mark.parametrize(
    ("snapshot", "events", "entries", "due"),
    [
        ([], page_files("editions/000001", 65_536, 100), 6_553_600, False),
        ([], page_files("editions/000001", 10_000, 1), 0, False),
        ([], page_files("editions/000001", 10_001, 1), 0, True),
        (HALVES, page_files("editions/000002", 25_000, 1), 100_000, False),
        (HALVES, page_files("editions/000002", 25_001, 1), 100_000, True),
        ([], page_files("editions/000001", 1, 128), 128, False),
        ([], page_files("editions/000001", 1, 129), 129, True),
        ([], FULL + page_files("editions/000002", 1, 140), 20 * 65_536, False),
        ([], FULL + page_files("editions/000002", 1, 141), 20 * 65_536, True),
    ],
)
def test_a_snapshot_is_due_when_starting_anew_costs_too_much(snapshot, events, entries, due):
    index = Index(ORIGIN, CAMERA, 1 if snapshot else 0, 0, (*events, *snapshot))

    assert editions.snapshot_due(index, entries) is due


def test_the_publisher_needs_no_more_memory_for_more_events(tmp_path, monkeypatch):
    """Blocks are asked for one after another, and let go before the next but one."""
    import weakref

    monkeypatch.setattr("strandline.lists.published.pages.MAX_ROWS", 50)
    alive = []
    most = 0

    def stream():
        nonlocal most
        for start in range(1, 600, 20):
            block = Block.of([add(number) for number in range(start, start + 20)])
            alive.append(weakref.ref(block))
            yield block
            del block
            most = max(most, sum(each() is not None for each in alive))

    write_edition(
        tmp_path,
        EditionPlan(ORIGIN, 1, START),
        [(CAMERA, stream())],
        {CAMERA: Counts(600, 0)},
        salt_key=SALT_KEY,
    )
    assert most <= 4


def test_published_files_are_not_for_other_users(tmp_path):
    publish(tmp_path, seed=17, editions_=1)

    assert {path.stat().st_mode & 0o007 for path in tmp_path.rglob("*")} == {0}
