"""Signed notes: text, an empty line, and one line for each signature.

Source: https://c2sp.org/signed-note. The text of a note that does not verify is never returned.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from strandline.errors import NoteRefused
from strandline.transparency.grammar import check_key_name, note_bytes, strict_base64
from strandline.transparency.keys import Verifier

#: The specification asks for at least 16; a bound keeps a hostile note from costing time.
MAX_SIGNATURES = 64


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: whose it says it is, and what the key made."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        blob = base64.b64encode(self.key_id + self.signature).decode("ascii")
        return f"— {self.name} {blob}\n"


@dataclass(frozen=True)
class Note:
    """A text that at least one trusted key signed."""

    #: Ends with a newline; the empty line before the signatures is not part of it.
    text: str
    #: Names of the trusted keys that signed, in the order of the note.
    signed_by: tuple[str, ...]
    #: The lines of the trusted keys that signed, in the order of the note, each once.
    signatures: tuple[NoteSignature, ...] = ()


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> Note:
    """Verify ``note`` and return its text.

    Signatures of keys not in ``verifiers`` are ignored; one of a key in it that fails refuses the
    whole note.
    Raises NoteRefused when the note is malformed or no trusted key signed it.
    """
    known = _by_identity(verifiers)
    text, signatures = split_note(note)
    message = text.encode("utf-8")
    valid: dict[NoteSignature, None] = {}
    for line in signatures:
        verifier = known.get((line.name, line.key_id))
        if verifier is None:
            continue
        if not verifier.verifies(message, line.signature):
            raise NoteRefused(
                f"The signature of {line.name} does not fit the text: one of them was altered. "
                "Nothing in it was used."
            )
        valid[line] = None
    if not valid:
        names = ", ".join(sorted({line.name for line in signatures}))
        raise NoteRefused(
            f"No trusted key signed this (it names {names}). Nothing in it was used; "
            "compare the key you hold with the one its publisher gives."
        )
    return Note(text, tuple(dict.fromkeys(line.name for line in valid)), tuple(valid))


def _by_identity(verifiers: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        identity = (verifier.name, verifier.key_id)
        if known.setdefault(identity, verifier) != verifier:
            raise NoteRefused(
                f"Two trusted keys share the name {verifier.name} and an ID: neither was used."
            )
    return known


def split_note(note: str | bytes) -> tuple[str, list[NoteSignature]]:
    """Text and signature lines of a note, none of them verified; raises NoteRefused."""
    if isinstance(note, bytes):
        try:
            note = note.decode("utf-8")
        except UnicodeDecodeError:
            raise NoteRefused("A signed note must be valid UTF-8. It was not used.") from None
    note_bytes(note)
    split = note.rfind("\n\n")
    if split < 0 or not note.endswith("\n"):
        raise NoteRefused("This is not a signed note, or it is cut off. It was not used.")
    lines = note[split + 2 :].split("\n")[:-1]
    if not lines:
        raise NoteRefused("This note carries no signature. It was not used.")
    if len(lines) > MAX_SIGNATURES:
        raise NoteRefused(
            f"This note carries more than {MAX_SIGNATURES} signatures. It was not read."
        )
    return note[: split + 1], [parse_signature(line) for line in lines]


def parse_signature(line: str) -> NoteSignature:
    """Read one signature line, without its newline; raises NoteRefused."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise NoteRefused("A signature line of this note is malformed. The note was not used.")
    try:
        blob = strict_base64(parts[2])
    except ValueError:
        raise NoteRefused(
            "A signature of this note is mistyped or cut off. The note was not used."
        ) from None
    if len(blob) < 5:
        raise NoteRefused("A signature of this note is cut off. The note was not used.")
    return NoteSignature(check_key_name(parts[1]), blob[:4], blob[4:])
