"""Two pipes to a process that may never answer: every read and write has a deadline."""

import os
import select
import time
from collections.abc import Iterable

_STEP = 1 << 20


class ChannelClosedError(Exception):
    """The other end has gone."""


class DeadlinePassedError(Exception):
    """The other end did not take or give its bytes in time."""


class Channel:
    """Reads from and writes to a worker; descriptors are switched to non-blocking."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        #: In seconds of ``time.monotonic``.
        self.deadline = 0.0
        for descriptor in (reading, writing):
            os.set_blocking(descriptor, False)

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = self.deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise DeadlinePassedError

    def is_readable(self) -> bool:
        """Something can be read at once, or the other end has gone."""
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        return bool(poll.poll(0))

    def send(self, pieces: Iterable[bytes | memoryview]) -> None:
        """Write all pieces before the deadline."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                self._wait(self._writing, select.POLLOUT)
                try:
                    rest = rest[os.write(self._writing, rest[:_STEP]) :]
                except BlockingIOError:
                    continue  # less room than a poll promised; wait again
                except BrokenPipeError as gone:
                    raise ChannelClosedError from gone

    def take(self, count: int) -> bytes:
        """Read exactly ``count`` bytes before the deadline; memory grows as bytes arrive."""
        whole = bytearray()
        while len(whole) < count:
            self._wait(self._reading, select.POLLIN)
            try:
                got = os.read(self._reading, min(_STEP, count - len(whole)))
            except BlockingIOError:
                continue
            if not got:
                raise ChannelClosedError
            whole += got
        return bytes(whole)
