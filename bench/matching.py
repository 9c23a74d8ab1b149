"""Exact search among 1M and 10M hashes, radius 31: ours, the exact peers, and the memory's limits.

Every subject runs in a process of its own, one after another, on the same list and the same queries
(0 to 31 bits away from a listed hash). The peer of a row is the best of the exact peers there; the
others are in its note. For building it is the best that makes entries with ids, as ours does.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import _lists
from bench._apart import Failed, apart, installed
from bench.case import Case

PEERS = {
    "threatexchange": ("threatexchange", "faiss"),
    "faiss_multihash": ("faiss",),
    "faiss_flat": ("faiss",),
}
NAMES = {
    "threatexchange": "threatexchange PDQIndex",
    "faiss_multihash": "FAISS MultiHash",
    "faiss_flat": "FAISS Flat",
}
OURS = "bench._matching_ours"
BATCH = 1_000
Found = dict[str, Any]
#: Seconds a peer may take in all.
PATIENCE = 900


def run(console: Console, *, quick: bool) -> Iterator[Case]:
    """The promises at 1M and 10M, a skewed list, the curve up to there; ``scale`` goes on."""
    measured: dict[int, tuple[Found, dict[str, Found]]] = {}
    for size in (20_000, 100_000) if quick else (1_000_000, 10_000_000):
        with folder_with_room() as folder:
            measured[size] = _measured(console, Path(folder), size)
        yield from _one_size(size, *measured[size])
    with folder_with_room() as folder:
        yield from _skewed(console, Path(folder), 200_000 if quick else 10_000_000)
    yield from _curve(console, [10_000, 100_000], measured)


def _measured(console: Console, folder: Path, size: int) -> tuple[Found, dict[str, Found]]:
    """Ours and every peer that is installed and exact, on one random list."""
    say(console, f"{size:,} random hashes")
    _lists.random(folder, size, 5_000)
    say(console, "ours")
    ours = apart(f"{OURS}:index", folder=str(folder), batch=BATCH)
    assert ours["recall"] == 1, f"found {ours['recall']:.4f} of what is there"
    peers: dict[str, Found] = {}
    for peer, modules in PEERS.items():
        if not installed(*modules):
            say(console, f"{NAMES[peer]} is not installed: measured without it")
            continue
        say(console, NAMES[peer])
        target = f"bench._matching_peers:{peer}"
        try:
            found = apart(target, timeout=PATIENCE, folder=str(folder), batch=BATCH)
        except Failed as error:
            say(console, str(error))
            continue
        if found["recall"] == 1:
            peers[peer] = found
        else:
            say(console, f"{NAMES[peer]} found {found['recall']:.4f}: it is not exact")
    return ours, peers


def _one_size(size: int, ours: Found, peers: dict[str, Found]) -> Iterator[Case]:
    limits = apart(f"{OURS}:bandwidth")
    floor = apart(f"{OURS}:floor", hashes=size, bands=ours["bands"])["floor"]
    sort = apart(f"{OURS}:sorting", hashes=size, bands=len(ours["bands"]))["sort"]
    large = size >= 1_000_000
    at = f"{size:,} hashes"
    least = {1_000_000: 12, 10_000_000: 20}.get(size)
    reads = {"limit": floor * 1e3, "limit_is": "its reads of memory alone, at random"}
    yield milliseconds(
        f"{at}: one query, p50", ours["p50"], at_least=least,
        at_most=1.4 * floor * 1e3 if large else None, **reads,
        **_best(peers, "p50", note=_worked(ours, peers, "p50")),
    )  # fmt: skip
    yield milliseconds(
        f"{at}: one query, p99", ours["p99"], at_most=3 * ours["p50"] * 1e3 if large else None,
        **_best(peers, "p99", note=_worked(ours, peers, "p99")),
    )  # fmt: skip
    scanned = size * 16 / limits["two"]
    yield Case(
        f"{at}: batch of {BATCH:,}, two threads",
        ours["batch_2"] / BATCH * 1e6,
        "µs a query",
        limit=floor / 2 * 1e6,
        limit_is="its reads of memory alone, two threads",
        at_least=40 if size == 10_000_000 else None,
        **_best(peers, "batch_2", 1e6 / BATCH, note=(
            f"one thread: {ours['batch_1'] / BATCH * 1e6:.3g} µs; reading half of every hash in "
            f"order takes {scanned * 1e6:,.0f} µs at {limits['two'] / 1e9:.3g} GB/s"
        )),
    )  # fmt: skip
    yield Case(
        f"{at}: build", ours["build"], "s", limit=sort,
        limit_is="numpy sorts as many keys, two threads",
        at_least=15 if size == 10_000_000 else None,
        **_best(
            peers, "build", 1, first="threatexchange", note=_worked(ours, peers, "build", 1)
        ),
    )  # fmt: skip
    yield Case(
        f"{at}: bytes for each hash, on disk", ours["bytes"], "B", limit=32, limit_is="the hash",
        at_most=160 if large else None, note="; ".join(
            f"{NAMES[name]} held {found['peak_rss'] / size:,.0f} B at most while it was built"
            for name, found in peers.items()
        ),
    )  # fmt: skip
    yield milliseconds(
        f"{at}: open from disk", ours["open"], at_most=50,
        note=f"the first query after that took {ours['first'] * 1e3:.3g} ms",
    )  # fmt: skip
    add = {k: v for k, v in peers.items() if "add" in v}
    yield milliseconds(f"{at}: add one and see it", ours["add"], at_most=5, **_best(add, "add"))


def _skewed(console: Console, folder: Path, size: int) -> Iterator[Case]:
    say(console, f"{size:,} hashes, skewed")
    cluster, copies = size // 1_000, size // 100
    _lists.skewed(folder, size, cluster, copies)
    found = apart(f"{OURS}:skewed", folder=str(folder))
    bandwidth = apart(f"{OURS}:bandwidth")["one"]
    at = f"{size:,} skewed hashes"
    same = (
        f"5 % in clusters of {cluster:,}, one hash {copies:,} times; both make the same list of "
        "matches, in order"
    )
    yield milliseconds(
        f"{at}: the worst query", found["worst"], peer="scan, one thread", at_least=5,
        peer_value=found["scan_of_worst"] * 1e3, limit=found["bytes"] / bandwidth * 1e3,
        limit_is="a thread reading half of every hash",
        note=f"{found['matches']:,} matches; {same}; the scan without that list: "
        f"{found['scan_bare'] * 1e3:.3g} ms",
    )  # fmt: skip
    yield milliseconds(
        f"{at}: the worst query with under 100 matches", found["worst_of_few"],
        peer="scan, one thread", peer_value=found["scan_of_few"] * 1e3, at_least=5,
    )  # fmt: skip
    yield Case(
        f"{at}: scan ÷ ours, least of all queries", 1 / found["least_ratio"], "of a scan",
        peer="scan, one thread", peer_value=1, at_least=1, note="never slower than a scan",
    )  # fmt: skip


def _curve(
    console: Console, less: list[int], measured: dict[int, tuple[Found, dict[str, Found]]]
) -> Iterator[Case]:
    """Median latency against the number of hashes; ``docs/figures.md`` draws these cases."""
    for size in sorted({*less, *measured}):
        if size not in measured:
            with folder_with_room() as folder:
                measured[size] = _measured(console, Path(folder), size)
        ours, peers = measured[size]
        yield milliseconds(f"one query, N = {size:,}", ours["p50"], **_best(peers, "p50"))


def _best(
    peers: dict[str, Found], what: str, scale: float = 1e3, *, note: str = "", first: str = ""
) -> dict[str, Any]:
    """The peer with the least (or ``first``), and the others in a note."""
    if not peers:
        return {"note": note}
    ranked = sorted(peers, key=lambda name: (name != first, peers[name][what]))
    others = [f"{NAMES[name]} {peers[name][what] * scale:,.3g}" for name in ranked[1:]]
    return {
        "peer": NAMES[ranked[0]],
        "peer_value": peers[ranked[0]][what] * scale,
        "note": "; ".join([*others, note] if note else others),
    }


def _worked(ours: Found, peers: dict[str, Found], what: str, scale: float = 1e3) -> str:
    """The processor time alone, of everybody."""
    what = f"{what} of processor time"
    each = [("ours", ours), *((NAMES[name], found) for name, found in peers.items())]
    listed = ", ".join(f"{name} {found[what] * scale:.3g}" for name, found in each)
    return f"processor time alone: {listed}"


def milliseconds(case: str, seconds: float, **more: Any) -> Case:
    return Case(case, seconds * 1e3, "ms", **more)


def say(console: Console, what: str) -> None:
    console.print(f"  {what} …", style="dim")


class folder_with_room(tempfile.TemporaryDirectory[str]):  # noqa: N801 - used as a function
    """A folder for lists and indexes, on a disk with room."""

    def __init__(self) -> None:
        super().__init__(prefix="strandline-bench-")
        free = shutil.disk_usage(self.name).free
        if free < 4 << 30:
            raise SystemExit(f"{self.name} has {free >> 20:,} MB free; a list needs 4,096 MB.")
