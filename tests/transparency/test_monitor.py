"""The monitor: what a careful reader of a log would object to, and what it remembers."""

import shutil
from datetime import timedelta

import pytest

import naive_tree as naive
from log_cast import HOUR, LOG, NOW, OTHER_LOG, W1, W2, body, cosigned, reading
from strandline.errors import LogDamaged, NoteRefused
from strandline.transparency import Checkpoint, Log
from strandline.transparency.merkle import EMPTY_ROOT
from strandline.transparency.monitor import Finding, Held, Watch, follow, load, save

WATCH = Watch(LOG.verifier, (W1.verifier, W2.verifier), 2, HOUR, most_leaves=500)


class Looking:
    """A person with a folder who looks now and then."""

    def __init__(self, directory, watch=WATCH):
        self.directory, self.watch = directory, watch
        self.leaves = []

    def look(self, log, now=NOW, **more):
        def take(index, leaf):
            self.leaves.append((index, leaf))
            return [Finding("odd", "This leaf is odd.")] if leaf == b"odd" else []

        watched = follow(
            reading(log),
            load(self.directory),
            self.watch,
            take,
            now,
            evidence=self.directory / "evidence",
            **more,
        )
        save(self.directory, watched, {"leaves": len(self.leaves)}, now)
        return watched

    def kinds(self, log, now=NOW, **more):
        return [finding.kind for finding in self.look(log, now, **more).findings]

    def evidence(self):
        return sorted((self.directory / "evidence").glob("*.checkpoint"))


@pytest.fixture
def person(tmp_path):
    return Looking(tmp_path / "state")


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path / "log", LOG)
    log.append(naive.leaves(5))
    cosigned(log, W1, W2)
    return log


def test_a_sound_log_is_read_once_and_nothing_is_objected(log, person):
    first = person.look(log.directory)
    assert (first.findings, first.added, first.checkpoint.size) == ((), 5, 5)
    assert first.cosigned == {"witness.example/1": NOW, "witness.example/2": NOW}
    log.append(naive.leaves(300, 5))
    cosigned(log, W1, W2)
    second = person.look(log.directory)
    assert (second.findings, second.added) == ((), 300)
    assert person.look(log.directory).added == 0
    assert person.leaves == list(enumerate(naive.leaves(305)))
    assert load(person.directory).account == {"leaves": 305}
    assert load(person.directory).seen == NOW


def test_an_empty_log_is_sound(tmp_path, person):
    log = Log(tmp_path / "log", LOG)
    cosigned(log, W1, W2)
    assert person.kinds(log.directory) == []
    log.append([b"a"])
    cosigned(log, W1, W2)
    assert person.kinds(log.directory) == []


def test_what_the_reader_of_leaves_objects_to_is_told_once(log, person):
    log.append([b"odd"])
    cosigned(log, W1, W2)
    assert person.kinds(log.directory) == ["odd"]
    assert person.kinds(log.directory) == []


def forked(log, tmp_path):
    """Another log of the same key with the same length and a different beginning."""
    other = Log(tmp_path / "forked", LOG)
    other.append([*naive.leaves(3), b"another", *naive.leaves(log.size - 4, 4)])
    return other


@pytest.mark.parametrize("further", [0, 1, 300])
def test_a_fork_is_reported_each_time_and_both_states_are_kept(log, person, tmp_path, further):
    person.look(log.directory)
    other = forked(log, tmp_path)
    other.append(naive.leaves(further, 5))
    cosigned(other, W1, W2)
    for _ in range(2):
        assert person.kinds(other.directory) == ["fork"]
    kept = {path.read_text() for path in person.evidence()}
    assert kept == {log.published(), other.published()}
    assert person.leaves == list(enumerate(naive.leaves(5)))
    assert person.kinds(log.directory) == []


def test_a_log_that_was_set_back_is_reported(log, person, tmp_path):
    person.look(log.directory)
    shorter = Log(tmp_path / "shorter", LOG)
    shorter.append(naive.leaves(4))
    cosigned(shorter, W1, W2)
    assert person.kinds(shorter.directory) == ["rollback"]
    assert len(person.evidence()) == 2


def test_a_missing_or_unsigned_checkpoint_is_reported(log, person, tmp_path):
    note = log.published()
    path = log.directory / "checkpoint"
    for content in (None, "", "x" * 99, note.replace("\n5\n", "\n6\n"), OTHER_LOG.sign(body(note))):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content)
        assert person.kinds(log.directory) == ["unsigned"]
    assert load(person.directory) == Held()


def test_a_log_that_too_few_cosigned_is_reported_and_read_all_the_same(log, person):
    log.append([b"b"])
    cosigned(log, W2)
    watched = person.look(log.directory)
    assert [finding.kind for finding in watched.findings] == ["uncosigned"]
    assert (watched.added, list(watched.cosigned)) == (6, ["witness.example/2"])


def test_a_log_that_nobody_cosigned_lately_is_stale(log, person):
    assert person.kinds(log.directory, NOW + HOUR + timedelta(seconds=1)) == ["stale"]
    cosigned(log, W1, W2, when=NOW + HOUR)
    assert person.kinds(log.directory, NOW + HOUR + timedelta(seconds=1)) == []


def test_a_clock_a_day_off_is_told_apart_from_a_stale_log(log, person):
    found = person.look(log.directory, NOW - timedelta(days=1)).findings
    assert "clocks is wrong" in found[0].sentence


@pytest.mark.parametrize("victim", ["tile/0/000.p/5", "tile/entries/000.p/5"])
def test_changed_or_missing_files_are_reported_and_nothing_is_remembered(log, person, victim):
    path = log.directory / victim
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert person.kinds(log.directory) == ["damaged"]
    path.unlink()
    assert person.kinds(log.directory) == ["damaged"]
    assert load(person.directory) == Held()


def test_a_changed_file_of_leaves_already_read_is_not_read_again(log, person):
    person.look(log.directory)
    log.append(naive.leaves(300, 5))
    cosigned(log, W1, W2)
    person.look(log.directory)
    log.append(naive.leaves(1))
    cosigned(log, W1, W2)
    (log.directory / "tile/entries/000").unlink()
    assert person.kinds(log.directory) == []


def test_a_log_that_grows_beyond_all_expectation_is_reported(log, person):
    person.look(log.directory)
    log.append(naive.leaves(501))
    cosigned(log, W1, W2)
    watched = person.look(log.directory)
    assert [finding.kind for finding in watched.findings] == ["growth"]
    assert "501 leaves" in watched.findings[0].sentence


def test_a_witness_that_was_shown_another_history_gives_the_log_away(log, person, tmp_path):
    other = forked(log, tmp_path)
    elsewhere = cosigned(other, W1).encode()
    assert person.kinds(log.directory, elsewhere={"https://w.example": elsewhere}) == ["fork"]
    assert len(person.evidence()) == 2


def test_a_witness_that_saw_an_earlier_state_agrees(log, person):
    elsewhere = log.published().encode()
    log.append(naive.leaves(400))
    cosigned(log, W1, W2)
    assert person.kinds(log.directory, elsewhere={"w": elsewhere}) == []


def test_a_state_kept_back_for_over_an_hour_is_reported(log, person, tmp_path):
    shutil.copytree(log.directory, tmp_path / "shown")
    log.append([b"kept back"])
    elsewhere = {"w": cosigned(log, W1).encode()}
    shown = tmp_path / "shown"
    assert person.kinds(shown, elsewhere=elsewhere) == []
    later = NOW + HOUR
    assert person.kinds(shown, later, elsewhere=elsewhere) == ["behind"]


def test_a_witness_that_shows_something_else_is_reported(log, person):
    for note in (b"", OTHER_LOG.sign(body(log.published())).encode()):
        assert person.kinds(log.directory, elsewhere={"w": note}) == ["unsigned"]


def test_a_log_with_a_signed_empty_state_after_leaves_is_a_rollback(log, person, tmp_path):
    person.look(log.directory)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "checkpoint").write_text(LOG.sign(Checkpoint("log.example", 0, EMPTY_ROOT).text))
    assert person.kinds(empty) == ["uncosigned", "rollback"]


def test_a_remembered_state_that_was_changed_is_not_believed(log, person):
    person.look(log.directory)
    path = person.directory / "state.json"
    path.write_text(path.read_text().replace("log.example\\n5", "log.example\\n4"))
    with pytest.raises(NoteRefused):
        person.look(log.directory)
    path.write_text("{}")
    with pytest.raises(LogDamaged, match="not what the monitor wrote"):
        person.look(log.directory)
