"""The processes of the story: the simulated web, faces, witnesses and a worker, each its own.

Everything listens on loopback. The driver that starts them is the parent of all of them; they are
ended by their ids when the story ends, however it ends.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from strandline.demo.clock import FileClock
from strandline.demo.watchers import FRESH_HOURS, WITNESSES, Watchers

FACES = ("public", "console", "partners")
#: The list's name.
ORIGIN = "demo.example"
#: The driver gives up on a process that has not answered by then, in seconds.
PATIENCE = 60.0


class StoryFailed(Exception):
    """A step of the story did not come out as it must; the text says which and how."""


@dataclass
class Ports:
    """Where everything listens; chosen free, and kept so that parts can start again."""

    public: int
    console: int
    partners: int

    @classmethod
    def free(cls) -> Self:
        """Three ports nobody listens on now."""
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in FACES]
        numbers = [s.getsockname()[1] for s in sockets]
        for open_socket in sockets:
            open_socket.close()
        return cls(*numbers)


class Cast:
    """Starts and ends the processes around one directory.

    ``directory`` gets ``home/`` (the hotline's own) and ``web/`` (the simulated web's).
    """

    def __init__(self, directory: Path, ports: Ports, *, database_url: str | None = None) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.ports = ports
        self.clock = FileClock(directory / "clock")
        self.watchers = Watchers(directory / "elsewhere")
        self.web: dict[str, Any] = {}
        #: Of the list's root of trust, once it is made.
        self.fingerprint = ""
        self._database_url = database_url
        self._open = ExitStack()
        #: Process id; 0 while it is killed, none before the first.
        self._worker: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def url(self, face: str) -> str:
        """The address of a face."""
        return f"http://127.0.0.1:{getattr(self.ports, face)}/"

    def start_web(self) -> None:
        """Start the simulated web and learn its ports; the same ports again on a second start."""
        known = self._known_web_ports()
        process = self._spawn(
            "-m", "strandline.demo.web", str(self.directory / "web"),
            "--clock", str(self.clock.path), *known,
        )  # fmt: skip
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if ready else ""
        if not line:
            raise StoryFailed(
                "The simulated web did not start, perhaps because one of its ports is taken; see "
                f"{self.directory / 'web.log'}. './scripts/demo' begins anew on other ports."
            )
        self.web = json.loads(line)
        (self.directory / "web.json").write_text(line)

    def write_settings(self) -> None:
        """Write the hotline's settings for this web, and take them over for this process."""
        host, _, port = str(self.web["smtp_address"]).partition(":")
        settings = {
            "NAME": "Strandline demo hotline",
            "PUBLIC_URL": self.url("public").rstrip("/"),
            "CONSOLE_URL": self.url("console").rstrip("/"),
            "PARTNERS_URL": self.url("partners").rstrip("/"),
            "LIST_ORIGIN": ORIGIN,
            "WITNESSES": self.watchers.addresses,
            "CLOCK_FILE": str(self.clock.path),
            "SECURE_COOKIES": "false",
            "ALLOW_NETWORKS": ",".join(self.web["networks"]),
            "NAMESERVERS": self.web["dns_address"],
            "RDAP_BOOTSTRAP": self.web["rdap_bootstrap_url"],
            "FETCH_MAX_BYTES": str(8 * 2**20),
            "SMTP_HOST": host,
            "SMTP_PORT": port,
            "SENT_MAILDIR": self.web["maildir"],
            "SENT_GRACE": "1",
        }
        if self._database_url:
            settings["DATABASE_URL"] = self._database_url
        self.home.mkdir(parents=True, exist_ok=True)
        text = "".join(f"STRANDLINE_{name}={value}\n" for name, value in settings.items())
        (self.home / "strandline.env").write_text(text)
        os.environ["STRANDLINE_HOME"] = str(self.home)

    def make_trust(self) -> None:
        """Make the list's keys and the root that names the witnesses and the other hotline."""
        from strandline.hotline.config import read_config  # noqa: PLC0415
        from strandline.hotline.setup import make_list_root, own_policy  # noqa: PLC0415

        config = read_config()
        policy = replace(
            own_policy(config),
            hotlines=(self.watchers.other_hotline(),),
            witnesses=self.watchers.witness_keys(),
            witness_quorum=len(WITNESSES),
            certification=2,
            fresh_hours=FRESH_HOURS,
        )
        self.fingerprint = make_list_root(config, now=self.clock.now(), policy=policy)

    def start_witnesses(self) -> None:
        """Start both witnesses of the log; they load while other things are done."""
        log = self.home / "keys" / "log-signer.vkey"
        self.watchers.witness_keys()
        for name, port in self.watchers.ports.items():
            _refuse_taken(port)
            self._spawn(
                "-m", "strandline", "witness", str(self.watchers.folder(name)),
                "--log", str(log), "--bind", f"127.0.0.1:{port}",
                "--clock-file", str(self.clock.path), log=name,
            )  # fmt: skip

    def start_faces(self) -> None:
        """Start the three faces; they load while other things are done."""
        from strandline.cli.hotline import gunicorn_options  # noqa: PLC0415

        for face in FACES:
            _refuse_taken(getattr(self.ports, face))
        for face in FACES:
            bind = f"127.0.0.1:{getattr(self.ports, face)}"
            self._spawn(
                "-m", "gunicorn", *gunicorn_options(bind, 4), "strandline.hotline.site.wsgi",
                face=face,
            )  # fmt: skip

    def await_faces(self) -> None:
        """Wait until each face and each witness answers."""
        for face in FACES:
            self._await_port(getattr(self.ports, face), face)
        for name, port in self.watchers.ports.items():
            self._await_port(port, name)

    def start_worker(self) -> None:
        """Start a worker that lives as long as the cast, unless it is killed."""
        if self._worker is None:
            self._open.callback(self._end_worker)
        self._worker = fork_worker()

    def kill_worker(self) -> None:
        """Kill the worker as a power cut would; another has to be started."""
        if self._worker:
            os.kill(self._worker, signal.SIGKILL)
            os.waitpid(self._worker, 0)
            self._worker = 0

    def _end_worker(self) -> None:
        if self._worker:
            os.kill(self._worker, signal.SIGTERM)
            os.waitpid(self._worker, 0)

    def _known_web_ports(self) -> list[str]:
        kept = self.directory / "web.json"
        if not kept.exists():
            return []
        web = json.loads(kept.read_text())
        ports = {
            "http": web["http_port"],
            "dns": str(web["dns_address"]).rpartition(":")[2],
            "smtp": str(web["smtp_address"]).rpartition(":")[2],
        }
        return [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]

    def _spawn(self, *arguments: str, face: str = "", log: str = "") -> subprocess.Popen[str]:
        """Start a process; one with neither ``face`` nor ``log`` is the web, and is read from."""
        environment = os.environ | {"STRANDLINE_HOME": str(self.home)}
        if face:
            environment["STRANDLINE_FACE"] = face
        name = face or log
        file = self._open.enter_context((self.directory / f"{name or 'web'}.log").open("a"))
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file if name else subprocess.PIPE,
            stderr=file,
            text=True,
        )
        self._open.callback(_end_child, process)
        return process

    def _await_port(self, port: int, face: str) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise StoryFailed(f"{face} did not start; see {self.directory / face}.log.")


def _refuse_taken(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise StoryFailed(
            f"Port {port} is taken by another program. Choose others with --port."
        ) from error


def fork_worker(name: str = "demo-worker") -> int:
    """A worker process, forked from this one with everything loaded; its process id.

    Forking instead of starting anew makes a worker ready in milliseconds, so that it can be killed
    and replaced a hundred times in a minute.
    """
    from django.db import connections  # noqa: PLC0415

    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        from strandline.hotline.jobs.worker import run_forever  # noqa: PLC0415

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        run_forever(worker=name, poll_seconds=0.25)
        status = 0
    finally:
        os._exit(status)


def idle(now: datetime) -> bool:
    """Whether no work is due and none is under way."""
    from strandline.hotline.jobs import due  # noqa: PLC0415

    return not due.anything_due(now, or_under_way=True)


def _end_child(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
