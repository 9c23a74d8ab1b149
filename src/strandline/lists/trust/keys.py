"""Keys of the roles of trust: where they lie, opening them, and how people read them to each other.

A key's **place** is one word of text: ``file:PATH`` (PKCS#8 in PEM, its owner's alone),
``env:NAME`` (the same text, or its base64 in one line) or ``awskms:KEYID`` (AWS keeps the key and
signs; needs ``strandline[kms]``). Signed notes have keys of their own: ``transparency.Signer``.
"""

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import AWSSigner, CryptoSigner, Key, Signer, SSlibKey

from strandline.errors import KeyRefused
from strandline.transparency.key_files import read_private, write_new

#: The field of a key in root that says who holds it.
HOLDER = "x-strandline-holder"
#: Asked for the passphrase of a key file that has one.
Passphrase = Callable[[], str]
_HOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
#: Bytes; an RSA key of 4096 bits has about 3,300.
_MAX_KEY_FILE = 16_384
_PEM = b"-----BEGIN"


@dataclass(frozen=True)
class PublicKey:
    """The public half of a key, under the name of whoever holds it: what ``NAME.pub`` holds."""

    holder: str
    key: SSlibKey

    def __post_init__(self) -> None:
        if not _HOLDER.fullmatch(self.holder):
            raise KeyRefused(
                f"{self.holder!r} cannot name a holder: only letters, digits, dots, underscores "
                "and hyphens can."
            )

    @property
    def keyid(self) -> str:
        """SHA-256 of the key, as 64 hex digits."""
        return self.key.keyid

    @property
    def named(self) -> SSlibKey:
        """The key as root names it, with its holder."""
        key = self.key
        return SSlibKey(key.keyid, key.keytype, key.scheme, key.keyval, {HOLDER: self.holder})

    def encode(self) -> bytes:
        """The file: one line of JSON."""
        return json.dumps({"holder": self.holder, **self.key.to_dict()}).encode() + b"\n"

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a ``.pub`` file; raises KeyRefused when it is missing or is none."""
        try:
            with Path(path).open("rb") as file:
                held = json.loads(file.read(_MAX_KEY_FILE))
            holder = str(held.pop("holder"))
            fields = {name: held[name] for name in ("keytype", "scheme", "keyval")}
            key = Key.from_dict(key_id(fields), fields)
        except OSError as error:
            raise KeyRefused(f"The key {path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise KeyRefused(f"{path} does not hold the public half of a key.") from None
        if not isinstance(key, SSlibKey):
            raise KeyRefused(f"{path} holds a key of a kind that is not used here.")
        return cls(holder, key)


def key_id(fields: dict[str, object]) -> str:
    """The identifier of a key with these fields: SHA-256 of their canonical JSON, in hex."""
    named = {name: fields[name] for name in ("keytype", "scheme", "keyval")}
    return hashlib.sha256(str(encode_canonical(named)).encode()).hexdigest()


def grouped(digest: str) -> str:
    """64 hex digits as people read them aloud: four lines of four groups of four.

    ``1a2b 3c4d …``; ``ungrouped`` reads it back.
    """
    groups = [digest[start : start + 4] for start in range(0, len(digest), 4)]
    return "\n".join(" ".join(groups[row : row + 4]) for row in range(0, len(groups), 4))


def ungrouped(text: str) -> str:
    """The digits of a fingerprint however it was typed; raises KeyRefused when it is none."""
    digest = re.sub(r"[\s:-]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise KeyRefused(
            "A fingerprint has 64 hexadecimal digits, in groups or in one word. "
            "What was given has not: copy it again."
        )
    return digest


def new_key(path: str | Path, holder: str, *, passphrase: str | None = None) -> PublicKey:
    """Make an Ed25519 key in a new file of its owner alone, and its public half beside it.

    Of ``anna.key`` that is ``anna.pub``.

    Raises KeyRefused when either exists: a lost key cannot be had back.
    """
    path = Path(path)
    public_path = path.with_name(f"{path.name.removesuffix('.key')}.pub")
    private = Ed25519PrivateKey.generate()
    public = PublicKey(holder, SSlibKey.from_crypto(private.public_key()))
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    if public_path.exists():
        raise KeyRefused(f"{public_path} exists and was kept. Choose another name for the key.")
    try:
        write_new(path, text)
        write_new(public_path, public.encode())
        public_path.chmod(0o644)
    except FileExistsError:
        raise KeyRefused(f"{path} exists and was kept. Choose another name for the key.") from None
    except OSError as error:
        raise KeyRefused(f"The key could not be written to {path}: {error.strerror}.") from error
    return public


def open_signer(place: str, passphrase: Passphrase | None = None) -> Signer:
    """The key at ``place``, ready to sign; raises KeyRefused, saying why it cannot be used."""
    kind, _, rest = place.partition(":")
    if kind == "file" and rest:
        return _crypto_signer(read_private(Path(rest), _MAX_KEY_FILE, KeyRefused), rest, passphrase)
    if kind == "env" and rest:
        text = os.environ.get(rest)
        if not text:
            raise KeyRefused(f"The environment has no {rest}, where a key should be.")
        return _crypto_signer(text.encode("utf-8", "replace"), f"${rest}", passphrase)
    if kind == "awskms" and rest:
        return _kms_signer(rest)
    raise KeyRefused(f"{place!r} is no place of a key: file:PATH, env:NAME and awskms:KEYID are.")


def public_half(place: str, holder: str, passphrase: Passphrase | None = None) -> PublicKey:
    """The public half of the key at ``place``, under its holder's name; raises KeyRefused."""
    key = open_signer(place, passphrase).public_key
    assert isinstance(key, SSlibKey)
    return PublicKey(holder, key)


def _crypto_signer(text: bytes, place: str, passphrase: Passphrase | None) -> Signer:
    text = text.strip()
    try:
        if text.startswith(_PEM):
            data, read = text + b"\n", load_pem_private_key
        else:
            data, read = base64.b64decode(text, validate=True), load_der_private_key
        try:
            key = read(data, None)
        except TypeError:  # it has a passphrase
            if passphrase is None:
                raise KeyRefused(f"The key in {place} needs its passphrase.") from None
            key = read(data, passphrase().encode())
        return CryptoSigner(key)
    except (ValueError, TypeError, binascii.Error) as error:
        what = "its passphrase is another, or it is" if b"ENCRYPTED" in text else "it is"
        raise KeyRefused(
            f"The key in {place} cannot be used: {what} no private key in PEM (PKCS#8)."
        ) from error


def _kms_signer(key: str) -> Signer:
    try:
        import botocore.exceptions  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise KeyRefused(
            "Keys in AWS need boto3, which is not installed: pip install 'strandline[kms]'"
        ) from None
    try:
        _, public = AWSSigner.import_(key)
        return AWSSigner(key, public)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise KeyRefused(f"AWS did not give the key {key}: {error}") from error
    except Exception as error:  # whatever the library thinks of the key's kind
        raise KeyRefused(f"The key {key} in AWS is not one that can sign here: {error}") from error
