"""Writing the chain, one entry at a time, and reading it back.

An entry's hash is SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8) of its fields and
the hash before it; the first entry's ``previous`` is 64 zeros. Writers queue: on PostgreSQL by a
transaction-level advisory lock, on SQLite because every transaction starts IMMEDIATE.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from strandline.hotline.audit.models import AuditEntry

GENESIS = "0" * 64
#: Any constant will do; it names this lock among the database's advisory locks.
_LOCK = 0x5354524E44  # "STRND"


def record(
    *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> AuditEntry:
    """Add an entry, in the caller's transaction: the act and its entry stand or fall together.

    Raises:
        TransactionManagementError: there is no transaction to be part of.
    """
    lock()
    last = AuditEntry.objects.order_by("-sequence").values_list("sequence", "hash").first()
    sequence, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    entry = AuditEntry(
        sequence=sequence,
        at=at.astimezone(UTC),
        actor=actor,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
        previous=previous,
    )
    entry.hash = digest(entry)
    entry.save(force_insert=True)
    return entry


def lock() -> None:
    """Queue for the chain now, before touching any other row that somebody else may hold.

    Every writer holds this lock from :func:`record` to the end of its transaction. One that took
    a row's lock *before* it could wait for a writer that wants that row *after* it: a deadlock. So
    an act that changes rows others change too calls this first. Calling it twice costs nothing.

    Raises:
        TransactionManagementError: there is no transaction to be part of.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit entry belongs to the transaction of the act it tells of; none is open."
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def digest(entry: AuditEntry) -> str:
    """The hash this entry must have, given its fields and the hash before it."""
    fields = {
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
        "previous": entry.previous,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def entries() -> Iterator[AuditEntry]:
    """Every entry in order, streamed."""
    return AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000)


def head() -> tuple[int, str]:
    """Number and hash of the last entry; ``(0, GENESIS)`` when there is none."""
    last = AuditEntry.objects.order_by("-sequence").values_list("sequence", "hash").first()
    return last or (0, GENESIS)
