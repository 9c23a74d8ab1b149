"""Making and changing the root of trust: a draft, one signature file from each holder, one root.

A **holder** keeps one root key on a machine that is never connected. The draft is carried to each;
each reads it, compares its digest aloud with the others, and gives back a small signature file.
Below the threshold nothing is published. docs/keys.md has the steps for the people at the table.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signature, Signer
from tuf.api.metadata import Metadata, Root

from strandline.errors import KeyRefused
from strandline.lists.trust import metadata as trust
from strandline.lists.trust.keys import PublicKey, new_key, open_signer, public_half
from strandline.lists.trust.metadata import FOLDER, ONLINE, ROOT, name_of
from strandline.lists.trust.pinning import fingerprint
from strandline.lists.trust.policy import Policy
from strandline.lists.trust.roots import DAYS, Plan, draft, named, read, statement


def sign(drafted: bytes, signer: Signer, *, previous: bytes | None = None) -> bytes:
    """One holder's signature of a draft, as a file to carry back.

    Raises KeyRefused when neither the draft nor ``previous`` names this key for root.
    """
    metadata = read(drafted)
    holder = _holder(metadata, signer.public_key.keyid, previous)
    signature = signer.sign(metadata.signed_bytes)
    said = {
        "root": metadata.signed.version,
        "statement": statement(drafted),
        "holder": holder,
        "keyid": signature.keyid,
        "sig": signature.signature,
    }
    return json.dumps(said).encode() + b"\n"


@dataclass(frozen=True)
class Gathered:
    """A draft with the signatures brought back for it."""

    #: ``N.root.json``, whether or not the signatures are enough.
    data: bytes
    version: int
    #: Who signed, and who could have.
    signed: tuple[str, ...]
    unsigned: tuple[str, ...]
    #: Signatures still missing of the new root's holders, and of the previous root's.
    missing: int
    missing_of_previous: int

    @property
    def enough(self) -> bool:
        """Whether members will believe it."""
        return not self.missing and not self.missing_of_previous


def gather(
    drafted: bytes, signatures: Iterable[bytes], *, previous: bytes | None = None
) -> Gathered:
    """Put signature files to the draft they are for.

    ``previous`` is the root before, and needed for every root but the first. Raises KeyRefused when
    a signature is for another draft, by another key, or not good.
    """
    metadata = read(drafted)
    before = None if previous is None else read(previous).signed
    if (before is None) != (metadata.signed.version == 1) or (
        before is not None and metadata.signed.version != before.version + 1
    ):
        raise KeyRefused(
            f"This draft is for root {metadata.signed.version}: it can only follow root "
            f"{metadata.signed.version - 1}."
        )
    for data in signatures:
        _add(metadata, data, statement(drafted), previous)
    metadata.signatures = dict(sorted(metadata.signatures.items()))
    result = metadata.signed.get_root_verification_result(
        before, metadata.signed_bytes, metadata.signatures
    )
    return Gathered(
        data=metadata.to_bytes(),
        version=metadata.signed.version,
        signed=tuple(sorted(named(key).holder for key in result.signed.values())),
        unsigned=tuple(
            sorted(
                named(key).holder
                for keyid, key in result.unsigned.items()
                if keyid not in result.signed
            )
        ),
        missing=result.second.missing,
        missing_of_previous=0 if before is None else result.first.missing,
    )


def publish(directory: str | Path, gathered: Gathered) -> Path:
    """Write ``N.root.json`` into the published folder; raises KeyRefused below the threshold."""
    if not gathered.enough:
        raise KeyRefused(
            f"Root {gathered.version} was not published: {_shortfall(gathered)}. Signed so far: "
            f"{', '.join(gathered.signed) or 'nobody'}; not yet: "
            f"{', '.join(gathered.unsigned) or 'nobody'}."
        )
    folder = Path(directory) / FOLDER
    path = folder / name_of(ROOT, gathered.version)
    if path.exists() and path.read_bytes() != gathered.data:
        raise KeyRefused(
            f"{path} is there and was kept: members have it. A change of it is the next root."
        )
    newest = trust.newest_root(Path(directory))
    if (0 if newest is None else read(newest).signed.version) < gathered.version - 1:
        raise KeyRefused(f"{folder} lacks root {gathered.version - 1}, which this one follows.")
    trust.write(path, gathered.data)
    return path


@dataclass(frozen=True)
class Made:
    """A whole ceremony's outcome, for a demonstration or a test."""

    #: SHA-256 of ``1.root.json``, in hex: what members pin.
    fingerprint: str
    #: Where each root key lies, by holder, and each online key, by role: ``file:PATH``.
    holders: Mapping[str, str]
    online: Mapping[str, str]


def make_all(
    keys: str | Path,
    published: str | Path,
    policy: Policy,
    *,
    now: datetime,
    holders: Sequence[str] = ("root-1", "root-2", "root-3"),
    threshold: int = 2,
    days: int = DAYS,
) -> Made:
    """Do the whole ceremony at once, with every key in the folder ``keys`` of one machine.

    For demonstrations and tests: whoever has this machine has every key. Does what is missing; a
    root that is published already stays as it is.
    """
    keys, published = Path(keys), Path(published)
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_keys = [_key_at(keys / f"{name}.key", name) for name in holders]
    online = {role: _key_at(keys / f"{role}.key", role) for role in ONLINE}
    first = published / FOLDER / name_of(ROOT, 1)
    if not first.exists():
        expires = now + timedelta(days=days)
        drafted = draft(Plan(policy, tuple(root_keys), threshold, online, expires))
        signers = [open_signer(f"file:{keys / name}.key") for name in holders[:threshold]]
        publish(published, gather(drafted, [sign(drafted, signer) for signer in signers]))
    return Made(
        fingerprint(first.read_bytes()),
        {name: f"file:{keys / name}.key" for name in holders},
        {role: f"file:{keys / role}.key" for role in ONLINE},
    )


def _key_at(path: Path, holder: str) -> PublicKey:
    return public_half(f"file:{path}", holder) if path.exists() else new_key(path, holder)


def _holder(metadata: Metadata[Root], keyid: str, previous: bytes | None) -> str:
    roots = [metadata.signed] + ([] if previous is None else [read(previous).signed])
    for root in roots:
        if keyid in root.roles[ROOT].keyids:
            return named(root.keys[keyid]).holder
    raise KeyRefused(
        "This key is not one of the holders' of this root. Nothing was signed. A holder who is "
        "being replaced signs with the root before at hand."
    )


def _add(metadata: Metadata[Root], data: bytes, expected: str, previous: bytes | None) -> None:
    try:
        said: dict[str, Any] = json.loads(data)
        holder, keyid = str(said["holder"]), str(said["keyid"])
        signature = Signature(keyid, str(said["sig"]))
        digest = str(said["statement"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeyRefused("A file that was brought back is no signature of a root.") from None
    if digest != expected:
        raise KeyRefused(
            f"The signature of {holder} is for another draft than this one. Nothing was "
            "published; find out which draft each of you read."
        )
    roots = [metadata.signed] + ([] if previous is None else [read(previous).signed])
    keys = [root.keys[keyid] for root in roots if keyid in root.roles[ROOT].keyids]
    if not keys:
        raise KeyRefused(f"The signature of {holder} is by a key that no holder has.")
    try:
        keys[0].verify_signature(signature, metadata.signed_bytes)
    except UnverifiedSignatureError:
        raise KeyRefused(f"The signature of {holder} is not good. Nothing was published.") from None
    metadata.signatures[keyid] = signature


def _shortfall(gathered: Gathered) -> str:
    parts = []
    if gathered.missing:
        parts.append(f"{gathered.missing} more of its own holders must sign")
    if gathered.missing_of_previous:
        parts.append(
            f"{gathered.missing_of_previous} more of the previous root's holders must sign"
        )
    return " and ".join(parts)
