"""A leaf's proof as one text that can be checked offline: https://c2sp.org/tlog-proof."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from strandline.errors import ProofRefused
from strandline.transparency.checkpoints import OpenedCheckpoint, open_checkpoint
from strandline.transparency.cosignatures import CosignatureVerifier
from strandline.transparency.grammar import strict_base64
from strandline.transparency.keys import Verifier
from strandline.transparency.merkle import leaf_hash, verify_inclusion

FIRST_LINE = "c2sp.org/tlog-proof@v1"
#: Hashes: a tree of 2**63 leaves is that deep.
MAX_HASHES = 63
#: Characters; a checkpoint with many cosignatures is a few kilobytes.
MAX_PROOF = 200_000
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class OpenedProof:
    """A leaf that is in the log, where, and the checkpoint that says so."""

    index: int
    opened: OpenedCheckpoint


def make_proof(index: int, inclusion: Sequence[bytes], checkpoint_note: str) -> str:
    """The proof's text: where the leaf is, the way to the root, the checkpoint with that root."""
    hashes = "".join(f"{base64.b64encode(one).decode('ascii')}\n" for one in inclusion)
    return f"{FIRST_LINE}\nindex {index}\n{hashes}\n{checkpoint_note}"


def open_proof(
    text: str | bytes,
    leaf: bytes,
    log: Verifier,
    witnesses: Sequence[CosignatureVerifier] = (),
    quorum: int = 0,
    *,
    now: datetime | None = None,
    fresh: timedelta | None = None,
) -> OpenedProof:
    """Check that ``leaf``, the entry's bytes, is in the log, as ``open_checkpoint`` believes it.

    Raises ProofRefused, CheckpointRefused or NoteRefused.
    """
    index, hashes, note = _parse(text)
    opened = open_checkpoint(note, log, witnesses, quorum, now=now, fresh=fresh)
    checkpoint = opened.checkpoint
    verify_inclusion(leaf_hash(leaf), index, checkpoint.size, hashes, checkpoint.root)
    return OpenedProof(index, opened)


def _parse(text: str | bytes) -> tuple[int, list[bytes], str]:
    """Index, hashes and checkpoint of a proof; extra data is skipped, since nothing vouches for it.

    Raises ProofRefused.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            raise _malformed() from None
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(text) > MAX_PROOF or not separator or lines.pop(0) != FIRST_LINE:
        raise _malformed()
    try:
        if lines and lines[0].startswith("extra "):
            strict_base64(lines.pop(0).removeprefix("extra "))
        found = _INDEX.fullmatch(lines.pop(0)) if lines else None
        hashes = [strict_base64(line) for line in lines]
    except ValueError:
        raise _malformed() from None
    if found is None or len(hashes) > MAX_HASHES:
        raise _malformed()
    return int(found[1]), hashes, note


def _malformed() -> ProofRefused:
    return ProofRefused("This is not a proof that a log holds something, or it is cut off.")
