"""Published lists: bytes for each entry, and time and memory of publishing and reading.

Entries are pictures with all four hashes. The hashes of one page are drawn at random and used for
every page: coding does not look from one page to another, and drawing them would be measured too.
"""

import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from rich.console import Console

from bench import _list_formats as others
from bench import _list_published as listed
from bench._apart import apart, installed, private
from bench.case import Case
from strandline.formats.ncmec import NAMESPACE
from strandline.lists.published import pages
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Column, EntryClass
from strandline.lists.published.editions import index_path
from strandline.lists.published.index_file import parse_index
from strandline.lists.published.reading import read_blocks
from strandline.lists.published.replay import replay
from strandline.lists.published.values import HASH_BYTES, Values

CLASS = EntryClass("A1", "camera", "gb")
COLUMNS = (Column.SHA256, Column.SHA1, Column.MD5, Column.PDQ)
BARE = sum(HASH_BYTES[column] for column in COLUMNS)
MEBI = 2**20
#: Entries of a further edition.
MORE = 1000


def run(console: Console, *, quick: bool, full: bool) -> Iterator[Case]:
    """Measure; ``full`` adds ten million entries."""
    console.print("bytes for each entry")
    yield from _sizes(2_000 if quick else 50_000)
    console.print("events to pages and back, in memory")
    yield from _coding(3 if quick else 7, 100_000 if quick else 1_000_000)
    if installed("threatexchange"):
        yield _reading_beside_a_peer(2_000 if quick else 20_000)
    sizes = [1_000, 10_000] if quick else [1_000, 10_000, 100_000, 1_000_000]
    for count in [*sizes, *([10_000_000] if full else [])]:
        console.print(f"{count:,} entries published and read")
        yield from _published(count)


def blocks(count: int, rows: int = pages.MAX_ROWS) -> Iterator[Block]:
    """``count`` additions, numbered from 1, in blocks of ``rows``."""
    draw = np.random.default_rng(1)

    def values(column: Column) -> Values:
        width = HASH_BYTES[column]
        data = np.frombuffer(draw.bytes(rows * width), np.uint8).reshape(rows, width)
        quality = draw.integers(50, 101, rows).astype(np.uint8) if column is Column.PDQ else None
        return Values(np.ones(rows, np.bool_), data, quality)

    numbers = np.arange(1, rows + 1, dtype=np.uint64)
    ones = np.ones(rows, np.uint8)
    block = Block(
        CLASS,
        numbers,
        numbers,
        ones,
        ones,
        np.zeros(rows, np.uint32),
        np.ones(rows, np.uint32),
        pipelines=("", "media-1+pdq-1"),
        columns={column: values(column) for column in COLUMNS},
    )
    for start in range(0, count, rows):
        moved = numbers + np.uint64(start)
        yield replace(block, sequence=moved, number=moved).take(slice(0, count - start))


def _sizes(count: int) -> Iterator[Case]:
    """Ours with its indexes, manifest and everything; the others' bare text."""
    with tempfile.TemporaryDirectory() as folder:
        listed.begin(Path(folder))
        listed.write(Path(folder), 1, CLASS, blocks(count), count)
        listed.release(Path(folder), 1)
        ours = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    quality = math.log2(51) / 8
    limit = BARE + quality
    about = {
        "limit": limit,
        "limit_is": f"the entropy: {BARE} random bytes, {8 * quality:.1f} bits of quality",
    }
    for name, text in others.texts(blocks(count)):
        yield Case(
            f"bytes an entry against {name}", ours / count, "bytes",
            peer=name, peer_value=len(text) / count, **about,
            note=f"{name} takes {others.compressed(text) / count:.0f} when gzip has compressed it; "
            f"{count:,} entries",
        )  # fmt: skip


def _coding(repeats: int, count: int) -> Iterator[Case]:
    arrived = list(blocks(count, 10_000))
    base = f"editions/000001/{CLASS.id}"
    files = [pages.encode(block, base, page) for page, block in enumerate(pages.in_pages(arrived))]
    whole = b"".join(data for page in files for data in page.values())

    def encode() -> None:
        for page, block in enumerate(pages.in_pages(arrived)):
            pages.encode(block, base, page)

    def decode() -> None:
        for page in files:
            pages.decode(page)

    copied = _median(lambda: bytearray(whole), repeats)
    for name, call in (("events to pages", encode), ("pages to events", decode)):
        yield Case(
            f"{name}, a million", _median(call, repeats) * 1_000_000 / count, "s", at_most=1.0,
            limit=copied * 1_000_000 / count, limit_is="copying the bytes once",
            note=f"column by column, {count:,} events; blocks of 10,000 come in",
        )  # fmt: skip


def _reading_beside_a_peer(count: int) -> Case:
    """From bytes in memory to what can be compared: theirs one object for each entry."""
    from threatexchange.exchanges.clients.ncmec.hash_api import GetEntriesResponse, _XMLWrapper

    files = pages.encode(next(blocks(count)), f"editions/000001/{CLASS.id}", 0)
    text = others.ncmec_xml([event for block in blocks(count) for event in block.events()])
    text = text.replace(f' xmlns="{NAMESPACE}"'.encode(), b"")  # as their client does first

    def theirs() -> None:
        found = GetEntriesResponse.from_xml(_XMLWrapper(ET.fromstring(text)), 0)
        assert len(found.updates) == count

    return Case(
        f"reading {count:,} entries", 1000 * _median(lambda: pages.decode(files), 5), "ms",
        peer="threatexchange, NCMEC XML", peer_value=1000 * _median(theirs, 3),
        note="theirs makes an object of each entry, ours an array of each column",
    )  # fmt: skip


def _published(count: int) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: apart(f"bench.list:{name}", folder=folder, count=count)
            for name in ("publish", "read", "sync", "add", "follow")
        }
    bytes_each = found["read"]["bytes"] / count
    for name, title, limit in (
        ("publish", "publish", "hashing and writing the same bytes"),
        ("read", "read and check", "reading and hashing the same bytes"),
        ("sync", "sync a new copy, ready to match", "reading and hashing the same bytes"),
    ):
        seconds, peak = found[name]["seconds"], found[name]["peak_private"]
        yield Case(
            f"{title}, N = {count:,}", seconds, "s",
            limit=found["publish" if name == "publish" else "read"]["limit"], limit_is=limit,
            note=f"{count / seconds:,.0f} entries a second, {bytes_each:.1f} bytes each, "
            f"{peak / MEBI:,.0f} MiB at most, {found[name]['start'] / MEBI:,.0f} of them the "
            "program; files that are mapped do not count",
        )  # fmt: skip
        yield Case(f"memory to {title}, N = {count:,}", peak / MEBI, "MiB")
    yield Case(
        f"publish {MORE:,} more, N = {count:,}", found["add"]["seconds"], "s",
        note="pages, index, manifest; log and release are counted with none",
    )  # fmt: skip
    yield Case(
        f"sync {MORE:,} more, N = {count:,}", found["follow"]["seconds"], "s",
        note="everything checked that a member checks, and the open index ready to match",
    )  # fmt: skip


def publish(folder: str, count: int) -> dict[str, Any]:
    """Write an edition of ``count`` entries, each file flushed to the disk."""
    start = private()
    published = Path(folder, "published")
    listed.begin(published)
    begun = time.perf_counter()
    listed.write(published, 1, CLASS, blocks(count), count)
    seconds = time.perf_counter() - begun
    listed.release(published, 1)
    bare = 0.0
    for path in sorted(published.glob("editions/*/*/*")):
        data = path.read_bytes()
        begun = time.perf_counter()
        hashlib.sha256(data)
        path.with_name("again").write_bytes(data)
        bare += time.perf_counter() - begun
        path.with_name("again").unlink()
    return {"seconds": seconds, "limit": bare, "start": start}


def read(folder: str, count: int) -> dict[str, Any]:
    """Index and root, digest and form of each file, the order of events; nothing is kept."""
    start = private()
    root = Path(folder, "published")
    begun = time.perf_counter()
    index = parse_index((root / index_path(1, CLASS)).read_text())
    index.root()
    standing = replay(read_blocks(lambda path: (root / path).read_bytes(), index.current()))
    seconds = time.perf_counter() - begun
    assert len(standing) == count
    begun = time.perf_counter()
    for file in index.files:
        hashlib.sha256((root / file.path).read_bytes())
    bare = time.perf_counter() - begun
    size = sum(file.size for file in index.files)
    return {"seconds": seconds, "limit": bare, "bytes": size, "start": start}


def sync(folder: str, count: int) -> dict[str, Any]:
    """A member's first sync: everything checked, kept, and indexed for matching."""
    start = private()
    begun = time.perf_counter()
    synced = listed.sync(Path(folder, "published"), Path(folder, "copy"), 1)
    seconds = time.perf_counter() - begun
    assert synced.manifest.entries == count
    return {"seconds": seconds, "start": start}


def add(folder: str, count: int) -> dict[str, Any]:
    """An edition of a few more."""
    published = Path(folder, "published")
    more = next(blocks(MORE, MORE))
    moved = more.number + np.uint64(count)
    begun = time.perf_counter()
    block = replace(more, sequence=moved, number=moved)
    listed.write(published, 2, CLASS, iter([block]), count + MORE)
    seconds = time.perf_counter() - begun
    listed.release(published, 2)
    return {"seconds": seconds}


def follow(folder: str, count: int) -> dict[str, Any]:
    """A member's next sync."""
    begun = time.perf_counter()
    synced = listed.sync(Path(folder, "published"), Path(folder, "copy"), 2)
    seconds = time.perf_counter() - begun
    assert synced.manifest.entries == count + MORE
    return {"seconds": seconds}


def _median(call: Callable[[], object], repeats: int) -> float:
    """Seconds."""
    took = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        took.append(time.perf_counter() - begun)
    return median(took)
