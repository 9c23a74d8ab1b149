"""Delivered files while somebody decides: written once, read by the worker, removed afterwards.

They are lists of hashes: as sensitive as the list itself, so nobody but this user may read them.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from strandline.hotline.errors import ExchangeRefused

_DAY = 24 * 3600
#: What lies in the folder only while a process is at it.
_PASSING = ("*.part", "*.upload", "*.staged-*")


@dataclass(frozen=True)
class Kept:
    """A file that was written to the end, under a name that nothing refers to yet."""

    path: Path
    size: int
    sha256: str


def folder() -> Path:
    """Where deliveries lie, made now if it was missing."""
    path: Path = settings.HOTLINE.home / "exchange"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def keep(pieces: Iterable[bytes]) -> Kept:
    """Write a file, no larger than ``import_max_bytes``; what is too large leaves nothing behind.

    Raises:
        ExchangeRefused: it is too large, or empty.
    """
    path = folder() / f"{secrets.token_hex(16)}.part"
    most = settings.HOTLINE.import_max_bytes
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in _checked(pieces, most):
                size += len(piece)
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Kept(path, size, digest.hexdigest())


def _checked(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise ExchangeRefused(
                "file", f"The file is larger than {most:,} bytes, the most taken."
            )
        yield piece
    if not size:
        raise ExchangeRefused("file", "There is no file, or it is empty.")


def path_of(delivery: int) -> Path:
    """Where the file of this delivery is."""
    return folder() / f"{delivery}.list"


def staged_path(delivery: int, attempt: int) -> Path:
    """Where a worker's attempt lays the rows of this delivery ready: each has one of its own."""
    return folder() / f"{delivery}.staged-{attempt}"


def give(kept: Kept, delivery: int) -> None:
    """Let the file be that of ``delivery`` from now on."""
    kept.path.replace(path_of(delivery))


def open_file(delivery: int, sha256: str) -> BinaryIO:
    """The file, opened, once its bytes were seen to be those that were received.

    Raises:
        ExchangeRefused: it is gone, or was changed.
    """
    try:
        file = path_of(delivery).open("rb")
    except OSError as error:
        raise ExchangeRefused(
            "file", f"The delivered file cannot be read ({error.strerror}). Give it again."
        ) from None
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        file.close()
        raise ExchangeRefused("file", "The delivered file was changed on disk. Give it again.")
    file.seek(0)
    return file


def sweep() -> None:
    """Remove what a process that was killed left half-written a day ago or longer."""
    for path in (each for end in _PASSING for each in folder().glob(end)):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _DAY:
                path.unlink()


def remove(delivery: int) -> None:
    """Remove the file; nothing happens when it is gone already."""
    for left in folder().glob(f"{delivery}.staged-*"):
        left.unlink(missing_ok=True)
    path_of(delivery).unlink(missing_ok=True)
