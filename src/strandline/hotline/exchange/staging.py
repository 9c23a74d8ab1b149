"""The rows of a delivery, compared with the list and laid ready, before anybody has to wait for it.

They lie in a small database of the worker's own beside the delivered file, so that the list's is
not written to meanwhile and memory does not grow. The list may change in that time: every event
after the one last seen is looked at again when the list is locked.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from strandline.formats import HashRow
from strandline.hotline.exchange import files
from strandline.hotline.exchange.comparing import Compared, Standing, compare, names_of
from strandline.hotline.exchange.meanings import Meanings
from strandline.hotline.exchange.models import Delivery
from strandline.hotline.exchange.previewing import AT_ONCE, keep_lease, rows_of
from strandline.hotline.hashlist.events import PRINT_COLUMNS, last_sequence
from strandline.hotline.hashlist.models import Event
from strandline.hotline.hashlist.portions import portions
from strandline.hotline.hashlist.services import Judged
from strandline.hotline.jobs.tools import Tools

_PRINTS = ", ".join(PRINT_COLUMNS)
_TABLES = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE new (
    place INTEGER PRIMARY KEY, {_PRINTS}, class TEXT, returns INTEGER, source_id TEXT
);
CREATE UNIQUE INDEX returning_once ON new (returns) WHERE returns > 0;
CREATE TABLE known (entry INTEGER PRIMARY KEY, source_id TEXT);
CREATE TABLE contradicted (entry INTEGER PRIMARY KEY);
CREATE TABLE gone (source_id TEXT, sha256 TEXT, sha1 TEXT, md5 TEXT, pdq TEXT);
CREATE TABLE name (name BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_NEW = f"INSERT OR IGNORE INTO new VALUES (NULL{', ?' * (len(PRINT_COLUMNS) + 3)})"  # noqa: S608 - columns
_SELECT_NEW = f"SELECT {_PRINTS}, class, returns FROM new ORDER BY place"  # noqa: S608 - columns
_DIGESTS = ("sha256", "sha1", "md5", "pdq", "photodna")


class Staged:
    """What a delivery brings, by what becomes of it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        #: The last event of the list before the comparison began.
        self._seen = last_sequence()

    def add(self, each: Compared) -> None:
        """Lay one row ready."""
        row = each.row
        if not isinstance(row, HashRow):
            return
        if each.standing is Standing.SOURCE_WITHDREW:
            taken_back = (row.source_id, row.sha256, row.sha1, row.md5, row.pdq)
            self._database.execute("INSERT INTO gone VALUES (?, ?, ?, ?, ?)", taken_back)
            return
        if each.identity is None:
            return
        names = [(_name(column, value),) for column, value in names_of(row)]
        if each.standing is Standing.NEW and not self._has_any(names):
            name = each.identity.entry_class.name
            self._database.execute(
                _NEW, (*each.identity.prints, name, each.returns, row.source_id[:200])
            )
        self._database.executemany("INSERT OR IGNORE INTO name VALUES (?)", names)
        if each.standing is Standing.KNOWN:
            vouched = (each.entries[0].number, row.source_id[:200])
            self._database.execute("INSERT OR IGNORE INTO known VALUES (?, ?)", vouched)
        elif each.standing is Standing.CONTRADICTING:
            self._database.executemany(
                "INSERT OR IGNORE INTO contradicted VALUES (?)",
                [(entry.number,) for entry in each.entries],
            )

    def new(self) -> Iterator[Judged]:
        """What is to be listed, in order."""
        for *prints, entry_class, returns in self._database.execute(_SELECT_NEW):
            yield Judged(tuple(prints), entry_class, returns)

    def mentions(self, numbers: range) -> Iterator[tuple[int, str]]:
        """Each entry it vouches for and the source's name for it; ``numbers`` are the new ones."""
        fresh = iter(numbers)
        for returns, source_id in self._database.execute(
            "SELECT returns, source_id FROM new ORDER BY place"
        ):
            yield returns or next(fresh), source_id
        yield from self._database.execute("SELECT entry, source_id FROM known ORDER BY entry")

    def contradicted(self) -> list[int]:
        """The entries that rows contradict, in order of number."""
        found = self._database.execute("SELECT entry FROM contradicted ORDER BY entry")
        return [number for (number,) in found]

    def gone(self) -> Iterator[HashRow]:
        """What the source takes back."""
        for source_id, *digests in self._database.execute("SELECT * FROM gone ORDER BY rowid"):
            sha256, sha1, md5, pdq = digests
            yield HashRow(
                sha256=sha256, sha1=sha1, md5=md5, pdq=pdq, source_id=source_id, withdrawn=True
            )

    def outdated(self) -> bool:
        """Whether an entry that rows are of, or were found to be, changed since the comparison.

        Call it with the chain's lock held.
        """
        changed = Event.objects.filter(sequence__gt=self._seen).order_by("sequence")
        digests = (f"entry__fingerprint__{name}" for name in _DIGESTS)
        for number, *values in changed.values_list("entry", *digests).iterator(chunk_size=2000):
            named = zip(_DIGESTS, values, strict=True)
            names = [(_name(column, value),) for column, value in named if value]
            if self._concerns(number) or self._has_any(names):
                return True
        return False

    def _concerns(self, number: int) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM known WHERE entry = :n UNION ALL SELECT 1 FROM contradicted "
            "WHERE entry = :n UNION ALL SELECT 1 FROM new WHERE returns = :n AND returns > 0",
            {"n": number},
        )
        return found.fetchone() is not None

    def _has_any(self, names: list[tuple[bytes]]) -> bool:
        return any(
            self._database.execute("SELECT 1 FROM name WHERE name = ?", name).fetchone()
            for name in names
        )


@contextmanager
def staged(delivery: Delivery, tools: Tools, *, locked: bool = False) -> Iterator[Staged]:
    """The rows of ``delivery``, read and compared; what was laid ready is removed afterwards.

    ``locked`` says that the list is, so that nothing can change and the lease is held anyway.

    Raises:
        ExchangeRefused: its file is gone or was changed.
        FormatRefused: it cannot be read any more.
        LeaseLost: another worker has taken over.
    """
    path = files.staged_path(delivery.pk, delivery.attempt)
    try:
        with closing(_make(path)) as database:
            ready = Staged(database)
            meanings = Meanings(delivery.source)
            for some in portions(rows_of(delivery, tools), AT_ONCE):
                for each in compare(some, meanings):
                    ready.add(each)
                if not locked:
                    keep_lease(delivery)
            yield ready
    finally:
        path.unlink(missing_ok=True)


def _make(path: Path) -> sqlite3.Connection:
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(_TABLES)
    database.execute("BEGIN")
    return database


def _name(column: str, value: str) -> bytes:
    return column[:4].encode() + bytes.fromhex(value)
