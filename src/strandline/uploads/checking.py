"""Is this file on the list? Asked of the list that a member holds."""

import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from strandline.errors import ListRefused
from strandline.hashing import Examiner
from strandline.lists import HashList

_log = logging.getLogger(__name__)


class Unavailable(Exception):
    """No list can be asked now; the text says why."""


@dataclass(frozen=True)
class Finding:
    """What is known of one file after it was compared."""

    #: Whether it, or a picture that looks the same, is on the list.
    listed: bool
    #: Hex digest of its bytes; to find it again, never to be shown to its sender.
    sha256: str
    #: Names of the entries, nearest first; only for the people who may see the list.
    entries: tuple[str, ...] = ()
    #: A sentence, where it could not be read as a picture: then only its bytes were compared.
    problem: str | None = None


class Checker(Protocol):
    """What a guard asks. Called from several threads at once."""

    def check(self, file: IO[bytes]) -> Finding:
        """Compare one file, from where it stands to its end; raises Unavailable."""
        ...


class HeldList:
    """The list in a member's folder, as ``strandline list sync`` keeps it.

    A newer edition is noticed and used without a restart. Safe to share between threads.
    """

    def __init__(self, directory: str | Path, *, radius: int | None = None) -> None:
        self._directory = Path(directory)
        self._radius = {} if radius is None else {"radius": radius}
        self._lock = threading.Lock()
        self._examiner = Examiner()
        self._held: HashList | None = None

    def check(self, file: IO[bytes]) -> Finding:
        """See :class:`Checker`."""
        held = self._open()
        data = file.read()
        found = held.recognise(data, self._examiner, **self._radius)
        return Finding(
            listed=bool(found.hits),
            sha256=found.sha256 or hashlib.sha256(data).hexdigest(),
            entries=tuple(dict.fromkeys(hit.name for hit in found.hits)),
            problem=found.problem,
        )

    def close(self) -> None:
        """End the process that decodes pictures."""
        self._examiner.close()

    def _open(self) -> HashList:
        with self._lock:
            try:
                if self._held is None:
                    self._held = HashList.open(self._directory)
                self._held.refresh()
            except ListRefused as refused:
                raise Unavailable(refused.message) from refused
            return self._held
