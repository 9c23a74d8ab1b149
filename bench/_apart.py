"""A measurement in a fresh process, so that its memory and its imports are its own.

``apart("bench.matching:ours", n=1000)`` runs ``bench.matching.ours(n=1000)`` there and returns the
JSON object that the function returned; ``peak_rss`` and ``peak_private`` are added: the most bytes
that the process ever had, with the mapped files it looked at, and without.
The function's standard error goes to ours: progress is seen.
"""

import json
import os
import subprocess
import sys
import threading
from importlib import import_module, util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


class Failed(Exception):
    """The measurement ended without a result: its process died, ran out of time or memory."""


def installed(*modules: str) -> bool:
    """Whether a peer's modules can be imported here; the benchmark goes on without it if not."""
    return all(util.find_spec(module) is not None for module in modules)


def apart(target: str, *, timeout: int | None = None, **arguments: Any) -> dict[str, Any]:
    """Run ``module:function`` with keyword arguments that JSON can carry; see the module."""
    command = [sys.executable, "-m", "bench._apart", target, json.dumps(arguments)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{target} took more than {timeout} s") from error
    if done.returncode:
        raise Failed(f"{target} ended with status {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_rss() -> int:
    """The most memory this process ever held, in bytes (not its parent's, as getrusage may)."""
    return _status("VmHWM")


def rss() -> int:
    """The memory this process holds now, in bytes; pages of mapped files count."""
    return _status("VmRSS")


def private() -> int:
    """What this process alone holds now, in bytes: mapped files do not count."""
    return _status("RssAnon")


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _watch(peak: list[int], ended: threading.Event) -> None:
    """Note the most private memory; what lasts for less than a hundredth of a second is missed."""
    while not ended.wait(0.01):
        peak[0] = max(peak[0], private())


def _main(target: str, arguments: str) -> None:
    module, _, function = target.partition(":")
    peak, ended = [private()], threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, ended))
    watch.start()
    # Whatever a peer prints must not be taken for the result.
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        found = getattr(import_module(module), function)(**json.loads(arguments))
    finally:
        ended.set()
        watch.join()
    said = {**found, "peak_rss": peak_rss(), "peak_private": peak[0]}
    with os.fdopen(out, "w") as stream:
        stream.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
