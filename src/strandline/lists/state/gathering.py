"""Arrays that are gathered piece by piece: in memory while they are small, else in a nameless file.

A list of millions is taken in without ever being in memory at once: what was gathered is mapped,
and the system may forget it whenever it needs room. A file without a name is gone with the process,
however that ends. Nobody else can open it.
"""

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

#: Bytes of one array that are kept in memory.
_IN_MEMORY = 1 << 20


class Gathered:
    """One array that grows at its end; :meth:`whole` is asked once, when it is complete."""

    def __init__(self, kind: Any, scratch: Path, width: int | None = None) -> None:  # noqa: ANN401 - whatever numpy takes for a dtype
        self._kind = np.dtype(kind)
        self._row = () if width is None else (width,)
        self._scratch = scratch
        self._pieces: list[NDArray[Any]] = []
        self._held = 0
        self._file: BinaryIO | None = None

    def add(self, piece: NDArray[Any]) -> None:
        """Append values; raises OSError when they cannot be written."""
        piece = np.ascontiguousarray(piece, self._kind)
        if not piece.size:
            return
        self._pieces.append(piece)
        self._held += piece.nbytes
        if self._held > _IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._scratch, buffering=0)  # noqa: SIM115 - closed by ``whole``
        for piece in self._pieces:
            data = piece.reshape(-1).view(np.uint8).data
            while data:
                data = data[self._file.write(data) :]
        self._pieces, self._held = [], 0

    def whole(self) -> NDArray[Any]:
        """All values in the order in which they were added."""
        if self._file is None:
            return np.concatenate([np.zeros((0, *self._row), self._kind), *self._pieces])
        self._spill()
        with self._file:
            mapped = np.memmap(self._file, np.uint8, mode="r").view(np.ndarray)
        values: NDArray[Any] = mapped.view(self._kind).reshape(-1, *self._row)
        return values
