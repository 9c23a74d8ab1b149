"""A clock that several processes read from one file."""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

#: From the beginning of the story to its end.
STORY = timedelta(days=44, hours=1)


def beginning(now: datetime) -> datetime:
    """A nine o'clock in the morning (UTC) so that the story ends in the three days before ``now``.

    So what it leaves is current. Every telling has the same times of day, and begins at the same of
    three days, since one of the hosts answers by them.
    """
    begin = (now - STORY).replace(hour=9, minute=0, second=0, microsecond=0)
    if begin + STORY > now:
        begin -= timedelta(days=1)
    return begin - timedelta(days=begin.toordinal() % 3)


class FileClock:
    """Simulated time, kept as one ISO 8601 line in a file.

    ``now`` reads the file each time, so every process that was given the same path sees a change
    at once. A clock that was never set raises FileNotFoundError rather than guess a time.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def now(self) -> datetime:
        """The simulated time, aware, in UTC."""
        return datetime.fromisoformat(self.path.read_text(encoding="ascii").strip()).astimezone(UTC)

    def set(self, moment: datetime) -> None:
        """Make it ``moment`` for every reader at once; ValueError when it has no time zone."""
        if moment.tzinfo is None:
            raise ValueError("The clock takes aware times only: give the datetime a time zone.")
        # A reader must never see half a line: write beside it, then rename.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(moment.astimezone(UTC).isoformat() + "\n")
        Path(name).replace(self.path)

    def advance(self, step: timedelta) -> datetime:
        """Move on by ``step`` and return the new time. One process at a time may move the clock."""
        moment = self.now() + step
        self.set(moment)
        return moment
