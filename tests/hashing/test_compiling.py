import os
import subprocess
import sys

import numpy as np
import pytest

from strandline.hashing import _compiling, _kernels, _reference_order, perceptual

KERNELS = {
    "folded_blocks": _kernels.folded_blocks,
    "described": _kernels.described,
    "ordered_block": _reference_order.ordered_block,
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_compiled_for_what_it_takes_and_for_nothing_else(name):
    """Where untrusted files are read nothing can be compiled: it is refused instead."""
    perceptual.load_kernels()
    assert len(KERNELS[name].signatures) == 1
    wrong = [np.zeros((70, 70), np.float64)] * len(KERNELS[name].signatures[0])
    with pytest.raises(TypeError, match="No matching definition"):
        KERNELS[name](*wrong)
    assert len(KERNELS[name].signatures) == 1


def test_a_process_without_environment_loads_the_kernels_and_compiles_none():
    """As the worker starts: isolated, and without a variable but where numba's cache is."""
    perceptual.load_kernels()
    program = (
        "from strandline.hashing import _kernels, _reference_order\n"
        "for kernel in (_kernels.folded_blocks, _kernels.described, _reference_order.ordered_block"
        "):\n    assert kernel.stats.cache_hits and not kernel.stats.cache_misses, kernel.stats\n"
    )
    kept = {name: os.environ[name] for name in ("NUMBA_CACHE_DIR",) if name in os.environ}
    subprocess.run([sys.executable, "-I", "-B", "-c", program], env=kept, check=True)


def test_where_no_folder_can_be_written_kernels_are_compiled_at_each_start(monkeypatch):
    genuine = _compiling.njit

    def without_a_cache(*signature, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return genuine(*signature, **options)

    monkeypatch.setattr(_compiling, "njit", without_a_cache)

    @_compiling.kernel("int64(int64)")
    def twice(number: int) -> int:
        return 2 * number

    assert twice(21) == 42
    assert twice.stats.cache_path is None
