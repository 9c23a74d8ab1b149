"""The fork server: imports every decoder once, sees no file ever, and forks the workers.

Started by :class:`strandline.media.forkserver.ForkServer` as ``python -I -B -m
strandline.media._forkserver`` with an empty environment; its input is a socket to the parent. It
imports the modules it is told (only those of this package) and then does three things: fork a
worker that gives up its rights before it takes a job, end one and tell its exit status, and end
itself when the parent has gone. A file's descriptor passes through it, never its bytes.

It must have one thread: a fork copies no other, but the locks these hold.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from strandline.media import _lockdown, _worker, frames

#: Input and output of a worker, its shared area, a large file.
MOST_DESCRIPTORS = 4


class _Control:
    """Frames with descriptors beside them, to and from the parent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._descriptors: list[int] = []

    def _take(self, count: int) -> bytes:
        got, descriptors, _, _ = socket.recv_fds(self._connection, count, MOST_DESCRIPTORS)
        self._descriptors += descriptors
        while len(got) < count:
            more = self._connection.recv(count - len(got))
            if not more:
                raise SystemExit(0)
            got += more
        return got

    def read(self) -> tuple[dict[str, Any], list[int]]:
        self._descriptors = []
        header, _ = frames.read(self._take, max_blobs=0)
        return header, self._descriptors

    def send(self, header: Mapping[str, Any]) -> None:
        self._connection.sendall(b"".join(frames.encode(header, {})))


def _refuse_threads() -> None:
    try:
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - no pathlib needed here
    except OSError:
        return  # no /proc here
    if threads > 1:
        raise RuntimeError(
            f"the tasks' modules left {threads - 1} threads running; a worker cannot be forked "
            "beside them"
        )


def _fork(request: Mapping[str, Any], descriptors: list[int]) -> int:
    server = os.getpid()
    child = os.fork()
    if child:
        for descriptor in descriptors:
            os.close(descriptor)
        return child
    status = 1
    try:
        _worker.serve(request, descriptors, server)
    except SystemExit:
        status = 0
    except BaseException:  # noqa: BLE001 - this copy must not go on as the server
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _end(worker: int) -> int:
    """Kill a worker; nobody else waits for it, so that the number is its own until then."""
    os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Import what workers need, then fork and end them until the parent has gone."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is imported; one thread only
    control = _Control(socket.socket(fileno=0))
    config, _ = control.read()
    _lockdown.leave_the_network()
    _lockdown.die_with(config["parent"])
    tasks, file_tasks = _worker.load(config["modules"])
    _refuse_threads()
    gc.collect()
    gc.freeze()  # a collection in a worker then leaves these pages shared
    control.send({"ready": True, "tasks": sorted(tasks), "file_tasks": sorted(file_tasks)})
    while True:
        request, descriptors = control.read()
        if "end" in request:
            control.send({"status": _end(request["end"])})
        else:
            control.send({"pid": _fork(request, descriptors)})


if __name__ == "__main__":
    main()
