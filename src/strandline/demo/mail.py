"""The mail sink: keeps every accepted mail in a Maildir, and says who received what and when.

A mail is on disk, flushed and renamed into ``new/``, before the sender reads ``250``: what was
accepted survives a power cut or a kill right after. Each file is the mail as it came, under
three lines: ``Return-Path``, one ``Delivered-To`` per recipient, and ``X-Received-At`` with the
simulated time. Nothing else is remembered, so the Maildir alone rebuilds the hosts' state.
"""

import asyncio
import contextlib
import email
import email.policy
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from strandline.demo.clock import FileClock

_MAX_MAIL = 10 * 2**20


@dataclass(frozen=True)
class KeptMail:
    """One mail of the Maildir."""

    path: Path
    received_at: datetime
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def message_id(self) -> str:
        """The Message-ID, or the file's name for a mail that came without one."""
        return str(self.message["Message-ID"] or self.path.name).strip()

    def text(self) -> str:
        """All readable parts, with defanged addresses (``hxxp``, ``[.]``) made whole again."""
        parts = [
            part.get_payload(decode=True)
            for part in self.message.walk()
            if part.get_content_type().startswith(("text/", "application/json"))
        ]
        whole = "\n".join(
            part.decode("utf-8", "replace") for part in parts if isinstance(part, bytes)
        )
        # XARF parts are JSON, where a slash may be escaped.
        whole = whole.replace("\\/", "/").replace("[.]", ".")
        return re.sub(r"\bhxxp", "http", whole, flags=re.IGNORECASE)


@dataclass(frozen=True)
class MailRules:
    """Knobs for tests, kept in a file so that they also reach a sink in another process."""

    #: Before this simulated time every mail is answered 451.
    deferred_until: datetime | None = None
    #: Recipients answered 550, in lower case.
    refused: frozenset[str] = frozenset()

    def write(self, path: Path) -> None:
        """Replace the rules kept in ``path`` at once."""
        until = self.deferred_until.isoformat() if self.deferred_until else None
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({"deferred_until": until, "refused": sorted(self.refused)}))
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> "MailRules":
        """The rules kept in ``path``; without the file, none."""
        if not path.exists():
            return cls()
        kept = json.loads(path.read_text())
        until = kept["deferred_until"]
        return cls(
            deferred_until=datetime.fromisoformat(until) if until else None,
            refused=frozenset(address.lower() for address in kept["refused"]),
        )


class Maildir:
    """A Maildir with one writer; files sort by name in the order of arrival."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        for part in ("tmp", "new", "cur"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        self._mails = [_read(file) for file in sorted((self.path / "new").iterdir())]
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[KeptMail]:
        """The mails in order of arrival."""
        return iter(tuple(self._mails))

    def keep(self, content: bytes, *, sender: str, recipients: list[str], at: datetime) -> KeptMail:
        """Write a mail so that it survives a kill from here on."""
        head = f"Return-Path: <{sender}>\r\n"
        head += "".join(f"Delivered-To: {address}\r\n" for address in recipients)
        head += f"X-Received-At: {at.astimezone(UTC).isoformat()}\r\n"
        with self._lock:
            number = 1 + (int(self._mails[-1].path.name.partition(".")[0]) if self._mails else 0)
            name = f"{number:06d}.{int(at.timestamp())}.sink"
            draft = self.path / "tmp" / name
            with draft.open("wb") as file:
                file.write(head.encode("utf-8") + content)
                file.flush()
                os.fsync(file.fileno())
            kept = draft.rename(self.path / "new" / name)
            _flush_directory(self.path / "new")
            mail = _read(kept)
            self._mails.append(mail)
        return mail


def _read(path: Path) -> KeptMail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return KeptMail(
        path=path,
        received_at=datetime.fromisoformat(str(message["X-Received-At"])),
        recipients=tuple(str(value).lower() for value in message.get_all("Delivered-To", [])),
        message=message,
    )


def _flush_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class MailSink:
    """An SMTP server on 127.0.0.1 that keeps what it accepts; takes mail for anyone."""

    def __init__(
        self,
        maildir: Maildir,
        clock: FileClock,
        rules: Path,
        on_mail: Callable[[KeptMail], None],
        port: int = 0,
    ) -> None:
        self._maildir = maildir
        self._clock = clock
        self._rules = rules
        self._on_mail = on_mail
        self._wanted_port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self.port = 0

    def start(self) -> None:
        """Listen; OSError when the port is taken."""
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError:
            self.stop()
            raise
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close the port and every open session."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(
            lambda: _Session(self, self._sessions, loop=self._loop),
            "127.0.0.1",
            self._wanted_port,
        )

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for session in tuple(self._sessions):
            await session.hang_up()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # aiosmtpd calls these by name; its arguments are positional.

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002
    ) -> str:
        """Refuse the addresses that the rules name."""
        if address.lower() in MailRules.read(self._rules).refused:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        """Keep the mail, then accept it."""
        now = self._clock.now()
        deferred_until = MailRules.read(self._rules).deferred_until
        if deferred_until is not None and now < deferred_until:
            return "451 4.3.2 Try again later"
        content = envelope.original_content or b""
        recipients = [str(address) for address in envelope.rcpt_tos]
        mail = self._maildir.keep(
            content, sender=envelope.mail_from or "", recipients=recipients, at=now
        )
        self._on_mail(mail)
        return "250 2.0.0 Kept"


class _Session(SMTP):
    """One connection; known to the sink so that closing the sink closes it."""

    def __init__(self, sink: MailSink, open_sessions: set["_Session"], **options: Any) -> None:  # noqa: ANN401
        super().__init__(
            sink,
            data_size_limit=_MAX_MAIL,
            enable_SMTPUTF8=True,
            hostname="mx.strandline.example",
            ident="sink",
            **options,
        )
        self._open = open_sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        super().connection_lost(error)

    async def hang_up(self) -> None:
        """Close the connection without a word, as a killed server would."""
        handler = self._handler_coroutine
        if self.transport is not None:
            self.transport.close()
        if handler is not None:
            handler.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await handler
