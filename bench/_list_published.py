"""A published list with root, log and statements, and a member that reads it from the disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from strandline.errors import NotPublished
from strandline.lists.member.following import Synced, follow
from strandline.lists.member.subscription import Subscription, subscribe
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import EntryClass
from strandline.lists.published.editions import (
    MANIFEST,
    Counts,
    EditionPlan,
    edition_path,
    write_edition,
)
from strandline.lists.published.manifests import parse_manifest
from strandline.lists.trust import ceremony, roots
from strandline.lists.trust.keys import PublicKey
from strandline.lists.trust.policy import Hotline, Policy
from strandline.lists.trust.repository import OnlineKeys, Repository
from strandline.transparency import Log, Signer
from strandline.transparency.proofs import make_proof

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN = "hotline.example"
_PUBLISHER = Signer.from_seed(ORIGIN, bytes([1] * 32))
_LOG = Signer.from_seed("log.hotline.example", bytes([2] * 32))
_ROLES = ("root", "targets", "snapshot", "timestamp")


def begin(folder: Path) -> None:
    """Publish the root: one jurisdiction certifies and no witness is asked, which costs nothing."""
    publisher = Hotline(ORIGIN, "gb", _PUBLISHER.vkey)
    policy = Policy(ORIGIN, publisher, _LOG.vkey, certification=1)
    keys = {role: PublicKey(role, _key(role).public_key) for role in _ROLES}
    root = keys.pop("root")
    plan = roots.Plan(policy, (root,), 1, keys, NOW + timedelta(days=365))
    draft = roots.draft(plan)
    ceremony.publish(folder, ceremony.gather(draft, [ceremony.sign(draft, _key("root"))]))


def write(
    folder: Path, number: int, entry_class: EntryClass, blocks: Iterator[Block], n: int
) -> None:
    """Write an edition's files, after which the class has ``n`` entries, and its manifest."""
    before = folder / edition_path(number - 1) / MANIFEST
    previous = parse_manifest(_text(before)) if number > 1 else None
    plan = EditionPlan(ORIGIN, number, NOW + timedelta(hours=number), previous)
    counts = {entry_class: Counts(n, 0)}
    manifest = write_edition(folder, plan, [(entry_class, blocks)], counts, salt_key=bytes(32))
    (folder / edition_path(number) / MANIFEST).write_text(_PUBLISHER.sign(manifest.text()))


def release(folder: Path, number: int) -> None:
    """Log an edition and tell members."""
    log = Log(folder / "log", _LOG)
    path = f"{edition_path(number)}/{MANIFEST}"
    note = (folder / path).read_bytes()
    index = log.append([note])
    proof = make_proof(index, log.reader().inclusion(index, log.size), log.publish())
    (folder / f"{path}.proof").write_text(proof)
    keys = OnlineKeys(*(_key(role) for role in _ROLES[1:]))
    Repository(folder, keys).release({path: note}, NOW + timedelta(hours=number))


def sync(folder: Path, copy: Path, number: int) -> Synced:
    """Bring a member's copy to what is published."""
    if not copy.exists():
        root = (folder / "metadata/1.root.json").read_bytes()
        subscribe(copy, Subscription(""), fingerprint=None, root=root, source=None)
    return follow(copy, _Folder(folder), now=NOW + timedelta(hours=number))


@dataclass(frozen=True)
class _Folder:
    """Reads the published folder without a network between."""

    folder: Path

    def read(self, path: str, max_bytes: int) -> bytes:
        try:
            with (self.folder / path).open("rb") as file:
                return file.read(max_bytes)
        except FileNotFoundError:
            raise NotPublished(f"There is no {path}.") from None

    def has(self, path: str) -> bool:
        return (self.folder / path).exists()


def _key(role: str) -> CryptoSigner:
    seed = bytes([16 + _ROLES.index(role)] * 32)
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))


def _text(path: Path) -> str:
    return path.read_text().rpartition("\n\n")[0] + "\n"
