"""The match service over HTTP, as ``strandline serve`` runs it, at 1M entries; 10M with ``--full``.

One process of gunicorn on loopback, the list mapped, the record in SQLite. Half of what is asked is
listed. A core's time is the processor time of the serving process. The peer is ``threatexchange``'s
own index in a process of its own, *without* any HTTP, key, quota or JSON around it: its service
(Hasher-Matcher-Actioner) is on no registry, so that it cannot be installed for this run.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import _lists
from bench._apart import Failed, apart, installed
from bench.case import Case

PEER = "threatexchange PDQIndex, no HTTP"
BATCH = 1_000


def run(console: Console, *, quick: bool, full: bool) -> Iterator[Case]:
    """Single calls and batches; the promises are of every size."""
    for size in (20_000,) if quick else (1_000_000, 10_000_000) if full else (1_000_000,):
        with tempfile.TemporaryDirectory(prefix="strandline-bench-") as folder:
            console.print(f"{size:,} entries: making them", style="dim")
            _lists.random(Path(folder), size, 5_000)
            ours = apart(
                "bench._match_served:served",
                folder=folder,
                size=size,
                calls=400 if quick else 3_000,
                batches=3 if quick else 20,
            )
            assert ours["recall"] == 1, f"found {ours['recall']:.4f} of what is listed"
            yield from _cases(size, ours, _peer(console, folder))


def _peer(console: Console, folder: str) -> dict[str, Any]:
    if not installed("threatexchange", "faiss"):
        console.print("threatexchange is not installed: measured without it", style="dim")
        return {}
    console.print("threatexchange", style="dim")
    try:
        target = "bench._matching_peers:threatexchange"
        return apart(target, timeout=900, folder=folder, batch=BATCH)
    except Failed as error:
        console.print(str(error), style="dim")
        return {}


def _cases(size: int, ours: dict[str, Any], peer: dict[str, Any]) -> Iterator[Case]:
    at = f"{size:,} entries"

    def against(name: str, scale: float) -> dict[str, Any]:
        value = peer.get(name)
        return {"peer": PEER, "peer_value": value * scale} if value else {}

    yield Case(f"{at}: one hash, p50", ours["one_p50"] * 1e3, "ms", **against("p50", 1e3))
    yield Case(
        f"{at}: one hash, p99", ours["one_p99"] * 1e3, "ms", at_most=20, **against("p99", 1e3)
    )
    yield Case(
        f"{at}: one hash while another client sends batches, p99", ours["busy_p99"] * 1e3, "ms"
    )
    yield Case(
        f"{at}: batches of {BATCH:,} PDQ hashes",
        ours["pdq_core"] * 1e6,
        "µs of a core a hash",
        at_most=200,
        **against("batch_2", 1e6 / BATCH),
        note=f"{1 / ours['pdq_core']:,.0f} hashes a second and core; one client waits "
        f"{ours['pdq_wall'] * BATCH * 1e3:,.0f} ms for a batch, {1 / ours['pdq_wall']:,.0f} a "
        f"second. threatexchange's batch has both cores",
    )
    yield Case(
        f"{at}: the same, entries told",
        ours["told_core"] * 1e6,
        "µs of a core a hash",
        at_most=200,
        note=f"{1 / ours['told_core']:,.0f} a second and core",
    )
    yield Case(
        f"{at}: batches of {BATCH:,} sha256",
        ours["sha256_core"] * 1e6,
        "µs of a core a hash",
        at_most=200,
        note=f"{1 / ours['sha256_core']:,.0f} a second and core; the process alone holds "
        f"{ours['memory'] / 1e6:,.0f} MB",
    )
