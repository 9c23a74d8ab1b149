"""Evidence at rest: encrypted with age, written once, on a disk or in an S3 bucket.

The only room that writes evidence. It encrypts to recipients and holds no secret: whoever opens
something brings the identity. It knows keys and bytes, not what they are evidence of.
"""

from strandline.errors import AlreadyStored, CannotOpen, NotStored, VaultError
from strandline.vault.sealing import new_identity, seal, unseal
from strandline.vault.store import Vault

__all__ = [
    "AlreadyStored",
    "CannotOpen",
    "NotStored",
    "Vault",
    "VaultError",
    "new_identity",
    "seal",
    "unseal",
]
