"""The parent's side of the sandbox: one worker, started when needed, replaced when it dies."""

import atexit
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

from strandline.errors import MediaRefused, StrandlineError, TimedOut, TooLarge, Undecodable
from strandline.media import frames
from strandline.media.channel import Channel, ChannelClosedError, DeadlinePassedError
from strandline.media.limits import Limits
from strandline.media.starter import run_in_lasting_thread

_log = logging.getLogger(__name__)

#: A worker that did this many jobs is replaced: decoders leak, and a foothold does not last.
JOBS_PER_WORKER = 500
#: Time for a new worker to say it is ready, generous for a cold disk (0.3 s when warm).
START_SECONDS = 30.0
#: Renditions and facts are small; a worker that sends more is not ours any longer.
MAX_ANSWER = 64 * 2**20
#: How often a worker may die before it has taken a job, until that is told.
_IDLE_DEATHS = 3

_REFUSALS: dict[str, type[MediaRefused]] = {
    kind.verdict: kind for kind in (Undecodable, TooLarge, TimedOut)
}


class SandboxUnavailable(StrandlineError):
    """The worker could not be started at all: a fault of the installation, not of a file."""


_all_sandboxes: weakref.WeakSet["Sandbox"] = weakref.WeakSet()


class _Worker:
    """A running child and the channel to it."""

    def __init__(self, limits: Limits, modules: Sequence[str]) -> None:
        self.jobs_left = JOBS_PER_WORKER
        self.process = run_in_lasting_thread(self._start)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.channel = Channel(self.process.stdout.fileno(), self.process.stdin.fileno())
        config = {
            "limits": asdict(limits),
            "modules": list(modules),
            "jobs": JOBS_PER_WORKER,
            "parent": os.getpid(),
        }
        try:
            hello, _ = self.exchange(config, {}, START_SECONDS)
            self.protections = tuple(str(name) for name in hello["protections"])
            self.tasks = frozenset(str(name) for name in hello["tasks"])
        except (
            ChannelClosedError,
            DeadlinePassedError,
            frames.BadFrameError,
            KeyError,
            TypeError,
        ) as error:
            self.stop()
            raise SandboxUnavailable(
                "The worker that decodes untrusted files did not start "
                f"({type(error).__name__}, exit status {self.process.returncode}). No file was "
                "opened. Its own message is in this program's error output; check that "
                f"'{sys.executable} -I -c \"import strandline\"' works."
            ) from error
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-B", "-m", "strandline.media._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the parent to act on
        )

    def exchange(
        self, header: Mapping[str, Any], blobs: Mapping[str, bytes], seconds: float
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Send one frame and read one, both within ``seconds``."""
        self.channel.deadline = time.monotonic() + seconds
        self.channel.send(frames.encode(header, blobs))
        return self.answer()

    def answer(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Read one frame within what is left of the time."""
        return frames.read(self.channel.take, max_blobs=MAX_ANSWER)

    def stop(self) -> int:
        """Kill this child, and only this one; return its exit status."""
        self.process.kill()
        status = self.process.wait()
        self._close_pipes()
        return status

    def abandon(self) -> None:
        """Let go of a child that belongs to the process this one was forked from."""
        self._close_pipes()
        self.process.returncode = 0  # not ours to wait for

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Sandbox:
    """A worker process that decodes hostile bytes with nothing to gain from taking it over.

    Started at the first job, replaced after a crash, a time-out or 500 jobs, killed with its
    parent. Safe to share between threads (one job at a time) and to carry over ``os.fork``: the
    forked process starts a worker of its own.

    ``modules`` name the task tables the worker serves; a room above adds its own.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        modules: Sequence[str] = ("strandline.media.tasks",),
    ) -> None:
        self.limits = limits or Limits()
        self._modules = tuple(modules)
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        _all_sandboxes.add(self)

    @property
    def protections(self) -> tuple[str, ...]:
        """Names of the protections that really hold here; starts the worker if need be."""
        with self._lock:
            return self._ready().protections

    @property
    def tasks(self) -> frozenset[str]:
        """Names of the tasks the worker serves; starts it if need be."""
        with self._lock:
            return self._ready().tasks

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None when there is none."""
        worker = self._worker
        return None if worker is None else worker.process.pid

    def run(
        self, task: str, data: bytes, params: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Run one task on ``data`` in the worker; return its facts and blobs.

        Raises:
            Undecodable, TooLarge, TimedOut: the verdict on these bytes.
            SandboxUnavailable: no worker could be started.
            ValueError: the worker serves no such task.
        """
        if len(data) > self.limits.bytes:
            raise TooLarge(
                f"The file has {len(data):,} bytes; at most {self.limits.bytes:,} are read. "
                "It was not opened. Raise the limit to examine it."
            )
        with self._lock:
            if task not in self._ready().tasks:
                raise ValueError(f"the sandbox serves no task {task!r}")
            facts, blobs = self._one_job({"task": task, "params": dict(params or {})}, data)
        verdict = facts.get("refused")
        if verdict is None:
            return facts, blobs
        message = str(facts.get("message", ""))
        if facts.get("unexpected"):
            _log.warning("a decoder failed in a way not foreseen: %s", message)
        raise _REFUSALS.get(str(verdict), Undecodable)(message)

    def close(self) -> None:
        """End the worker; a later job starts another."""
        with self._lock:
            self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # a constructor that did not finish
            self._discard()

    def _ready(self) -> _Worker:
        worker = self._worker
        if worker is not None and (worker.jobs_left <= 0 or worker.process.poll() is not None):
            self._discard()
            worker = None
        if worker is None:
            worker = self._worker = _Worker(self.limits, self._modules)
        return worker

    def _hand_over(self, job: Mapping[str, Any], data: bytes) -> _Worker:
        """Give the job to a worker; one that died idle is replaced, for it never saw the file."""
        for _ in range(_IDLE_DEATHS):
            worker = self._ready()
            worker.jobs_left -= 1
            try:
                worker.exchange(job, {"data": data}, self.limits.wall_seconds)
            except ChannelClosedError:
                self._discard()
            else:
                return worker
        raise SandboxUnavailable(
            "The worker that decodes untrusted files ended, several times in a row, before it "
            "took the file. The file was not opened. Look for what kills processes on this "
            "machine (memory, a supervisor) and try again."
        )

    def _one_job(
        self, job: Mapping[str, Any], data: bytes
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        try:
            facts, blobs = self._hand_over(job, data).answer()
        except DeadlinePassedError:
            self._discard()
            raise TimedOut(
                f"Reading the file took more than {self.limits.wall_seconds:g} s and was "
                "stopped. Nothing of it was shown. It can be tried again with a higher limit."
            ) from None
        except ChannelClosedError:
            raise _verdict_on_a_death(self._discard(), self.limits) from None
        except frames.BadFrameError as error:
            self._discard()
            raise Undecodable(
                f"The decoder answered with {error} and was stopped. Nothing of the file was shown."
            ) from error
        except BaseException:  # interrupted half-way: what the worker does now is unknown
            self._discard()
            raise
        if facts.get("spent"):
            self._discard()
        return facts, blobs

    def _discard(self) -> int:
        worker, self._worker = self._worker, None
        return 0 if worker is None else worker.stop()

    def _forget_after_fork(self) -> None:
        self._lock = threading.Lock()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.abandon()


def _verdict_on_a_death(status: int, limits: Limits) -> MediaRefused:
    if status in (-signal.SIGPROF, -signal.SIGXCPU):
        return TimedOut(
            f"Reading the file took more than {limits.cpu_seconds:g} s of processor time and was "
            "stopped. Nothing of it was shown. It can be tried again with a higher limit."
        )
    return Undecodable(
        f"The decoder crashed on this file (exit status {status}). Nothing of it was shown and "
        "nothing outside the sandbox was affected."
    )


def _after_fork() -> None:
    for sandbox in list(_all_sandboxes):
        sandbox._forget_after_fork()  # noqa: SLF001 - same module


def _at_exit() -> None:
    for sandbox in list(_all_sandboxes):
        sandbox.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
