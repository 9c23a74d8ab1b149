"""Lists of hashes to measure with, as files that every measured process maps.

Random bits stand for PDQ hashes: over a million hashes of real pictures their bits were as unbiased
(mean distance 128, deviation 8.06 against 8.0). What real lists have beside them, series and blank
pictures, is in :func:`skewed`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]
RADIUS = 31


def random(folder: Path, count: int, queries: int, seed: int = 1) -> None:
    """``count`` hashes, and queries 0 to 31 bits away from one of them each."""
    generator = np.random.default_rng(seed)
    hashes = _file(folder, count)
    step = 1 << 20
    for low in range(0, count, step):
        part = hashes[low : low + step]
        part[:] = np.frombuffer(generator.bytes(part.size), np.uint8).reshape(part.shape)
    targets = generator.choice(count, queries, replace=count < queries)
    asked = flipped(hashes[targets], generator.integers(0, RADIUS + 1, queries), generator)
    np.save(folder / "queries.npy", asked)
    np.save(folder / "targets.npy", targets)
    hashes.flush()


def skewed(folder: Path, count: int, cluster: int, copies: int, seed: int = 2) -> None:
    """5 % in clusters of so many, one hash so many times, the rest random.

    A cluster's members are 0 to 15 bits away from its centre. The queries: four near each centre
    of up to 50, 50 near the one hash, 100 near random ones.
    """
    random(folder, count, 100, seed)
    generator = np.random.default_rng(seed + 1)
    hashes = np.load(folder / "hashes.npy", mmap_mode="r+")
    places = generator.permutation(count)
    clusters = max(1, count // 20 // cluster)
    asked = [np.load(folder / "queries.npy")]
    for number in range(clusters):
        rows = places[number * cluster : (number + 1) * cluster]
        centre = np.frombuffer(generator.bytes(32), np.uint8)
        hashes[rows] = flipped(
            np.tile(centre, (len(rows), 1)), generator.integers(0, 16, len(rows)), generator
        )
        if number < 50:
            asked.append(flipped(np.tile(centre, (4, 1)), generator.integers(0, 16, 4), generator))
    rows = places[clusters * cluster :][:copies]
    hashes[rows] = np.frombuffer(generator.bytes(32), np.uint8)
    same = np.tile(hashes[rows[0]], (50, 1))
    asked.append(flipped(same, generator.integers(0, RADIUS + 1, 50), generator))
    np.save(folder / "queries.npy", np.concatenate(asked))
    hashes.flush()


def planted(folder: Path, count: int, pictures: int, versions: int, seed: int = 4) -> None:
    """As many hashes, random but for so many pictures with so many versions within 15 bits."""
    random(folder, count, 1, seed)
    generator = np.random.default_rng(seed + 1)
    hashes = np.load(folder / "hashes.npy", mmap_mode="r+")
    rows = generator.permutation(count)[: pictures * versions]
    centres = np.frombuffer(generator.bytes(32 * pictures), np.uint8).reshape(-1, 32)
    changes = generator.integers(0, 16, len(rows))
    hashes[rows] = flipped(np.repeat(centres, versions, axis=0), changes, generator)
    hashes.flush()


def flipped(hashes: U8, changes: NDArray[Any], generator: np.random.Generator) -> U8:
    """Each hash with that many different bits flipped."""
    out = np.empty_like(hashes)
    step = 1 << 14
    for low in range(0, len(hashes), step):
        part = np.unpackbits(hashes[low : low + step], axis=1)
        order = generator.random(part.shape).argsort(axis=1).argsort(axis=1)
        part ^= order < changes[low : low + step, None]
        out[low : low + step] = np.packbits(part, axis=1)
    return out


def hashes(folder: str | Path) -> U8:
    """The list, mapped."""
    found: U8 = np.load(Path(folder, "hashes.npy"), mmap_mode="r")
    return found


def queries(folder: str | Path) -> list[str]:
    """The queries, as hex digits."""
    return [row.tobytes().hex() for row in np.load(Path(folder, "queries.npy"))]


def targets(folder: str | Path) -> I64:
    """The row that each query was made of."""
    found: I64 = np.load(Path(folder, "targets.npy"))
    return found


def _file(folder: Path, count: int) -> Any:
    return np.lib.format.open_memmap(
        folder / "hashes.npy", mode="w+", dtype=np.uint8, shape=(count, 32)
    )
