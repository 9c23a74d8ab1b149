"""Memory of a long-running process stays flat, however often a list is built again.

STRANDLINE_REBUILDS and STRANDLINE_REBUILD_HASHES make it as long as wanted: 100 and 1000000 is what
the figure page tells of.
"""

import gc
import os
from pathlib import Path

import pytest

from matching.reference import drawn
from strandline.matching import Index

REBUILDS = int(os.environ.get("STRANDLINE_REBUILDS", "12"))
HASHES = int(os.environ.get("STRANDLINE_REBUILD_HASHES", "30000"))


def resident():
    """Megabytes of this process in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="/proc is not here")
@pytest.mark.parametrize("in_file", [False, True])
def test_memory_stays_flat_over_rebuilds(tmp_path, in_file):
    hashes = drawn(1, HASHES, clusters=3, twins=50)
    wanted = [row.tobytes().hex() for row in hashes[HASHES * 2 // 3 :][:50]]
    path = tmp_path / "list.index" if in_file else None
    sizes = []
    with Index.build_array(hashes, path=path) as reader:
        for number in range(REBUILDS):
            with Index.build_array(hashes, path=path) as index:
                index.query_many(wanted)
                index.add([("new", "0" * 64)])
                index.withdraw(["5"])
                index.merge()
                reader.query(wanted[0])
            del index
            sizes.append(resident())
            if number % 20 == 0:
                print(number, round(sizes[-1]), "MB", flush=True)
    warm = sizes[len(sizes) // 3]
    assert max(sizes[len(sizes) // 3 :]) < warm + max(20, HASHES * 150 / 1e6)
    assert sizes[-1] < warm + max(10, HASHES * 75 / 1e6)
