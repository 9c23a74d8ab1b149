"""A thread that starts processes and lives as long as this one does.

The kernel's "die with parent" follows the *thread* that started a child. Request threads come
and go, and the threads of an executor end before others finish their last job; a daemon thread
ends with the process only.
"""

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Starter:
    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = False

    def run(self, call: Callable[[], _T]) -> _T:
        future: Future[_T] = Future()
        with self._lock:
            if not self._running:
                threading.Thread(target=self._serve, name="sandbox-starter", daemon=True).start()
                self._running = True
        self._asked.put((future, call))
        return future.result()

    def _serve(self) -> None:
        while True:
            future, call = self._asked.get()
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 - raised again where it was asked for
                future.set_exception(error)


_starter = _Starter()


def run_in_lasting_thread(call: Callable[[], _T]) -> _T:
    """Return ``call()``, or raise what it raises, after running it in the lasting thread."""
    return _starter.run(call)


def _after_fork() -> None:
    global _starter  # noqa: PLW0603 - its thread does not exist in the forked process
    _starter = _Starter()


os.register_at_fork(after_in_child=_after_fork)
