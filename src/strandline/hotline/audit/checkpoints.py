"""Signed statements of how long the chain was and what its last hash was.

A checkpoint is a C2SP signed note whose text is three lines, ``<origin>/audit``, the number of
entries and the last entry's hash. Each is appended to one file, meant to be copied to where
whoever can rewrite the database cannot reach.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from strandline.errors import NoteRefused
from strandline.hotline.audit.chain import head
from strandline.transparency import Signer, Verifier, open_note

_SEPARATOR = "\n----\n"


@dataclass(frozen=True)
class Checkpoint:
    """The chain at one moment: ``size`` entries, the last one hashing to ``head``."""

    size: int
    head: str


def write(path: Path, *, origin: str, signer: Signer) -> Checkpoint:
    """Sign the chain as it stands and append the note to ``path``, flushed to the disk."""
    size, last = head()
    note = signer.sign(f"{origin}/audit\n{size}\n{last}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(note + _SEPARATOR)
        file.flush()
        os.fsync(file.fileno())
    return Checkpoint(size, last)


def read(path: Path, verifier: Verifier) -> list[Checkpoint]:
    """Every checkpoint in ``path``.

    Raises:
        NoteRefused: one of them is not signed by ``verifier``'s key or is not a checkpoint.
    """
    if not path.exists():
        return []
    notes = path.read_text(encoding="utf-8").split(_SEPARATOR)
    # A crash while appending leaves a last piece without its separator: it was never promised.
    return [_parse(open_note(note, [verifier]).text) for note in notes[:-1]]


def _parse(text: str) -> Checkpoint:
    lines = text.splitlines()
    if len(lines) != 3 or not lines[0].endswith("/audit") or not lines[1].isdecimal():
        raise NoteRefused("A signed note among the checkpoints is not an audit checkpoint.")
    return Checkpoint(int(lines[1]), lines[2])
