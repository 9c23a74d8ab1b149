"""Ed25519 keys for signed notes: names, key IDs, verifier keys and private key files.

Source: https://c2sp.org/signed-note. The private key file holds one line in the form Go's
``sumdb/note`` package writes, ``PRIVATE+KEY+<name>+<hex key ID>+<base64(0x01 || seed)>``, so that
its tools read ours.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strandline.errors import NoteRefused
from strandline.transparency.grammar import check_key_name, note_bytes, strict_base64
from strandline.transparency.key_files import read_private, write_new

#: "Ed25519 signatures as specified by this document" (signed-note, Signature types).
ED25519 = b"\x01"
#: "Timestamped Ed25519 checkpoint cosignatures" (the same).
COSIGNATURE = b"\x04"
_PURPOSES = {ED25519: "notes", COSIGNATURE: "a witness's cosignatures"}
_KEY_BYTES = 32
_PRIVATE_PREFIX = "PRIVATE+KEY+"
#: A key line is about 150 characters; a longer file is not a key.
_MAX_KEY_FILE = 4096


@dataclass(frozen=True)
class Verifier:
    """A public key that is trusted under a name. Build it with ``from_vkey``."""

    #: The signature type identifier byte of these keys (signed-note, Signature types).
    algorithm: ClassVar[bytes] = ED25519

    name: str
    public_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if len(self.public_key) != _KEY_BYTES:
            raise NoteRefused("An Ed25519 public key has 32 bytes: this one is cut or padded.")

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read ``<name>+<hex key ID>+<base64 key>``; raises NoteRefused for anything else."""
        name, key_id, key = _read_key(vkey, "verifier key", cls.algorithm)
        verifier = cls(name, key)
        if verifier.key_id.hex() != key_id:
            raise NoteRefused(
                "The verifier key does not fit its own key ID: it was mistyped or altered. "
                "Nothing was trusted; ask the publisher for the key again."
            )
        return verifier

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, identify the key in a signature line."""
        material = self.name.encode() + b"\n" + self.algorithm + self.public_key
        return hashlib.sha256(material).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as one line of text to hand to those who verify."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(self.algorithm + self.public_key)}"

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature``, as a note's line carries it, is this key's over ``message``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A private Ed25519 key under a name. It never shows its key in ``repr``."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self.name = check_key_name(name)
        self._private_key = private_key

    def __repr__(self) -> str:
        return f"Signer({self.vkey!r})"

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key from the system's randomness."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Use the 32 secret bytes of RFC 8032; ValueError for another length."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a key file; raises NoteRefused when it is missing, malformed or open to others."""
        text = _read_private_file(Path(path))
        if not text.startswith(_PRIVATE_PREFIX):
            raise NoteRefused(f"{path} is not a private key file of this kind. Nothing was signed.")
        what = f"key in {path}"
        name, key_id, seed = _read_key(text.removeprefix(_PRIVATE_PREFIX), what, ED25519)
        signer = cls.from_seed(name, seed)
        if signer.verifier.key_id.hex() != key_id:
            raise NoteRefused(
                f"The key in {path} does not fit its own key ID: the file was altered."
            )
        return signer

    def save(self, path: str | Path) -> None:
        """Write the key to a new file only its owner can read, whole or not at all.

        An existing file is never replaced: a lost signing key cannot be had back. Then, or when the
        folder cannot be written, raises NoteRefused.
        """
        path = Path(path)
        secret = _encode(ED25519 + self._seed)
        line = f"{_PRIVATE_PREFIX}{self.name}+{self.verifier.key_id.hex()}+{secret}\n"
        try:
            write_new(path, line.encode())
        except FileExistsError as error:
            raise NoteRefused(
                f"{path} exists and was kept. Choose another name for the new key."
            ) from error
        except OSError as error:
            raise NoteRefused(
                f"The key could not be written to {path}: {error.strerror}. Nothing was left there."
            ) from error

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._private_key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The public half as one line of text."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """Return ``text`` as a signed note; raises NoteRefused when the format cannot carry it."""
        if not text.endswith("\n"):
            raise NoteRefused("The text of a note must end with a newline. Nothing was signed.")
        signature = self.sign_bytes(note_bytes(text))
        return f"{text}\n— {self.name} {_encode(self.verifier.key_id + signature)}\n"

    def sign_bytes(self, message: bytes) -> bytes:
        """The bare signature (RFC 8032) over a message of another format than a note's text."""
        return self._private_key.sign(message)

    @property
    def _seed(self) -> bytes:
        return self._private_key.private_bytes_raw()


def _read_key(text: str, what: str, algorithm: bytes) -> tuple[str, str, bytes]:
    """Split ``name+id+base64(algorithm || key)``; raises NoteRefused."""
    parts = text.split("+", 2)  # the base64 part may contain a plus sign of its own
    if len(parts) != 3:
        raise NoteRefused(f"The {what} does not have the form name+id+key. Nothing was trusted.")
    name, key_id, encoded = parts
    try:
        material = strict_base64(encoded)
    except ValueError:
        raise NoteRefused(f"The {what} is mistyped or cut off. Nothing was trusted.") from None
    if material[:1] != algorithm or len(material) != 1 + _KEY_BYTES:
        raise NoteRefused(
            f"The {what} is not an Ed25519 key for {_PURPOSES[algorithm]}. Nothing was trusted."
        )
    return check_key_name(name), key_id, material[1:]


def _read_private_file(path: Path) -> str:
    data = read_private(path, _MAX_KEY_FILE, NoteRefused)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteRefused(
            f"{path} is not a private key file of this kind. Nothing was signed."
        ) from None
    if not text.endswith("\n"):
        raise NoteRefused(
            f"{path} is not a private key file of this kind, or is cut off. Nothing was signed."
        )
    return text[:-1]


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
