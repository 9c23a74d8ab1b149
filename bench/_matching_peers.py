"""The exact peers, each in a process of its own; see ``bench.matching``.

``threatexchange`` offers three. ``PDQIndex``, its default, is the one measured: FAISS's multi-index
hashing with 16 tables behind Python. ``PDQFlatIndex`` scans (as ``faiss_flat`` here, with Python
around it), and ``PDQIndex2`` compares 256 floats a hash, so that ten million would take 10 GB.
"""

import time
from typing import Any

import numpy as np

from bench import _lists
from bench._limits import best
from bench._matching_ours import latencies

RADIUS = _lists.RADIUS


def threatexchange(folder: str, batch: int) -> dict[str, Any]:
    """Its own index, from hex digits as it wants them."""
    import faiss
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    faiss.omp_set_num_threads(2)
    entries = [(row.tobytes().hex(), place) for place, row in enumerate(_lists.hashes(folder))]
    queries = _lists.queries(folder)
    began, before = time.perf_counter(), time.process_time()
    index: Any = PDQIndex(entries)
    found: dict[str, Any] = {
        "build": time.perf_counter() - began,
        "build of processor time": time.process_time() - before,
    }
    del entries
    found |= latencies(index.query, queries)
    asked = queries[:batch]
    found["batch_2"] = best(lambda: index.index.search_with_distance_in_result(asked, RADIUS), 2)
    rows = _lists.targets(folder)[:200].tolist()
    found["recall"] = np.mean(
        [
            any(match.metadata == row for match in index.query(query))
            for row, query in zip(rows, queries, strict=False)
        ]
    ).item()
    began = time.perf_counter()
    index.add("5" * 64, -1)
    assert any(match.metadata == -1 for match in index.query("5" * 64))
    found["add"] = time.perf_counter() - began
    return found


def faiss_multihash(folder: str, batch: int) -> dict[str, Any]:
    """FAISS's multi-index hashing, bare: 16 tables of 16 bits, one flip each, so exact to 31."""
    import faiss

    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
    return _faiss(index, folder, batch)


def faiss_flat(folder: str, batch: int) -> dict[str, Any]:
    """FAISS's scan."""
    import faiss

    return _faiss(faiss.IndexBinaryFlat(256), folder, batch)


def _faiss(index: Any, folder: str, batch: int) -> dict[str, Any]:
    import faiss

    hashes = np.ascontiguousarray(_lists.hashes(folder))
    queries = np.load(f"{folder}/queries.npy")
    began, before = time.perf_counter(), time.process_time()
    index.add(hashes)
    found: dict[str, Any] = {
        "build": time.perf_counter() - began,
        "build of processor time": time.process_time() - before,
    }
    del hashes

    def ask(text: str) -> Any:
        query = np.frombuffer(bytes.fromhex(text), np.uint8).reshape(1, 32)
        return index.range_search(query, RADIUS + 1)

    faiss.omp_set_num_threads(1)
    found |= latencies(ask, _lists.queries(folder))
    faiss.omp_set_num_threads(2)
    # A scan takes as long for each query: a part is enough.
    part = batch if found["p50"] < 0.005 else batch // 10
    asked = queries[:part]
    spent = best(lambda: index.range_search(asked, RADIUS + 1), 2)
    found["batch_2"] = spent * batch / part
    limits, _, rows = index.range_search(queries[:200], RADIUS + 1)
    targets = _lists.targets(folder)[:200].tolist()
    found["recall"] = np.mean(
        [row in rows[limits[place] : limits[place + 1]] for place, row in enumerate(targets)]
    ).item()
    return found


def self_search(folder: str, sample: int) -> dict[str, Any]:
    """Range self-search with the quicker of FAISS's exact indexes, of a sample of the list."""
    import faiss

    faiss.omp_set_num_threads(2)
    hashes = np.ascontiguousarray(_lists.hashes(folder))
    asked = hashes[np.random.default_rng(6).choice(len(hashes), sample, replace=False)]
    multihash = faiss.IndexBinaryMultiHash(256, 16, 16)
    multihash.nflip = 1
    spent = {}
    for name, index in (("MultiHash", multihash), ("Flat", faiss.IndexBinaryFlat(256))):
        began = time.perf_counter()
        index.add(hashes)
        built = time.perf_counter() - began
        part = asked if name == "MultiHash" else asked[: sample // 4]
        began = time.perf_counter()
        index.range_search(part, RADIUS + 1)
        each = (time.perf_counter() - began) / len(part)
        spent[name] = built + each * len(hashes)
        index.reset()
    quickest = min(spent, key=lambda name: spent[name])
    return {"seconds": spent[quickest], "with": quickest, **spent}
