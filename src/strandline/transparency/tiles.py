"""A log as static files: paths of tiles and entry bundles, and proofs computed from them.

Source: https://c2sp.org/tlog-tiles. ``TileReader`` believes what it reads: its roots and proofs
have to be compared with a checkpoint's. ``VerifiedTiles`` starts from a checkpoint and gives
nothing that does not hash to it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from strandline.errors import LogDamaged
from strandline.transparency.merkle import (
    HASH_BYTES,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    range_hash,
    root_of,
)

#: Hashes of a full tile, and entries of a full bundle.
WIDTH = 256
HEIGHT = 8
#: Bytes of one entry: its length is a uint16.
MAX_ENTRY = 65535
#: Bytes of one bundle, at most.
MAX_BUNDLE = WIDTH * (2 + MAX_ENTRY)

#: Gives a file's bytes by its path below the log; raises FileNotFoundError when there is none.
Read = Callable[[str], bytes]


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Path of a tile of ``width`` hashes: ``tile/0/x001/x234/067``, ``tile/0/000.p/7``."""
    return f"tile/{level}/{_numbered(number, width)}"


def bundle_path(number: int, width: int = WIDTH) -> str:
    """Path of the bundle of the entries whose hashes are in tile ``number`` of level 0."""
    return f"tile/entries/{_numbered(number, width)}"


def _numbered(number: int, width: int) -> str:
    digits = str(number)
    groups = f"{number:0{-(-len(digits) // 3) * 3}d}"
    parts = [groups[at : at + 3] for at in range(0, len(groups), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_widths(level: int, size: int) -> Iterator[tuple[int, int]]:
    """Number and width of each tile of a level in a log of ``size`` leaves."""
    full, rest = divmod(size >> HEIGHT * level, WIDTH)
    yield from ((number, WIDTH) for number in range(full))
    if rest:
        yield full, rest


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length; ValueError for one too long for the format."""
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError(f"an entry of a log has at most {MAX_ENTRY} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The ``width`` entries of a bundle; raises LogDamaged when it holds anything else."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != width:
        raise LogDamaged("A bundle of the log's entries is cut off or too long. It was not used.")
    return entries


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """The ``width`` hashes of a tile; raises LogDamaged when it holds anything else."""
    if len(data) != width * HASH_BYTES:
        raise LogDamaged("A tile of the log is cut off or too long. It was not used.")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


class TileReader:
    """Reads leaves, roots and proofs of a log from its files.

    Every method takes the size of a tree that a checkpoint vouches for: no other tile is asked for.
    Raises LogDamaged for a file that is missing or malformed, and whatever ``read`` raises.
    """

    def __init__(self, read: Read, *, kept: int = 64) -> None:
        self._read = read
        self._kept = kept
        self._tiles: OrderedDict[tuple[int, int, int], list[bytes]] = OrderedDict()

    def tile(self, level: int, number: int, width: int) -> list[bytes]:
        """The first ``width`` hashes of a tile."""
        key = (level, number, width)
        if key in self._tiles:
            self._tiles.move_to_end(key)
            return self._tiles[key]
        data, held = self._whole_or_part(lambda w: tile_path(level, number, w), width)
        hashes = decode_tile(data, held)[:width]
        self._tiles[key] = hashes
        if len(self._tiles) > self._kept:
            self._tiles.popitem(last=False)
        return hashes

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The first ``width`` entries of a bundle."""
        data, held = self._whole_or_part(lambda w: bundle_path(number, w), width)
        return decode_bundle(data, held)[:width]

    def leaf(self, index: int, size: int) -> bytes:
        """The entry ``index`` of a log of ``size`` leaves."""
        inclusion_ranges(index, size)
        number, at = divmod(index, WIDTH)
        return self.bundle(number, _width(0, number, size))[at]

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        """The entries from ``start`` to before ``end``, which is a size of the log."""
        for number in range(start // WIDTH, -(-end // WIDTH)):
            entries = self.bundle(number, _width(0, number, end))
            yield from entries[max(0, start - number * WIDTH) :]

    def leaf_hash(self, index: int, size: int) -> bytes:
        """The hash of entry ``index``."""
        number, at = divmod(index, WIDTH)
        return self.tile(0, number, _width(0, number, size))[at]

    def root(self, size: int) -> bytes:
        """The root of the first ``size`` leaves."""
        return range_hash(self._node(size), 0, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf ``index`` is in the log of ``size`` leaves; raises ProofRefused."""
        node = self._node(size)
        return [range_hash(node, start, end) for start, end in inclusion_ranges(index, size)]

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        """The proof that the log of ``size2`` leaves begins with that of ``size1``.

        Empty when ``size1`` is 0; raises ProofRefused when ``size1`` is larger.
        """
        if size1 == 0:
            return []
        node = self._node(size2)
        return [range_hash(node, start, end) for start, end in consistency_ranges(size1, size2)]

    def _node(self, size: int) -> Callable[[int, int], bytes]:
        def node(level: int, index: int) -> bytes:
            above, inside = divmod(level, HEIGHT)
            number, at = divmod(index << inside, WIDTH)
            hashes = self.tile(above, number, _width(above, number, size))
            return root_of(hashes[at : at + (1 << inside)])

        return node

    def _whole_or_part(self, path: Callable[[int], str], width: int) -> tuple[bytes, int]:
        """The file and its width: a part may have been deleted once the whole was there."""
        for held in dict.fromkeys((width, WIDTH)):
            try:
                return self._read(path(held)), held
            except FileNotFoundError:
                continue
        raise LogDamaged(f"The log has no file {path(width)}, which its size calls for.")


class VerifiedTiles(TileReader):
    """Reads the log that a verified checkpoint speaks of, and nothing else.

    The tiles at the growing edge must hash to the checkpoint's root, every whole tile to its place
    in the tile above, every entry to its place in the tile of level 0. Raises LogDamaged.
    """

    def __init__(self, read: Read, size: int, root: bytes, *, kept: int = 64) -> None:
        super().__init__(read, kept=kept)
        self.size = size
        self._edge: dict[int, list[bytes]] = {}
        for level in range(8):
            number, width = divmod(size >> HEIGHT * level, WIDTH)
            if width:
                self._edge[level] = super().tile(level, number, width)
        if self.root(size) != root:
            raise LogDamaged(
                "The log's tiles do not hash to the root that its checkpoint gives. Nothing was "
                "taken from them."
            )

    def tile(self, level: int, number: int, width: int) -> list[bytes]:
        """The first ``width`` hashes of a tile of this log."""
        if (number, level) == (self.size >> HEIGHT * (level + 1), level) and level in self._edge:
            return self._edge[level][:width]
        known = (level, number, WIDTH) in self._tiles
        hashes = super().tile(level, number, WIDTH)
        if not known:
            above = self.tile(level + 1, number // WIDTH, number % WIDTH + 1)
            if above[number % WIDTH] != root_of(hashes):
                self._tiles.pop((level, number, WIDTH))
                raise LogDamaged(
                    f"The log's file {tile_path(level, number)} does not hash to its place in the "
                    "tree. Nothing was taken from it."
                )
        return hashes[:width]

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The first ``width`` entries of a bundle of this log."""
        entries = super().bundle(number, width)
        if [leaf_hash(entry) for entry in entries] != self.tile(0, number, width):
            raise LogDamaged(
                f"Entries in the log's file {bundle_path(number)} do not hash to their places in "
                "the tree. Nothing was taken from it."
            )
        return entries


def _width(level: int, number: int, size: int) -> int:
    """Width of a tile in a log of ``size`` leaves, from its level and number."""
    return min(WIDTH, (size >> HEIGHT * level) - number * WIDTH)
