"""The four signed files of trust, and the one form in which each is believed.

The files are those of The Update Framework (https://theupdateframework.github.io/specification/):
``root`` names the keys of every role and holds the policy, ``targets`` names the manifests and
certificates, ``snapshot`` the version of targets, ``timestamp`` that of snapshot. TUF lets a reader
pass over what it does not know and read JSON of any shape. Here one content has one text: what
``Metadata.to_bytes`` writes, no field that this version does not know, and no signature but good
ones, so that a changed byte is always seen.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Role,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from strandline.errors import ListRefused
from strandline.lists.trust.keys import HOLDER, key_id
from strandline.lists.trust.policy import FIELD, Policy

#: Folder of the signed files, below the list's own.
FOLDER = "metadata"
ROOT, TIMESTAMP, SNAPSHOT, TARGETS = Root.type, Timestamp.type, Snapshot.type, Targets.type
#: Roles whose keys are at work every day; root's lie in drawers.
ONLINE = (TARGETS, SNAPSHOT, TIMESTAMP)
#: Bytes of each file at most; more than this is not read.
LIMITS: Mapping[str, int] = {
    ROOT: 256_000,
    TIMESTAMP: 16_384,
    SNAPSHOT: 16_384,
    TARGETS: 2_000_000,
}
#: Bytes of one manifest or certificate.
MAX_TARGET = 16 * 2**20
MAX_TARGETS = 5_000
#: Highest version: numbers must survive a reader whose only number is a double.
_MOST = 2**53 - 1
_HASHES = {"sha256"}
_UNREADABLE = (RepositoryError, ValueError, TypeError, AttributeError, KeyError)
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


def name_of(role: str, version: int | None = None) -> str:
    """The file's name: ``timestamp.json``, ``7.snapshot.json``."""
    return f"{role}.json" if version is None else f"{version}.{role}.json"


def newest_root(directory: Path) -> bytes | None:
    """The file of the newest root in a published folder, or None where there is none."""
    folder = directory / FOLDER
    versions = [file.name.partition(".")[0] for file in folder.glob(f"*.{ROOT}.json")]
    newest = max((int(version) for version in versions if version.isdigit()), default=None)
    return None if newest is None else (folder / name_of(ROOT, newest)).read_bytes()


def parse(data: bytes, role: str) -> Metadata[Any]:
    """Read a file of this role, in its one form; raises ListRefused. Checks no signature."""
    if len(data) > LIMITS[role]:
        raise ListRefused(f"The file {role}.json is longer than it may be.")
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(data)
        canonical = metadata.to_bytes()
        _ = metadata.signed_bytes  # what cannot be signed was not
        if metadata.signed.type != role:
            raise ListRefused(f"Another file was served in the place of {role}.json.")
        if canonical != data:
            raise ListRefused(f"The file {role}.json is not in its canonical form.")
        _check_shape(metadata, role)
    except _UNREADABLE:  # the library lets many fields be of any kind
        raise ListRefused(f"The file {role}.json is damaged: it cannot be read.") from None
    return metadata


def check_signatures(metadata: Metadata[Any], role: str, roots: Iterable[Root]) -> None:
    """Every signature there is must be good, by a key that one of ``roots`` names for this role.

    Raises ListRefused. Whether they are enough is for ``Root.verify_delegate`` to say.
    """
    keys = {
        keyid: root.keys[keyid]
        for root in roots
        for keyid in root.roles[role].keyids
        if keyid in root.keys
    }
    for keyid, signature in metadata.signatures.items():
        if keyid not in keys:
            raise ListRefused(
                f"The file {role}.json is signed by a key that the root of trust does not name "
                "for it."
            )
        try:
            keys[keyid].verify_signature(signature, metadata.signed_bytes)
        except UnverifiedSignatureError:
            raise ListRefused(
                f"A signature of the file {role}.json is not good: it was forged or altered."
            ) from None


def policy_of(root: Root) -> Policy:
    """The policy in the signed part of ``root``; raises ListRefused when it cannot be applied."""
    return Policy.from_json(root.unrecognized_fields.get(FIELD))


def check_target_path(path: str) -> str:
    """Return ``path``, or raise ListRefused unless it is a plain path below the list's folder."""
    parts = path.split("/")
    if len(path) > 400 or len(parts) > 6 or not all(map(_PART.fullmatch, parts)):
        raise ListRefused(f"{path!r} is no path of a published file.")
    if parts[0] == FOLDER:
        raise ListRefused(f"{path!r} lies among the signed files of trust.")
    return path


def _check_shape(metadata: Metadata[Any], role: str) -> None:
    signed: Signed = metadata.signed
    known = {FIELD} if role == ROOT else set()
    _refuse_unknown(role, metadata.unrecognized_fields)
    _refuse_unknown(role, signed.unrecognized_fields, known)
    if type(signed.version) is not int or signed.version > _MOST:
        raise ListRefused(f"The file {role}.json has no version that can be compared.")
    for signature in metadata.signatures.values():
        _refuse_unknown(role, signature.unrecognized_fields)
        if not _HEX.fullmatch(signature.signature):
            raise ListRefused(f"A signature of the file {role}.json is damaged.")
    if isinstance(signed, Root):
        _check_root(signed)
    elif isinstance(signed, Timestamp):
        _check_file(role, signed.snapshot_meta)
        if signed.snapshot_meta.version > _MOST:
            raise ListRefused("The file timestamp.json has no version that can be compared.")
    elif isinstance(signed, Snapshot):
        if set(signed.meta) != {name_of(TARGETS)}:
            raise ListRefused("The file snapshot.json names files that this version does not know.")
        _check_file(role, signed.meta[name_of(TARGETS)])
    elif isinstance(signed, Targets):
        _check_targets(signed)


def _check_root(root: Root) -> None:
    if root.consistent_snapshot is not True:
        raise ListRefused("The root of trust is for another kind of repository.")
    for keyid, key in root.keys.items():
        _refuse_unknown(ROOT, key.unrecognized_fields, {HOLDER})
        # TUF leaves identifiers free: one key under two of them would count twice.
        if not isinstance(key, SSlibKey) or key_id(key.to_dict()) != keyid:
            raise ListRefused("The root of trust names a key by an identifier that is not its own.")
    for name, role in root.roles.items():
        _check_role(name, role, root)


def _check_role(name: str, role: Role, root: Root) -> None:
    _refuse_unknown(ROOT, role.unrecognized_fields)
    whole = type(role.threshold) is int
    if not whole or len(role.keyids) < role.threshold or not set(role.keyids) <= set(root.keys):
        raise ListRefused(f"The root of trust names fewer keys for {name} than must sign.")


def _check_targets(targets: Targets) -> None:
    if targets.delegations is not None:
        raise ListRefused("The file targets.json delegates, which this kind of list does not.")
    if len(targets.targets) > MAX_TARGETS:
        raise ListRefused(f"The file targets.json names more than {MAX_TARGETS} files.")
    for path, target in targets.targets.items():
        check_target_path(path)
        _check_file(TARGETS, target)


def _check_file(role: str, named: MetaFile | TargetFile) -> None:
    _refuse_unknown(role, named.unrecognized_fields)
    # TUF lets a length and digests be left out; then anything of that version would do.
    limit = MAX_TARGET if isinstance(named, TargetFile) else LIMITS[TARGETS]
    if set(named.hashes or ()) != _HASHES or type(named.length) is not int or named.length > limit:
        raise ListRefused(f"The file {role}.json names a file without its length and SHA-256.")


def _refuse_unknown(role: str, found: Mapping[str, Any], known: Iterable[str] = ()) -> None:
    if unknown := sorted(set(found) - set(known)):
        raise ListRefused(
            f"The file {role}.json has a field that this version does not know: "
            f"{', '.join(unknown)[:200]}. A newer strandline may know it."
        )


def write(path: Path, data: bytes) -> None:
    """Write a file so that a kill or a power cut leaves the old content or the new, never a part.

    The folder must have one writer at a time.
    """
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.incoming")
    staged.unlink(missing_ok=True)
    try:
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
