"""Making a hotline's home: its keys, once. What exists is never replaced."""

import os
import secrets
from datetime import datetime
from pathlib import Path

from strandline.hotline.config import Config
from strandline.hotline.errors import NotConfigured
from strandline.lists.trust.ceremony import make_all
from strandline.lists.trust.policy import Hotline, Policy
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
SIGNERS = {"list-signer": "list", "log-signer": "log", "audit-signer": "audit"}
RANDOM = ("django-secret", "return-code-salt", "list-salt")


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


def own_policy(config: Config) -> Policy:
    """The policy of a list that begins: this hotline alone, without witnesses.

    A root that a ceremony signs later names other hotlines and witnesses, and raises the demands.
    """
    return Policy(
        origin=config.list_origin,
        publisher=own_hotline(config),
        log=verifier_key(config, "log-signer"),
        certification=1,
    )


def own_hotline(config: Config) -> Hotline:
    """This hotline as a policy names it."""
    vkey = verifier_key(config, "list-signer")
    return Hotline(config.list_origin, config.jurisdiction, vkey)


def verifier_key(config: Config, name: str) -> str:
    """The public half of the signing key ``name``."""
    path = config.home / "keys" / f"{name}.vkey"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise NotConfigured(
            f"The public key {path} cannot be read ({error.strerror}). Run 'strandline init'."
        ) from error


def make_list_root(config: Config, *, now: datetime, policy: Policy | None = None) -> str:
    """Make every key of the list's trust here and sign its first root; the root's fingerprint.

    For beginning and for demonstrations: whoever has this machine has every key. docs/keys.md says
    how a ceremony replaces it. A root that is published already stays as it is.
    """
    config.published.mkdir(mode=0o750, parents=True, exist_ok=True)
    keys = config.home / "keys" / "list"
    made = make_all(keys, config.published, policy or own_policy(config), now=now)
    return made.fingerprint


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
