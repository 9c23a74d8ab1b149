"""Costly work done by a few at once, so that whoever asks for much of it does not stop the rest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from strandline.hotline.errors import Busy


class Turns:
    """At most ``at_once`` callers of a process work; at most ``waiting`` more wait for a turn."""

    def __init__(self, at_once: int, *, waiting: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and have it.

        Raises:
            Busy: as many wait as may; nothing was done.
        """
        if not self._places.acquire(blocking=False):
            raise Busy("Too much is being asked of this page at this moment. Please try again.")
        try:
            with self._free:
                yield
        finally:
            self._places.release()
