"""Witnesses' signatures under a log's checkpoint: Ed25519 cosignature/v1.

Source: https://c2sp.org/tlog-cosignature. A cosignature says that its witness, at the time it
bears, had seen no larger tree of this log and none that is inconsistent with this one.
"""

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

from strandline.errors import NoteRefused
from strandline.transparency.grammar import note_bytes
from strandline.transparency.keys import COSIGNATURE, Signer, Verifier
from strandline.transparency.notes import NoteSignature

_TIME = struct.Struct(">Q")
_LENGTH = _TIME.size + 64
#: The last second of the year 9999, where dates end.
_LATEST = 253402300799


@dataclass(frozen=True)
class CosignatureVerifier(Verifier):
    """A witness's public key; its vkey has signature type 0x04."""

    algorithm: ClassVar[bytes] = COSIGNATURE

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature``, a time and an Ed25519 signature, is this witness's."""
        if len(signature) != _LENGTH:
            return False
        (seconds,) = _TIME.unpack_from(signature)
        if not 0 < seconds <= _LATEST:
            return False
        return super().verifies(_signed(seconds, message), signature[_TIME.size :])


class CosignatureSigner:
    """A witness's private key under its name.

    The key file is that of ``Signer``, as the witnesses of transparency-dev keep theirs; the key
    must sign nothing else.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def __repr__(self) -> str:
        return f"CosignatureSigner({self.vkey!r})"

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key from the system's randomness."""
        return cls(Signer.generate(name))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Use the 32 secret bytes of RFC 8032; ValueError for another length."""
        return cls(Signer.from_seed(name, seed))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a key file; raises NoteRefused when it is missing, malformed or open to others."""
        return cls(Signer.load(path))

    def save(self, path: str | Path) -> None:
        """Write the key to a new file only its owner can read; raises NoteRefused."""
        self._signer.save(path)

    @property
    def name(self) -> str:
        """The witness's name."""
        return self._signer.name

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public half."""
        return CosignatureVerifier(self.name, self._signer.verifier.public_key)

    @property
    def vkey(self) -> str:
        """The public half as one line of text."""
        return self.verifier.vkey

    def cosign(self, text: str, now: datetime) -> str:
        """The signature line over a checkpoint's text, which the caller has verified."""
        seconds = int(now.timestamp())
        if not 0 < seconds <= _LATEST:
            raise NoteRefused("The clock shows a time that no cosignature can bear. Set it first.")
        signature = self._signer.sign_bytes(_signed(seconds, note_bytes(text)))
        line = self.verifier.key_id + _TIME.pack(seconds) + signature
        return f"— {self.name} {base64.b64encode(line).decode('ascii')}\n"


def cosigned_at(signature: NoteSignature) -> datetime:
    """The time a verified cosignature bears."""
    (seconds,) = _TIME.unpack_from(signature.signature)
    return datetime.fromtimestamp(seconds, UTC)


def _signed(seconds: int, text: bytes) -> bytes:
    return b"cosignature/v1\ntime %d\n" % seconds + text
