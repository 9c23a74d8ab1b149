"""Signed statements that outsiders can check. Today: C2SP signed notes with Ed25519.

This room signs and verifies text. It opens no connection, reads no clock, and touches no file
except a key file it is asked to load or save. Logs, witnesses and proofs will live here too.
"""

from strandline.errors import NoteRefused
from strandline.transparency.keys import Signer, Verifier
from strandline.transparency.notes import Note, open_note

__all__ = ["Note", "NoteRefused", "Signer", "Verifier", "open_note"]
