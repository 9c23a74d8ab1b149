"""A log's own side: it goes on to the same log whatever stops it, and publishes nothing false."""

import multiprocessing
import shutil
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_tree as naive
from killing import killed_before
from log_cast import HOUR, LOG, NOW, OTHER_LOG, W1, W2, body, cosigned, reading, state
from strandline.transparency import (
    Checkpoint,
    CheckpointRefused,
    Log,
    LogDamaged,
    NoteRefused,
    open_checkpoint,
)
from strandline.transparency.merkle import EMPTY_ROOT
from strandline.transparency.tiles import VerifiedTiles


def whole(log):
    """Every leaf, each checked against the log's signed root."""
    signed = state(log.checkpoint())
    return list(
        VerifiedTiles(reading(log.directory), signed.size, signed.root).leaves(0, signed.size)
    )


def test_a_new_log_is_empty_and_says_so(tmp_path):
    log = Log(tmp_path / "log", LOG)
    assert state(log.checkpoint()) == Checkpoint("log.example", 0, EMPTY_ROOT)
    assert log.published() is None
    assert log.index_of(b"anything") is None


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 400), max_size=8))
def test_whatever_steps_it_grows_in_it_is_the_same_tree(tmp_path_factory, steps):
    directory = tmp_path_factory.mktemp("log")
    total = 0
    for step in steps:
        assert Log(directory, LOG).append(naive.leaves(step, total)) == total
        total += step
    log = Log(directory, LOG)
    assert state(log.checkpoint()).root == naive.mth(naive.leaves(total))
    assert whole(log) == naive.leaves(total)


def test_the_same_leaves_give_the_same_files_but_for_the_parts_on_the_way(tmp_path):
    one, two = Log(tmp_path / "one", LOG), Log(tmp_path / "two", LOG)
    one.append(naive.leaves(600))
    for at in range(0, 600, 50):
        two.append(naive.leaves(50, at))
    for path in one.directory.glob("tile/**/*"):
        if path.is_file():
            same = two.directory / path.relative_to(one.directory)
            assert same.read_bytes() == path.read_bytes()


def test_parts_are_kept_until_the_tile_is_whole(tmp_path):
    log = Log(tmp_path, LOG)
    for at in range(0, 255, 5):
        log.append(naive.leaves(5, at))
    assert len(list((tmp_path / "tile/0/000.p").iterdir())) == 51
    log.append(naive.leaves(1, 255))
    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()
    assert whole(log) == naive.leaves(256)


def test_an_entry_too_long_for_the_format_is_refused_and_nothing_is_appended(tmp_path):
    log = Log(tmp_path, LOG)
    with pytest.raises(ValueError, match="65535"):
        log.append([b"short", bytes(65_536)])
    assert log.size == 0


def test_the_newest_of_equal_leaves_is_found(tmp_path):
    log = Log(tmp_path, LOG)
    log.append([*naive.leaves(300), b"twice", *naive.leaves(300, 300), b"twice"])
    assert log.index_of(b"twice") == 601
    assert log.index_of(b"leaf 0") == 0
    assert log.index_of(b"leaf 599") == 600
    assert log.index_of(b"leaf 600") is None


@pytest.mark.parametrize(("held", "added"), [(0, 1), (255, 1), (254, 300)])
def test_killed_before_any_step_of_an_append_it_goes_on_to_the_same_log(tmp_path, held, added):
    start = tmp_path / "start"
    Log(start, LOG).append(naive.leaves(held))
    number, killed = 0, True
    while killed:
        number += 1
        shutil.rmtree(tmp_path / "log", ignore_errors=True)
        shutil.copytree(start, tmp_path / "log")
        before = state(Log(tmp_path / "log", LOG).checkpoint())
        killed = killed_before(
            number,
            tmp_path / "log",
            lambda: Log(tmp_path / "log", LOG).append(naive.leaves(added, held)),
        )
        log = Log(tmp_path / "log", LOG)
        after = state(log.checkpoint())
        assert after.size in {held, held + added}
        assert log.reader().root(held) == before.root
        # The publisher repeats what it does not find; what comes instead may be another leaf.
        if after.size == held:
            assert log.append([b"another", *naive.leaves(added - 1)]) == held
        log.append(naive.leaves(3))
        after.extends(before, log.reader().consistency(before.size, after.size))
        expected = naive.leaves(held + added)
        if after.size == held:
            expected = [*naive.leaves(held), b"another", *naive.leaves(added - 1)]
        tail = list(log.reader().leaves(max(0, held - 5), log.size))
        assert tail == [*expected, *naive.leaves(3)][max(0, held - 5) :]
        final = state(log.checkpoint())
        VerifiedTiles(reading(log.directory), final.size, final.root)
    assert number > 5


def _append_many(directory, name):
    log = Log(directory, LOG)
    for number in range(40):
        log.append([b"%s %d" % (name, number)])


def test_two_processes_append_to_one_log_without_losing_a_leaf(tmp_path):
    started = multiprocessing.get_context("fork")
    names = (b"a", b"b", b"c")
    workers = [started.Process(target=_append_many, args=(tmp_path, name)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    leaves = whole(Log(tmp_path, LOG))
    assert len(leaves) == 120
    for name in names:
        assert [leaf for leaf in leaves if leaf.startswith(name)] == [
            b"%s %d" % (name, number) for number in range(40)
        ]


def test_a_log_with_a_changed_tile_is_not_opened(tmp_path):
    Log(tmp_path, LOG).append(naive.leaves(300))
    path = tmp_path / "tile/0/001.p/44"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(LogDamaged):
        Log(tmp_path, LOG)


def test_a_log_is_not_opened_with_another_logs_key(tmp_path):
    Log(tmp_path, LOG).append([b"a"])
    with pytest.raises(LogDamaged, match=r"other\.example"):
        Log(tmp_path, OTHER_LOG)


def test_a_copy_without_its_head_goes_on_from_what_was_published(tmp_path):
    log = Log(tmp_path / "log", LOG)
    log.append(naive.leaves(300))
    log.publish()
    shutil.copytree(tmp_path / "log", tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
    copy = Log(tmp_path / "copy", LOG)
    assert copy.append(naive.leaves(3, 300)) == 300
    assert whole(copy) == naive.leaves(303)


def test_what_is_published_bears_the_logs_signature_first_and_its_witnesses(tmp_path):
    log = Log(tmp_path, LOG)
    log.append(naive.leaves(5))
    note = cosigned(log, W1, W2)
    assert log.published() == note
    assert note.split("\n")[4].startswith("— log.example ")
    opened = open_checkpoint(
        note, LOG.verifier, [W1.verifier, W2.verifier], 2, now=NOW + HOUR, fresh=HOUR
    )
    assert opened.checkpoint == Checkpoint("log.example", 5, naive.mth(naive.leaves(5)))
    assert opened.cosigned == {"witness.example/1": NOW, "witness.example/2": NOW}


def test_publishing_the_same_state_again_keeps_the_word_of_a_witness_that_is_away(tmp_path):
    log = Log(tmp_path, LOG)
    log.append(naive.leaves(5))
    cosigned(log, W1, W2)
    note = cosigned(log, W2, when=NOW + HOUR)
    opened = open_checkpoint(note, LOG.verifier, [W1.verifier, W2.verifier], 2)
    assert opened.cosigned == {"witness.example/1": NOW, "witness.example/2": NOW + HOUR}
    log.append([b"more"])
    assert "witness.example/1" not in cosigned(log, W2)


def test_nothing_older_is_published_nor_anything_the_log_does_not_hold(tmp_path):
    log = Log(tmp_path, LOG)
    log.append([b"a"])
    older = log.checkpoint()
    log.append([b"b"])
    newer = log.publish()
    beyond = LOG.sign(Checkpoint("log.example", 9, EMPTY_ROOT).text)
    false = LOG.sign(Checkpoint("log.example", 2, EMPTY_ROOT).text)
    foreign = OTHER_LOG.sign(body(newer))
    for note, refusal in (
        (older, CheckpointRefused),
        (beyond, CheckpointRefused),
        (false, LogDamaged),
        (foreign, NoteRefused),
    ):
        with pytest.raises(refusal):
            log.publish(checkpoint=note)
    with pytest.raises(NoteRefused):
        log.publish(["not a signature line\n"])
    assert log.published() == newer


def test_a_checkpoint_made_before_the_log_grew_can_still_be_published(tmp_path):
    log = Log(tmp_path, LOG)
    log.append([b"a"])
    note = log.checkpoint()
    line = W1.cosign(body(note), NOW)
    log.append([b"b"])
    assert log.publish([line], checkpoint=note) == note + line


@pytest.mark.parametrize("number", range(1, 9))
def test_killed_while_publishing_the_old_checkpoint_or_the_new_is_there(tmp_path, number):
    log = Log(tmp_path, LOG)
    log.append([b"a"])
    old = cosigned(log, W1)
    log.append([b"b"])
    killed_before(number, tmp_path, lambda: cosigned(Log(tmp_path, LOG), W1))
    assert log.published() in {old, cosigned(Log(tmp_path, LOG), W1)}


def test_a_log_of_100000_leaves_appends_in_milliseconds(tmp_path):
    log = Log(tmp_path, LOG)
    for at in range(0, 100_000, 20_000):
        log.append(naive.leaves(20_000, at))
    took = []
    for number in range(20):
        start = time.perf_counter()
        log.append([b"one more %d" % number])
        took.append(time.perf_counter() - start)
    assert sorted(took)[10] < 0.25  # 5 ms where nothing else runs
