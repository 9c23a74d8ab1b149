"""How this room's kernels are compiled by numba, whose import takes half a second.

A kernel that is called from outside has one explicit signature, so that importing its module loads
it (from numba's cache on disk, once it was compiled) and nothing is compiled later: where untrusted
files are read, no file can be opened any more. The signatures ask for read-only arrays, which
writable ones are as well. The functions a kernel calls live in its module: numba compiles them
again when that file changes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])

PIXELS = "Array(uint8, 2, 'C', readonly=True)"
BLOCK = "Array(float32, 2, 'C', readonly=True)"


def kernel(signature: str, *, reorder: bool = False) -> Callable[[_Kernel], _Kernel]:
    """Compile for ``signature`` now, or load what was compiled before.

    ``reorder`` lets sums be taken in any order; without it they stay in the order written.
    """

    def compiled(function: _Kernel) -> _Kernel:
        options: dict[str, Any] = {"nogil": True, "fastmath": reorder, "boundscheck": False}
        try:
            made: Any = njit(signature, cache=True, **options)(function)
        except RuntimeError:  # numba found no folder to keep it in: compiled at each start
            made = njit(signature, **options)(function)
        return made  # type: ignore[no-any-return]

    return compiled


def part(*, reorder: bool = False) -> Callable[[_Kernel], _Kernel]:
    """Compile a function as part of each kernel that calls it."""

    def compiled(function: _Kernel) -> _Kernel:
        options: dict[str, Any] = {"nogil": True, "fastmath": reorder, "boundscheck": False}
        made: Any = njit(**options)(function)
        return made  # type: ignore[no-any-return]

    return compiled
