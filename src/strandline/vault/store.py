"""Where the encrypted evidence lies: a directory or an S3 bucket, each key written once."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from strandline.errors import AlreadyStored, NotStored, VaultError
from strandline.vault.sealing import decrypt, encrypt

_SUFFIX = ".age"
_MAX_KEY = 512  # characters; an S3 key may have 1024 octets
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]{0,199}")
_CAUSES = {
    "os error 28": "the disk is full",
    "os error 122": "the disk quota is used up",
    "os error 27": "the file is larger than this system allows",
    "os error 13": "this account may not write or read there",
    "os error 30": "the disk is mounted read-only",
}


class Vault:
    """Evidence under keys such as ``2026/11/3f2a…``, encrypted before it leaves the process.

    ``location`` is a directory (made if missing, readable by its owner alone) or
    ``s3://bucket/prefix``, for which the usual ``AWS_…`` environment variables give access.
    ``recipients`` are age recipients; without any, a vault can be read but not written.

    A key appears at once and whole, or not at all: on disk the bytes go to a file beside it that
    is then linked to the key's name; on S3 by a conditional put. When :meth:`put` returns, the
    bytes are on the disk, not only in its cache.
    """

    def __init__(self, location: str | Path, *, recipients: Sequence[str]) -> None:
        self._recipients = tuple(recipients)
        self._root: Path | None = None
        if isinstance(location, str) and location.startswith("s3://"):
            self._store: LocalStore | S3Store = S3Store.from_url(
                location, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
            )
            return
        if isinstance(location, str) and "://" in location:
            raise VaultError(
                "Evidence is kept in a directory or under s3://bucket/prefix, not elsewhere. "
                "Nothing was opened."
            )
        self._root = Path(location).resolve()
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store = LocalStore(self._root)
        except (OSError, BaseError) as error:
            _fail("The evidence store could not be opened", error)

    def put(self, key: str, data: bytes) -> None:
        """Encrypt and keep ``data``. Raises :class:`AlreadyStored`, :class:`VaultError`."""
        path = _path(key)
        encrypted = encrypt(data, self._recipients)
        try:
            obstore.put(self._store, path, encrypted, mode="create")
            self._settle(path)
        except AlreadyExistsError:
            raise AlreadyStored(
                f"Evidence is already kept under {key}; it was left as it is."
            ) from None
        except (OSError, BaseError) as error:
            _fail("The evidence could not be stored", error)

    def get(self, key: str, identity: str) -> bytes:
        """Return what was put. Raises :class:`NotStored`, :class:`CannotOpen`, VaultError."""
        try:
            encrypted = obstore.get(self._store, _path(key)).bytes().to_bytes()
        except (FileNotFoundError, NotFoundError):
            raise _not_stored(key) from None
        except (OSError, BaseError) as error:
            _fail("The evidence could not be read", error)
        return decrypt(encrypted, identity)

    def delete(self, key: str) -> None:
        """Remove what is kept under ``key``. Raises :class:`NotStored`, :class:`VaultError`."""
        if not self.exists(key):  # S3 deletes what is not there without a word
            raise _not_stored(key)
        path = _path(key)
        try:
            obstore.delete(self._store, path)
            self._settle_directory(path)
        except (FileNotFoundError, NotFoundError):
            raise _not_stored(key) from None
        except (OSError, BaseError) as error:
            _fail("The evidence could not be deleted", error)

    def exists(self, key: str) -> bool:
        """Whether something is kept under ``key``. Raises :class:`VaultError`."""
        try:
            obstore.head(self._store, _path(key))
        except (FileNotFoundError, NotFoundError):
            return False
        except (OSError, BaseError) as error:
            _fail("The evidence store could not be read", error)
        return True

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``, in no particular order."""
        directory = prefix.rpartition("/")[0]
        if directory:
            _path(directory)
        try:
            for chunk in obstore.list(self._store, directory or None):
                for meta in chunk:
                    key = meta["path"].removesuffix(_SUFFIX)
                    if key != meta["path"] and key.startswith(prefix):
                        yield key
        except (OSError, BaseError) as error:
            _fail("The evidence store could not be listed", error)

    def _settle(self, path: str) -> None:
        """Have the file and the names that lead to it written to the disk (obstore does not)."""
        if self._root is not None:
            _flush(self._root / path)
            self._settle_directory(path)

    def _settle_directory(self, path: str) -> None:
        if self._root is None:
            return
        for parent in (self._root / path).relative_to(self._root).parents:
            _flush(self._root / parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _path(key: str) -> str:
    """Return where ``key`` lies below the root; refuse what could lie anywhere else."""
    segments = key.split("/")
    if len(key) > _MAX_KEY or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise VaultError(
            "A key is made of letters, digits and . _ = - in parts separated by single slashes. "
            "Nothing was stored or read."
        )
    return key + _SUFFIX


def _not_stored(key: str) -> NotStored:
    return NotStored(f"Nothing is kept under {key}.")


def _fail(what: str, error: Exception) -> NoReturn:
    first_line = str(error).partition("\n")[0]
    cause = next((text for mark, text in _CAUSES.items() if mark in str(error)), None)
    if cause is None and isinstance(error, OSError) and error.errno is not None:
        cause = _CAUSES.get(f"os error {error.errno}")
    raise VaultError(
        f"{what}: {cause or first_line}. What was kept before is unchanged. "
        "Once the cause is mended, try again."
    ) from error
