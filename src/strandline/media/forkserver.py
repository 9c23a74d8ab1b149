"""The parent's side of the fork server: start it, have workers forked and ended by it."""

import contextlib
import functools
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from strandline.errors import StrandlineError
from strandline.media import frames
from strandline.media.starter import run_in_lasting_thread

#: Time for a server or worker to say it is ready, generous for a cold disk and for kernels that
#: are compiled at their first use (1.3 s when warm).
START_SECONDS = 60.0
#: Workers forked from one server lie at the same addresses in memory, which a file could try to
#: guess by crashing one after another: after so many deaths the next server is another draw.
DEATHS_PER_SERVER = 32


class SandboxUnavailable(StrandlineError):
    """The worker could not be started at all: a fault of the installation, not of a file."""


class ServerGoneError(Exception):
    """The server has ended, and its workers with it."""


#: All that a server sees of the environment: where compiled kernels are kept, if not beside them.
_PASSED_ON = ("NUMBA_CACHE_DIR",)

_all_running: weakref.WeakSet["RunningServer"] = weakref.WeakSet()


def _start(control: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-m", "strandline.media._forkserver"],
        stdin=control,
        stdout=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the parent to act on
    )


class RunningServer:
    """One server process. Safe to share between threads."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._workers = self.deaths = 0
        self._retired = False
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = run_in_lasting_thread(functools.partial(_start, theirs.fileno()))
        self._control = ours
        self._control.settimeout(START_SECONDS)
        _all_running.add(self)
        try:
            hello = self._ask({"modules": list(modules), "parent": os.getpid()})
            self.tasks = frozenset(str(name) for name in hello["tasks"])
            self.file_tasks = frozenset(str(name) for name in hello["file_tasks"])
        except (ServerGoneError, KeyError, TypeError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)  # its own exit status says more than our kill
            raise SandboxUnavailable(
                "The process that starts workers for untrusted files did not start (exit status "
                f"{self.stop()}). No file was opened. Its own message is in this program's error "
                f"output; check that '{sys.executable} -I -c \"import strandline\"' works."
            ) from error
        except BaseException:
            self.stop()
            raise

    @property
    def has_gone(self) -> bool:
        """The process has ended by itself, or will because it did not answer."""
        return self._control.fileno() < 0 or self._process.poll() is not None

    def fork(self, config: Mapping[str, Any], descriptors: Sequence[int]) -> int:
        """Fork a worker that gets these descriptors; return its process id.

        Raises:
            ServerGoneError: the server has ended.
        """
        with self._lock:
            pid = int(self._ask(config, descriptors)["pid"])
            self._workers += 1
        return pid

    def end(self, pid: int) -> int | None:
        """Kill a worker and return its exit status; None when the server has gone."""
        with self._lock:
            self._workers -= 1
            try:
                status = int(self._ask({"end": pid})["status"])
            except ServerGoneError:
                status = None
            self.deaths += status is not None and status < 0 and status != -9
        if self._retired:
            self.retire()
        return status

    def retire(self) -> None:
        """Stop as soon as no worker is left."""
        self._retired = True
        if self._workers <= 0:
            self.stop()

    def stop(self) -> int:
        """Kill this process, and with it its workers; return its exit status."""
        self._control.close()
        self._process.kill()
        return self._process.wait()

    def abandon(self) -> None:
        """Let go of a child that belongs to the process this one was forked from."""
        self._lock = threading.Lock()
        self._control.close()
        self._process.returncode = 0  # not ours to wait for

    def _ask(self, request: Mapping[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Send a request with descriptors and read the answer.

        After anything but an answer the server is not asked again (a late answer would be taken
        for the next one's): its socket is closed, by which it ends.
        """
        try:
            (whole,) = frames.encode(request, {})
            socket.send_fds(self._control, [whole], descriptors)
            answer, _ = frames.read(self._take, max_blobs=0)
        except (OSError, frames.BadFrameError, ServerGoneError) as error:  # or a time-out
            self._control.close()
            raise ServerGoneError from error
        except BaseException:
            self._control.close()
            raise
        return answer

    def _take(self, count: int) -> bytes:
        got = self._control.recv(count, socket.MSG_WAITALL)
        if len(got) < count:
            raise ServerGoneError
        return got


class ForkServer:
    """A server that is started when needed and replaced when it has gone or seen many deaths."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._lock = threading.Lock()
        self._running: RunningServer | None = None

    def running(self) -> RunningServer:
        """Return the server, started if need be.

        Raises:
            SandboxUnavailable: it does not start.
        """
        with self._lock:
            running = self._running
            if running is not None and running.has_gone:
                running.stop()
                running = None
            if running is not None and running.deaths >= DEATHS_PER_SERVER:
                running.retire()
                running = None
            if running is None:
                running = self._running = RunningServer(self._modules)
            return running

    def close(self) -> None:
        """End the server and its workers; a later use starts another."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.stop()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # a constructor that did not finish
            self.close()

    def forget_after_fork(self) -> None:
        """Leave the server to the process this one was forked from."""
        self._lock = threading.Lock()
        self._running = None


def _after_fork() -> None:
    for running in list(_all_running):
        running.abandon()


os.register_at_fork(after_in_child=_after_fork)
