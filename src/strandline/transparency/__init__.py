"""Signed statements and public logs that outsiders can check, as C2SP specifies them.

Signed notes, Merkle trees, checkpoints and cosignatures, proofs; a log and a mirror that write
their own folder, a witness that writes its own state. This room opens no connection: whoever needs
one hands in a function that reads or posts. It reads no clock but where it says so.
docs/log.md specifies what is used.
"""

from strandline.errors import CheckpointRefused, LogDamaged, NoteRefused, ProofRefused
from strandline.transparency.checkpoints import Checkpoint, OpenedCheckpoint, open_checkpoint
from strandline.transparency.cosignatures import CosignatureSigner, CosignatureVerifier
from strandline.transparency.keys import Signer, Verifier
from strandline.transparency.log import Log
from strandline.transparency.notes import Note, open_note
from strandline.transparency.proofs import OpenedProof, make_proof, open_proof
from strandline.transparency.tiles import TileReader

__all__ = [
    "Checkpoint",
    "CheckpointRefused",
    "CosignatureSigner",
    "CosignatureVerifier",
    "Log",
    "LogDamaged",
    "Note",
    "NoteRefused",
    "OpenedCheckpoint",
    "OpenedProof",
    "ProofRefused",
    "Signer",
    "TileReader",
    "Verifier",
    "make_proof",
    "open_checkpoint",
    "open_note",
    "open_proof",
]
