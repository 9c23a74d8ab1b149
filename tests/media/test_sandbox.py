import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from PIL import Image

from strandline.media import (
    Limits,
    Sandbox,
    SandboxUnavailable,
    Style,
    TimedOut,
    TooLarge,
    Undecodable,
    _forkserver,
)

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def _has_gone(pid: int) -> bool:
    """Gone, or dead and waiting for whoever adopted it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rsplit(")", 1)[1].split()[0] == "Z"


def _wait_until_gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while not _has_gone(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return _has_gone(pid)


def _children() -> set[str]:
    """Process ids of this process's children, the dead that no one waited for included."""
    threads = Path("/proc/self/task").iterdir()
    return {pid for thread in threads for pid in (thread / "children").read_text().split()}


@pytest.fixture(scope="module")
def slow_picture(encode) -> bytes:
    """A flat 48-megapixel PNG: small to send, well over 0.1 s to decode."""
    return encode(Image.new("L", (8000, 6000), 200), "PNG")


def test_nothing_outside_can_be_reached_from_inside(sandbox):
    attempts, _ = sandbox.run("probe", b"")
    allowed = {name for name, outcome in attempts.items() if outcome == "allowed"}
    if "system-call-filter" not in sandbox.protections:
        # Only the filter refuses these to root, or on kernels whose Landlock is older.
        allowed -= {"executable-memory", "start-process", "signal-another"}
    assert allowed == set()
    assert {"connect", "unix-socket", "read-file", "write-file", "execute"} <= attempts.keys()


@LINUX
def test_the_protections_that_held_are_named(sandbox):
    assert {
        "dies-with-parent",
        "no-new-privileges",
        "not-dumpable",
        "memory-limit",
        "cpu-limit",
        "no-file-size",
        "no-new-descriptors",
        "no-core",
    } <= set(sandbox.protections)


def test_every_protection_and_limit_is_documented(sandbox):
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")
    for name in sandbox.protections:
        assert f"`{name}`" in page
    for field in dataclasses.fields(Limits):
        assert f"`{field.name}`" in page


def test_a_module_that_leaves_a_thread_running_is_refused():
    stay = threading.Event()
    other = threading.Thread(target=stay.wait)
    other.start()
    try:
        with pytest.raises(RuntimeError, match="threads running"):
            _forkserver._refuse_threads()
    finally:
        stay.set()
        other.join()


@LINUX
def test_what_is_said_of_the_worker_is_what_the_kernel_says(sandbox):
    held = sandbox.protections
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{sandbox.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert status["NoNewPrivs"] == "1"
    if "no-capabilities" in held:
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    if "system-call-filter" in held:
        assert status["Seccomp"] == "2"
    if "own-network-namespace" in held and os.geteuid() == 0:
        mine, its = (Path(f"/proc/{who}/ns/net").readlink() for who in ("self", sandbox.pid))
        assert mine != its


def test_the_worker_gets_no_environment(sandbox):
    assert sandbox.protections
    if os.geteuid() != 0:
        pytest.skip("only root can look into a process that is not dumpable")
    assert Path(f"/proc/{sandbox.pid}/environ").read_bytes() == b""


def test_an_unknown_task_is_the_callers_mistake(sandbox):
    with pytest.raises(ValueError, match="no task 'open-a-shell'"):
        sandbox.run("open-a-shell", b"")


def test_modules_of_others_are_not_loaded(capfd):
    with Sandbox(modules=["http.server"]) as odd, pytest.raises(SandboxUnavailable):
        odd.run("probe", b"")
    assert "not a module of this package" in capfd.readouterr().err


def test_a_file_over_the_byte_limit_is_not_opened():
    with Sandbox(Limits(bytes=1000)) as small, pytest.raises(TooLarge, match="1,001 bytes"):
        small.run("picture", b"\x00" * 1001)
    assert small.pid is None


def test_a_worker_killed_between_jobs_is_replaced(encode, drawing):
    with Sandbox() as own:
        own.run("picture", encode(drawing, "PNG"))
        first = own.pid
        os.kill(first, signal.SIGKILL)
        facts, _ = own.run("picture", encode(drawing, "PNG"))
        assert facts["width"] == 240
        assert own.pid != first


def test_a_worker_that_dies_on_a_file_is_a_verdict_and_is_replaced(slow_picture, encode, drawing):
    with Sandbox() as own:
        assert own.protections
        first = own.pid
        threading.Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
        with pytest.raises(Undecodable, match="crashed"):
            own.run("picture", slow_picture, {"styles": list(Style)})
        assert own.run("picture", encode(drawing, "PNG"))[0]["height"] == 160
        assert own.pid != first


def test_workers_that_keep_dying_before_a_job_are_told_apart_from_a_bad_file(monkeypatch):
    with Sandbox() as own:
        ready = own._ready

        def ready_and_killed():
            worker = ready()
            os.kill(worker.pid, signal.SIGKILL)
            return worker

        monkeypatch.setattr(own, "_ready", ready_and_killed)
        with pytest.raises(SandboxUnavailable, match="several times"):
            own.run("probe", b"")


def test_a_worker_that_hangs_is_killed_when_its_time_is_up(encode, drawing):
    with Sandbox(Limits(wall_seconds=0.3)) as own:
        assert own.protections
        first = own.pid
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(TimedOut, match=r"0\.3 s"):
            own.run("picture", encode(drawing, "PNG"))
        assert _wait_until_gone(first)
        assert own.run("picture", encode(drawing, "PNG"))[0]["width"] == 240


def test_too_little_time_on_the_wall_is_a_verdict(slow_picture):
    with Sandbox(Limits(wall_seconds=0.01)) as own, pytest.raises(TimedOut) as refused:
        own.run("picture", slow_picture)
    assert refused.value.verdict == "timed-out"


def test_too_little_processor_time_is_a_verdict(slow_picture):
    with Sandbox(Limits(cpu_seconds=0.02)) as own, pytest.raises(TimedOut, match="processor time"):
        own.run("picture", slow_picture)


def test_processor_time_is_counted_anew_for_each_job(encode, drawing):
    data = encode(drawing.resize((1200, 800)), "PNG")
    with Sandbox(Limits(cpu_seconds=0.15)) as own:
        assert own.protections
        first = own.pid
        for _ in range(20):
            own.run("picture", data, {"styles": ["grey"]})
        assert own.pid == first


def test_too_little_memory_is_a_verdict(slow_picture, encode, drawing):
    with Sandbox(Limits(memory=80 * 2**20)) as own:
        with pytest.raises(TooLarge, match="memory") as refused:
            own.run("picture", slow_picture, {"styles": ["grey"]})
        assert refused.value.verdict == "too-large"
        assert own.run("picture", encode(drawing, "PNG"))[0]["width"] == 240


def test_a_worker_is_replaced_after_its_share_of_jobs(monkeypatch, encode, drawing):
    monkeypatch.setattr("strandline.media.sandbox.JOBS_PER_WORKER", 2)
    with Sandbox() as own:
        pids = []
        for _ in range(3):
            own.run("picture", encode(drawing, "PNG"))
            pids.append(own.pid)
    assert pids[0] == pids[1] != pids[2]


@LINUX
def test_a_worker_outlives_the_thread_that_asked_for_it(encode, drawing):
    with Sandbox() as own:
        pids = []

        def first_job() -> None:
            own.run("picture", encode(drawing, "PNG"))
            pids.append(own.pid)

        for _ in range(2):
            asking = threading.Thread(target=first_job)
            asking.start()
            asking.join()
            time.sleep(0.05)
    assert len(pids) == 2
    assert pids[0] == pids[1]


def test_threads_share_one_worker_without_mixing_answers(sandbox, encode):
    files = {side: encode(Image.new("RGB", (side, 10)), "PNG") for side in range(20, 32)}
    wrong = []

    def ask(side: int, data: bytes) -> None:
        answers = [sandbox.run("picture", data)[0]["width"] for _ in range(5)]
        wrong.extend(answer for answer in answers if answer != side)

    threads = [threading.Thread(target=ask, args=pair) for pair in files.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_forked_process_starts_a_worker_of_its_own(encode, drawing):
    data = encode(drawing, "PNG")
    with Sandbox() as own:
        own.run("picture", data)
        first = own.pid
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads: the point
            child = os.fork()
        if child == 0:
            right = own.pid is None and own.run("picture", data)[0]["width"] == 240
            right = right and own.pid != first
            own.close()
            os._exit(0 if right else 1)
        assert os.waitpid(child, 0)[1] == 0
        own.run("picture", data)
        assert own.pid == first


@LINUX
def test_a_job_under_way_at_the_end_of_the_program_is_finished():
    program = (
        "import io, threading, time\n"
        "from PIL import Image\n"
        "from strandline.media import Sandbox\n"
        "out = io.BytesIO()\n"
        "Image.new('L', (6000, 5000)).save(out, 'PNG')\n"
        "own = Sandbox()\n"
        "assert own.protections\n"
        "def job():\n"
        "    facts, _ = own.run('picture', out.getvalue(), {'styles': ['grey', 'edges']})\n"
        "    print(facts['width'], flush=True)\n"
        "threading.Thread(target=job).start()\n"
        "time.sleep(0.05)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"6000\n", b"")


@LINUX
def test_a_worker_dies_with_its_parent_even_when_it_hangs():
    program = (
        "import os, signal\n"
        "from strandline.media import Sandbox\n"
        "own = Sandbox()\n"
        "assert own.protections\n"
        "os.kill(own.pid, signal.SIGSTOP)\n"
        "print(own.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert _wait_until_gone(int(ended.stdout))


def test_closing_ends_the_worker():
    own = Sandbox()
    assert own.protections
    pid = own.pid
    own.close()
    assert own.pid is None
    assert _wait_until_gone(pid)


@pytest.fixture
def large_file(tmp_path) -> Path:
    """A sparse file of 5 GiB with a few bytes in its middle and at its end."""
    path = tmp_path / "film.bin"
    with path.open("wb") as out:
        out.seek(3 * 2**30)
        out.write(b"the middle of it")
        out.seek(5 * 2**30 - 16)
        out.write(b"and its last end")
    return path


def test_a_large_file_is_read_where_it_lies(sandbox, large_file):
    facts, blobs = sandbox.run_file("probe-file", large_file, {"at": 3 * 2**30})
    assert facts["size"] == 5 * 2**30
    assert blobs == {"bytes": b"the middle of it"}


def test_with_a_large_file_nothing_else_can_be_reached(sandbox, large_file):
    facts, _ = sandbox.run_file("probe-file", large_file)
    allowed = {name for name, outcome in facts["attempts"].items() if outcome == "allowed"}
    if "system-call-filter" not in sandbox.protections:
        allowed -= {"executable-memory", "start-process", "signal-another"}
    assert allowed == set()
    assert facts["attempts"]["write-to-it"] == "EBADF"


@LINUX
def test_a_worker_is_started_for_a_large_file_and_ended_after_it(large_file):
    before = _children(), set(Path("/proc/self/fd").iterdir())
    with Sandbox() as own:
        own.run_file("probe-file", large_file)
        assert own.pid is None
    assert (_children(), set(Path("/proc/self/fd").iterdir())) == before


def test_limits_can_be_given_for_one_large_file(sandbox, large_file):
    with pytest.raises(TimedOut):
        sandbox.run_file("probe-file", large_file, limits=Limits(wall_seconds=0.0001))
    with pytest.raises(TooLarge, match="at most 1,000 are read"):
        sandbox.run_file("probe-file", large_file, limits=Limits(file_bytes=1000))


def test_what_is_no_regular_file_is_not_opened(sandbox, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for odd in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a file"):
            sandbox.run_file("probe-file", odd)
    with pytest.raises(FileNotFoundError):
        sandbox.run_file("probe-file", tmp_path / "missing")


def test_tasks_on_bytes_and_on_files_are_kept_apart(sandbox, large_file):
    with pytest.raises(ValueError, match="no task 'picture' on files"):
        sandbox.run_file("picture", large_file)
    with pytest.raises(ValueError, match="no task 'probe-file'"):
        sandbox.run("probe-file", b"")
