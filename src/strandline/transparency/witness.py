"""A witness: cosigns a log's checkpoints as long as each begins with the one before it.

Source: https://c2sp.org/tlog-witness. What was cosigned last is kept in one SQLite file, written
through to the disk before a cosignature leaves, so that neither a kill nor a second process makes
the witness vouch for two histories.
"""

import contextlib
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from strandline.errors import NoteRefused, ProofRefused
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.cosignatures import CosignatureSigner
from strandline.transparency.grammar import strict_base64
from strandline.transparency.keys import Verifier
from strandline.transparency.merkle import EMPTY_ROOT
from strandline.transparency.notes import open_note, split_note

#: Bytes of a request: 63 hashes and a checkpoint with some dozen signatures.
MAX_REQUEST = 64 * 1024
MAX_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_TEXT = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cosigned (
    origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
) STRICT
"""


class Reply(NamedTuple):
    """What the witness answers over HTTP."""

    status: int
    body: bytes
    content_type: str = _TEXT


@dataclass(frozen=True)
class _Request:
    old_size: int
    proof: list[bytes]
    note: str


class Witness:
    """Cosigns checkpoints of the logs whose keys it is given; a key's name is its log's origin.

    ``state`` is the SQLite file, made when it is missing. One witness's key must never be used
    with two state files: each would cosign a history of its own.
    """

    def __init__(
        self,
        state: str | Path,
        signer: CosignatureSigner,
        logs: Iterable[Verifier],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._state = str(state)
        self._signer = signer
        self._now = now
        self._logs: dict[str, list[Verifier]] = {}
        for log in logs:
            self._logs.setdefault(log.name, []).append(log)
        with self._connected() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(_SCHEMA)

    @property
    def vkey(self) -> str:
        """The witness's public key, for those who rely on it."""
        return self._signer.vkey

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs it watches."""
        return tuple(self._logs)

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer ``POST add-checkpoint``: a cosignature, or a refusal with the status it has."""
        try:
            request = _parse(body)
            text, _ = split_note(request.note)
            claimed = Checkpoint.parse(text)
        except (ValueError, NoteRefused):
            return _refusal(400, "This is not a request for a cosignature.")
        if claimed.origin not in self._logs:
            return _refusal(404, "This witness does not watch that log.")
        try:
            open_note(request.note, self._logs[claimed.origin])
        except NoteRefused as refused:
            return _refusal(403, refused.message)
        if request.old_size > claimed.size:
            return _refusal(400, "The old size is larger than the checkpoint's.")
        with self._connected() as database, _transaction(database):
            return self._decide(database, request, claimed)

    def latest(self, origin_hash: str) -> Reply:
        """Answer ``GET <origin hash>/checkpoint``: what was cosigned last, with the cosignature."""
        with self._connected() as database:
            row = database.execute(
                "SELECT note FROM cosigned WHERE origin_hash = ?", (origin_hash,)
            ).fetchone()
        if row is None:
            return _refusal(404, "This witness has cosigned nothing of that log.")
        return Reply(200, row[0].encode())

    def _decide(
        self, database: sqlite3.Connection, request: _Request, claimed: Checkpoint
    ) -> Reply:
        row = database.execute(
            "SELECT size, root FROM cosigned WHERE origin = ?", (claimed.origin,)
        ).fetchone()
        held = Checkpoint(claimed.origin, *(row or (0, EMPTY_ROOT)))
        if request.old_size != held.size:
            return Reply(409, b"%d\n" % held.size, _SIZE)
        try:
            claimed.extends(held, request.proof)
        except ProofRefused as refused:
            return _refusal(422, refused.message)
        cosignature = self._signer.cosign(claimed.text, self._now())
        text, lines = split_note(request.note)
        trusted = {(log.name, log.key_id) for log in self._logs[claimed.origin]}
        kept = "".join(line.line for line in lines if (line.name, line.key_id) in trusted)
        database.execute(
            "INSERT INTO cosigned VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE "
            "SET size = excluded.size, root = excluded.root, note = excluded.note",
            (
                claimed.origin,
                hashlib.sha256(claimed.origin.encode()).hexdigest(),
                claimed.size,
                claimed.root,
                f"{text}\n{kept}{cosignature}",
            ),
        )
        return Reply(200, cosignature.encode())

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._state, timeout=30, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = FULL")
            yield database
        finally:
            database.close()


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    """From comparing the old size to keeping the new one, nobody comes in between."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _parse(body: bytes) -> _Request:
    """Read a request; ValueError unless it is of the form that tlog-witness gives."""
    if len(body) > MAX_REQUEST:
        raise ValueError("too long")
    head, separator, note = body.decode("utf-8").partition("\n\n")
    first, *lines = head.split("\n")
    found = _OLD.fullmatch(first)
    if not separator or found is None or len(lines) > MAX_HASHES:
        raise ValueError("malformed")
    proof = [strict_base64(line) for line in lines]
    if any(len(one) != 32 for one in proof):
        raise ValueError("a hash has 32 bytes")
    return _Request(int(found[1]), proof, note)


def _refusal(status: int, sentence: str) -> Reply:
    return Reply(status, f"{sentence}\n".encode())
