"""An index file keeps its place, its permissions and its neighbours; an index lets go of all."""

import gc
import logging
import os
import stat
import threading
from pathlib import Path

import pytest

from matching.reference import as_hex
from strandline.matching import Index
from strandline.matching import index as module
from strandline.matching.sink import new_file

ZERO = "0" * 64


def descriptors():
    return sorted(each.name for each in Path("/proc/self/fd").iterdir())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("plant", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("action", ["build", "merge"])
def test_what_the_new_file_s_name_leads_to_is_left_alone(tmp_path, plant, action):
    victim, path = tmp_path / "victim", tmp_path / "list.index"
    victim.write_text("precious")
    Index.build([("old", ZERO)], path).close()
    getattr(tmp_path / ".list.index.new", plant)(victim)
    if action == "build":
        Index.build([("new", ZERO)], path).close()
    else:
        with Index.open(path) as index:
            index.add([("new", ZERO)])
            index.merge()
    assert victim.read_text() == "precious"
    assert not path.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["list.index", "victim"]
    with Index.open(path) as index:
        assert "new" in [match.id for match in index.query(ZERO)]
        assert index.info().added == 0


def test_a_link_to_nowhere_and_a_pipe_are_not_written_to_either(tmp_path):
    path, left = tmp_path / "list.index", tmp_path / ".list.index.new"
    left.symlink_to(tmp_path / "nowhere")
    Index.build([("a", ZERO)], path).close()
    os.mkfifo(left)
    Index.build([("a", ZERO)], path).close()
    assert [each.name for each in tmp_path.iterdir()] == ["list.index"]


def test_a_directory_in_the_way_is_told_and_left(tmp_path):
    (tmp_path / ".list.index.new").mkdir()
    with pytest.raises(OSError, match=r"list\.index\.new"):
        Index.build([("a", ZERO)], tmp_path / "list.index")
    assert [each.name for each in tmp_path.iterdir()] == [".list.index.new"]


@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o664, 0o666])
def test_permissions_outlive_merging_and_building_again(tmp_path, wanted):
    path = tmp_path / "list.index"
    with Index.build([("a", ZERO)], path) as index:
        path.chmod(wanted)
        index.add([("b", ZERO)])
        index.merge()
        assert mode(path) == wanted
    Index.build([("c", ZERO)], path).close()
    assert mode(path) == wanted


def test_a_new_file_is_never_more_open_than_the_one_it_replaces(tmp_path):
    path = tmp_path / "list.index"
    Index.build([("a", ZERO)], path).close()
    path.chmod(0o600)
    with new_file(path) as (descriptor, _):
        assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o600


def test_a_group_that_cannot_be_kept_gives_its_rights_to_no_other(tmp_path, monkeypatch):
    path = tmp_path / "list.index"
    Index.build([("a", ZERO)], path).close()
    path.chmod(0o664)
    real = os.fstat

    def fstat(descriptor):
        status = list(real(descriptor))
        status[5] += 1
        return os.stat_result(status)

    def refused(*_):
        raise PermissionError

    monkeypatch.setattr("strandline.matching.sink.os.fstat", fstat)
    monkeypatch.setattr("strandline.matching.sink.os.fchown", refused)
    Index.build([("a", ZERO)], path).close()
    assert mode(path) == 0o644


def test_a_link_to_an_index_stays_one(tmp_path):
    (tmp_path / "deep").mkdir()
    path, link = tmp_path / "deep/list.index", tmp_path / "link.index"
    link.symlink_to("deep/list.index")
    Index.build([("a", ZERO)], link).close()
    with Index.open(link) as index:
        index.add([("b", ZERO)])
        index.merge()
    assert link.is_symlink()
    assert [each.name for each in path.parent.iterdir()] == ["list.index"]
    with Index.open(path) as index:
        assert len(index) == 2
        assert index.info().added == 0


def test_an_index_stays_where_it_was_when_the_process_goes_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Index.build([("a", ZERO)], "list.index") as index:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        index.add([("b", ZERO)])
        index.merge()
        assert index.info().entries == 2


@pytest.mark.parametrize("in_file", [True, False])
def test_an_index_may_be_closed_twice(tmp_path, in_file):
    with Index.build([("a", ZERO)], tmp_path / "list.index" if in_file else None) as index:
        index.close()
    index.close()


def test_closing_again_closes_nobody_else_s_file(tmp_path):
    path = tmp_path / "list.index"
    index = Index.build([("a", ZERO)], path)
    index.close()
    others = [os.open(path, os.O_RDONLY) for _ in range(4)]
    index.close()
    del index
    gc.collect()
    for each in others:
        os.close(each)  # raises when it is not open any more


def test_an_index_that_nobody_closed_lets_go_of_its_file(tmp_path):
    path = tmp_path / "list.index"
    Index.build([("a", ZERO)], path).close()
    gc.collect()
    before = descriptors()
    for _ in range(5):
        index = Index.open(path)
        index.query(ZERO)
        index.add([("b", ZERO)])
        index.merge()
    del index
    gc.collect()
    assert descriptors() == before


def test_a_merge_in_the_background_is_finished_before_closing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TAIL_MOST", 5)
    begun, go_on, write = threading.Event(), threading.Event(), module.to_file
    path = tmp_path / "list.index"
    index = Index.build([], path)

    def slowly(*arguments):
        begun.set()
        assert go_on.wait(20)
        write(*arguments)

    monkeypatch.setattr(module, "to_file", slowly)
    index.add([(f"id-{number}", as_hex(number)) for number in range(6)])
    assert begun.wait(20)
    closing = threading.Thread(target=index.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    go_on.set()
    closing.join(20)
    with Index.open(path) as index:
        assert (index.info().added, len(index)) == (0, 6)


def test_a_merge_that_fails_in_the_background_is_logged_and_tried_again(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(module, "TAIL_MOST", 5)
    path, tries = tmp_path / "list.index", []

    def full(*_):
        tries.append(1)
        raise OSError(28, "No space left on device")

    def add(index, first, last):
        index.add([(f"id-{number}", as_hex(number)) for number in range(first, last)])
        index._merging.result(20)

    with Index.build([], path) as index, caplog.at_level(logging.ERROR):
        with monkeypatch.context() as patch:
            patch.setattr(module, "to_file", full)
            add(index, 0, 6)
            assert [record.levelname for record in caplog.records] == ["ERROR"]
            assert "Nothing is lost" in caplog.text
            assert "No space left" in caplog.text
            add(index, 6, 9)  # not with every change: each try reads the whole index
            assert len(tries) == 1
            add(index, 9, 12)
            assert len(tries) == 2
            with pytest.raises(OSError, match="No space"):
                index.merge()
        add(index, 12, 20)
        assert (index.info().added, len(index)) == (0, 20)
        add(index, 20, 26)
        assert (index.info().added, len(index)) == (0, 26)
    assert len(caplog.records) == 2


@pytest.mark.parametrize("in_file", [True, False])
def test_questions_are_answered_while_a_merge_gathers_the_entries(tmp_path, monkeypatch, in_file):
    index = Index.build([("a", ZERO), ("b", ZERO)], tmp_path / "list.index" if in_file else None)
    index.add([("c", ZERO)])
    index.withdraw(["a"])
    real, seen = type(index._version.base).columns, []

    def meanwhile(base, hidden):
        def ask():
            index.add([("d", ZERO)])
            index.withdraw(["b"])
            seen.append([match.id for match in index.query(ZERO)])

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        return real(base, hidden)

    monkeypatch.setattr(type(index._version.base), "columns", meanwhile)
    index.merge()
    assert seen == [["c", "d"]]
    assert [match.id for match in index.query(ZERO)] == ["c", "d"]
    assert index.info().hashes == 1
    index.verify()
    index.close()
