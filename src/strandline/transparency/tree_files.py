"""A tree in a folder that only grows: tiles, entry bundles, and how far they count.

Source: https://c2sp.org/tlog-tiles. Beside ``tile/`` lie ``.head``, which says up to which size and
root the tree stands and is replaced last, and ``.lock``. Files beyond that size were left by an
append that was killed before it counted; they are written over. What counts is never changed.
"""

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from strandline.errors import LogDamaged
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.disk import sole_writer, write_file
from strandline.transparency.merkle import leaf_hash, root_of
from strandline.transparency.tiles import (
    HEIGHT,
    MAX_ENTRY,
    WIDTH,
    TileReader,
    bundle_path,
    encode_bundle,
    tile_path,
)

HEAD = ".head"
LOCK = ".lock"
TILES = "tile"


class TreeFiles:
    """The files of the log named ``origin`` in ``directory``; one writer at a time."""

    def __init__(self, directory: Path, origin: str) -> None:
        self.directory = directory
        self.origin = origin

    def alone(self) -> AbstractContextManager[None]:
        """Keep other writers out; to be held around ``append``."""
        return sole_writer(self.directory / LOCK)

    def head(self) -> Checkpoint | None:
        """How far the tree counts; None when nothing does yet. Raises LogDamaged."""
        try:
            text = (self.directory / HEAD).read_text("utf-8")
        except FileNotFoundError:
            return None
        head = Checkpoint.parse(text)
        if head.origin != self.origin:
            raise LogDamaged(
                f"{self.directory} holds the log {head.origin}, and not {self.origin}. Nothing "
                "was changed."
            )
        return head

    def reader(self) -> TileReader:
        """What reads leaves and proofs from the files."""
        return TileReader(lambda path: (self.directory / path).read_bytes())

    def check(self, head: Checkpoint) -> None:
        """Check that the files hash to ``head``; raises LogDamaged."""
        if self.reader().root(head.size) != head.root:
            raise LogDamaged(
                f"The tiles in {self.directory} do not hash to the log's root. Nothing was "
                "changed; bring them back from a mirror or a backup."
            )

    def append(self, head: Checkpoint, entries: Sequence[bytes]) -> Checkpoint:
        """Write ``entries`` after those of ``head``, make them count, return the new head.

        ValueError for an entry of more than 65,535 bytes.
        """
        if any(len(entry) > MAX_ENTRY for entry in entries):
            raise ValueError(f"an entry of a log has at most {MAX_ENTRY} bytes")
        if not entries:
            return head
        self._write_bundles(head.size, entries)
        self._write_tiles(head.size, [leaf_hash(entry) for entry in entries])
        size = head.size + len(entries)
        after = Checkpoint(self.origin, size, self.reader().root(size))
        write_file(self.directory / HEAD, after.text.encode())
        self._drop_parts(head.size, size)
        return after

    def index_of(self, entry: bytes, size: int) -> int | None:
        """The index of the newest leaf with these bytes."""
        wanted, reader = leaf_hash(entry), self.reader()
        for number in range((size - 1) // WIDTH, -1, -1):
            hashes = reader.tile(0, number, min(WIDTH, size - number * WIDTH))
            for at in range(len(hashes) - 1, -1, -1):
                if hashes[at] == wanted:
                    return number * WIDTH + at
        return None

    def drop_older_parts(self, size: int) -> None:
        """Remove the last tiles' parts that no tree but a smaller one than ``size`` has."""
        for level in range(8):
            number, width = divmod(size >> HEIGHT * level, WIDTH)
            for path in self._parts(level, number):
                for part in path.glob("[0-9]*"):
                    if int(part.name) != width:
                        part.unlink()

    def _write_bundles(self, size: int, entries: Sequence[bytes]) -> None:
        number, width = divmod(size, WIDTH)
        begun = self.reader().bundle(number, width) if width else []
        whole = [*begun, *entries]
        for at in range(0, len(whole), WIDTH):
            part = whole[at : at + WIDTH]
            path = bundle_path(number + at // WIDTH, len(part))
            write_file(self.directory / path, encode_bundle(part))

    def _write_tiles(self, size: int, hashes: list[bytes]) -> None:
        """Add leaf hashes at level 0, and at each level the roots of the tiles filled below."""
        level = 0
        while hashes:
            number, width = divmod(size, WIDTH)
            begun = self.reader().tile(level, number, width) if width else []
            whole = [*begun, *hashes]
            hashes = []
            for at in range(0, len(whole), WIDTH):
                part = whole[at : at + WIDTH]
                path = tile_path(level, number + at // WIDTH, len(part))
                write_file(self.directory / path, b"".join(part))
                if len(part) == WIDTH:
                    hashes.append(root_of(part))
            size >>= HEIGHT
            level += 1

    def _drop_parts(self, before: int, size: int) -> None:
        """Remove parts of tiles that are whole now, as tlog-tiles allows; parts are many."""
        level = 0
        while before >> HEIGHT * level != size >> HEIGHT * level:
            number = (before >> HEIGHT * level) // WIDTH
            if (size >> HEIGHT * level) // WIDTH > number:
                for path in self._parts(level, number):
                    shutil.rmtree(path, ignore_errors=True)
            level += 1

    def _parts(self, level: int, number: int) -> list[Path]:
        """The folders of a tile's parts, and of its bundle's."""
        paths = [tile_path(level, number, 1)] + [bundle_path(number, 1)] * (level == 0)
        return [(self.directory / path).parent for path in paths]
