"""Verifier keys that a person typed, or named a file for."""

import re
from pathlib import Path

_VKEY = re.compile(r"\S+\+[0-9a-f]{8}\+\S+")


def key_text(text: str) -> str:
    """The key itself, or the content of the file that holds it."""
    if _VKEY.fullmatch(text):
        return text
    # What is no text becomes a key that is refused with a sentence.
    return Path(text).read_text("utf-8", errors="replace").strip()
