"""The parent's side of the sandbox: one worker, started when needed, replaced when it dies."""

import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from strandline.errors import MediaRefused, TimedOut, TooLarge, Undecodable
from strandline.media.answer import Answer, LargeFile, T
from strandline.media.area import SharedArea
from strandline.media.forkserver import ForkServer, SandboxUnavailable
from strandline.media.limits import Limits
from strandline.media.process import DiedIdleError, WorkerProcess
from strandline.media.sources import (
    copy_into,
    open_again,
    open_regular,
    read_into,
    read_whole,
    too_many_bytes,
)

_log = logging.getLogger(__name__)

Outcome = tuple[dict[str, Any], dict[str, bytes]]

#: A worker that did this many jobs is replaced: decoders leak, and a foothold does not last.
JOBS_PER_WORKER = 200
#: How often a worker may die by no fault of the file, until that is told.
_IDLE_DEATHS = 3

_REFUSALS: dict[str, type[MediaRefused]] = {
    kind.verdict: kind for kind in (Undecodable, TooLarge, TimedOut)
}

_all_sandboxes: weakref.WeakSet["Sandbox"] = weakref.WeakSet()


class Sandbox:
    """A worker process that decodes hostile bytes with nothing to gain from taking it over.

    Started at the first job, replaced after a crash, a time-out or 200 jobs, killed with its
    parent. Safe to share between threads (one job at a time; a :class:`strandline.media.Pool` has
    several workers) and to carry over ``os.fork``: the forked process starts a worker of its own.

    ``modules`` name the task tables the worker serves; a room above adds its own. ``server`` is
    shared with the sandboxes it was given to, and ended by who made it.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        modules: Sequence[str] = ("strandline.media.tasks",),
        server: ForkServer | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._server = server or ForkServer(modules)
        self._owns_server = server is None
        self._lock = threading.Lock()
        self._worker: WorkerProcess | None = None
        self._file_workers: set[WorkerProcess] = set()
        self._area: SharedArea | None = None
        self._has_no_area = False
        _all_sandboxes.add(self)

    @property
    def protections(self) -> tuple[str, ...]:
        """Names of the protections that really hold here; starts the worker if need be."""
        with self._lock:
            return self._ready().protections

    @property
    def tasks(self) -> frozenset[str]:
        """Names of the tasks the worker serves; starts the server if need be."""
        return self._server.running().tasks

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None when there is none."""
        worker = self._worker
        return None if worker is None else worker.pid

    def run(self, task: str, data: bytes, params: Mapping[str, Any] | None = None) -> Outcome:
        """Run one task on ``data`` in the worker; return its facts and blobs.

        Raises:
            Undecodable, TooLarge, TimedOut: the verdict on these bytes.
            SandboxUnavailable: no worker could be started.
            ValueError: the worker serves no such task.
        """
        facts, blobs = self.ask(task, data, params).checked()
        return dict(facts), dict(blobs)

    def ask(
        self,
        task: str,
        source: bytes | Path,
        params: Mapping[str, Any] | None = None,
        *,
        beside: Callable[[memoryview], T] | None = None,
    ) -> Answer[T]:
        """Run one task on bytes or on a file that is read once; what is wrong with it is an answer.

        ``beside`` is called in this thread on the same bytes while the worker decodes them, also
        where that ends in a verdict. It keeps no reference to them.

        Raises:
            SandboxUnavailable: no worker could be started.
            ValueError: the worker serves no such task.
        """
        told: list[T] = []
        with self._lock:
            try:
                data = self._load(source)
            except (OSError, TooLarge) as unread:
                return Answer(source, error=unread)
            try:
                with data:
                    job = {"task": task, "params": dict(params or {}), "length": len(data)}
                    blobs = {"data": data} if self._area is None else {}
                    call = None if beside is None else lambda: _tell(told, beside, data)
                    outcome = self._one_job(job, blobs, call)
            except MediaRefused as verdict:
                return Answer(source, error=verdict, beside=_first(told))
            finally:
                if self._area is not None:
                    self._area.give_back()
        return _answer(source, outcome, told)

    def run_file(
        self,
        task: str,
        path: Path,
        params: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
    ) -> Outcome:
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
        facts, blobs = self.ask_file(LargeFile(path, task, params or {}, limits)).checked()
        return dict(facts), dict(blobs)

    def ask_file(self, source: LargeFile[T]) -> Answer[T]:
        """Do as ``run_file`` does; what is wrong with the file is an answer.

        Raises:
            SandboxUnavailable: no worker could be started.
            ValueError: the worker serves no such task.
        """
        limits = source.limits or self.limits
        told: list[T] = []
        with contextlib.ExitStack() as opened:
            try:
                given = open_regular(source.path, limits.file_bytes)
                opened.callback(os.close, given)
                own = opened.enter_context(open_again(given, source.path))
            except (OSError, TooLarge) as unread:
                return Answer(source, error=unread)
            if source.task not in self._server.running().file_tasks:
                raise ValueError(f"the sandbox serves no task {source.task!r} on files")
            beside = source.beside
            call = None if beside is None else lambda: _tell(told, beside, own)
            try:
                outcome = self._one_file(source, limits, given, call)
            except MediaRefused as verdict:
                return Answer(source, error=verdict, beside=_first(told))
        return _answer(source, outcome, told)

    def close(self) -> None:
        """End the worker; a later job starts another."""
        with self._lock:
            self._discard()
            self._free()

    def interrupt(self) -> None:
        """End every worker at once, from any thread; jobs under way end without a verdict."""
        for worker in [self._worker, *self._file_workers]:
            if worker is not None:
                worker.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # a constructor that did not finish
            self._discard()
            self._free()

    def _load(self, source: bytes | Path) -> memoryview:
        """Put the file where the worker reads it; return its bytes, to be released."""
        most = self.limits.bytes
        if isinstance(source, bytes) and len(source) > most:
            raise too_many_bytes(len(source), most)
        area = self._shared_area()
        if area is None:
            return memoryview(source if isinstance(source, bytes) else read_whole(source, most))
        if isinstance(source, bytes):
            return area.fill(lambda whole: copy_into(whole, source))
        return area.fill(lambda whole: read_into(whole, source, most))

    def _shared_area(self) -> SharedArea | None:
        if self._area is None and not self._has_no_area:
            self._area = SharedArea.where_possible(self.limits.bytes)
            self._has_no_area = self._area is None
        return self._area

    def _ready(self) -> WorkerProcess:
        worker = self._worker
        if worker is not None and (worker.jobs_left <= 0 or worker.has_ended):
            self._discard()
            worker = None
        if worker is None:
            worker = self._worker = WorkerProcess(
                self._server, self.limits, jobs=JOBS_PER_WORKER, area=self._shared_area()
            )
        return worker

    def _one_job(
        self,
        job: Mapping[str, Any],
        blobs: Mapping[str, memoryview],
        beside: Callable[[], None] | None,
    ) -> Outcome:
        """Run the job; a worker that died by no fault of the file is replaced."""
        if job["task"] not in self.tasks:
            raise ValueError(f"the sandbox serves no task {job['task']!r}")
        last: DiedIdleError | None = None
        for _ in range(_IDLE_DEATHS):
            worker = self._ready()
            try:
                outcome = worker.run(job, blobs, beside)
            except DiedIdleError as died:
                self._discard()
                last = died
            except BaseException:  # a verdict, or interrupted half-way: it is not used again
                self._discard()
                raise
            else:
                if outcome[0].get("spent"):
                    self._discard()
                return outcome
        raise _died_too_often(last)

    def _one_file(
        self,
        source: LargeFile[Any],
        limits: Limits,
        descriptor: int,
        beside: Callable[[], None] | None,
    ) -> Outcome:
        last: DiedIdleError | None = None
        for _ in range(_IDLE_DEATHS):
            worker = WorkerProcess(self._server, limits, jobs=1, file=descriptor)
            self._file_workers.add(worker)
            try:
                job = {"task": source.task, "params": dict(source.params)}
                return worker.run(job, {}, beside)
            except DiedIdleError as died:
                last = died
            finally:
                worker.stop()
                self._file_workers.discard(worker)
        raise _died_too_often(last)

    def _discard(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()

    def _free(self) -> None:
        area, self._area = self._area, None
        if area is not None:
            area.close()
        if self._owns_server:
            self._server.close()

    def _forget_after_fork(self) -> None:
        self._lock = threading.Lock()
        self._worker = None
        self._file_workers = set()
        area, self._area = self._area, None
        if area is not None:  # shared with the other process
            area.close()
        self._server.forget_after_fork()


def _tell(told: list[T], beside: Callable[[Any], T], data: object) -> None:
    if not told:  # a job that is run again was told already
        told.append(beside(data))


def _first(told: list[T]) -> T | None:
    return told[0] if told else None


def _answer(source: Any, outcome: Outcome, told: list[T]) -> Answer[T]:  # noqa: ANN401 - any source
    """Make the answer of what a worker said, which may be a refusal."""
    facts, blobs = outcome
    verdict = facts.get("refused")
    if verdict is None:
        return Answer(source, facts, blobs, beside=_first(told))
    message = str(facts.get("message", ""))
    if facts.get("unexpected"):
        _log.warning("a decoder failed in a way not foreseen: %s", message)
    error = _REFUSALS.get(str(verdict), Undecodable)(message)
    return Answer(source, error=error, beside=_first(told))


def _died_too_often(last: DiedIdleError | None) -> Exception:
    if last is not None and last.taken:
        return Undecodable(
            "The sandbox ended, several times in a row, while it read this file. Nothing of it "
            "was shown. It may take more memory than this machine has."
        )
    return SandboxUnavailable(
        "The worker that decodes untrusted files ended, several times in a row, before it "
        "took the file. The file was not opened. Look for what kills processes on this "
        "machine (memory, a supervisor) and try again."
    )


def _after_fork() -> None:
    for sandbox in list(_all_sandboxes):
        sandbox._forget_after_fork()  # noqa: SLF001 - same module


def _at_exit() -> None:
    for sandbox in list(_all_sandboxes):
        sandbox.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
