"""A WSGI body of which the beginning was read already."""

import io
from collections.abc import Iterator
from typing import IO


class BegunInput:
    """Gives the beginning again, then the rest, as ``wsgi.input`` has to (PEP 3333).

    Nothing of the rest is kept, and no more of it is asked for than the application asks.
    """

    def __init__(self, head: bytes, rest: IO[bytes] | None) -> None:
        """Without ``rest`` the body ends with ``head``."""
        self._head = io.BytesIO(head)
        self._rest = rest

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes, all of them when it is negative or None."""
        if size is None or size < 0:
            first = self._head.read()
            return first + self._rest.read() if self._rest else first
        first = self._head.read(size)
        if self._rest is None or len(first) == size:
            return first
        return first + self._rest.read(size - len(first))

    def readline(self, size: int | None = -1) -> bytes:
        """One line with its end, or at most ``size`` bytes of it."""
        if size is None or size < 0:
            first = self._head.readline()
            if self._rest is None or first.endswith(b"\n"):
                return first
            return first + self._rest.readline()
        first = self._head.readline(size)
        if self._rest is None or first.endswith(b"\n") or len(first) == size:
            return first
        return first + self._rest.readline(size - len(first))

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """All lines that are left, or so many that they have ``hint`` bytes."""
        lines, length = [], 0
        for line in self:
            lines.append(line)
            length += len(line)
            if hint is not None and 0 < hint <= length:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")
