"""The worker: reads jobs on its input, answers on its output, and can do nothing else.

Forked by :mod:`strandline.media._forkserver` with an empty environment, for one parent and its
limits. Everything is imported before; rights are given up before the first job is read.
"""

import fcntl
import functools
import importlib
import io
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from strandline.errors import MediaRefused
from strandline.media import _lockdown, frames
from strandline.media.area import view_in_worker
from strandline.media.limits import Limits

Outcome = tuple[dict[str, Any], dict[str, bytes]]
#: A task takes the file's bytes, its parameters and the limits, and gives facts and blobs. The
#: bytes may be a read-only view, good for the job only: no task keeps it.
Task = Callable[[bytes | memoryview, Mapping[str, Any], Limits], Outcome]
#: The same on a file that is not handed over but open: read only, seekable.
FileTask = Callable[[BinaryIO, Mapping[str, Any], Limits], Outcome]

#: The large file's descriptor, the first after input, output and errors.
_FILE = 3
_READ_AHEAD = 1 << 18
#: What HEIC and AVIF files begin with, after four bytes. libheif has been seen to damage its memory
#: on broken ones without crashing: nothing else is read in the same worker.
_ISO_MEDIA = b"ftyp"
#: More than are ever open when a worker is forked.
_MOST_OPEN = 32

_tasks: dict[str, Task] = {}
_file_tasks: dict[str, FileTask] = {}
_prepare: list[Callable[[Limits], None]] = []


def load(modules: list[str]) -> tuple[dict[str, Task], dict[str, FileTask]]:
    """Import the modules whose tasks are served, and all that they load late.

    Raises:
        ValueError: a module that is not of this package.
    """
    for name in modules:
        if not name.startswith("strandline."):
            raise ValueError(f"{name} is not a module of this package")
        module = importlib.import_module(name)
        module.prepare(Limits())
        _prepare.append(module.prepare)
        _tasks.update(module.TASKS)
        _file_tasks.update(getattr(module, "FILE_TASKS", {}))
    return _tasks, _file_tasks


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


def _answer(call: Callable[[], Outcome]) -> Outcome:
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


def _keep_only(descriptors: list[int], file: int | None) -> BinaryIO | None:
    """Make these the input, the output and the large file; close every other descriptor."""
    silence = os.open(os.devnull, os.O_WRONLY)  # what decoders print must not flood the parent
    kept = [*descriptors[:2], silence, *([] if file is None else [file])]
    # Copies above all targets first: a target may be the number of another's source.
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _MOST_OPEN) for descriptor in kept]
    for target, copy in enumerate(copies):
        os.dup2(copy, target, inheritable=False)
    highest, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.closerange(len(kept), highest if highest > 0 else 1 << 20)
    sys.stdout = sys.stderr
    if file is None:
        return None
    return io.BufferedReader(io.FileIO(_FILE, closefd=False), _READ_AHEAD)


def serve(config: Mapping[str, Any], descriptors: list[int], server: int) -> None:
    """Give up rights, say which, then take jobs until the input ends.

    ``descriptors`` are input, output, then the shared area and the large file where ``config``
    says that there are these. ``server`` is the process id of the one that forked this process.
    """
    limits = Limits(**config["limits"])
    if limits != Limits():
        for prepare in _prepare:
            prepare(limits)
    *_, last = descriptors
    area = view_in_worker(descriptors[2]) if config["area"] else None
    held = ["own-network-namespace"] if _lockdown.leave_the_network() else []
    file = _keep_only(descriptors, last if config["file"] else None)
    if _lockdown.die_with(server):
        held.append("dies-with-parent")
    held += _lockdown.lock(limits, jobs=config["jobs"], descriptors=_FILE + (file is not None))
    _send({"ready": True, "protections": held}, {})
    while True:
        job, blobs = frames.read(_take, max_blobs=limits.bytes)
        _send({"taken": True}, {})  # from here on, a death is this file's doing
        if file is not None:
            call, head = functools.partial(_file_tasks[job["task"]], file), b""
        else:
            data = blobs.pop("data") if area is None else area[: job["length"]]
            call, head = functools.partial(_tasks[job["task"]], data), bytes(data[:8])
            del data
        _allow_processor_time(limits.cpu_seconds)
        header, made = _answer(functools.partial(call, job["params"], limits))
        _allow_processor_time(0)
        if head[4:] == _ISO_MEDIA:
            header["spent"] = True
        _send(header, made)
        del call, made
