"""Writing files so that a kill or a power cut leaves the old content or the new, whole."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_PIECE = 1 << 24
#: Arrays begin at multiples of this, so that no value of theirs lies across a page.
_ALIGNED = 64


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, that other users of the machine cannot read."""
    # Fingerprints can be partly turned back into pictures.
    path.mkdir(mode=0o750, parents=True, exist_ok=True)


def write_new(path: Path, data: bytes) -> None:
    """Write a file, flushed; what a killed writer left under the name is replaced."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


class ArrayFile:
    """A new file of arrays, one after the other. Its size and SHA-256 are known at its end."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        self._file = os.fdopen(descriptor, "wb")
        self._digest = hashlib.sha256()
        self.size = 0
        #: By name: where an array begins, and its bytes.
        self.places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Write the bytes of an array."""
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self.places[name] = (self.size, data.size)
        for low in range(0, data.size, _PIECE):
            self._put(data[low : low + _PIECE].data)
        self._put(bytes(-self.size % _ALIGNED))

    def _put(self, piece: bytes | memoryview) -> None:
        self._digest.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def flush(self) -> None:
        """Let what was written be mapped."""
        self._file.flush()

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._digest.hexdigest()


def replace(path: Path, data: bytes, staging: Path) -> None:
    """Put a file in place in one step, by way of the folder ``staging``."""
    make_folder(staging)
    staged = staging / path.name
    write_new(staged, data)
    staged.replace(path)
    flush_folder(path.parent)


def flush_folder(path: Path) -> None:
    """Make renames in this folder outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a folder and all below it, if it is there."""
    if path.exists():
        shutil.rmtree(path)
