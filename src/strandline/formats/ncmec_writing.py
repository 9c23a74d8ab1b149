"""Writing NCMEC hash sharing, version 2: pages of entries and the status of a server."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from xml.sax.saxutils import escape

from strandline.formats.losses import Losses
from strandline.formats.ncmec import NAMESPACE
from strandline.formats.rows import HashRow, Kind
from strandline.formats.streams import Writable
from strandline.formats.values import text, utc_text

_HEAD = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<queryResult xmlns="{NAMESPACE}">\n'
)
#: Bytes of one group that are kept in memory.
_IN_MEMORY = 4 << 20
#: Elements of a page that this writer fills, in the order in which the service writes them.
_FINGERPRINTS = (
    ("md5", "md5"),
    ("sha1", "sha1"),
    ("sha256", "sha256"),
    ("pdq", "pdq"),
    ("photodna", "pdna"),
)


@dataclass(frozen=True)
class Member:
    """Who shares the entries: a number and a name."""

    id: int
    name: str


def write(
    rows: Iterable[HashRow],
    stream: Writable,
    losses: Losses,
    *,
    member: Member,
    written: datetime,
    next_page: str = "",
) -> None:
    """Write one page with all of ``rows``: images first, then videos, as the shape wants it.

    A group is headed by its number of entries and the latest time, so entries lie in files without
    a name until all were seen. ``written`` is the time of a row that has none. A row of neither
    kind, or without a number, is left out and told of in ``losses``.
    """
    stream.write(_HEAD.encode())
    with _Group("images") as pictures, _Group("videos") as films:
        for row in rows:
            if row.kind is None or not row.source_id:
                losses.add("the row", "is left out: it has no kind or no number", row.place)
                continue
            group = pictures if row.kind is Kind.IMAGE else films
            group.add(entry(row, losses, member=member, written=written), row.changed or written)
        pictures.give(stream)
        films.give(stream)
    if next_page:
        stream.write(f"<paging><next>{escape(next_page)}</next></paging>\n".encode())
    stream.write(b"</queryResult>\n")


class _Group:
    """The entries of one kind until their number is known: beyond a few, on the disk."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed below
        self._count = 0
        self._latest: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def add(self, element: str, at: datetime) -> None:
        self._kept.write(element.encode())
        self._count += 1
        self._latest = at if self._latest is None else max(at, self._latest)

    def give(self, stream: Writable) -> None:
        if self._latest is None:
            return
        newest = utc_text(self._latest, timespec="seconds")
        head = f'<{self._name} count="{self._count}" maxTimestamp="{newest}">\n'
        stream.write(head.encode())
        self._kept.seek(0)
        while piece := self._kept.read(1 << 16):
            stream.write(piece)
        stream.write(f"</{self._name}>\n".encode())


def entry(row: HashRow, losses: Losses, *, member: Member, written: datetime) -> str:
    """One entry's element; ``row`` must have a kind and a ``source_id``."""
    kind = "image" if row.kind is Kind.IMAGE else "video"
    at = utc_text(row.changed or written, timespec="seconds")
    if row.changed and row.changed.microsecond:
        losses.add("the time of a change", "is cut to whole seconds", row.place)
    who = f'<member id="{member.id}">{escape(text(member.name))}</member>'
    number = f"<id>{escape(text(row.source_id))}</id>"
    if row.withdrawn:
        name = f"deleted{kind.capitalize()}"
        return f"<{name}>{who}{number}<timestamp>{at}</timestamp></{name}>\n"
    for lost, given in _not_carried(row, member):
        if given:
            losses.add(lost, "is not written: the format has no place for it", row.place)
    hashes = "".join(
        f"<{name}>{value}</{name}>"
        for field, name in _FINGERPRINTS
        if (value := getattr(row, field)) is not None
    )
    said = f"<classification>{escape(text(row.category))}</classification>" if row.category else ""
    return (
        f"<{kind}>{who}<timestamp>{at}</timestamp>{number}{said}"
        f"<fingerprints>{hashes}</fingerprints></{kind}>\n"
    )


def status(*, address: str, username: str, member: Member) -> bytes:
    """What a server says of whoever asks."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<status xmlns="{NAMESPACE}">\n<ipAddress>{escape(address)}</ipAddress>\n'
        f"<username>{escape(text(username))}</username>\n"
        f'<member id="{member.id}">{escape(text(member.name))}</member>\n</status>\n'
    ).encode()


def members(who: Iterable[Member]) -> bytes:
    """Who shares entries on a server."""
    lines = "".join(f'<member id="{one.id}">{escape(text(one.name))}</member>\n' for one in who)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<members xmlns="{NAMESPACE}">\n{lines}</members>\n'
    ).encode()


def _not_carried(row: HashRow, member: Member) -> Iterator[tuple[str, object]]:
    yield "labels", row.labels
    yield "facts", row.facts
    yield "size", row.size
    yield "quality", row.quality
    yield "contributor", row.contributor not in {"", f"{member.id} {member.name}"}
