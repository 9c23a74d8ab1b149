"""Several workers at once: answers in the order of the files, however many there are."""

import atexit
import contextlib
import os
import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from strandline.media.answer import Answer, LargeFile, T
from strandline.media.forkserver import ForkServer, SandboxUnavailable
from strandline.media.limits import Limits
from strandline.media.sandbox import Sandbox

#: Files a worker may be ahead of the one whose answer is waited for: a file that runs into its
#: time limit holds up its own answer, not the workers.
_AHEAD_PER_WORKER = 32
#: The same in bytes, for sources that are bytes: these stay in memory until they are answered.
_BYTES_AHEAD = 256 * 2**20

_Source = bytes | Path | LargeFile[Any]
_all_pools: weakref.WeakSet["Pool"] = weakref.WeakSet()


class Pool:
    """As many workers as there are processors, forked from one server that knows every decoder.

    Each is a :class:`strandline.media.Sandbox`: replaced after a crash, a time-out or 200 jobs, so
    that a bad file costs only its own answer. Safe to share between threads and to carry over
    ``os.fork``: the forked process has workers of its own, but cannot go on with an iteration that
    was begun before.
    """

    def __init__(
        self,
        workers: int | None = None,
        limits: Limits | None = None,
        *,
        modules: Sequence[str] = ("strandline.media.tasks",),
    ) -> None:
        if workers is not None and workers < 1:
            raise ValueError("a pool has at least one worker")
        self.workers = workers or _processors()
        self._server = ForkServer(modules)
        self._sandboxes = [Sandbox(limits, server=self._server) for _ in range(self.workers)]
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._make_all_idle()
        _all_pools.add(self)

    @property
    def protections(self) -> tuple[str, ...]:
        """Names of the protections that really hold here; starts a worker if need be."""
        return self._sandboxes[0].protections

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers there are now."""
        found = (sandbox.pid for sandbox in self._sandboxes)
        return tuple(pid for pid in found if pid is not None)

    def map(
        self,
        task: str,
        sources: Iterable[bytes | Path | LargeFile[T]],
        params: Mapping[str, Any] | None = None,
        *,
        beside: Callable[[memoryview], T] | None = None,
    ) -> Iterator[Answer[T]]:
        """Run ``task`` on each source; yield the answers in the order of the sources.

        Sources are taken only some way ahead of the answer that is asked for, so that there may
        be any number of them. What is wrong with a file, that it cannot be opened included, is its
        answer. A :class:`LargeFile` brings its own task.

        Args:
            beside: called on a source's bytes in a thread of this process while a worker decodes
                them, with what it returns in the answer. It keeps no reference to them.

        Raises:
            SandboxUnavailable: no worker could be started, or the pool was closed meanwhile.
            ValueError: the workers serve no such task.
        """
        asked: deque[tuple[Future[Answer[T]], int]] = deque()
        ahead = 0
        begun_in = os.getpid()
        try:
            for source in sources:
                future = self._submit(task, source, params, beside)
                size = len(source) if isinstance(source, bytes) else 0
                asked.append((future, size))
                ahead += size
                while asked and (
                    len(asked) >= _AHEAD_PER_WORKER * self.workers or ahead >= _BYTES_AHEAD
                ):
                    future, size = asked.popleft()
                    ahead -= size
                    yield _answer(future, begun_in)
            while asked:
                yield _answer(asked.popleft()[0], begun_in)
        finally:
            for future, _ in asked if os.getpid() == begun_in else ():
                future.cancel()

    def close(self) -> None:
        """End every worker at once; a later ``map`` starts others.

        Files that are being read then have no answer: whoever waits for one is told.
        """
        with self._lock:
            threads, self._threads = self._threads, None
            if threads is not None:
                self._end_threads(threads)
            for sandbox in self._sandboxes:
                sandbox.close()
            self._server.close()

    def _end_threads(self, threads: ThreadPoolExecutor) -> None:
        ending = threading.Thread(target=lambda: threads.shutdown(cancel_futures=True))
        ending.start()
        while ending.is_alive():
            for sandbox in self._sandboxes:
                sandbox.interrupt()
            ending.join(0.01)  # a thread that was about to give a file to a worker does it now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(
        self,
        task: str,
        source: bytes | Path | LargeFile[T],
        params: Mapping[str, Any] | None,
        beside: Callable[[memoryview], T] | None,
    ) -> Future[Answer[T]]:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self.workers, "sandbox-pool")
            return self._threads.submit(self._ask, task, source, params, beside)

    def _ask(
        self,
        task: str,
        source: bytes | Path | LargeFile[T],
        params: Mapping[str, Any] | None,
        beside: Callable[[memoryview], T] | None,
    ) -> Answer[T]:
        sandbox = self._idle.get()
        try:
            if isinstance(source, LargeFile):
                return sandbox.ask_file(source)
            return sandbox.ask(task, source, params, beside=beside)
        finally:
            self._idle.put(sandbox)

    def _make_all_idle(self) -> None:
        self._idle: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
        for sandbox in self._sandboxes:
            self._idle.put(sandbox)

    def _forget_after_fork(self) -> None:
        self._lock = threading.Lock()
        self._threads = None
        self._make_all_idle()


def _answer(future: Future[Answer[T]], begun_in: int) -> Answer[T]:
    if os.getpid() != begun_in:
        raise SandboxUnavailable(
            "This iteration was begun in the process this one was forked from, which alone gets "
            "its answers. Begin another here."
        )
    try:
        return future.result()
    except CancelledError:
        raise SandboxUnavailable(
            "The pool was closed before this file's turn came. There is no verdict on it; examine "
            "it again."
        ) from None


def _processors() -> int:
    with contextlib.suppress(AttributeError):  # of Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _after_fork() -> None:
    for pool in list(_all_pools):
        pool._forget_after_fork()  # noqa: SLF001 - same module


def _at_exit() -> None:
    for pool in list(_all_pools):
        pool.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
