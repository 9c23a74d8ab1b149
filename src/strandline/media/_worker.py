"""The worker: reads jobs on its input, answers on its output, and can do nothing else.

Started by :class:`strandline.media.Sandbox` as ``python -I -B -m strandline.media._worker`` with
an empty environment. The first frame configures it: limits, how many jobs it will get, the
parent's process id, the modules whose ``TASKS`` and ``FILE_TASKS`` it serves (only modules of this
package are accepted), and, where it is started for one large file, the descriptor of that file.
Everything is imported before rights are given up.
"""

import functools
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from strandline.errors import MediaRefused
from strandline.media import _lockdown, frames
from strandline.media.limits import Limits

type_of_answer = tuple[dict[str, Any], dict[str, bytes]]
#: A task takes the bytes, its parameters and the limits, and gives facts and blobs.
Task = Callable[[bytes, Mapping[str, Any], Limits], type_of_answer]
#: The same on a file that is not handed over but open: read only, seekable.
FileTask = Callable[[BinaryIO, Mapping[str, Any], Limits], type_of_answer]

#: The large file's descriptor, the first after input, output and errors.
_FILE = 3
_READ_AHEAD = 1 << 18


def _take(count: int) -> bytes:
    """Read exactly ``count`` bytes of input; end the process when the parent has gone."""
    whole = bytearray(count)
    rest = memoryview(whole)
    while rest:
        got = os.readv(0, [rest])
        if got == 0:
            raise SystemExit(0)
        rest = rest[got:]
    return bytes(whole)


def _send(header: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
    for piece in frames.encode(header, blobs):
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(1, rest) :]


def _load(modules: list[str], limits: Limits) -> tuple[dict[str, Task], dict[str, FileTask]]:
    tasks: dict[str, Task] = {}
    file_tasks: dict[str, FileTask] = {}
    for name in modules:
        if not name.startswith("strandline."):
            raise ValueError(f"{name} is not a module of this package")
        module = importlib.import_module(name)
        module.prepare(limits)
        tasks |= module.TASKS
        file_tasks |= getattr(module, "FILE_TASKS", {})
    return tasks, file_tasks


def _answer(call: Callable[[], type_of_answer]) -> type_of_answer:
    """Run one job; whatever hostile bytes provoke becomes an answer with a verdict."""
    try:
        return call()
    except MediaRefused as refused:
        return {"refused": refused.verdict, "message": refused.message}, {}
    except MemoryError:
        message = "Decoding this file takes more memory than the limit allows. It was not decoded."
        return {"refused": "too-large", "message": message, "spent": True}, {}
    except Exception as error:  # noqa: BLE001 - any failure on these bytes is a verdict on them
        where = traceback.extract_tb(error.__traceback__)[-1]
        cause = f"{type(error).__name__} in {os.path.basename(where.filename)}:{where.lineno}"  # noqa: PTH119
        message = f"This file could not be read: {cause}. Nothing of it was shown."
        return {"refused": "undecodable", "message": message, "unexpected": True}, {}


def _allow_processor_time(seconds: float) -> None:
    """Kill this process (SIGPROF, default action) after so much processor time; 0 stops it.

    RLIMIT_CPU counts whole seconds of the whole life and is only the backstop.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)


def main() -> None:
    """Configure, give up rights, say which, then serve until the input ends."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is imported; one thread only
    config, _ = frames.read(_take, max_blobs=0)
    limits = Limits(**config["limits"])
    held = ["dies-with-parent"] if _lockdown.die_with(config["parent"]) else []
    if _lockdown.leave_the_network():
        held.append("own-network-namespace")
    tasks, file_tasks = _load(config["modules"], limits)
    # Errors until here reach the parent's log; what decoders print must not flood it.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
    sys.stdout = sys.stderr
    file = None if config["file"] is None else _keep_only(config["file"])
    held += _lockdown.lock(limits, jobs=config["jobs"], descriptors=_FILE + (file is not None))
    hello = {"protections": held, "tasks": sorted(tasks), "file_tasks": sorted(file_tasks)}
    _send(hello, {})
    while True:
        job, blobs = frames.read(_take, max_blobs=limits.bytes)
        _send({"taken": True}, {})  # from here on, a death is this file's doing
        if file is None:
            call = functools.partial(tasks[job["task"]], blobs["data"], job["params"], limits)
        else:
            call = functools.partial(file_tasks[job["task"]], file, job["params"], limits)
        _allow_processor_time(limits.cpu_seconds)
        header, made = _answer(call)
        _allow_processor_time(0)
        _send(header, made)
        del blobs, call, made


def _keep_only(descriptor: int) -> BinaryIO:
    """Move the large file's descriptor to where no further one is allowed after it."""
    if descriptor != _FILE:
        os.dup2(descriptor, _FILE, inheritable=False)
        os.close(descriptor)
    return io.BufferedReader(io.FileIO(_FILE, closefd=False), _READ_AHEAD)


if __name__ == "__main__":
    main()
