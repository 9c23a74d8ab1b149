"""Checking the chain: which entry was altered, is missing or was cut off, if any.

The chain alone shows an altered or a missing entry. A tail that was cut off, or a chain
rewritten from some entry on, shows against a signed checkpoint that was kept elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from strandline.hotline.audit.chain import GENESIS, digest, entries
from strandline.hotline.audit.checkpoints import Checkpoint
from strandline.hotline.audit.models import AuditEntry


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What verification found."""

    ok: bool
    #: Entries read, up to and including the first fault.
    entries: int
    #: Checkpoints that were compared.
    checkpoints: int
    #: The first faulty entry's number, if any.
    sequence: int | None
    message: str


def verify(checkpoints: Sequence[Checkpoint] = ()) -> Finding:
    """Read the whole chain against itself and against ``checkpoints`` (already verified).

    Costs one pass over the table, in constant memory.
    """
    pinned: dict[int, set[str]] = {}
    for checkpoint in checkpoints:
        pinned.setdefault(checkpoint.size, set()).add(checkpoint.head)
    seen = _Reading(len(checkpoints))
    try:
        for entry in entries():
            if (faulty := seen.fault_of(entry, pinned.get(entry.sequence, set()))) is not None:
                return faulty
    except DatabaseError as error:
        return seen.fault(f"Entry {seen.expected} or one soon after it cannot be read: {error}.")
    return seen.end(max(pinned, default=0))


class _Reading:
    """How far the chain was read, and what holds so far."""

    def __init__(self, checkpoints: int) -> None:
        self.expected = 1
        self._previous = GENESIS
        #: The last entry that a checkpoint vouches for.
        self._vouched = 0
        self._checkpoints = checkpoints

    def fault_of(self, entry: AuditEntry, heads: set[str]) -> Finding | None:
        """What is wrong with the next entry; none when it is in order."""
        number = self.expected
        if entry.sequence != number:
            return self.fault(f"Entry {number} is missing: the next one is {entry.sequence}.")
        if not _fits(entry):
            return self.fault(f"Entry {number} was altered: its hash does not fit its text.")
        if entry.previous != self._previous:
            return self.fault(
                f"Entry {number} was altered or replaced: it does not follow the last."
            )
        if heads - {entry.hash}:
            first = self._vouched + 1
            return self.fault(
                f"Entry {first} is the first that may have been altered: the chain was "
                f"rewritten after entry {self._vouched}, for entry {number} does not fit its "
                "signed checkpoint.",
                first,
            )
        if heads:
            self._vouched = number
        self._previous = entry.hash
        self.expected += 1
        return None

    def end(self, longest: int) -> Finding:
        """The finding once every entry was in order."""
        count = self.expected - 1
        if longest > count:
            return self.fault(
                f"Entry {self.expected} was cut off: the chain ends at {count}, "
                f"but a signed checkpoint saw {longest} entries."
            )
        if self._checkpoints:
            plural = "" if self._checkpoints == 1 else "s"
            message = f"{count} entries, {self._checkpoints} checkpoint{plural}: all in order."
        else:
            message = (
                f"{count} entries follow one another. There was no checkpoint to compare them "
                "with: a tail that was cut off, or a chain written anew, would not show."
            )
        return Finding(
            ok=True,
            entries=count,
            checkpoints=self._checkpoints,
            sequence=None,
            message=message,
        )

    def fault(self, message: str, sequence: int | None = None) -> Finding:
        """A finding that names the first faulty entry."""
        return Finding(
            ok=False,
            entries=self.expected,
            checkpoints=self._checkpoints,
            sequence=self.expected if sequence is None else sequence,
            message=message,
        )


def _fits(entry: AuditEntry) -> bool:
    try:
        return entry.hash == digest(entry)
    except (AttributeError, TypeError, ValueError):
        return False  # a value that this column never held: somebody wrote it around us
