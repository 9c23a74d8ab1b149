"""Whatever is added, withdrawn, merged and opened again, in any order: the answers are right."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from matching.reference import ALL, Reference, as_hex, clusters_of
from strandline.matching import Entry, Index, _disk

near = st.tuples(
    st.sampled_from([0, ALL, 0x5A << 77]), st.sets(st.integers(0, 255), max_size=40)
).map(lambda drawn: drawn[0] ^ sum(1 << bit for bit in drawn[1]))
ids = st.sampled_from(["1", "2", "17", "4294967295", "4294967296", "01", "a", "ü", "film#1.000"])
labels = st.lists(st.sampled_from(["blank", "series", "é"]), max_size=2)
entries = st.lists(st.tuples(ids, near.map(as_hex), labels), max_size=6)


class Stopped(Exception):
    """What a process that was killed did not get to do."""


class Changes(RuleBasedStateMachine):
    """One index that is changed, a second reader of its file, and what they must answer."""

    in_file = True

    def __init__(self):
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "list.index"
        self.index = self.reader = Index.build([], self.path if self.in_file else None)
        if self.in_file:
            self.reader = Index.open(self.path)
        self.slow = Reference()

    def teardown(self):
        self.index.close()
        self.reader.close()
        self.directory.cleanup()

    @rule(new=entries)
    def add(self, new):
        self.index.add(new)
        self.slow.add(new)

    @rule(gone=st.lists(ids, max_size=3))
    def withdraw(self, gone):
        assert self.index.withdraw(gone) == self.slow.withdraw(gone)

    @rule()
    def merge(self):
        self.index.merge()
        info = self.index.info()
        assert (info.added, info.withdrawn) == (0, 0)

    @rule(new=entries)
    def build_again(self, new):
        if self.in_file:
            Index.build(new, self.path).close()
            self.slow = Reference(new)

    @precondition(lambda self: self.in_file)
    @rule()
    def open_again(self):
        self.index.close()
        self.index = Index.open(self.path)

    @precondition(lambda self: self.in_file)
    @rule(
        new=entries, gone=st.lists(ids, max_size=2), step=st.integers(1, 12), merging=st.booleans()
    )
    def crash(self, new, gone, step, merging):
        """Stop before one of the steps on the disk; what was done by then is whole."""
        before, count = dict(self.slow.held), 0

        def stopping(real):
            def call(*arguments):
                nonlocal count
                count += 1
                if count >= step:
                    raise Stopped
                return real(*arguments)

            return call

        states = [dict(before)]
        with pytest.MonkeyPatch.context() as patch:
            for name in ("write_at", "sync", "rename"):
                patch.setattr(_disk, name, stopping(getattr(_disk, name)))
            try:
                self.index.add(new)
                self.slow.add(new)
                states.append(dict(self.slow.held))
                self.index.withdraw(gone)
                self.slow.withdraw(gone)
                states.append(dict(self.slow.held))
                if merging:
                    self.index.merge()
            except Stopped:
                after = Reference()
                after.held = dict(states[-1])
                (after.add(new) if len(states) == 1 else after.withdraw(gone))
                states.append(after.held)
        self.index = Index.open(self.path)
        held = {(e.id, int(e.hash, 16)): e.labels for e in self.index.query("0" * 64, 256)}
        assert held in states[-2:]
        self.slow.held = held

    @invariant()
    def all_are_counted(self):
        assert len(self.index) == len(self.reader) == len(self.slow)

    @rule(wanted=near.map(as_hex), radius=st.integers(0, 63), only=st.none() | labels)
    def query(self, wanted, radius, only):
        expected = self.slow.query(wanted, radius, only)
        for index in (self.index, self.reader):
            assert index.query(wanted, radius, labels=only) == expected
            assert index.query_many([wanted, wanted], radius, labels=only) == [expected] * 2

    @rule(radius=st.integers(0, 63))
    def clusters(self, radius):
        assert clusters_of(self.reader, radius) == self.slow.clusters(radius)

    @rule()
    def verify(self):
        self.reader.verify()


class ChangesInMemory(Changes):
    in_file = False


TestInAFile = Changes.TestCase
TestInMemory = ChangesInMemory.TestCase


@pytest.mark.usefixtures("in_bands")
class TestInAFileOfBands(Changes.TestCase):
    pass


for case in (TestInAFile, TestInMemory, TestInAFileOfBands):
    case.settings = settings(deadline=None, max_examples=15, stateful_step_count=20)
del case


def test_an_entry_added_again_has_the_labels_of_both(tmp_path):
    with Index.build([Entry("a", "0" * 64, ("one",))], tmp_path / "list.index") as index:
        index.add([("a", "0" * 64, ("two",)), ("a", "0" * 64, ["one"])])
        assert index.query("0" * 64) == [("a", "0" * 64, 0, ("one", "two"))]
        assert len(index) == 1


def test_an_addition_that_is_wrong_adds_nothing(tmp_path):
    with Index.build([], tmp_path / "list.index") as index:
        with pytest.raises(ValueError, match="item 2: a hash has 64 hex digits"):
            index.add([("a", "0" * 64), ("b", "12")])
        assert len(index) == 0


def test_a_long_tail_is_merged_in_the_background(tmp_path, monkeypatch):
    monkeypatch.setattr("strandline.matching.index.TAIL_MOST", 50)
    path = tmp_path / "list.index"
    with Index.build([], path) as index:
        for number in range(120):
            index.add([(f"id-{number}", as_hex(number << 100))])
        index.withdraw(["id-7"])
    with Index.open(path) as index:
        assert index.info().added < 119
        assert len(index) == 119
        assert index.query(as_hex(7 << 100), 0) == []
    assert [each.name for each in tmp_path.iterdir()] == ["list.index"]


def test_what_is_changed_during_a_merge_is_not_lost(tmp_path, monkeypatch):
    path = tmp_path / "list.index"
    index, other = Index.build([("a", "0" * 64), ("b", "1" * 64)], path), Index.open(path)
    index.add([("c", "2" * 64)])
    real, seen = _disk.rename, []

    def meanwhile(columns, descriptor, progress):
        other.add([("d", "3" * 64)])
        other.withdraw(["a", "c"])
        write(columns, descriptor, progress)

    from strandline.matching import index as module

    write = module.to_file
    monkeypatch.setattr(module, "to_file", meanwhile)
    monkeypatch.setattr(_disk, "rename", lambda *names: (seen.append(names), real(*names)))
    index.merge()
    assert seen
    for each in (index, other, Index.open(path)):
        assert {match.id for match in each.query("0" * 64, 256)} == {"b", "d"}


def test_a_list_built_anew_during_a_merge_stays(tmp_path, monkeypatch):
    path = tmp_path / "list.index"
    from strandline.matching import index as module

    write = module.to_file
    index = Index.build([("a", "0" * 64)], path)
    index.add([("b", "1" * 64)])
    other = Index.build([("new", "2" * 64)], tmp_path / "other.index")
    other.close()

    def meanwhile(columns, descriptor, progress):
        write(columns, descriptor, progress)
        (tmp_path / "other.index").replace(path)

    monkeypatch.setattr(module, "to_file", meanwhile)
    index.merge()
    assert [match.id for match in index.query("0" * 64, 256)] == ["new"]


def test_two_merges_at_once_are_one(tmp_path):
    from strandline.matching.sink import new_file

    path = tmp_path / "list.index"
    with Index.build([("a", "0" * 64)], path) as index:
        index.add([("b", "1" * 64)])
        with new_file(path):
            index.merge()
            assert index.info().added == 1
            with pytest.raises(BlockingIOError, match="Another process is writing"):
                Index.build([], path)
        index.merge()
        assert index.info().added == 0


def test_a_closed_index_says_so(tmp_path):
    index = Index.build([("a", "0" * 64)], tmp_path / "list.index")
    index.close()
    with pytest.raises(ValueError, match="closed"):
        index.query("0" * 64)
