"""Our index, measured in a process of its own; see ``bench.matching``."""

import gc
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import _limits, _lists
from bench._apart import private
from strandline.matching import Index, Match

RADIUS = _lists.RADIUS


def latencies(ask: Callable[[str], Any], queries: list[str], seconds: float = 20) -> dict[str, Any]:
    """Seconds for each query asked alone, until the queries or the time are used up."""
    for query in queries[:20]:
        ask(query)
    spent, worked, end = [], [], time.perf_counter() + seconds
    for query in queries:
        began, before = time.perf_counter(), time.thread_time()
        ask(query)
        worked.append(time.thread_time() - before)
        spent.append(time.perf_counter() - began)
        if began > end:
            break
    return {
        "p50": float(np.median(spent)),
        "p99": float(np.quantile(spent, 0.99)),
        # What the thread itself computed: of use where other work disturbs the clock.
        "p50 of processor time": float(np.median(worked)),
        "p99 of processor time": float(np.quantile(worked, 0.99)),
    }


def index(folder: str, batch: int) -> dict[str, Any]:
    """Build, ask, ask many, open, add: of the list in ``folder``."""
    path = Path(folder, "ours.index")
    hashes, queries = _lists.hashes(folder), _lists.queries(folder)
    Index.build_array(np.ascontiguousarray(hashes[:30_000])).query(queries[0])  # compiled before
    began, before = time.perf_counter(), time.process_time()
    built = Index.build_array(hashes, path=path)
    found: dict[str, Any] = {
        "build": time.perf_counter() - began,
        "build of processor time": time.process_time() - before,
    }
    built.close()
    del built
    gc.collect()
    began = time.perf_counter()
    held = Index.open(path)
    found["open"] = time.perf_counter() - began
    began = time.perf_counter()
    held.query(queries[0])
    found["first"] = time.perf_counter() - began
    for query in queries[-2_000:]:
        held.query(query)
    found |= latencies(held.query, queries)
    for threads in (1, 2):
        held.query_many(queries[:10], threads=threads)
        ask = partial(held.query_many, queries[:batch], threads=threads)
        found[f"batch_{threads}"] = _limits.best(ask, 3)
    rows = _lists.targets(folder)[:batch].tolist()
    answers = held.query_many(queries[:batch])
    found["recall"] = sum(
        any(match.id == str(row) for match in matches)
        for row, matches in zip(rows, answers, strict=True)
    ) / len(rows)
    info = held.info()
    found["bytes"] = path.stat().st_size / len(hashes)
    found["bands"] = list(info.bands)
    found["add"] = _added(held)
    held.close()
    found["open"] = min(found["open"], *(_opened(path) for _ in range(5)))
    found["private"] = private()
    return found


def floor(hashes: int, bands: list[int]) -> dict[str, Any]:
    """Seconds of the reads alone that a query needs; the index's own plan says which."""
    from strandline.matching.planning import thresholds_for

    thresholds = thresholds_for(bands, RADIUS, hashes)
    return {"floor": _limits.read_floor(hashes, bands, thresholds)}


def bandwidth() -> dict[str, Any]:
    """Bytes read in order in a second."""
    return {"one": _limits.read_bandwidth(1), "two": _limits.read_bandwidth(2)}


def sorting(hashes: int, bands: int) -> dict[str, Any]:
    """Seconds to sort one key for each hash and band."""
    return {"sort": _limits.sort_time(hashes, max(1, bands), 2)}


def _opened(path: Path) -> float:
    began = time.perf_counter()
    Index.open(path).close()
    return time.perf_counter() - began


def _added(held: Index) -> float:
    """Median seconds until an added hash was found by a query."""
    generator = np.random.default_rng(9)
    spent = []
    for number in range(10):
        text = generator.bytes(32).hex()
        began = time.perf_counter()
        held.add([(f"added {number}", text)])
        matches = held.query(text, 0)
        spent.append(time.perf_counter() - began)
        assert [match.id for match in matches] == [f"added {number}"]
    return float(np.median(spent))


def skewed(folder: str) -> dict[str, Any]:
    """Our worst query on a skewed list, and how a one-thread scan takes the same queries."""
    hashes, queries = np.array(_lists.hashes(folder)), _lists.queries(folder)
    held = Index.build_array(hashes, path=Path(folder, "ours.index"))
    words = np.ascontiguousarray(hashes).view(np.uint64)
    heads, rests = np.ascontiguousarray(words[:, :2]), np.ascontiguousarray(words[:, 2:])
    del words
    found, distances = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)

    def scan(text: str) -> list[Match]:
        query = np.frombuffer(bytes.fromhex(text), np.uint64)
        count = _limits.scan(heads, rests, query, RADIUS, found, distances)
        rows = found[:count]
        text = hashes[rows].tobytes().hex()
        near = [
            Match(str(row), text[place * 64 : place * 64 + 64], distance)
            for place, (row, distance) in enumerate(
                zip(rows.tolist(), distances[:count].tolist(), strict=True)
            )
        ]
        return sorted(near, key=lambda match: (match.distance, match.id, match.hash))

    def bare(text: str) -> None:
        query = np.frombuffer(bytes.fromhex(text), np.uint64)
        _limits.scan(heads, rests, query, RADIUS, found, distances)

    ours: list[float] = []
    theirs: list[float] = []
    bares: list[float] = []
    matches: list[int] = []
    for text in queries:
        answer = held.query(text)
        if len(matches) % 25 == 0:
            assert answer == scan(text), "the index and the scan disagree"
        matches.append(len(answer))
        ours.append(_limits.best(partial(held.query, text), 3))
        bares.append(_limits.best(partial(bare, text), 3))
        # Matches made of rows cost both alike: told apart, so that the search itself is seen.
        theirs.append(_limits.best(partial(scan, text), 3) if answer else bares[-1])
    worst = int(np.argmax(ours))
    few = [place for place, count in enumerate(matches) if count < 100]
    return {
        "worst": ours[worst],
        "matches": matches[worst],
        "scan_of_worst": theirs[worst],
        "scan_bare": float(np.median(bares)),
        "least_ratio": min(b / a for a, b in zip(ours, theirs, strict=True)),
        "worst_of_few": max(ours[place] for place in few),
        "scan_of_few": max(theirs[place] for place in few),
        "p50": float(np.median(ours)),
        "bytes": len(hashes) * 16,
    }


def search(folder: str, seconds: float) -> dict[str, Any]:
    """Latency alone, of an index in memory."""
    held = Index.build_array(_lists.hashes(folder))
    return latencies(held.query, _lists.queries(folder), seconds)


def rebuilt(folder: str, times: int) -> dict[str, Any]:
    """Private memory of one process after the tenth and the last of many rebuilds."""
    path = Path(folder, "ours.index")
    queries = _lists.queries(folder)[:100]
    after = []
    for _ in range(times):
        with Index.build_array(_lists.hashes(folder), path=path) as held:
            held.query_many(queries)
        del held
        gc.collect()
        after.append(private())
    return {"tenth": after[min(9, times - 1)], "last": after[-1], "most": max(after)}


def clusters(folder: str) -> dict[str, Any]:
    """Every cluster of the list."""
    with Index.build_array(_lists.hashes(folder), path=Path(folder, "ours.index")) as held:
        began = time.perf_counter()
        found = held.clusters(RADIUS)
        count, entries = len(found), sum(map(len, found))
        return {"seconds": time.perf_counter() - began, "clusters": count, "entries": entries}
