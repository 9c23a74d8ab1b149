"""A self-test from the inside: try what the sandbox must refuse, and say how it went.

For tests and for a health check. Every attempt is harmless where it succeeds; executing, tried
last, then ends the worker, which the caller sees as a crash.
"""

import ctypes
import errno
import mmap
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from strandline.media.limits import Limits


def _connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as outgoing:
        outgoing.settimeout(1)
        outgoing.connect(("127.0.0.1", 9))


def _unix_socket() -> None:
    socket.socketpair()[0].close()


def _read_file() -> None:
    os.close(os.open("/etc/hostname", os.O_RDONLY))


def _write_file() -> None:
    name = "/tmp/strandline-probe"  # noqa: S108 - it must fail
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(name)  # noqa: PTH108 - as plain as the call that made it


def _start_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _execute() -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606 - it must fail


def _signal_another() -> None:
    os.kill(os.getppid(), 0)


def _executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()


def _much_memory(limit: int) -> None:
    mmap.mmap(-1, limit).close()


def _write_to_area(data: memoryview) -> None:
    address = np.frombuffer(data, np.uint8).__array_interface__["data"][0]
    start = ctypes.c_void_p(address - address % mmap.PAGESIZE)
    libc = ctypes.CDLL(None, use_errno=True)
    writable = ctypes.c_int(mmap.PROT_READ | mmap.PROT_WRITE)
    if libc.mprotect(start, ctypes.c_size_t(mmap.PAGESIZE), writable) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def length(
    data: bytes | memoryview, _params: Mapping[str, Any], _limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Say how many bytes arrived: what is left of a job when nothing is decoded."""
    return {"length": len(data)}, {}


def probe(
    data: bytes | memoryview, _params: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return for each attempt "allowed" or the name of the error that refused it."""
    attempts: dict[str, Callable[[], None]] = {
        "connect": _connect,
        "unix-socket": _unix_socket,
        "read-file": _read_file,
        "write-file": _write_file,
        "start-process": _start_process,
        "signal-another": _signal_another,
        "executable-memory": _executable_memory,
        "much-memory": lambda: _much_memory(2 * limits.memory),
        "execute": _execute,
    }
    if isinstance(data, memoryview) and data:
        attempts = {"write-to-area": lambda: _write_to_area(data), **attempts}
    outcome = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError as refused:
            outcome[name] = errno.errorcode.get(refused.errno or 0, str(refused))
        else:
            outcome[name] = "allowed"
    return outcome, {}


def probe_file(
    file: BinaryIO, params: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The same with a large file open; also give its size, and ``params["at"]``'s 16 bytes."""
    outcome, _ = probe(b"", {}, limits)
    try:
        os.write(file.fileno(), b"overwritten")
    except OSError as refused:
        outcome["write-to-it"] = errno.errorcode.get(refused.errno or 0, str(refused))
    else:
        outcome["write-to-it"] = "allowed"
    size = file.seek(0, os.SEEK_END)
    file.seek(params.get("at", 0))
    return {"attempts": outcome, "size": size}, {"bytes": file.read(16)}
