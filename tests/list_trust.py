"""A table of holders, a publisher's folder, and a member who reads it: with faults and thefts."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata

from strandline import transparency
from strandline.errors import NotPublished
from strandline.lists.trust import ceremony, updating
from strandline.lists.trust.keys import open_signer
from strandline.lists.trust.metadata import parse
from strandline.lists.trust.policy import Hotline, Policy
from strandline.lists.trust.repository import OnlineKeys, Released, Repository
from strandline.lists.trust.roots import Changes, following
from strandline.transparency.cosignatures import CosignatureSigner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FILES = {"editions/000001/manifest": b"the first edition\n"}
MORE = FILES | {
    "editions/000002/manifest": b"the second edition\n",
    "editions/000002/certificate.second.example": b"we looked\n",
}


def vkey(name: str, seed: int = 1) -> str:
    return transparency.Signer.from_seed(name, bytes([seed] * 32)).vkey


def witness(name: str, seed: int) -> str:
    return CosignatureSigner.from_seed(name, bytes([seed] * 32)).vkey


def make_policy(**changes: Any) -> Policy:
    values: dict[str, Any] = {
        "origin": "hotline.example",
        "publisher": Hotline("hotline.example", "gb", vkey("hotline.example", 1)),
        "hotlines": (Hotline("second.example", "nl", vkey("second.example", 2)),),
        "log": vkey("log.hotline.example", 3),
        "witnesses": (witness("w1.example", 4), witness("w2.example", 5)),
        "witness_quorum": 2,
    }
    return Policy(**(values | changes))


@dataclass
class Table:
    """Everybody's keys in one folder, and what is published with them."""

    folder: Path
    made: ceremony.Made
    policy: Policy
    now: datetime = NOW

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def holder(self, name: str) -> Signer:
        return open_signer(self.made.holders[name])

    def online(self, **places: str) -> OnlineKeys:
        return OnlineKeys.open(**(dict(self.made.online) | places))

    def release(self, files: Mapping[str, bytes] = FILES, **keys: str) -> Released:
        return Repository(self.published, self.online(**keys)).release(files, self.now)

    def heartbeat(self, **keys: str) -> Released:
        return Repository(self.published, self.online(**keys)).heartbeat(self.now)

    def root(self, version: int) -> bytes:
        return (self.published / f"metadata/{version}.root.json").read_bytes()

    def next_root(self, version: int, changes: Changes, *signers: Signer) -> ceremony.Gathered:
        """Gather root ``version`` from these signers, publishing nothing."""
        previous = self.root(version - 1)
        drafted = following(previous, changes, expires=self.now + 365 * DAY)
        signed = [ceremony.sign(drafted, signer, previous=previous) for signer in signers]
        return ceremony.gather(drafted, signed, previous=previous)


def set_table(folder: Path, **changes: Any) -> Table:
    policy = make_policy(**changes)
    made = ceremony.make_all(folder / "keys", folder / "published", policy, now=NOW)
    return Table(folder, made, policy)


@dataclass
class Member:
    """Reads what is published, or what somebody on the way makes of it."""

    directory: Path
    table: Table
    #: Path → what is served in its place; an exception is raised.
    served: dict[str, bytes | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def read(self, path: str, most: int) -> bytes:
        self.asked.append(path)
        found = self.served.get(path)
        if isinstance(found, Exception):
            raise found
        if found is not None:
            return found
        try:
            return (self.table.published / path).read_bytes()
        except FileNotFoundError:
            raise NotPublished(f"There is no {path}.") from None

    def pin(self) -> updating.Kept:
        return updating.init_trust(self.directory, self.table.root(1), self.table.made.fingerprint)

    def update(self, now: datetime | None = None) -> updating.Trusted:
        return updating.update(self.read, self.directory, now=now or self.table.now)

    def serve(self, folder: Path) -> None:
        """Serve what a copy of the published folder holds, in place of what is there now."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.served[str(file.relative_to(folder))] = file.read_bytes()


def changed(data: bytes, role: str, signer: Signer | None, change: Callable[[Any], None]) -> bytes:
    """The file with ``change`` made to its signed part, and signed again by ``signer``."""
    metadata: Metadata[Any] = copy.deepcopy(parse(data, role))
    change(metadata.signed)
    if signer is not None:
        metadata.sign(signer)
    return metadata.to_bytes()


def stranger() -> Signer:
    return CryptoSigner.generate_ed25519()
