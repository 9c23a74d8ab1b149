"""The log as a member has seen it: its signed state, and the hash of every leaf.

Thirty-two bytes a leaf are kept, so that each new state can be checked against all that was seen
before, and any leaf's place shown, without asking anyone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from strandline.errors import ListRefused, NotPublished, ProofRefused, StrandlineError
from strandline.lists.trust.policy import Policy
from strandline.transparency import CosignatureVerifier, Verifier
from strandline.transparency.checkpoints import Checkpoint, OpenedCheckpoint, open_checkpoint
from strandline.transparency.merkle import (
    HASH_BYTES,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from strandline.transparency.notes import open_note
from strandline.transparency.proofs import make_proof, open_proof
from strandline.transparency.tiles import WIDTH, decode_tile, tile_path, tile_widths

#: Bytes of a checkpoint with the cosignatures of a hundred witnesses.
MAX_CHECKPOINT = 100_000
#: Leaves: more than a list with an edition a minute has in a century.
MAX_LEAVES = 2**28
Read = Callable[[str, int], bytes]


@dataclass(frozen=True)
class Keys:
    """Whom to believe about the log."""

    log: Verifier
    witnesses: tuple[CosignatureVerifier, ...]
    quorum: int
    fresh: timedelta

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """Those that a list's policy names."""
        return cls(
            Verifier.from_vkey(policy.log),
            tuple(CosignatureVerifier.from_vkey(vkey) for vkey in policy.witnesses),
            policy.witness_quorum,
            timedelta(hours=policy.fresh_hours),
        )

    def open(self, note: str | bytes, now: datetime | None = None) -> OpenedCheckpoint:
        """A signed state with its quorum; with ``now`` a fresh one."""
        fresh = self.fresh if now is not None else None
        return open_checkpoint(note, self.log, self.witnesses, self.quorum, now=now, fresh=fresh)

    def plain(self, note: str | bytes) -> str:
        """The note with the signatures of these keys and no other line, so that it has one form."""
        opened = open_note(note, [self.log, *self.witnesses])
        return f"{opened.text}\n{''.join(line.line for line in opened.signatures)}"


@dataclass(frozen=True)
class SeenLog:
    """What is held of the log."""

    #: The signed state, in its plain form.
    note: str
    checkpoint: Checkpoint
    hashes: Sequence[bytes]

    @classmethod
    def read(cls, note: bytes, hashes: bytes, keys: Keys) -> Self:
        """What was kept; raises ListRefused unless it is whole and in its one form."""
        try:
            opened = keys.open(note)
            plain = keys.plain(note)
        except StrandlineError as error:
            raise ListRefused(f"The log as it was seen last is damaged. {error.message}") from error
        checkpoint = opened.checkpoint
        size = checkpoint.size * HASH_BYTES
        found = _split(hashes[:size])
        if plain.encode() != note or root_of(found) != checkpoint.root or len(hashes) < size:
            raise ListRefused("The log as it was seen last is damaged: it is not as it was signed.")
        return cls(plain, checkpoint, found)

    @property
    def encoded(self) -> bytes:
        """The hashes, one after the other."""
        return b"".join(self.hashes)

    def prove(self, index: int) -> str:
        """The proof that leaf ``index`` is in the log as it was seen last."""
        return make_proof(index, inclusion_proof(self.hashes, index), self.note)

    def holds(self, leaf: bytes, proof: bytes, keys: Keys) -> tuple[int, str]:
        """The index of a leaf that ``proof`` shows, and the proof in its one form.

        Raises ListRefused unless the proof's own state of the log is the beginning of this one.
        """
        try:
            found = open_proof(proof, leaf, keys.log, keys.witnesses, keys.quorum)
        except StrandlineError as error:
            raise ListRefused(error.message) from error
        older = found.opened.checkpoint
        if older.size > self.checkpoint.size:
            raise ListRefused(
                f"Its proof is of a log of {older.size} leaves, and the log shows "
                f"{self.checkpoint.size}: the newest are kept from you."
            )
        if root_of(self.hashes[: older.size]) != older.root:
            raise ListRefused("Its proof is of another history of the log than the one seen here.")
        if self.hashes[found.index] != leaf_hash(leaf):
            raise ListRefused("Its proof is of another leaf.")
        plain = make_proof(
            found.index,
            inclusion_proof(self.hashes[: older.size], found.index),
            keys.plain(found.opened.note),
        )
        return found.index, plain


def look(read: Read, keys: Keys, seen: SeenLog | None, now: datetime) -> SeenLog:
    """The log as it is published now; raises ListRefused unless it goes on from what was seen."""
    try:
        note = read("log/checkpoint", MAX_CHECKPOINT)
    except NotPublished as missing:
        raise ListRefused("The log publishes no state of itself.") from missing
    try:
        opened = keys.open(note, now)
        plain = keys.plain(note)
    except StrandlineError as error:
        raise ListRefused(f"The transparency log cannot be believed. {error.message}") from error
    checkpoint = opened.checkpoint
    held = seen.hashes if seen else ()
    if checkpoint.size < len(held):
        raise ListRefused(
            f"The transparency log was set back: {len(held)} leaves of it were seen here, and now "
            f"it shows {checkpoint.size}. An old state is being served, or the log was forked."
        )
    if checkpoint.size > MAX_LEAVES:
        raise ListRefused(f"A log of {checkpoint.size} leaves is not of a list of this kind.")
    hashes = list(held)
    for number, width in tile_widths(0, checkpoint.size):
        if number * WIDTH + width <= len(held):
            continue
        known = len(hashes) - number * WIDTH
        tile = _tile(read, number, width)
        if tile[:known] != hashes[number * WIDTH :]:
            raise _forked()
        hashes += tile[known:]
    if root_of(hashes) != checkpoint.root:
        if seen and root_of(hashes[: seen.checkpoint.size]) == seen.checkpoint.root:
            raise _forked()
        raise ListRefused("The log's files do not hash to its signed state. It was not used.")
    return SeenLog(plain, checkpoint, hashes)


def _tile(read: Read, number: int, width: int) -> list[bytes]:
    for held in dict.fromkeys((width, WIDTH)):
        path = f"log/{tile_path(0, number, held)}"
        try:
            return decode_tile(read(path, WIDTH * HASH_BYTES), held)[:width]
        except NotPublished:
            continue
        except StrandlineError as error:
            if isinstance(error, (ListRefused, ProofRefused)):
                raise
            raise ListRefused(error.message) from error
    raise ListRefused(f"The log lacks its file {tile_path(0, number, width)}.")


def _forked() -> ListRefused:
    return ListRefused(
        "The transparency log does not go on from what was seen of it: its history was changed, or "
        "you are shown another one than others are. Tell the publisher and the witnesses."
    )


def _split(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
