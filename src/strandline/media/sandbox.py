"""The parent's side of the sandbox: one worker, started when needed, replaced when it dies."""

import atexit
import contextlib
import errno
import logging
import os
import stat
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from strandline.errors import MediaRefused, TimedOut, TooLarge, Undecodable
from strandline.media.limits import Limits
from strandline.media.process import DiedIdleError, SandboxUnavailable, WorkerProcess

_log = logging.getLogger(__name__)

#: A worker that did this many jobs is replaced: decoders leak, and a foothold does not last.
JOBS_PER_WORKER = 500
#: How often a worker may die before it has taken a job, until that is told.
_IDLE_DEATHS = 3

_REFUSALS: dict[str, type[MediaRefused]] = {
    kind.verdict: kind for kind in (Undecodable, TooLarge, TimedOut)
}

_all_sandboxes: weakref.WeakSet["Sandbox"] = weakref.WeakSet()


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
        self._worker: WorkerProcess | None = None
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
        return _unless_refused(facts, blobs)

    def run_file(
        self,
        task: str,
        path: Path,
        params: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Run one task of a ``FILE_TASKS`` table on a file too large to hand over: a film.

        A worker is started for this file alone and ended after it. It gets the open file, read
        only, as its one descriptor, and the task a binary file object of it. Several threads
        may do this at once. ``limits`` are this job's, where they differ from the sandbox's.

        Raises:
            Undecodable, TooLarge, TimedOut: the verdict on this file.
            OSError: the file cannot be opened, or is not a regular file.
            SandboxUnavailable: no worker could be started.
            ValueError: the worker serves no such task.
        """
        limits = limits or self.limits
        with _open_regular(path, limits) as descriptor:
            worker = WorkerProcess(limits, self._modules, jobs=1, file=descriptor)
            try:
                if task not in worker.file_tasks:
                    raise ValueError(f"the sandbox serves no task {task!r} on files")
                job = {"task": task, "params": dict(params or {})}
                facts, blobs = worker.run(job, {})
            except DiedIdleError:
                raise SandboxUnavailable(
                    "The worker that decodes untrusted files ended before it took this one. The "
                    "file was not read. Look for what kills processes on this machine (memory, a "
                    "supervisor) and try again."
                ) from None
            finally:
                worker.stop()
        return _unless_refused(facts, blobs)

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

    def _ready(self) -> WorkerProcess:
        worker = self._worker
        if worker is not None and (worker.jobs_left <= 0 or worker.process.poll() is not None):
            self._discard()
            worker = None
        if worker is None:
            worker = self._worker = WorkerProcess(self.limits, self._modules, jobs=JOBS_PER_WORKER)
        return worker

    def _one_job(
        self, job: Mapping[str, Any], data: bytes
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Run the job; a worker that died idle is replaced, for it never saw the file."""
        for _ in range(_IDLE_DEATHS):
            worker = self._ready()
            try:
                facts, blobs = worker.run(job, {"data": data})
            except DiedIdleError:
                self._discard()
            except BaseException:  # a verdict, or interrupted half-way: it is not used again
                self._discard()
                raise
            else:
                if facts.get("spent"):
                    self._discard()
                return facts, blobs
        raise SandboxUnavailable(
            "The worker that decodes untrusted files ended, several times in a row, before it "
            "took the file. The file was not opened. Look for what kills processes on this "
            "machine (memory, a supervisor) and try again."
        )

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()

    def _forget_after_fork(self) -> None:
        self._lock = threading.Lock()
        self._worker = None


def _unless_refused(
    facts: dict[str, Any], blobs: dict[str, bytes]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the answer, or raise the verdict that it is."""
    verdict = facts.get("refused")
    if verdict is None:
        return facts, blobs
    message = str(facts.get("message", ""))
    if facts.get("unexpected"):
        _log.warning("a decoder failed in a way not foreseen: %s", message)
    raise _REFUSALS.get(str(verdict), Undecodable)(message)


@contextlib.contextmanager
def _open_regular(path: Path, limits: Limits) -> Iterator[int]:
    """Open a file to be read and nothing else; a named pipe would be waited for, a device acts."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "It is not a regular file", str(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        opened = os.fstat(descriptor)
        if not stat.S_ISREG(opened.st_mode):  # exchanged since it was looked at
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        if opened.st_size > limits.file_bytes:
            raise TooLarge(
                f"The file has {opened.st_size:,} bytes; at most {limits.file_bytes:,} are read. "
                "It was not opened. Raise the limit to examine it."
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _after_fork() -> None:
    for sandbox in list(_all_sandboxes):
        sandbox._forget_after_fork()  # noqa: SLF001 - same module


def _at_exit() -> None:
    for sandbox in list(_all_sandboxes):
        sandbox.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
