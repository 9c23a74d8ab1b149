import contextlib
import gc
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path

import pytest
from PIL import Image

from strandline.errors import TimedOut, TooLarge, Undecodable
from strandline.media import LargeFile, Limits, Pool, Sandbox, SandboxUnavailable
from strandline.media import pool as pool_module
from strandline.media.area import SharedArea

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as shared:
        yield shared


@pytest.fixture(scope="module")
def numbered(encode):
    """Pictures told apart by their width: ``numbered(7)`` is 27 pixels wide."""

    def numbered(number: int) -> bytes:
        return encode(Image.new("RGB", (20 + number, 10), (number % 256, 90, 20)), "PNG")

    return numbered


@pytest.fixture(scope="module")
def slow(encode):
    """A flat picture of number 5980: small to send, 0.1 s and more to decode."""
    return encode(Image.new("L", (6000, 5000), 200), "PNG")


def _numbers(answers) -> list[int | str]:
    """The number of each picture, or the name of what is wrong with it."""
    return [
        answer.facts["width"] - 20 if answer.error is None else type(answer.error).__name__
        for answer in answers
    ]


def _children() -> set[str]:
    """Process ids of this process's children, the dead that no one waited for included."""
    threads = Path("/proc/self/task").iterdir()
    return {pid for thread in threads for pid in (thread / "children").read_text().split()}


def _family(pid: int) -> list[int]:
    """The processes below one, itself included."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [each for path in threads for each in (path / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return [pid, *(found for child in children for found in _family(int(child)))]


def _is_there(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in {"Z", "X"}


def _until(condition) -> bool:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def test_answers_come_in_the_order_of_the_files(pool, numbered, slow):
    sources = [slow, *(numbered(number) for number in range(1, 60)), slow, numbered(60)]
    assert _numbers(pool.map("picture", sources)) == [5980, *range(1, 60), 5980, 60]


def test_what_is_wrong_with_a_file_is_its_answer(pool, numbered, tmp_path):
    good, pipe = tmp_path / "good.png", tmp_path / "pipe"
    good.write_bytes(numbered(3))
    os.mkfifo(pipe)
    sources = [
        numbered(1), b"", tmp_path / "missing", b"junk" * 99, tmp_path, pipe, good, numbered(2),
    ]  # fmt: skip
    assert _numbers(pool.map("picture", sources)) == [
        1, "Undecodable", "FileNotFoundError", "Undecodable", "OSError", "OSError", 3, 2,
    ]  # fmt: skip


def test_an_answer_names_its_source_and_can_be_raised(pool, tmp_path):
    (answer,) = pool.map("picture", [tmp_path / "missing"])
    assert answer.source == tmp_path / "missing"
    with pytest.raises(FileNotFoundError):
        answer.checked()


def test_a_task_that_is_not_served_is_the_callers_mistake(pool):
    with pytest.raises(ValueError, match="no task 'open-a-shell'"):
        list(pool.map("open-a-shell", [b""]))


def test_the_byte_limit_holds_for_bytes_and_files_alike(numbered, tmp_path):
    fits = numbered(1)
    longer = fits + b"x"
    for name, data in (("fits", fits), ("longer", longer)):
        (tmp_path / name).write_bytes(data)
    with Pool(1, Limits(bytes=len(fits))) as small:
        sources = [fits, tmp_path / "fits", longer, tmp_path / "longer"]
        answers = list(small.map("picture", sources))
    assert _numbers(answers) == [1, 1, "TooLarge", "TooLarge"]
    assert isinstance(answers[3].error, TooLarge)


def test_large_files_take_their_turn_among_the_others(pool, numbered, tmp_path):
    film = tmp_path / "film"
    film.write_bytes(b"0123456789abcdef" * 2)
    large = LargeFile(film, "probe-file", {"at": 4}, beside=lambda file: file.read(3))
    first, second, third = pool.map("picture", [numbered(1), large, numbered(2)])
    assert _numbers([first, third]) == [1, 2]
    assert second.source is large
    assert (second.facts["size"], second.blobs["bytes"]) == (32, b"456789abcdef0123")
    assert second.beside == b"012"
    (missing,) = pool.map("picture", [LargeFile(tmp_path / "none", "probe-file")])
    assert isinstance(missing.error, FileNotFoundError)


def test_beside_sees_the_bytes_that_are_decoded_once(pool, numbered, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(numbered(5))
    sources = [numbered(4), path, b"junk", tmp_path / "missing", b""]
    answers = pool.map("picture", sources, beside=lambda data: hashlib.sha256(data).hexdigest())
    told = [numbered(4), numbered(5), b"junk", None, b""]
    assert [answer.beside for answer in answers] == [
        None if data is None else hashlib.sha256(data).hexdigest() for data in told
    ]


def test_what_beside_raises_is_the_callers_and_the_pool_goes_on(pool, numbered):
    def beside(data):
        raise OSError("the disk for the digests is full")

    with pytest.raises(OSError, match="disk"):
        list(pool.map("picture", [numbered(1)] * 9, beside=beside))
    assert _numbers(pool.map("picture", [numbered(1)])) == [1]


def test_a_worker_killed_at_a_file_costs_that_file_alone(numbered, slow):
    with Pool(1) as own:
        sources = [numbered(1), slow, *(numbered(number) for number in range(2, 20))]

        def beside(data):
            if len(data) == len(slow):
                os.kill(own.pids[0], signal.SIGKILL)

        answers = list(own.map("picture", sources, beside=beside))
        assert _numbers(answers) == [1, "Undecodable", *range(2, 20)]
        assert "crashed" in str(answers[1].error)


def test_a_worker_that_hangs_costs_its_file_alone(numbered, slow):
    with Pool(1, Limits(wall_seconds=2)) as own:

        def beside(data):
            if len(data) == len(slow):
                os.kill(own.pids[0], signal.SIGSTOP)

        answers = list(own.map("picture", [numbered(1), slow, numbered(2)], beside=beside))
    assert _numbers(answers) == [1, "TimedOut", 2]
    assert isinstance(answers[1].error, TimedOut)


def test_workers_killed_while_idle_lose_no_file(numbered):
    with Pool(2) as own:
        expected = list(range(1, 9))
        for _ in range(3):
            assert _numbers(own.map("picture", map(numbered, expected))) == expected
            for pid in own.pids:
                os.kill(pid, signal.SIGKILL)


def test_a_killed_fork_server_loses_no_file(numbered, slow):
    killed = []
    with Pool(2) as own:
        own.protections  # noqa: B018 - starts it
        before = _children()

        def beside(data):
            if len(data) == len(slow) and not killed:
                server = int(Path(f"/proc/{own.pids[0]}/stat").read_text().split()[3])
                killed.append(server)
                os.kill(server, signal.SIGKILL)

        sources = [numbered(1), slow, numbered(2), numbered(3)]
        answers = list(own.map("picture", sources, beside=beside))
        assert _numbers(answers) == [1, 5980, 2, 3]
        assert str(killed[0]) in before
        assert str(killed[0]) not in _children()


def test_after_many_deaths_the_next_workers_lie_elsewhere_in_memory(monkeypatch, slow):
    monkeypatch.setattr("strandline.media.forkserver.DEATHS_PER_SERVER", 2)
    with Pool(1, Limits(cpu_seconds=0.02)) as own, Pool(1) as other:
        other.protections  # noqa: B018 - a server that must stay
        servers = []
        for _ in range(3):
            assert _numbers(own.map("picture", [slow])) == ["TimedOut"]
            own.protections  # noqa: B018 - starts a worker
            servers.append(int(Path(f"/proc/{own.pids[0]}/stat").read_text().split()[3]))
        assert servers[0] != servers[1] == servers[2]
        assert not _is_there(servers[0])


def test_workers_are_replaced_after_their_share_of_jobs(monkeypatch, numbered):
    monkeypatch.setattr("strandline.media.sandbox.JOBS_PER_WORKER", 3)
    with Pool(1) as own:
        pids = set()
        for _ in own.map("picture", [numbered(1)] * 12, beside=lambda _: pids.add(own.pids[0])):
            pass
        assert len(pids) == 4


def test_an_endless_source_is_taken_only_some_way_ahead(pool, numbered):
    taken = itertools.count()

    def endless():
        while True:
            yield numbered(next(taken) % 50)

    answers = pool.map("picture", endless())
    first = list(itertools.islice(answers, 100))
    assert _numbers(first) == [number % 50 for number in range(100)]
    assert next(taken) <= 100 + pool_module._AHEAD_PER_WORKER * pool.workers
    answers.close()


def test_bytes_that_wait_for_their_turn_are_bounded(monkeypatch, pool, numbered):
    monkeypatch.setattr(pool_module, "_BYTES_AHEAD", 4 * len(numbered(1)))
    taken = itertools.count()
    answers = pool.map("picture", (numbered(next(taken) % 5) for _ in itertools.count()))
    list(itertools.islice(answers, 10))
    assert next(taken) < 17
    answers.close()


def test_nothing_is_begun_before_an_answer_is_asked_for(pool):
    def sources():
        raise AssertionError
        yield b""

    pool.map("picture", sources()).close()


def test_several_threads_get_their_own_answers(pool, numbered):
    wrong = []

    def ask(start: int) -> None:
        expected = [start + step for step in range(40)]
        found = _numbers(pool.map("picture", map(numbered, expected)))
        wrong.extend([found] if found != expected else [])

    threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 50, 100, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closing_ends_what_another_thread_waits_for(slow):
    own, told, begun = Pool(1), [], threading.Event()

    def ask():
        try:
            list(own.map("picture", [slow] * 40, beside=lambda _: begun.set()))
        except SandboxUnavailable as closed:
            told.append(str(closed))

    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(20)
    started = time.monotonic()
    own.close()
    asking.join(5)
    assert time.monotonic() - started < 3
    assert "no verdict" in told[0]
    assert own.pids == ()


def test_a_closed_pool_can_be_used_again(numbered):
    own = Pool(1)
    for _ in range(2):
        assert _numbers(own.map("picture", [numbered(1)])) == [1]
        own.close()


def test_a_forked_process_has_workers_of_its_own(numbered):
    with Pool(2) as own:
        begun = own.map("picture", (numbered(number) for number in range(200)))
        assert _numbers(itertools.islice(begun, 3)) == [0, 1, 2]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads: the point
            child = os.fork()
        if child == 0:
            try:
                assert own.pids == ()
                with pytest.raises(SandboxUnavailable):
                    next(begun)
                assert _numbers(own.map("picture", [numbered(9)])) == [9]
                own.close()
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert _numbers(begun) == list(range(3, 200))


def test_an_interrupt_ends_everything(tmp_path):
    program = (
        "import io, itertools, sys\n"
        "from PIL import Image\n"
        "from strandline.media import Pool\n"
        "out = io.BytesIO()\n"
        "Image.new('L', (4000, 4000)).save(out, 'PNG')\n"
        "with Pool(2) as pool:\n"
        "    for _ in pool.map('picture', itertools.repeat(out.getvalue())):\n"
        "        print('one', flush=True)\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with running:
        try:
            assert running.stdout.readline() == b"one\n"
            family = _family(running.pid)
            assert len(family) == 4
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=10)
        finally:
            running.kill()
    assert said.rstrip().endswith(b"KeyboardInterrupt")
    assert _until(lambda: not any(_is_there(pid) for pid in family))


def test_everything_dies_with_the_parent():
    program = (
        "import os, signal\n"
        "from strandline.media import Pool\n"
        "pool = Pool(2)\n"
        "list(pool.map('picture', [b'x'] * 50))\n"
        "print(*pool.pids, flush=True)\n"
        "signal.pause()\n"
    )
    running = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    with running:
        running.stdout.readline()
        family = _family(running.pid)
        for pid in family[1:]:
            os.kill(pid, signal.SIGSTOP)
        running.kill()
    assert len(family) == 4
    assert _until(lambda: not any(_is_there(pid) for pid in family))


def test_nothing_is_left_of_crashes_time_outs_and_closed_pools(numbered, tmp_path):
    def places():
        return {place: set(os.listdir(place)) for place in ("/", "/dev/shm")}  # noqa: PTH208

    def use():
        with Pool(2, Limits(wall_seconds=5, cpu_seconds=0.05)) as own:
            deadly = itertools.cycle([signal.SIGKILL, signal.SIGSEGV])

            def beside(data):
                if data == b"kill":
                    with contextlib.suppress(ProcessLookupError):  # dead already
                        os.kill(own.pids[0], next(deadly))

            sources = [numbered(1), b"kill", b"junk", tmp_path / "missing", numbered(2)] * 4
            answers = list(own.map("picture", sources, beside=beside))
            assert len(answers) == 20

    use()
    files, children = places(), _children()
    descriptors = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        use()
    assert sorted(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208
    assert _children() == children
    assert places() == files


def test_a_pool_that_is_only_forgotten_leaves_nothing(numbered):
    children = _children()
    own = Pool(2)
    assert _numbers(own.map("picture", [numbered(1)] * 5)) == [1] * 5
    del own
    gc.collect()
    assert _until(lambda: _children() == children)


def test_a_file_cannot_be_altered_by_the_worker_that_reads_it(pool):
    (answer,) = pool.map("probe", [b"evidence" * 1000])
    assert answer.facts["write-to-area"] == "EACCES"
    assert set(answer.facts.values()) - {"allowed"}


def test_the_memory_of_a_large_file_is_given_back():
    with Sandbox() as own:
        own.ask("page", b"x" * 40 * 2**20, {"base_url": "https://host.example/"})
        assert os.fstat(own._area.descriptor).st_blocks * 512 <= 9 * 2**20


def test_a_system_without_shared_areas_gives_the_same_answers(monkeypatch, numbered, tmp_path):
    monkeypatch.setattr(SharedArea, "where_possible", classmethod(lambda cls, size: None))
    (tmp_path / "picture").write_bytes(numbered(2))
    (tmp_path / "long").write_bytes(b"x" * 2001)
    with Pool(2, Limits(bytes=2000)) as own:
        sources = [numbered(1), tmp_path / "picture", b"", tmp_path / "long", b"x" * 2001]
        answers = list(own.map("picture", sources, beside=len))
    assert _numbers(answers) == [1, 2, "Undecodable", "TooLarge", "TooLarge"]
    assert [answer.beside for answer in answers] == [
        len(numbered(1)), len(numbered(2)), 0, None, None,
    ]  # fmt: skip
    assert isinstance(answers[2].error, Undecodable)


def test_a_pool_has_at_least_one_worker():
    with pytest.raises(ValueError, match="at least one"):
        Pool(0)
