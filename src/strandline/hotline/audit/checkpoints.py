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

_END = b"\n----\n"


@dataclass(frozen=True)
class Checkpoint:
    """The chain at one moment: ``size`` entries, the last one hashing to ``head``."""

    size: int
    head: str


def write(path: Path, *, origin: str, signer: Signer) -> Checkpoint:
    """Sign the chain as it stands and append the note to ``path``, flushed to the disk.

    What an earlier run left unfinished at the end (a crash, a full disk) was never promised and is
    cut away first. Raises OSError when the file cannot be written; at most its last folder is made.
    """
    size, last = head()
    note = signer.sign(f"{origin}/audit\n{size}\n{last}\n")
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0)
        kept = file.read()
        whole = kept.rfind(_END) + len(_END) if _END in kept else 0
        missing = _missing_end(kept[whole:], signer.verifier)
        if missing is None:
            file.truncate(whole)
        else:
            file.write(missing)
        file.write(note.encode() + _END)
        file.flush()
        os.fsync(file.fileno())
    return Checkpoint(size, last)


def read(path: Path, verifier: Verifier) -> list[Checkpoint]:
    """Every checkpoint in ``path``; none where there is no file.

    Raises:
        NoteRefused: one of them is not signed by ``verifier``'s key, is not a checkpoint, or the
            file holds something else.
    """
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise NoteRefused(f"{path} is not a file of checkpoints. Nothing was checked.") from error
    *notes, rest = text.split(_END.decode())
    missing = _missing_end(rest.encode(), verifier)
    if missing is not None:
        notes.append(rest.removesuffix(_END[: -len(missing)].decode()))
    elif rest.strip() and not notes:
        raise NoteRefused(f"{path} holds no whole checkpoint. Nothing was checked.")
    # Any other rest was cut off while it was written, and so never promised.
    return [_parse(open_note(note, [verifier]).text) for note in notes]


def _missing_end(rest: bytes, verifier: Verifier) -> bytes | None:
    """What a whole note at the end of the file lacks of its end mark; none if it is not whole."""
    for length in range(len(_END)):
        if rest.endswith(_END[:length]):
            try:
                open_note(rest[: len(rest) - length], [verifier])
            except NoteRefused:
                continue
            return _END[length:]
    return None


def _parse(text: str) -> Checkpoint:
    lines = text.splitlines()
    if len(lines) != 3 or not lines[0].endswith("/audit") or not lines[1].isdecimal():
        raise NoteRefused("A signed note among the checkpoints is not an audit checkpoint.")
    return Checkpoint(int(lines[1]), lines[2])
