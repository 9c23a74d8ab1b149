"""The simulated web as a whole: in threads for tests, or as a process of its own.

``python -m strandline.demo.web DIR`` prints one line of JSON with its addresses and serves until
SIGTERM. DIR keeps the clock, the mail and the knobs; a process started again on the same DIR and
ports continues where the last one ended, however that one died.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from strandline.demo import registry
from strandline.demo.answers import answer_notice
from strandline.demo.clock import FileClock
from strandline.demo.hosts import HOSTS, NETWORK, draw_all, host_of
from strandline.demo.httpd import HttpServer, listen
from strandline.demo.mail import KeptMail, Maildir, MailRules, MailSink
from strandline.demo.names import Resolver, addresses
from strandline.demo.notices import Notices
from strandline.demo.registry import Registries
from strandline.demo.sites import Sites

#: Where a clock starts that nobody set.
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class SimulatedWeb:
    """Hosts, resolver, registries and mail sink on loopback, for as long as the context lasts.

    ``directory`` keeps ``mail/`` (the Maildir), ``mail-rules.json`` and ``answers.jsonl`` (what
    became of the links that a host followed). Ports of 0 are chosen freely; OSError when a given
    one is taken. ``on_mail`` is called for every mail, once it is kept and before it is accepted.
    """

    def __init__(
        self,
        directory: str | Path,
        clock: FileClock,
        *,
        http_port: int = 0,
        dns_port: int = 0,
        smtp_port: int = 0,
        on_mail: Callable[[KeptMail], None] | None = None,
    ) -> None:
        self.directory = Path(directory)
        self.clock = clock
        self.http_port = http_port
        self._dns_port = dns_port
        self._smtp_port = smtp_port
        self._on_mail = on_mail
        self._notices = Notices()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start everything; nothing is left open when a part of it cannot start."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.mails = Maildir(self.maildir)
        for mail in self.mails:
            self._notices.take(mail)
        with ExitStack() as opened:
            self._answering = opened.enter_context(ThreadPoolExecutor(1, "answers"))
            self._start_http(opened)
            self._start_dns(opened)
            self._start_smtp(opened)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every socket and wait for every thread."""
        self._open.close()

    @property
    def dns_address(self) -> str:
        """The resolver, as ``127.0.0.1:port`` (UDP and TCP)."""
        return f"127.0.0.1:{self._dns_port}"

    @property
    def smtp_address(self) -> str:
        """The mail sink, as ``127.0.0.1:port`` (no TLS, no sign-in)."""
        return f"127.0.0.1:{self._smtp_port}"

    @property
    def rdap_bootstrap_url(self) -> str:
        """The folder of ``ipv4.json`` and ``dns.json`` (RFC 9224); ends with a slash."""
        return f"http://{registry.BOOTSTRAP_SITE}:{self.http_port}/bootstrap/"

    @property
    def networks(self) -> tuple[str, ...]:
        """What a fetcher must be allowed to reach, in CIDR notation."""
        return (NETWORK,)

    @property
    def maildir(self) -> Path:
        """The Maildir of everything that was accepted."""
        return self.directory / "mail"

    @property
    def answers(self) -> Path:
        """JSON lines of ``url``, ``status`` and ``error``: one per notice that was answered."""
        return self.directory / "answers.jsonl"

    @property
    def mail_rules(self) -> Path:
        """The file of the sink's knobs; write it with ``MailRules.write``."""
        return self.directory / "mail-rules.json"

    def set_mail_rules(self, rules: MailRules) -> None:
        """Defer or refuse mail from now on."""
        rules.write(self.mail_rules)

    def addresses(self) -> dict[str, object]:
        """What another process needs to know, ready for JSON."""
        return {
            "http_port": self.http_port,
            "dns_address": self.dns_address,
            "smtp_address": self.smtp_address,
            "rdap_bootstrap_url": self.rdap_bootstrap_url,
            "networks": list(self.networks),
            "maildir": str(self.maildir),
            "mail_rules": str(self.mail_rules),
            "answers": str(self.answers),
            "clock": str(self.clock.path),
        }

    def _start_http(self, opened: ExitStack) -> None:
        sockets = listen([registry.ADDRESS, *(host.address for host in HOSTS)], self.http_port)
        self.http_port = sockets[0].getsockname()[1]
        sites = Sites(self._notices, self.http_port)
        server = HttpServer(sockets, sites, Registries(self.http_port), self.clock)
        opened.callback(server.stop)
        server.start()

    def _start_dns(self, opened: ExitStack) -> None:
        resolver = Resolver(addresses(registry.services()), self._dns_port)
        self._dns_port = resolver.port
        opened.callback(resolver.stop)
        resolver.start()

    def _start_smtp(self, opened: ExitStack) -> None:
        sink = MailSink(self.mails, self.clock, self.mail_rules, self._receive, self._smtp_port)
        sink.start()
        self._smtp_port = sink.port
        opened.callback(sink.stop)

    def _receive(self, mail: KeptMail) -> None:
        told = self._notices.take(mail)
        if any(host_of(page).answers_link for page in told):
            # In a thread of its own: the sender waits for its 250 and may itself serve the form.
            answering = self._answering.submit(self._answer, mail)
            # An unforeseen error is raised again here, so that it is logged and not lost.
            answering.add_done_callback(lambda done: done.result())
        if self._on_mail is not None:
            self._on_mail(mail)

    def _answer(self, mail: KeptMail) -> None:
        answered = answer_notice(mail.text(), comment="The pages will be gone within a day.")
        if answered is not None:
            answered.append_to(self.answers)


def main(arguments: list[str] | None = None) -> int:
    """Serve a directory until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m strandline.demo.web", description=__doc__)
    parser.add_argument("directory", type=Path, help="keeps the clock, the mail and the knobs")
    parser.add_argument("--clock", type=Path, help="the clock's file (default: DIR/clock)")
    for name in ("http", "dns", "smtp"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    options.directory.mkdir(parents=True, exist_ok=True)
    clock = FileClock(options.clock or options.directory / "clock")
    if not clock.path.exists():
        clock.set(BEGINNING)
    with SimulatedWeb(
        options.directory,
        clock,
        http_port=options.http_port,
        dns_port=options.dns_port,
        smtp_port=options.smtp_port,
    ) as web:
        print(json.dumps(web.addresses()), flush=True)
        # Pictures are drawn when they are asked for; nobody has to wait if they are drawn before.
        threading.Thread(target=draw_all, name="drawing", daemon=True).start()
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
