"""Making a hotline's home: its keys, once. What exists is never replaced."""

import os
import secrets
from pathlib import Path

from strandline.transparency import Signer
from strandline.vault import new_identity

#: age identities and who holds them; each has a public ``.recipient`` beside it.
IDENTITIES = (
    "note-identity",  # console: analysts read messages
    "contact-identity",  # console: custodians open contacts
    "rendition-identity",  # console: degraded renditions
    "evidence-identity",  # kept offline: nothing that runs here needs it
)
#: Ed25519 signing keys; each has its public ``.vkey`` beside it.
SIGNERS = {"list-signer": "list", "audit-signer": "audit"}
RANDOM = ("django-secret", "return-code-salt")


def make_home(home: Path, *, origin: str) -> list[str]:
    """Make what is missing of ``home``'s keys; the names of those that were made."""
    keys = home / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    keys.chmod(0o700)
    made = []
    for name in RANDOM:
        if not (keys / name).exists():
            _write(keys / name, secrets.token_urlsafe(48))
            made.append(name)
    for name in IDENTITIES:
        if not (keys / name).exists():
            identity, recipient = new_identity()
            _write(keys / f"{name}.recipient", recipient)
            _write(keys / name, identity)
            made.append(name)
    for name, part in SIGNERS.items():
        if not (keys / name).exists():
            signer = Signer.generate(f"{origin}/{part}")
            signer.save(keys / name)
            _write(keys / f"{name}.vkey", signer.vkey)
            made.append(name)
    return made


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
