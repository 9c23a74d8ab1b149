"""What a log signs and witnesses cosign: its name, its size and its root.

Source: https://c2sp.org/tlog-checkpoint.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Self

from strandline.errors import CheckpointRefused, ProofRefused
from strandline.transparency.cosignatures import CosignatureVerifier, cosigned_at
from strandline.transparency.grammar import strict_base64
from strandline.transparency.keys import Verifier
from strandline.transparency.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, verify_consistency
from strandline.transparency.notes import open_note

#: A witness's clock may be this far ahead of ours.
AHEAD = timedelta(minutes=5)
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log: the root over its first ``size`` leaves."""

    origin: str
    size: int
    root: bytes
    #: Lines after the third, which no one checks; ours have none.
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(lines) or any("\n" in line for line in lines):
            raise CheckpointRefused("A checkpoint has an empty line or one too many. Not used.")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise CheckpointRefused("A checkpoint names no possible size or root. Not used.")

    @property
    def text(self) -> str:
        """What is signed; ends with a newline."""
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text`` back; raises CheckpointRefused unless it is canonical."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop():
            raise CheckpointRefused("This is not a checkpoint of a log, or it is cut off.")
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size):
            raise CheckpointRefused("A checkpoint's second line is not a size. It was not used.")
        try:
            value = strict_base64(root)
        except ValueError:
            raise CheckpointRefused(
                "A checkpoint's third line is not a root hash. It was not used."
            ) from None
        return cls(origin, int(size), value, tuple(extensions))

    def extends(self, older: "Checkpoint", proof: Sequence[bytes]) -> None:
        """Check that this log begins with ``older``; raises ProofRefused.

        From the empty log anything follows, and the proof must be empty.
        """
        if self.origin != older.origin:
            raise ProofRefused(f"{self.origin} and {older.origin} are two logs, not one.")
        if self.size < older.size:
            raise ProofRefused(
                f"The log of {older.size} leaves was set back to {self.size}: this is a rollback."
            )
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ProofRefused("An empty log has one root only, and this is another.")
        if older.size == 0:
            if proof:
                raise ProofRefused("What follows the empty log needs no proof, and one was given.")
            return
        verify_consistency(older.size, older.root, self.size, self.root, proof)


@dataclass(frozen=True)
class OpenedCheckpoint:
    """A checkpoint that its log signed and enough witnesses cosigned."""

    checkpoint: Checkpoint
    #: When each known witness cosigned, by its name; late ones too.
    cosigned: Mapping[str, datetime]
    #: The note as it was received.
    note: str


def open_checkpoint(
    note: str | bytes,
    log: Verifier,
    witnesses: Sequence[CosignatureVerifier] = (),
    quorum: int = 0,
    *,
    now: datetime | None = None,
    fresh: timedelta | None = None,
    origin: str | None = None,
) -> OpenedCheckpoint:
    """Verify a log's signed checkpoint and its cosignatures.

    ``quorum`` of the ``witnesses`` must have cosigned; with ``fresh`` (and then ``now``), no longer
    ago than that, and not in the future. The log's key bears its origin's name unless ``origin``
    says otherwise. Without a quorum nothing tells a checkpoint's age.

    Raises CheckpointRefused or NoteRefused.
    """
    if len({witness.public_key for witness in witnesses}) != len(witnesses):
        raise CheckpointRefused("One witness's key is named twice: it would count twice. Not used.")
    if quorum > len(witnesses):
        raise CheckpointRefused(
            f"{quorum} witnesses must cosign and only {len(witnesses)} are known. Not used."
        )
    opened = open_note(note, [log, *witnesses])
    signed = {(line.name, line.key_id) for line in opened.signatures}
    if (log.name, log.key_id) not in signed:
        raise CheckpointRefused(f"The log's key {log.name} did not sign this. It was not used.")
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != (origin or log.name):
        raise CheckpointRefused(
            f"This checkpoint is of the log {checkpoint.origin!r} and not of "
            f"{origin or log.name!r}. It was not used."
        )
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise CheckpointRefused("An empty log has one root only, and this is another. Not used.")
    by_identity = {(witness.name, witness.key_id): witness for witness in witnesses}
    cosigned: dict[bytes, datetime] = {}
    for line in opened.signatures:
        witness = by_identity.get((line.name, line.key_id))
        if witness is not None:
            when = cosigned_at(line)
            cosigned[witness.public_key] = max(when, cosigned.get(witness.public_key, when))
    wrong = objection(list(cosigned.values()), quorum, now, fresh)
    if wrong:
        raise CheckpointRefused(f"{wrong[1]} It was not used.")
    names = {w.name: cosigned[w.public_key] for w in witnesses if w.public_key in cosigned}
    text = note.decode("utf-8") if isinstance(note, bytes) else note
    return OpenedCheckpoint(checkpoint, MappingProxyType(names), text)


def objection(
    times: Sequence[datetime], quorum: int, now: datetime | None, fresh: timedelta | None
) -> tuple[str, str] | None:
    """What is wrong with when a log was cosigned: ``uncosigned`` or ``stale``, and a sentence."""
    if len(times) < quorum:
        return "uncosigned", (
            f"Only {len(times)} of the {quorum} witnesses that are needed cosigned the log: it may "
            "be shown to you alone."
        )
    if now is None or fresh is None or not quorum:
        return None
    enough = sorted(times)[-quorum]  # since when no quorum has spoken
    if sum(when <= now + AHEAD for when in times) < quorum:
        return "stale", (
            f"The log was cosigned on {max(times):%Y-%m-%d %H:%M} UTC, and here it is "
            f"{now:%Y-%m-%d %H:%M} UTC: one of the clocks is wrong."
        )
    if sum(now - fresh <= when <= now + AHEAD for when in times) < quorum:
        return "stale", (
            f"The log was last cosigned by enough witnesses on {enough:%Y-%m-%d %H:%M} UTC, longer "
            f"than {_hours(fresh)} ago: somebody may be showing an old state."
        )
    return None


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
