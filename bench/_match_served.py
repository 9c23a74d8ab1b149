"""The match service as it is served, asked over HTTP; see ``bench.match_service``."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench import _lists
from bench._apart import ROOT

#: Entries made at once.
_PART = 1 << 20
_TICK = os.sysconf("SC_CLK_TCK")


def served(folder: str, size: int, calls: int, batches: int) -> dict[str, Any]:
    """Make a hotline whose list has ``size`` entries, serve it, and ask it."""
    home = Path(folder, "home")
    environment = {
        **os.environ,
        "STRANDLINE_HOME": str(home),
        "STRANDLINE_DATABASE_URL": f"sqlite:///{home / 'record.sqlite3'}",
        "STRANDLINE_SECURE_COOKIES": "false",
        "STRANDLINE_FACE": "worker",
    }
    home.mkdir()
    subprocess.run([sys.executable, "-m", "strandline", "init"], check=True, env=environment,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    os.environ |= environment
    keys = _keys()
    began = time.perf_counter()
    _build(home, Path(folder), size)
    found: dict[str, Any] = {"build": time.perf_counter() - began}
    with _serving(environment) as (port, pid):
        ask = _Asking(port, keys["look-up"])
        stills = _stills(Path(folder))
        ask.many(stills[:200])
        alone = [ask.one(item) for item in stills[:calls]]
        found["one_p50"], found["one_p99"] = (float(np.quantile(alone, q)) for q in (0.5, 0.99))
        found["busy_p99"] = _busy(port, keys["look-up"], stills, calls)
        for name, items, key in (
            ("pdq", stills, "look-up"),
            ("told", stills, "member"),
            ("sha256", _digests(Path(folder), len(stills)), "look-up"),
        ):
            asking = _Asking(port, keys[key])
            asking.many(items[:1000])
            worked, began = _worked(pid), time.perf_counter()
            for number in range(batches):
                low = number * 1000 % (len(items) - 999)
                asking.many(items[low : low + 1000])
            found[f"{name}_wall"] = (time.perf_counter() - began) / batches / 1000
            found[f"{name}_core"] = (_worked(pid) - worked) / batches / 1000
        found["memory"] = _memory(pid)
        told = _Asking(port, keys["member"]).answer(stills[:1000])
        found["recall"] = sum(each["listed"] for each in told["items"][::2]) / 500
    return found


def _keys() -> dict[str, str]:
    """A key of each kind, of members that may ask as much as they like."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "strandline.hotline.site.settings"
    django.setup()
    from strandline.hotline import clock
    from strandline.hotline.accounts.roles import Role
    from strandline.hotline.accounts.services import add_key, add_member
    from strandline.hotline.matchservice.alarms import MOST, agree
    from strandline.hotline.matchservice.standing import Limits

    keys = {}
    for role in (Role.LOOK_UP, Role.MEMBER):
        member = add_member(name=f"Platform {role}", by="bench", now=clock.now())
        limits = Limits(10**6, 10**6, MOST, MOST)
        agree(member, limits, by="bench", now=clock.now())
        keys[role.value] = add_key(member, role=role, by="bench", now=clock.now())
    return keys


def _build(home: Path, folder: Path, size: int) -> None:
    """The list as the worker would derive it: sha256, md5 and pdq of each entry."""
    from strandline.hotline.matchservice.derived import FOLDER
    from strandline.lists.published.blocks import ACTIONS, KINDS, Block
    from strandline.lists.published.classes import Action, Column, EntryClass
    from strandline.lists.published.events import Kind
    from strandline.lists.published.values import Values
    from strandline.lists.state import State, Step

    hashes = _lists.hashes(str(folder))
    classes = [EntryClass(each, "camera", "gb", labels=("baseline",)) for each in "ABC"]

    def blocks() -> Iterator[Block]:
        for low in range(0, size, _PART):
            count = min(_PART, size - low)
            numbers = np.arange(low + 1, low + count + 1, dtype=np.uint64)
            everywhere = np.ones(count, bool)
            yield Block(
                classes[low // _PART % 3],
                numbers,
                numbers,
                np.full(count, ACTIONS[Action.ADD], np.uint8),
                np.full(count, KINDS[Kind.IMAGE], np.uint8),
                np.zeros(count, np.uint32),
                np.ones(count, np.uint32),
                ("",),
                ("", "bench"),
                {
                    Column.SHA256: Values(everywhere, digests(low, count, 32)),
                    Column.MD5: Values(everywhere, digests(low, count, 16)),
                    Column.PDQ: Values(
                        everywhere,
                        np.ascontiguousarray(hashes[low : low + count]),
                        np.full(count, 100, np.uint8),
                    ),
                },
            )

    (home / FOLDER).mkdir(parents=True)
    State.build(home / FOLDER, [Step(1, blocks())])


def digests(low: int, count: int, width: int) -> Any:
    """Random bytes for entries from ``low`` on."""
    data = np.random.default_rng([low, width]).bytes(count * width)
    return np.frombuffer(data, np.uint8).reshape(count, width)


def _stills(folder: Path) -> list[dict[str, Any]]:
    """Pictures to ask about: 0 to 31 bits from a listed one, and unlisted ones, by turns."""
    random = np.random.default_rng(4)
    found = []
    for text in _lists.queries(str(folder)):
        for each in (text, random.bytes(32).hex()):
            found.append({"id": str(len(found)), "pdq": each, "quality": 90})
    return found


def _digests(folder: Path, count: int) -> list[dict[str, Any]]:
    """Files to ask about by sha256, listed and unlisted by turns."""
    size = len(_lists.hashes(str(folder)))
    listed = digests(0, min(size, _PART), 32)
    random = np.random.default_rng(5)
    found = []
    for number in range(count // 2):
        for raw in (listed[number * 7919 % len(listed)].tobytes(), random.bytes(32)):
            found.append({"id": str(len(found)), "sha256": raw.hex()})
    return found


@contextlib.contextmanager
def _serving(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The partners' face as ``strandline serve`` runs it; its port, and its worker's process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "strandline",
        "serve",
        "partners",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                link.request("GET", "/healthz")
                if link.getresponse().status == 200:
                    break
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield port, int(children[0])
    finally:
        process.terminate()
        process.wait(30)


def _worked(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory(pid: int) -> int:
    """Bytes that a process alone holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def _busy(port: int, key: str, stills: list[dict[str, Any]], calls: int) -> float:
    """The p99 of single calls while another client sends batch after batch."""
    ended = threading.Event()

    def batches() -> None:
        asking, low = _Asking(port, key), 0
        while not ended.is_set():
            low = (low + 1000) % (len(stills) - 999)
            asking.many(stills[low : low + 1000])

    other = threading.Thread(target=batches)
    other.start()
    try:
        asking = _Asking(port, key)
        spent = [asking.one(item) for item in stills[: calls // 4]]
    finally:
        ended.set()
        other.join()
    return float(np.quantile(spent, 0.99))


class _Asking:
    """A client with a connection that it keeps."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def _send(self, body: bytes) -> bytes:
        for again in (False, True):
            try:
                self._link.request("POST", "/api/v1/match", body, self._headers)
                answer = self._link.getresponse()
                data = answer.read()
            except (http.client.HTTPException, OSError):
                if again:
                    raise
                self._link.close()  # the server let go of a connection that lay idle
                continue
            assert answer.status == 200, data[:300]
            return data
        raise AssertionError

    def one(self, item: dict[str, Any]) -> float:
        """Seconds of a call for one item."""
        body = json.dumps({"items": [item]}).encode()
        began = time.perf_counter()
        self._send(body)
        return time.perf_counter() - began

    def many(self, items: list[dict[str, Any]]) -> None:
        """One call."""
        self._send(json.dumps({"items": items}).encode())

    def answer(self, items: list[dict[str, Any]]) -> Any:
        """One call's answer."""
        return json.loads(self._send(json.dumps({"items": items}).encode()))
