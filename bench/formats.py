"""Lists of others, read row by row: processor time of a row, and memory whatever the length.

Files are made on the way and never lie on disk; what making them costs is measured and taken off.
The limit is the bare parser over the same bytes, which makes nothing of them.
"""

import csv
import hashlib
import io
import resource
import time
from collections.abc import Callable, Iterator

import ijson
from lxml import etree
from rich.console import Console

from bench.case import Case
from strandline import formats
from strandline.formats.ncmec import NAMESPACE

ROWS_AT_ONCE = 1000
VICS_MEDIUM = (
    '{"MediaID": %d, "Category": 1, "MD5": "%s", "SHA1": "%s", "MediaSize": 2835,'
    ' "DateUpdated": "2026-01-07T02:31:49.830Z", "IsPrecategorized": "true",'
    ' "VictimIdentified": "false", "OffenderIdentified": "false", "IsDistributed": "true",'
    ' "Series": "EXAMPLE-SERIES", "Tags": "synthetic,test"}'
)
VICS_HEAD = (
    '{"@odata.context": "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/'
    '$metadata#Media", "value": ['
)
NCMEC_ENTRY = (
    '<image><member id="42">Example Member</member><timestamp>2026-01-01T00:00:00Z</timestamp>'
    "<id>image%d</id><classification>A1</classification><fingerprints><md5>%s</md5>"
    "<sha1>%s</sha1></fingerprints></image>\n"
)
NCMEC_HEAD = (
    f'<queryResult xmlns="{NAMESPACE}"><images count="1" maxTimestamp="2026-01-01T00:00:00Z">'
)
SHAPES = {
    "vics": (VICS_HEAD, VICS_MEDIUM, ",\n", "]}"),
    "ncmec": (NCMEC_HEAD, NCMEC_ENTRY, "", "</images></queryResult>"),
    "csv": ("id,md5,sha1\n", "%d,%s,%s\n", "", ""),
}


class Made:
    """A file that is made while it is read."""

    def __init__(self, name: str, rows: int) -> None:
        self._pieces = pieces(*SHAPES[name], rows)
        self._kept = b""

    def read(self, size: int) -> bytes:
        while len(self._kept) < size and (piece := next(self._pieces, b"")):
            self._kept += piece
        given, self._kept = self._kept[:size], self._kept[size:]
        return given


def pieces(head: str, row: str, between: str, tail: str, rows: int) -> Iterator[bytes]:
    yield head.encode()
    for first in range(0, rows, ROWS_AT_ONCE):
        some = []
        for number in range(first, min(rows, first + ROWS_AT_ONCE)):
            digest = hashlib.sha1(b"%d" % number).hexdigest()
            some.append(row % (number, digest[:32], digest))
        yield ((between if first else "") + between.join(some)).encode()
    yield tail.encode()


def run(console: Console, *, quick: bool) -> Iterator[Case]:
    """A million rows of each (20,000 when quick)."""
    rows = 20_000 if quick else 1_000_000
    for name, bare in (("vics", _json), ("ncmec", _xml), ("csv", _csv)):
        console.print(f"  reading {rows:,} rows of {name} …", style="dim")
        making = _seconds(lambda file: sum(1 for _ in _pieces(file)), name, rows)
        parsing = _seconds(bare, name, rows) - making
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        reading = _seconds(lambda file, name=name: _read(name, file), name, rows) - making
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        yield Case(
            f"{name}: {rows:,} rows",
            reading / rows * 1e6,
            "µs/row",
            limit=parsing / rows * 1e6,
            limit_is="the bare parser",
            note=f"{rows / reading:,.0f} rows/s; memory grew by {grown:.0f} MB",
        )


def _seconds(work: Callable[[Made], int], name: str, rows: int) -> float:
    file = Made(name, rows)
    begun = time.process_time()
    work(file)
    return time.process_time() - begun


def _pieces(file: Made) -> Iterator[bytes]:
    while piece := file.read(1 << 16):
        yield piece


def _read(name: str, file: Made) -> int:
    return sum(
        isinstance(row, formats.HashRow) for row in formats.read(name, file, formats.Losses())
    )


def _json(file: Made) -> int:
    return sum(1 for _ in ijson.items(file, "value.item", use_float=True))


def _xml(file: Made) -> int:
    found = 0
    for _, element in etree.iterparse(file, tag=f"{{{NAMESPACE}}}image"):
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
        found += 1
    return found


def _csv(file: Made) -> int:
    text = io.TextIOWrapper(io.BufferedReader(_Raw(file)), newline="")
    return sum(1 for _ in csv.reader(text))


class _Raw(io.RawIOBase):
    def __init__(self, file: Made) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)
