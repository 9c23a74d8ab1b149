"""Checking the chain: which entry was altered, is missing or was cut off, if any.

The chain alone shows an altered or a missing entry. A tail that was cut off, or a chain
rewritten from some entry on, shows against a signed checkpoint that was kept elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from strandline.hotline.audit.chain import GENESIS, digest, entries
from strandline.hotline.audit.checkpoints import Checkpoint


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
    pinned = {c.size: c.head for c in checkpoints}
    expected, previous, good = 1, GENESIS, 0

    def fault(sequence: int, message: str) -> Finding:
        return Finding(
            ok=False, entries=expected, checkpoints=len(pinned), sequence=sequence, message=message
        )

    for entry in entries():
        if entry.sequence != expected:
            return fault(
                expected, f"Entry {expected} is missing: the next one is {entry.sequence}."
            )
        if entry.hash != digest(entry):
            return fault(expected, f"Entry {expected} was altered: its hash does not fit its text.")
        if entry.previous != previous:
            return fault(
                expected, f"Entry {expected} was altered or replaced: it does not follow the last."
            )
        if expected in pinned and pinned[expected] != entry.hash:
            return fault(
                good + 1,
                f"Entry {good + 1} is the first that may have been altered: the chain was "
                f"rewritten after entry {good}, for entry {expected} does not fit its signed "
                "checkpoint.",
            )
        if expected in pinned:
            good = expected
        previous = entry.hash
        expected += 1

    count = expected - 1
    longest = max(pinned, default=0)
    if longest > count:
        return fault(
            expected,
            f"Entry {expected} was cut off: the chain ends at {count}, "
            f"but a signed checkpoint saw {longest} entries.",
        )
    return Finding(
        ok=True,
        entries=count,
        checkpoints=len(pinned),
        sequence=None,
        message=f"{count} entries, {len(pinned)} checkpoints: all in order.",
    )
