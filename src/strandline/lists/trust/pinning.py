"""A member's folder of trust: the root that was pinned, and what was verified from it since.

::

    pinned.root.json              the root that a person compared with the publisher's fingerprint
    root_history/2.root.json …    every root since, each signed by the one before
    timestamp.json  snapshot.json  targets.json    as of the last update
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, TargetFile

from strandline.errors import KeyRefused, ListRefused
from strandline.lists.trust import metadata as trust
from strandline.lists.trust.keys import grouped, ungrouped
from strandline.lists.trust.metadata import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, name_of
from strandline.lists.trust.policy import Policy

PINNED = "pinned.root.json"
HISTORY = "root_history"  # as tuf.ngclient calls it


@dataclass(frozen=True)
class Kept:
    """What a folder of trust holds, with its signatures checked and no clock asked."""

    policy: Policy
    #: Version of the newest root.
    root: int
    #: Version of the pinned root.
    pinned: int
    #: SHA-256 of the pinned root's file, in hex.
    fingerprint: str
    #: Path of each file that is published → its length and SHA-256 in hex; empty before an update.
    targets: Mapping[str, tuple[int, str]]
    #: When the newest statement ends; None before the first update.
    expires: datetime | None


def fingerprint(root: bytes) -> str:
    """What people compare before they pin a root: SHA-256 of its file, 64 hex digits."""
    return hashlib.sha256(root).hexdigest()


def init_trust(directory: str | Path, root: bytes, expected: str) -> Kept:
    """Pin ``root``, the bytes of ``N.root.json``, in ``directory``.

    ``expected`` is its fingerprint, had in a way you trust, in any grouping. Raises ListRefused,
    leaving nothing behind, when it is another; when the root is not signed by its own keys; or when
    another root is pinned here already.
    """
    directory = Path(directory)
    try:
        wanted = ungrouped(expected)
    except KeyRefused as error:
        raise ListRefused(f"{error.message} Nothing was trusted.") from None
    if fingerprint(root) != wanted:
        raise ListRefused(
            "The root of trust that was offered has another fingerprint than the one given: "
            f"{grouped(fingerprint(root)).replace(chr(10), ' ')}. Nothing was trusted. Compare "
            "with the publisher, not through the network it came from."
        )
    pinned = trust.parse(root, ROOT)
    _check_root(pinned, [pinned.signed])
    trust.policy_of(pinned.signed)
    path = directory / PINNED
    if path.exists() and path.read_bytes() != root:
        raise ListRefused(
            f"{directory} is pinned to another root of trust, which was kept. To trust this one, "
            "use a new folder."
        )
    try:
        trust.write(path, root)
    except OSError as error:
        raise ListRefused(
            f"The root of trust could not be written to {directory}: {error.strerror}."
        ) from error
    return held(directory)


def held(directory: str | Path) -> Kept:
    """Check the signatures of everything in ``directory`` against its pinned root.

    Raises ListRefused when nothing is pinned or a file differs from what was signed. Says nothing
    about the present: only ``update`` can.
    """
    directory = Path(directory)
    roots = kept_roots(directory)
    root = roots[-1].signed
    found = {role: kept_file(directory, role, roots) for role in (TIMESTAMP, SNAPSHOT, TARGETS)}
    targets, timestamp = found[TARGETS], found[TIMESTAMP]
    named: Mapping[str, TargetFile] = {} if targets is None else targets.signed.targets
    return Kept(
        policy=settled_policy(roots[0].signed, root),
        root=root.version,
        pinned=roots[0].signed.version,
        fingerprint=fingerprint((directory / PINNED).read_bytes()),
        targets={path: (file.length, file.hashes["sha256"]) for path, file in named.items()},
        expires=None if timestamp is None else timestamp.signed.expires,
    )


def settled_policy(pinned: Root, newest: Root) -> Policy:
    """The policy of ``newest``; raises ListRefused when it is for another list than the pinned."""
    policy = trust.policy_of(newest)
    origin = trust.policy_of(pinned).origin
    if policy.origin != origin:
        raise ListRefused(
            f"The root of trust is now for another list, {policy.origin}, than {origin}, which "
            "was pinned."
        )
    return policy


def kept_roots(directory: Path) -> list[Metadata[Root]]:
    """Every root from the pinned one on, each verified by the one before; raises ListRefused."""
    path = directory / PINNED
    try:
        pinned = trust.parse(path.read_bytes(), ROOT)
        _check_root(pinned, [pinned.signed])
        roots = [pinned]
        while True:
            path = directory / HISTORY / name_of(ROOT, roots[-1].signed.version + 1)
            if not path.exists():
                break
            following = trust.parse(path.read_bytes(), ROOT)
            _check_root(following, [roots[-1].signed, following.signed])
            roots.append(following)
    except FileNotFoundError:
        raise ListRefused(
            f"{directory} holds no root of trust yet: 'strandline list init' pins one."
        ) from None
    except OSError as error:
        raise ListRefused(f"{path} cannot be read: {error.strerror}.") from error
    except ListRefused as error:
        raise _damaged(path, error) from error
    return roots


def _check_root(metadata: Metadata[Root], roots: list[Root]) -> None:
    trust.check_signatures(metadata, ROOT, roots)
    if metadata.signed.version != roots[0].version + len(roots) - 1:
        raise ListRefused("It has another version than its name says.")
    for root in roots:
        try:
            root.verify_delegate(ROOT, metadata.signed_bytes, metadata.signatures)
        except (UnsignedMetadataError, ValueError):
            raise ListRefused(
                "The root of trust is not signed by as many of its keys as must sign it."
            ) from None


def kept_policies(directory: Path) -> list[Policy]:
    """The policy of every root that is kept, the newest first; raises ListRefused."""
    return [trust.policy_of(root.signed) for root in reversed(kept_roots(directory))]


def kept_file(directory: Path, role: str, roots: list[Metadata[Root]]) -> Metadata[Any] | None:
    """A file that an update left, signed under one of the kept roots; None where there is none."""
    path = directory / name_of(role)
    try:
        metadata = trust.parse(path.read_bytes(), role)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ListRefused(f"{path} cannot be read: {error.strerror}.") from error
    except ListRefused as error:
        raise _damaged(path, error) from error
    for root in reversed(roots):
        if root.signed.get_verification_result(role, metadata.signed_bytes, metadata.signatures):
            return metadata
    raise _damaged(path, ListRefused("It is not signed by the keys it was signed by."))


def _damaged(path: Path, error: ListRefused) -> ListRefused:
    return ListRefused(
        f"{path} is not as it was when it was trusted. {error.message} Nothing new was taken. Pin "
        "the root anew in a new folder, with the fingerprint from the publisher."
    )
