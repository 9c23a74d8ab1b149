"""Stopped at any point, an index file opens to its last complete state."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from matching.reference import as_hex
from strandline.matching import Index, _disk
from strandline.matching.mapped import Mapped

ZERO = "0" * 64


def held(path):
    with Index.open(path) as index:
        return sorted((match.id, match.hash) for match in index.query(ZERO, 256))


class Disk:
    """Notes what is done to files, and makes any state that a loss of power could leave.

    What was synced is there; of each later write any of its sectors may be.
    """

    def __init__(self, path, monkeypatch):
        self.path, self.steps = path, []
        for name in ("write_at", "sync", "rename"):
            monkeypatch.setattr(_disk, name, self._noting(name, getattr(_disk, name)))

    def _noting(self, name, real):
        def call(*arguments):
            if name == "write_at":
                descriptor, data, offset = arguments
                self.steps.append((name, os.fstat(descriptor).st_ino, bytes(data), offset))
            elif name == "sync":
                self.steps.append((name, os.fstat(arguments[0]).st_ino, b"", 0))
            else:
                self.steps.append((name, arguments[0].stat().st_ino, b"", 0))
            return real(*arguments)

        return call

    def after(self, whole, inode, count, chance):
        """The file as it may be when power is lost after ``count`` steps."""
        files, unsynced, current = {inode: bytearray(whole)}, {}, inode
        for name, where, data, offset in self.steps[:count]:
            if name == "write_at":
                unsynced.setdefault(where, []).append((data, offset))
            else:
                for write in unsynced.pop(where, []):
                    put(files.setdefault(where, bytearray()), *write)
                current = where if name == "rename" else current
        for data, offset in unsynced.get(current, []):
            for at in range(0, len(data), 512):
                if chance.random() < 0.5:
                    put(files[current], data[at : at + 512], offset + at)
        return bytes(files[current])


def put(file, data, offset):
    file.extend(bytes(max(0, offset + len(data) - len(file))))
    file[offset : offset + len(data)] = data


def test_power_lost_at_any_step_leaves_the_state_before_or_after(tmp_path, monkeypatch):
    path = tmp_path / "list.index"
    Index.build([("a", ZERO), ("b", as_hex(1))], path).close()
    whole, inode = path.read_bytes(), path.stat().st_ino
    disk = Disk(path, monkeypatch)
    states, edges = [held(path)], [0]
    with Index.open(path) as index:
        for change in (
            lambda: index.add([("c", as_hex(2)), ("d", as_hex(3), ["late"])]),
            lambda: index.withdraw(["a", "c"]),
            lambda: index.add([(f"e{number}", as_hex(number << 9)) for number in range(900)]),
            index.merge,
            lambda: index.add([("f", as_hex(4))]),
            lambda: index.withdraw(["b"]),
        ):
            change()
            states.append(held(path))
            edges.append(len(disk.steps))
    chance, left = random.Random(1), tmp_path / "left.index"
    for count in range(len(disk.steps) + 1):
        done = max(number for number, edge in enumerate(edges) if edge <= count)
        for _ in range(8):
            left.unlink(missing_ok=True)
            left.write_bytes(disk.after(whole, inode, count, chance))
            assert held(left) in states[done : done + 2]


@pytest.mark.parametrize("step", range(1, 12))
def test_a_disk_that_fails_keeps_the_index_as_it_was(tmp_path, monkeypatch, step):
    path = tmp_path / "list.index"
    index, steps = Index.build([("a", ZERO)], path), itertools.count(1)

    def failing(real):
        def call(*arguments):
            if next(steps) == step:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        return call

    before = held(path)
    with monkeypatch.context() as patch:
        for name in ("write_at", "sync", "rename"):
            patch.setattr(_disk, name, failing(getattr(_disk, name)))
        with pytest.raises(OSError, match="No space"):  # noqa: PT012 - the ninth at the latest
            for number in range(9):
                index.add([(f"id-{number}", as_hex(number))])
                before = held(path)
    # The slot may have been written before the failure: then the addition is there, and counts.
    assert held(path)[: len(before)] == before
    index.add([("later", as_hex(77))])
    assert ("later", as_hex(77)) in held(path)
    assert [match.id for match in index.query(as_hex(77), 0)] == ["later"]


@pytest.mark.parametrize("name", ["write_at", "sync"])
def test_a_disk_that_is_full_is_not_kept_full(tmp_path, monkeypatch, name):
    path = tmp_path / "list.index"
    with Index.build([("a", ZERO)], path) as index:
        size, before = path.stat().st_size, held(path)
        real = getattr(_disk, name)

        def full(descriptor, *rest):
            if name == "write_at":
                real(descriptor, rest[0][: len(rest[0]) // 2], rest[1])
            raise OSError(28, "No space left on device")

        for count in (2, 2000):  # within the room that is there, and beyond it
            new = [(f"id-{number}", as_hex(number)) for number in range(count)]
            with monkeypatch.context() as patch:
                patch.setattr(_disk, name, full)
                with pytest.raises(OSError, match="No space"):
                    index.add(new)
            assert path.stat().st_size == size
            assert held(path) == before
        index.add(new)
        assert len(held(path)) == 2001
        index.verify()


def test_a_build_that_fails_leaves_the_old_list(tmp_path, monkeypatch):
    path = tmp_path / "list.index"
    Index.build([("old", ZERO)], path).close()
    monkeypatch.setattr(_disk, "sync", lambda _: (_ for _ in ()).throw(OSError(5, "I/O error")))
    with pytest.raises(OSError, match="I/O error"):
        Index.build([("new", ZERO)], path)
    assert held(path) == [("old", ZERO)]
    assert [each.name for each in tmp_path.iterdir()] == ["list.index"]


WRITER = """
import sys
from pathlib import Path
from strandline.matching import Index, index
index.TAIL_MOST = 40
with Index.open(Path(sys.argv[1])) as list:
    start = len(list)
    print(start, flush=True)
    for number in range(start, 100_000):
        list.add([(f"id-{number}", f"{number << 40:064x}")])
        print(number + 1, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_said_was_done(tmp_path):
    path, chance = tmp_path / "list.index", random.Random(2)
    Index.build([], path).close()
    said = 0
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        assert int(writer.stdout.readline()) >= said
        for _ in range(chance.randrange(20, 120)):
            said = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        said = max([said, *map(int, writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()
        with Index.open(path) as index:
            assert said <= len(index) <= said + 1
            names = {match.id for match in index.query(ZERO, 256)}
            assert names == {f"id-{number}" for number in range(len(index))}
            index.verify()


def test_readers_see_each_change_whole_and_never_an_older_state(tmp_path):
    """Each addition is of two entries: a reader that sees one without the other saw half of it."""
    path = tmp_path / "list.index"
    Index.build([], path).close()
    done, problems = threading.Event(), []

    def read():
        with Index.open(path) as index:
            last = 0
            while not done.is_set():
                count = len(index.query(ZERO, 256))
                if count % 2 or count < last:
                    problems.append((last, count))
                last = count

    def write(name):
        with Index.open(path) as index:
            for number in range(40):
                text = as_hex(number << 8)
                index.add([(f"{name}-{number}-x", text), (f"{name}-{number}-y", text)])
                if number % 10 == 9:
                    index.merge()

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=[name]) for name in ("one", "two")]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    time.sleep(0.05)
    done.set()
    for thread in readers:
        thread.join()
    assert problems == []
    assert len(held(path)) == 160


def test_a_reader_with_the_old_file_open_goes_on_until_it_asks_again(tmp_path):
    path = tmp_path / "list.index"
    Index.build([("old", ZERO)], path).close()
    old = Mapped(path)
    with Index.open(path) as index:
        Index.build([("new", ZERO)], path).close()
        assert old.base.id_of(0) == "old"
        assert [match.id for match in index.query(ZERO)] == ["new"]
        path.unlink()
        assert [match.id for match in index.query(ZERO)] == ["new"]
    old.close()
