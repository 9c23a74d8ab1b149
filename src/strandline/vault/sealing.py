"""Encryption to age recipients (age-encryption.org/v1, X25519), as the ``age`` command does it."""

from collections.abc import Sequence

import pyrage  # type: ignore[import-untyped]

from strandline.errors import CannotOpen, VaultError


def new_identity() -> tuple[str, str]:
    """Make a secret identity (``AGE-SECRET-KEY-1…``) and its recipient (``age1…``)."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def seal(text: str, recipient: str) -> bytes:
    """Encrypt a text so that only the holder of the recipient's identity can read it.

    Raises :class:`VaultError` if ``recipient`` is not an age recipient.
    """
    return encrypt(text.encode(), [recipient])


def unseal(sealed: bytes, identity: str) -> str:
    """Read what :func:`seal` made. Raises :class:`CannotOpen`."""
    try:
        return decrypt(sealed, identity).decode()
    except UnicodeDecodeError:
        raise CannotOpen("What was opened is not a text; nothing was changed.") from None


def encrypt(data: bytes, recipients: Sequence[str]) -> bytes:
    """Encrypt to every one of ``recipients``; any one identity opens it. Raises VaultError."""
    if not recipients:
        raise VaultError(
            "No recipient is set up, so nothing can be encrypted and nothing was stored. "
            "Set the hotline's age recipient."
        )
    try:
        keys = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
    except pyrage.RecipientError:
        raise VaultError(
            "One of the recipients is not an age recipient (age1…). Nothing was stored."
        ) from None
    encrypted: bytes = pyrage.encrypt(data, keys)
    return encrypted


def decrypt(data: bytes, identity: str) -> bytes:
    """Open what :func:`encrypt` made. Raises :class:`CannotOpen`."""
    try:
        key = pyrage.x25519.Identity.from_str(identity.strip())
    except pyrage.IdentityError:
        # The text is not repeated: it may be most of a secret key.
        raise CannotOpen("This is not an age identity (AGE-SECRET-KEY-1…).") from None
    try:
        opened: bytes = pyrage.decrypt(data, [key])
    except pyrage.DecryptError as error:
        raise CannotOpen(
            "This identity does not open what is kept, or it was altered or cut off "
            f"({error}). It was left as it is."
        ) from None
    return opened
