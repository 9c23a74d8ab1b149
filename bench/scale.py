"""What takes long or much memory: an index of 100 million hashes, and a hundred rebuilds.

Without peers: none of them holds so many in the memory of an ordinary machine. Needs about 13 GB.
"""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bench import _lists
from bench._apart import apart
from bench.case import Case
from bench.matching import BATCH, OURS, folder_with_room, milliseconds, say

LARGE = 100_000_000


def run(console: Console, *, quick: bool) -> Iterator[Case]:
    """Measure; ``quick`` takes a hundredth of it."""
    yield from _large(console, LARGE // 100 if quick else LARGE)
    yield from _rebuilt(console, 10_000 if quick else 1_000_000, 100)


def _large(console: Console, size: int) -> Iterator[Case]:
    say(console, f"{size:,} random hashes")
    with folder_with_room() as folder:
        _lists.random(Path(folder), size, 3_000)
        say(console, "building and asking")
        ours = apart(f"{OURS}:index", folder=str(folder), batch=BATCH)
    assert ours["recall"] == 1, f"found {ours['recall']:.4f} of what is there"
    at = f"{size:,} hashes"
    yield milliseconds(f"one query, N = {size:,}", ours["p50"])
    yield milliseconds(f"{at}: one query, p99", ours["p99"], at_most=3 * ours["p50"] * 1e3)
    yield Case(
        f"{at}: batch of {BATCH:,}, two threads", ours["batch_2"] / BATCH * 1e6, "µs a query"
    )
    yield Case(f"{at}: build", ours["build"], "s")
    yield Case(
        f"{at}: bytes for each hash, on disk", ours["bytes"], "B", limit=32, limit_is="the hash",
        at_most=110,
    )  # fmt: skip
    yield milliseconds(f"{at}: open from disk", ours["open"], at_most=50)
    yield milliseconds(f"{at}: add one and see it", ours["add"], at_most=5)


def _rebuilt(console: Console, size: int, times: int) -> Iterator[Case]:
    say(console, f"{times} rebuilds of {size:,} hashes")
    with folder_with_room() as folder:
        _lists.random(Path(folder), size, 100)
        found = apart(f"{OURS}:rebuilt", folder=folder, times=times)
    yield Case(
        f"{size:,} hashes: memory after {times} rebuilds", found["last"] / 1e6, "MB",
        at_most=1.1 * found["tenth"] / 1e6, note=f"after ten: {found['tenth'] / 1e6:,.0f} MB",
    )  # fmt: skip
