"""A mirror: the log byte for byte, or what was held before."""

import filecmp

import pytest

import naive_tree as naive
from killing import killed_before
from log_cast import LOG, W1, cosigned, reading
from strandline.transparency import Log, LogDamaged, ProofRefused, open_checkpoint
from strandline.transparency.mirror import mirror


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path / "log", LOG)
    log.append(naive.leaves(5000))
    cosigned(log, W1)
    return log


def copied(log, directory, read=None, **more):
    opened = open_checkpoint(log.published(), LOG.verifier, [W1.verifier], 1)
    return mirror(read or reading(log.directory), directory, opened, **more)


def same(one, two):
    """Whether two folders hold the same files, byte for byte."""
    found = filecmp.dircmp(one, two)
    names = [*found.left_only, *found.right_only]
    _, differ, unread = filecmp.cmpfiles(one, two, found.common_files, shallow=False)
    return not (names or differ or unread) and all(
        same(one / name, two / name) for name in found.common_dirs
    )


def test_a_mirror_holds_the_logs_files_byte_for_byte(log, tmp_path):
    told = []
    found = copied(log, tmp_path / "mirror", progress=lambda *step: told.append(step))
    assert (found.added, found.checkpoint.size) == (5000, 5000)
    assert same(log.directory, tmp_path / "mirror")
    assert told == [(4096, 5000), (5000, 5000)]


def test_a_later_run_fetches_only_what_is_new(log, tmp_path):
    copied(log, tmp_path / "mirror")
    log.append(naive.leaves(10, 5000))
    cosigned(log, W1)
    asked = []

    def read(path):
        asked.append(path)
        return (log.directory / path).read_bytes()

    assert copied(log, tmp_path / "mirror", read).added == 10
    assert [path for path in asked if "entries" in path] == ["tile/entries/019.p/146"]
    assert copied(log, tmp_path / "mirror").added == 0
    fresh = tmp_path / "fresh"
    copied(log, fresh)
    assert same(fresh, tmp_path / "mirror")


def test_a_folder_that_is_something_else_is_not_written_to(log, tmp_path):
    target = tmp_path / "mirror"
    target.mkdir()
    (target / "held").write_text("a member's copy, say")
    with pytest.raises(LogDamaged, match="is not empty"):
        copied(log, target)
    assert [path.name for path in target.iterdir()] == ["held"]


def test_a_killed_run_goes_on_where_it_was(log, tmp_path):
    target = tmp_path / "mirror"
    for number in (3, 40, 75, 9, 60):
        assert killed_before(number, target, lambda: copied(log, target))
    copied(log, target)
    assert same(log.directory, target)


def test_a_log_goes_on_from_its_mirror_after_its_disk_was_lost(log, tmp_path):
    copied(log, tmp_path / "mirror")
    restored = Log(tmp_path / "mirror", LOG)
    assert restored.append(naive.leaves(1, 5000)) == 5000
    log.append(naive.leaves(1, 5000))
    assert restored.checkpoint() == log.checkpoint()


def test_changed_entries_are_not_kept(log, tmp_path):
    def read(path):
        content = (log.directory / path).read_bytes()
        return content.replace(b"leaf 4999", b"leaf 4998") if "entries" in path else content

    with pytest.raises(LogDamaged):
        copied(log, tmp_path / "mirror", read)
    assert not (tmp_path / "mirror/checkpoint").exists()
    assert copied(log, tmp_path / "mirror").added == 5000 - 4096


def test_a_forked_or_shortened_log_is_refused_and_the_copy_stays(log, tmp_path):
    copied(log, tmp_path / "mirror")
    held = (tmp_path / "mirror/checkpoint").read_bytes()
    for name, leaves in (
        ("fork", [b"another", *naive.leaves(5000)]),
        ("same size", [b"another", *naive.leaves(4999)]),
        ("short", naive.leaves(4000)),
    ):
        other = Log(tmp_path / name, LOG)
        other.append(leaves)
        cosigned(other, W1)
        with pytest.raises(ProofRefused):
            copied(other, tmp_path / "mirror")
        assert (tmp_path / "mirror/checkpoint").read_bytes() == held
    assert same(log.directory, tmp_path / "mirror")


def test_a_copy_damaged_on_its_own_disk_is_not_built_on(log, tmp_path):
    copied(log, tmp_path / "mirror")
    path = tmp_path / "mirror/tile/0/019.p/136"
    path.write_bytes(path.read_bytes()[::-1])
    log.append([b"more"])
    cosigned(log, W1)
    with pytest.raises(LogDamaged):
        copied(log, tmp_path / "mirror")
