"""The file of an index: one header, sections in pages, and a tail. See docs/index-format.md.

::

    0        header: magic, version, length, CRC-32, then JSON with the counts and section table
    4096     commit slot; a copy of it at 6144
    16384    sections, each from a page of 16 KiB on, the rest of its last page zero:
             heads, rests, entries, numbers | id starts, ids, id order, labels, label sets,
             band 1 offsets, band 2 offsets, band 2 rows, …
             sums: 8 bytes for each page before it
    tail     additions and withdrawals since, as far as the commit slot says

All numbers are little-endian. Nothing here is executed when read: no pickle. The section table is
computed from the counts and must be exactly that, so that no position is taken on trust.
"""

import json
import secrets
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from strandline.errors import IndexDamaged
from strandline.matching.entries import BITS

VERSION = 1
PAGE = 1 << 14
HEADER = 4096
#: Where the two copies of the commit slot lie: in different sectors.
SLOTS = (4096, 6144)
#: The most entries, so that a row fits 32 bits.
MOST = 2**32 - 2
_MAGIC = b"\x89STRAND\n"
_START = struct.Struct("<8sIII")
_SLOT = struct.Struct("<8s8sQQI")
_SLOT_MAGIC = b"COMMIT\r\n"
_SLOT_SIZE = _SLOT.size + 4

Ids = Literal["numbers", "text"]


def damaged(section: str, what: str) -> IndexDamaged:
    """The error for a file that is not as it was written."""
    return IndexDamaged(
        section,
        f"The index is damaged in its section '{section}': {what}. "
        "Nothing was answered from it. Put back a good copy, or build it again from its list.",
    )


def parsed(section: str, body: bytes) -> Any:  # noqa: ANN401 - whoever asks checks what it is
    """Read JSON; raises IndexDamaged when it is none, or nested deeper than can be read."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise damaged(section, "it cannot be read") from error


def pages(length: int) -> int:
    """How many pages hold that many bytes."""
    return -(-length // PAGE)


@dataclass(frozen=True)
class Layout:
    """What a header says: how much of everything there is, and so where everything lies."""

    entries: int
    #: Different hashes.
    hashes: int
    #: Width of each band; none when the hashes are only scanned, and their bits in plain order.
    bands: tuple[int, ...]
    ids: Ids
    #: Bytes of all ids, when they are text.
    text: int
    labelled: bool
    #: Bytes of the label sets.
    label_sets: int
    #: Says which build this is: a tail belongs to no other.
    identity: bytes
    #: CRC-32 of the section of page sums.
    sums_crc: int = 0

    @classmethod
    def new(cls, *, entries: int, hashes: int, **rest: Any) -> Self:  # noqa: ANN401
        """A layout for a new build."""
        return cls(entries=entries, hashes=hashes, identity=secrets.token_bytes(8), **rest)

    def sections(self) -> dict[str, tuple[int, int]]:
        """Offset and length in bytes of each section."""
        lengths = {"heads": 16 * self.hashes, "rests": 16 * self.hashes}
        if self.entries != self.hashes:
            lengths["entries"] = 4 * (self.hashes + 1)
        if self.ids == "numbers":
            lengths["numbers"] = 4 * self.entries
        else:
            lengths |= {"id starts": 8 * (self.entries + 1), "ids": self.text}
            lengths["id order"] = 4 * self.entries
        if self.labelled:
            lengths |= {"labels": 4 * self.entries, "label sets": self.label_sets}
        for number, width in enumerate(self.bands, 1):
            lengths[f"band {number} offsets"] = 4 * (2**width + 1)
            if number > 1:
                lengths[f"band {number} rows"] = 4 * self.hashes
        placed = {}
        page = 1
        for name, length in lengths.items():
            placed[name] = (page * PAGE, length)
            page += pages(length)
        placed["sums"] = (page * PAGE, 8 * page)
        return placed

    @property
    def tail(self) -> int:
        """Where the tail begins."""
        start, length = self.sections()["sums"]
        return start + pages(length) * PAGE

    def section_at(self, page: int) -> str:
        """Name of the section that a page belongs to."""
        name = "header"
        for section, (start, _) in self.sections().items():
            if start // PAGE <= page:
                name = section
        return name

    def encode(self) -> bytes:
        """The header, padded to its 4096 bytes."""
        said = {
            "entries": self.entries, "hashes": self.hashes, "bands": self.bands, "ids": self.ids,
            "text": self.text, "labelled": self.labelled, "label sets": self.label_sets,
            "identity": self.identity.hex(), "sums": self.sums_crc, "sections": self.sections(),
        }  # fmt: skip
        body = json.dumps(said, separators=(",", ":")).encode()
        start = _START.pack(_MAGIC, VERSION, len(body), zlib.crc32(body))
        return (start + body).ljust(HEADER, b"\0")

    @classmethod
    def decode(cls, header: bytes, size: int) -> Self:
        """Read a header of a file of ``size`` bytes; raises IndexDamaged."""
        if len(header) < HEADER or not header.startswith(_MAGIC):
            raise damaged("header", "this is not an index file, or it was cut short")
        _, version, length, crc = _START.unpack_from(header)
        if version != VERSION:
            raise damaged("header", f"it says version {version}, and only {VERSION} is known")
        body = header[_START.size : _START.size + length]
        if len(body) != length or zlib.crc32(body) != crc:
            raise damaged("header", "its checksum is wrong")
        try:
            layout = cls._from(parsed("header", body))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise damaged("header", "it contradicts itself") from error
        for name, (start, length) in layout.sections().items():
            if start + length > size:
                raise damaged(name, "the file was cut short")
        if layout.tail > size:
            raise damaged("sums", "the file was cut short")
        return layout

    @classmethod
    def _from(cls, said: dict[str, Any]) -> Self:
        """Check what a header says against itself; raises ValueError, KeyError or TypeError."""
        counts = [said[name] for name in ("entries", "hashes", "text", "label sets", "sums")]
        bands = said["bands"]
        if not all(type(value) is int and 0 <= value < 2**48 for value in counts + bands):
            raise ValueError("counts")
        if not said["hashes"] <= said["entries"] <= MOST or said["ids"] not in {"numbers", "text"}:
            raise ValueError("entries")
        if bands and (sum(bands) != BITS or max(bands) > 32 or min(bands) < 1):
            raise ValueError("bands")
        if (said["hashes"] == 0) != (said["entries"] == 0) or (bands and not said["hashes"]):
            raise ValueError("hashes")
        identity = bytes.fromhex(said["identity"])
        if len(identity) != 8 or type(said["labelled"]) is not bool:
            raise ValueError("identity")
        layout = cls(
            entries=said["entries"], hashes=said["hashes"], bands=tuple(bands), ids=said["ids"],
            text=said["text"], labelled=said["labelled"], label_sets=said["label sets"],
            identity=identity, sums_crc=said["sums"],
        )  # fmt: skip
        if said["sections"] != {name: list(at) for name, at in layout.sections().items()}:
            raise ValueError("sections")
        return layout


@dataclass(frozen=True)
class Commit:
    """How much of the tail counts: the last complete state of the file."""

    identity: bytes
    #: One more with each change.
    sequence: int = 0
    #: Bytes of the tail.
    length: int = 0
    #: CRC-32 of those bytes.
    crc: int = 0

    def encode(self) -> bytes:
        """One slot."""
        body = _SLOT.pack(_SLOT_MAGIC, self.identity, self.sequence, self.length, self.crc)
        return body + struct.pack("<I", zlib.crc32(body))


def newest_commit(slots: Sequence[bytes], identity: bytes) -> Commit | None:
    """The newest of the slots that are whole: while one is being written, the other is."""
    found = None
    for slot in slots:
        body = slot[: _SLOT.size]
        if len(slot) < _SLOT_SIZE or slot[_SLOT.size : _SLOT_SIZE] != struct.pack(
            "<I", zlib.crc32(body)
        ):
            continue
        magic, whose, sequence, length, crc = _SLOT.unpack(body)
        if magic != _SLOT_MAGIC or whose != identity:
            continue
        if found is None or sequence > found.sequence:
            found = Commit(whose, sequence, length, crc)
    return found
