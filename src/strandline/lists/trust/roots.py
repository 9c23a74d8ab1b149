"""What a root of trust says, as people plan it, and the draft that goes around the table.

Making and reading only: who signs, and when it is published, is ``ceremony``'s.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from securesystemslib.signer import Key, SSlibKey
from tuf.api.metadata import Metadata, Role, Root

from strandline.errors import KeyRefused, ListRefused
from strandline.lists.trust import metadata as trust
from strandline.lists.trust.keys import HOLDER, PublicKey
from strandline.lists.trust.metadata import ONLINE, ROOT
from strandline.lists.trust.policy import FIELD, Policy

#: Days a root is good for, unless the draft says otherwise.
DAYS = 365


@dataclass(frozen=True)
class Plan:
    """What a root says. Raises KeyRefused when the keys cannot do what they are for."""

    policy: Policy
    #: Root keys, one for each holder.
    holders: tuple[PublicKey, ...]
    #: Holders that must sign together.
    threshold: int
    #: ``targets``, ``snapshot`` and ``timestamp``: the key of each.
    online: Mapping[str, PublicKey]
    expires: datetime

    def __post_init__(self) -> None:
        if set(self.online) != set(ONLINE):
            raise KeyRefused("A root needs a key for targets, one for snapshot, one for timestamp.")
        keys = [*self.holders, *self.online.values()]
        if len({key.keyid for key in keys}) != len(keys):
            raise KeyRefused("Each role and each holder needs a key of its own; one is used twice.")
        if len({key.holder for key in keys}) != len(keys):
            raise KeyRefused(
                "Two keys have one name; those at the table could not tell them apart."
            )
        if not 1 <= self.threshold <= len(self.holders):
            raise KeyRefused(
                f"{self.threshold} of {len(self.holders)} holders cannot be asked to sign."
            )

    @classmethod
    def of(cls, root: Root) -> Self:
        """What ``root`` says; a change starts from here."""
        return cls(
            policy=trust.policy_of(root),
            holders=tuple(named_keys(root, ROOT)),
            threshold=root.roles[ROOT].threshold,
            online={role: named_keys(root, role)[0] for role in ONLINE},
            expires=root.expires,
        )


def named_keys(root: Root, role: str) -> list[PublicKey]:
    """The keys that ``root`` names for ``role``, with their holders."""
    return [named(root.keys[keyid]) for keyid in root.roles[role].keyids]


def draft(plan: Plan, *, version: int = 1) -> bytes:
    """The root that this plan makes, unsigned: the file that goes around the table."""
    keys = {role: [plan.online[role]] for role in ONLINE} | {ROOT: list(plan.holders)}
    thresholds = dict.fromkeys(ONLINE, 1) | {ROOT: plan.threshold}
    root = Root(
        version=version,
        expires=plan.expires.replace(microsecond=0),
        keys={key.keyid: key.named for held in keys.values() for key in held},
        roles={
            role: Role([key.keyid for key in held], thresholds[role]) for role, held in keys.items()
        },
        consistent_snapshot=True,
        unrecognized_fields={FIELD: plan.policy.to_json()},
    )
    data = Metadata(root).to_bytes()
    read(data)
    return data


def read(data: bytes) -> Metadata[Root]:
    """A draft or a root, in its one form; raises KeyRefused."""
    try:
        metadata: Metadata[Root] = trust.parse(data, ROOT)
        trust.policy_of(metadata.signed)
    except ListRefused as error:
        raise KeyRefused(
            f"This is no root of trust, nor a draft of one. {error.message}"
        ) from error
    return metadata


def statement(data: bytes) -> str:
    """SHA-256 of what is signed, in hex: the same before and after signatures are added."""
    return hashlib.sha256(read(data).signed_bytes).hexdigest()


@dataclass(frozen=True)
class Changes:
    """What the next root changes; what is not named stays."""

    #: Keys of new holders.
    added: tuple[PublicKey, ...] = ()
    #: Names of holders who no longer count.
    dropped: tuple[str, ...] = ()
    threshold: int | None = None
    #: Role → its new key.
    online: Mapping[str, PublicKey] = field(default_factory=dict)
    policy: Policy | None = None


def following(previous: bytes, changes: Changes, *, expires: datetime) -> bytes:
    """The draft of the root after ``previous``; raises KeyRefused when it could not work."""
    root = read(previous).signed
    plan = Plan.of(root)
    if unknown := set(changes.dropped) - {key.holder for key in plan.holders}:
        raise KeyRefused(
            f"No holder of root {root.version} is called {', '.join(sorted(unknown))}."
        )
    if changes.policy and changes.policy.origin != plan.policy.origin:
        raise KeyRefused("The new policy is for another list: members would refuse it.")
    kept = tuple(key for key in plan.holders if key.holder not in changes.dropped)
    return draft(
        replace(
            plan,
            policy=changes.policy or plan.policy,
            holders=kept + changes.added,
            threshold=changes.threshold or plan.threshold,
            online={**plan.online, **changes.online},
            expires=expires,
        ),
        version=root.version + 1,
    )


def named(key: Key) -> PublicKey:
    """A key of a root, with its holder."""
    assert isinstance(key, SSlibKey)
    plain = SSlibKey(key.keyid, key.keytype, key.scheme, key.keyval)
    return PublicKey(str(key.unrecognized_fields.get(HOLDER, key.keyid[:16])), plain)
