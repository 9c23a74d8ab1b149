"""The parent's side of one worker process: start it, talk to it, kill it, judge its death."""

import functools
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from strandline.errors import MediaRefused, StrandlineError, TimedOut, Undecodable
from strandline.media import frames
from strandline.media.channel import Channel, ChannelClosedError, DeadlinePassedError
from strandline.media.limits import Limits
from strandline.media.starter import run_in_lasting_thread

#: Time for a new worker to say it is ready, generous for a cold disk (0.3 s when warm).
START_SECONDS = 30.0
#: Renditions and facts are small; a worker that sends more is not ours any longer.
MAX_ANSWER = 64 * 2**20


class SandboxUnavailable(StrandlineError):
    """The worker could not be started at all: a fault of the installation, not of a file."""


class DiedIdleError(Exception):
    """The worker ended before it took the job: no fault of the file."""


_all_workers: weakref.WeakSet["WorkerProcess"] = weakref.WeakSet()


def _start(file: int | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-m", "strandline.media._worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={},
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the parent to act on
        pass_fds=() if file is None else (file,),
    )


class WorkerProcess:
    """A running worker and the channel to it.

    ``file`` is the descriptor of a large file that this worker may read, and nothing else; it
    stays the caller's to close.

    Raises:
        SandboxUnavailable: it did not start.
    """

    def __init__(
        self, limits: Limits, modules: Sequence[str], *, jobs: int, file: int | None = None
    ) -> None:
        self.limits = limits
        self.jobs_left = jobs
        self.process = run_in_lasting_thread(functools.partial(_start, file))
        _all_workers.add(self)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.channel = Channel(self.process.stdout.fileno(), self.process.stdin.fileno())
        config = {
            "limits": asdict(limits),
            "modules": list(modules),
            "jobs": jobs,
            "parent": os.getpid(),
            "file": file,
        }
        try:
            hello, _ = self._exchange(config, {}, START_SECONDS)
            self.protections = tuple(str(name) for name in hello["protections"])
            self.tasks = frozenset(str(name) for name in hello["tasks"])
            self.file_tasks = frozenset(str(name) for name in hello["file_tasks"])
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

    def run(
        self, job: Mapping[str, Any], blobs: Mapping[str, bytes]
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Run one job within the limits; the answer may be a refusal. Use no more after an error.

        Raises:
            TimedOut, Undecodable: the verdict on a file that took too long or killed the worker.
            DiedIdleError: the worker never took the job.
        """
        self.jobs_left -= 1
        taken = False
        try:
            self._exchange(job, blobs, self.limits.wall_seconds)
            taken = True
            return self._answer()
        except DeadlinePassedError:
            raise TimedOut(
                f"Reading the file took more than {self.limits.wall_seconds:g} s and was "
                "stopped. Nothing of it was shown. It can be tried again with a higher limit."
            ) from None
        except ChannelClosedError:
            if not taken:
                raise DiedIdleError from None
            raise _verdict_on_a_death(self.stop(), self.limits) from None
        except frames.BadFrameError as error:
            raise Undecodable(
                f"The decoder answered with {error} and was stopped. Nothing of the file was shown."
            ) from error

    def _exchange(
        self, header: Mapping[str, Any], blobs: Mapping[str, bytes], seconds: float
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Send one frame and read one, both within ``seconds``."""
        self.channel.deadline = time.monotonic() + seconds
        self.channel.send(frames.encode(header, blobs))
        return self._answer()

    def _answer(self) -> tuple[dict[str, Any], dict[str, bytes]]:
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


def _verdict_on_a_death(status: int, limits: Limits) -> MediaRefused:
    """Say what a worker's exit status means for the file it was reading."""
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
    for worker in list(_all_workers):
        worker.abandon()


os.register_at_fork(after_in_child=_after_fork)
