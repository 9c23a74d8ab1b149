"""The parent's side of one worker process: have it forked, talk to it, end it, judge its death."""

import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from strandline.errors import MediaRefused, TimedOut, Undecodable
from strandline.media import frames
from strandline.media.area import SharedArea
from strandline.media.channel import Channel, ChannelClosedError, DeadlinePassedError
from strandline.media.forkserver import (
    START_SECONDS,
    ForkServer,
    RunningServer,
    SandboxUnavailable,
    ServerGoneError,
)
from strandline.media.limits import Limits

#: Renditions and facts are small; a worker that sends more is not ours any longer.
MAX_ANSWER = 64 * 2**20


class DiedIdleError(Exception):
    """The worker ended by no fault of the file: before it took the job, or with its server."""

    def __init__(self, *, taken: bool) -> None:
        super().__init__()
        self.taken = taken


_all_workers: weakref.WeakSet["WorkerProcess"] = weakref.WeakSet()


class WorkerProcess:
    """A running worker and the channel to it.

    ``file`` is the descriptor of a large file that this worker may read, and nothing else; it
    stays the caller's to close.

    Raises:
        SandboxUnavailable: it did not start.
    """

    def __init__(
        self,
        server: ForkServer,
        limits: Limits,
        *,
        jobs: int,
        area: SharedArea | None = None,
        file: int | None = None,
    ) -> None:
        self.limits = limits
        self.jobs_left = jobs
        self._ending = threading.Lock()
        self._ended = self._interrupted = False
        self._status: int | None = None
        config = {
            "limits": asdict(limits),
            "jobs": jobs,
            "area": area is not None,
            "file": file is not None,
        }
        shared = [*([] if area is None else [area.descriptor]), *([] if file is None else [file])]
        self._server, self.pid, self._pipes = _fork(server, config, shared)
        self._channel = Channel(*self._pipes)
        _all_workers.add(self)
        try:
            self._channel.deadline = time.monotonic() + START_SECONDS
            hello, _ = self._answer()
            self.protections = tuple(str(name) for name in hello["protections"])
        except (
            ChannelClosedError,
            DeadlinePassedError,
            frames.BadFrameError,
            KeyError,
            TypeError,
        ) as error:
            raise SandboxUnavailable(
                "The worker that decodes untrusted files did not give up its rights "
                f"({type(error).__name__}, exit status {self.stop()}) and got no file. Its own "
                "message is in this program's error output."
            ) from error
        except BaseException:
            self.stop()
            raise

    @property
    def has_ended(self) -> bool:
        """It died, or said something unasked and is not ours any longer."""
        return self._ended or self._channel.is_readable()

    def run(
        self,
        job: Mapping[str, Any],
        blobs: Mapping[str, bytes | memoryview],
        beside: Callable[[], None] | None = None,
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Run one job within the limits; the answer may be a refusal. Use no more after an error.

        ``beside`` is called while the worker works, and its time not counted.

        Raises:
            TimedOut, Undecodable: the verdict on a file that took too long or killed the worker.
            DiedIdleError: the worker ended by no fault of the file.
            SandboxUnavailable: ``interrupt`` was called.
        """
        self.jobs_left -= 1
        taken = False
        try:
            self._channel.deadline = time.monotonic() + self.limits.wall_seconds
            self._channel.send(frames.encode(job, blobs))
            self._answer()
            taken = True
            if beside is not None:
                started = time.monotonic()
                beside()
                self._channel.deadline += time.monotonic() - started
            return self._answer()
        except DeadlinePassedError:
            raise TimedOut(
                f"Reading the file took more than {self.limits.wall_seconds:g} s and was "
                "stopped. Nothing of it was shown. It can be tried again with a higher limit."
            ) from None
        except ChannelClosedError:
            status = self.stop()
            if self._interrupted:
                raise SandboxUnavailable(
                    "The sandbox was closed while it read a file. There is no verdict on this "
                    "file; examine it again."
                ) from None
            if status is None or not taken:
                raise DiedIdleError(taken=taken) from None
            raise _verdict_on_a_death(status, self.limits) from None
        except frames.BadFrameError as error:
            raise Undecodable(
                f"The decoder answered with {error} and was stopped. Nothing of the file was shown."
            ) from error

    def _answer(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Read one frame within what is left of the time."""
        return frames.read(self._channel.take, max_blobs=MAX_ANSWER)

    def interrupt(self) -> None:
        """End the worker from another thread than the one that runs its job."""
        self._interrupted = True
        self._kill()

    def stop(self) -> int | None:
        """Kill this worker; return its exit status, None when the server has gone with it."""
        self._kill()
        self._close_pipes()
        return self._status

    def _kill(self) -> None:
        with self._ending:
            if not self._ended:
                self._ended = True
                self._status = self._server.end(self.pid)

    def abandon(self) -> None:
        """Let go of a worker that belongs to the process this one was forked from."""
        self._ending = threading.Lock()
        self._ended = True
        self._close_pipes()

    def _close_pipes(self) -> None:
        pipes, self._pipes = self._pipes, ()
        for pipe in pipes:
            os.close(pipe)


def _fork(
    server: ForkServer, config: Mapping[str, Any], shared: list[int]
) -> tuple[RunningServer, int, tuple[int, ...]]:
    """Return a server, the worker it forked, and our ends of the pipes from and to that."""
    for _ in range(2):  # one that died since it was last used is replaced
        running = server.running()
        from_worker, its_output = os.pipe()
        its_input, to_worker = os.pipe()
        try:
            pid = running.fork(config, [its_input, its_output, *shared])
        except BaseException as error:
            os.close(from_worker)
            os.close(to_worker)
            if not isinstance(error, ServerGoneError):
                raise
        else:
            return running, pid, (from_worker, to_worker)
        finally:
            os.close(its_input)
            os.close(its_output)
    raise SandboxUnavailable(
        "The process that starts workers for untrusted files ended twice in a row. The file was "
        "not opened. Look for what kills processes on this machine (memory, a supervisor) and try "
        "again."
    )


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
