"""The same entries as others hand them out: CSV, JSON lines, NCMEC's XML, ThreatExchange's JSON."""

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from strandline.formats.losses import Losses
from strandline.formats.ncmec_writing import Member, write
from strandline.formats.rows import HashRow, Kind
from strandline.lists.published.blocks import Block
from strandline.lists.published.events import Event

CHANGED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def texts(blocks: Iterator[Block]) -> Iterator[tuple[str, bytes]]:
    """Each other format's name and its text for the entries of ``blocks``."""
    events = [event for block in blocks for event in block.events()]
    for name, make in FORMATS.items():
        yield name, make(events)


def compressed(text: bytes) -> int:
    """Bytes after gzip's compressor at its best."""
    return len(zlib.compress(text, 9))


def _rows(events: list[Event]) -> Iterator[dict[str, object]]:
    for event in events:
        assert event.entry is not None
        told = event.entry.fingerprints
        yield {
            "sequence": event.sequence,
            "id": event.entry.name,
            "kind": event.entry.kind.value,
            "sha256": told.sha256,
            "sha1": told.sha1,
            "md5": told.md5,
            "pdq": told.pdq,
            "quality": told.quality,
            "category": event.entry_class.category,
        }


def _csv(events: list[Event]) -> bytes:
    out = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in _rows(events):
        if writer is None:
            writer = csv.DictWriter(out, row)
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue().encode()


def _json_lines(events: list[Event]) -> bytes:
    return "".join(
        json.dumps(row, separators=(",", ":"), sort_keys=True) + "\n" for row in _rows(events)
    ).encode()


def ncmec_xml(events: list[Event]) -> bytes:
    """One page as the hash-sharing service answers it; it has no place for a PDQ quality."""
    rows = (
        HashRow(
            sha256=str(row["sha256"]),
            sha1=str(row["sha1"]),
            md5=str(row["md5"]),
            pdq=str(row["pdq"]),
            kind=Kind.IMAGE,
            category="A1",
            source_id=str(row["sequence"]),
            changed=CHANGED,
        )
        for row in _rows(events)
    )
    out = io.BytesIO()
    write(rows, out, Losses(), member=Member(42, "Example"), written=CHANGED)
    return out.getvalue()


def _threat_updates(events: list[Event]) -> bytes:
    """Items of ``threat_updates`` with the fields that the client asks for: one for each hash."""
    found = []
    for row in _rows(events):
        for kind, name in (
            ("HASH_SHA256", "sha256"),
            ("HASH_SHA1", "sha1"),
            ("HASH_MD5", "md5"),
            ("HASH_PDQ", "pdq"),
        ):
            number = f"{4_000_000_000_000_000 + 4 * int(str(row['sequence'])) + len(found) % 4}"
            owned = {"id": number, "owner": {"id": "42"}, "status": "MALICIOUS"}
            found.append(
                {
                    "indicator": row[name],
                    "type": kind,
                    "last_updated": int(CHANGED.timestamp()),
                    "should_delete": False,
                    "descriptors": {"data": [owned]},
                    "id": number,
                }
            )
    return json.dumps(found, separators=(",", ":")).encode()


FORMATS: dict[str, Callable[[list[Event]], bytes]] = {
    "CSV": _csv,
    "JSON lines": _json_lines,
    "NCMEC v2 XML": ncmec_xml,
    "ThreatExchange JSON": _threat_updates,
}
