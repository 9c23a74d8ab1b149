"""What the signed-note format allows in names, texts and base64 (https://c2sp.org/signed-note)."""

import base64
import binascii

from strandline.errors import NoteRefused

#: Characters. Ours are under a kilobyte; room for many post-quantum signatures of 5 kB.
MAX_NOTE = 1_000_000


def check_key_name(name: str) -> str:
    """Return ``name``, or raise NoteRefused if a signature line could not carry it."""
    if not name or any(c.isspace() or c == "+" for c in name):
        raise NoteRefused(
            f"The key name {name!r} cannot be used: it must not be empty and must not contain "
            "spaces or plus signs. A web address without its scheme is a good name."
        )
    note_bytes(name)
    return name


def note_bytes(text: str) -> bytes:
    """The UTF-8 that gets signed; raises NoteRefused for what a note must not hold."""
    if len(text) > MAX_NOTE:
        raise NoteRefused("This is too long for a signed note. It was not read.")
    if any(c < " " and c != "\n" for c in text):
        raise NoteRefused("A signed note must not contain control characters. It was not used.")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NoteRefused("A signed note must be valid UTF-8. It was not used.") from None


def strict_base64(text: str) -> bytes:
    """Decode the one form RFC 4648 section 4 gives these bytes; ValueError for any other."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    # Loose trailing bits decode to the same bytes: two texts for one signature would let a changed
    # byte pass unseen.
    if base64.b64encode(data).decode("ascii") != text:
        raise ValueError("not canonical base64")
    return data
