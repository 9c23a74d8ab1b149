"""Compile the engine's kernels into numba's cache, so that nobody's first use waits for it."""

import tempfile
from pathlib import Path

import numpy as np

from strandline.hashing import perceptual
from strandline.matching import Index
from strandline.matching.planning import SCANNED

perceptual.load_kernels()
hashes = np.random.default_rng(1).integers(0, 256, (SCANNED, 32), np.uint8)
with (
    tempfile.TemporaryDirectory() as folder,
    Index.build_array(hashes, path=Path(folder, "index")) as index,
):
    index.query_many([bytes(row).hex() for row in hashes[:2]])
    index.clusters()
