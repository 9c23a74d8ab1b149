"""The published list in ``docs/vectors/hashlist``: made from fixed keys, so always the same bytes.

Run this file to write it anew after a change of the format.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from list_histories import deltas
from strandline.lists.published import editions
from strandline.lists.published.certificate import Certificate
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.published.editions import (
    Counts,
    EditionPlan,
    edition_path,
    index_path,
    write_edition,
)
from strandline.lists.published.events import Entry, Event, Fingerprints, Frame, Kind
from strandline.lists.published.index_file import parse_index
from strandline.lists.published.manifests import Manifest
from strandline.lists.published.packing import pack
from strandline.lists.trust import ceremony, pinning, roots
from strandline.lists.trust.keys import PublicKey
from strandline.lists.trust.policy import Growth, Hotline, Policy
from strandline.lists.trust.repository import OnlineKeys, Repository
from strandline.transparency import CosignatureSigner, Log, Signer
from strandline.transparency.checkpoints import Checkpoint
from strandline.transparency.notes import open_note
from strandline.transparency.proofs import make_proof

VECTORS = Path(__file__).parents[1] / "docs" / "vectors" / "hashlist"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: When a reader is to read it.
NOW = START + timedelta(hours=5)
SALT_KEY = bytes(range(32))
CAMERA = EntryClass("C", "camera", "gb")
DRAWN = EntryClass("B", "drawn", "gb", labels=("baseline", "series"))
PUBLISHER = Signer.from_seed("hotline.example", bytes([1] * 32))
SECOND = Signer.from_seed("second.example", bytes([2] * 32))
LOG = Signer.from_seed("log.hotline.example", bytes([3] * 32))
WITNESSES = [
    CosignatureSigner.from_seed(f"witness.example/{number}", bytes([3 + number] * 32))
    for number in (1, 2)
]


def role_key(seed: int) -> CryptoSigner:
    """A key of TUF's; 10 and 11 are root's, 12 to 14 targets', snapshot's and timestamp's."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)))


def policy() -> Policy:
    return Policy(
        origin="hotline.example",
        publisher=Hotline("hotline.example", "gb", PUBLISHER.vkey),
        hotlines=(Hotline("second.example", "nl", SECOND.vkey),),
        log=LOG.vkey,
        witnesses=tuple(witness.vkey for witness in WITNESSES),
        witness_quorum=2,
        growth=Growth(10_000, 10),
    )


def hashes(number: int, **some: Any) -> Fingerprints:
    """Hashes that anyone can see are invented: the number, over and over."""
    digit = f"{number:02x}"
    told: dict[str, Any] = {
        "sha256": digit * 32,
        "sha1": digit * 20,
        "md5": digit * 16,
        "pdq": f"f{number % 10}" * 32,
        "quality": 100 - number,
    }
    return Fingerprints(**(told | some))


def tell(
    sequence: int, action: Action, number: int, entry_class: EntryClass, told: Fingerprints
) -> Event:
    kind = Kind.VIDEO if told.video else Kind.IMAGE
    entry = Entry(number, entry_class, kind, "media-1+pdq-1", told)
    return Event(sequence, action, number, entry_class, "", entry)


def history() -> list[list[Event]]:
    """The events of four editions."""
    film = hashes(
        3,
        pdq=None,
        quality=0,
        video=(Frame(0, 90, "0a" * 32), Frame(1000, 80, "0b" * 32), Frame(1500, 70, "0c" * 32)),
    )
    foreign = Fingerprints(md5="04" * 16, photodna="04" * 144)
    add, amend = Action.ADD, Action.AMEND
    return [
        [
            tell(1, add, 1, CAMERA, hashes(1)),
            tell(2, add, 2, CAMERA, hashes(2)),
            tell(3, add, 3, DRAWN, film),
            tell(5, add, 4, CAMERA, foreign),
            tell(6, add, 5, DRAWN, hashes(5)),
        ],
        [
            Event(7, Action.QUARANTINE, 2, CAMERA, "contested"),
            tell(8, amend, 1, CAMERA, hashes(1, md5=None)),
            Event(9, Action.WITHDRAW, 5, DRAWN, "moved"),
            tell(10, add, 5, CAMERA, hashes(5)),
            Event(11, Action.QUARANTINE, 3, DRAWN, "contested"),
        ],
        [
            Event(12, Action.RESTORE, 3, DRAWN),
            Event(13, Action.WITHDRAW, 4, CAMERA, "not-unlawful"),
            tell(14, amend, 1, CAMERA, hashes(1, pdq="3c" * 32)),
        ],
        [tell(2**32, add, 2**40, CAMERA, hashes(6))],
    ]


#: Entries of each class after each edition, and those of them under quarantine.
COUNTS = [
    {CAMERA: Counts(3, 0), DRAWN: Counts(2, 0)},
    {CAMERA: Counts(4, 1), DRAWN: Counts(1, 1)},
    {CAMERA: Counts(3, 1), DRAWN: Counts(1, 0)},
    {CAMERA: Counts(4, 1)},
]


def make(
    directory: Path,
    *,
    certified: bool = True,
    witnesses: Sequence[CosignatureSigner] = WITNESSES,
    signer: Signer = PUBLISHER,
    ahead: timedelta = timedelta(0),
) -> None:
    """Write the published list into ``directory/list``, and what a reader is to find beside it.

    Without certificates, without one of the witnesses or with another signer, readers refuse it.
    """
    folder = directory / "list"
    _publish_root(folder)
    keys = OnlineKeys(role_key(12), role_key(13), role_key(14))
    log = Log(folder / "log", LOG)
    previous: Manifest | None = None
    targets: dict[str, bytes] = {}
    with _early_snapshots():
        for number, events in enumerate(history(), 1):
            now = START + timedelta(hours=number)
            plan = EditionPlan("hotline.example", number, now + ahead, previous)
            classes = (CAMERA, DRAWN)
            manifest = write_edition(
                folder, plan, deltas(classes, events), COUNTS[number - 1], salt_key=SALT_KEY
            )
            files = {"manifest": signer.sign(manifest.text()).encode()}
            if certified:
                vouched = Certificate.of(manifest, SECOND.name, classes).text()
                files[f"certificate.{SECOND.name}"] = SECOND.sign(vouched).encode()
            targets |= {f"{edition_path(number)}/{name}": data for name, data in files.items()}
            _log(log, folder / edition_path(number), files, witnesses, now)
            Repository(folder, keys).release(targets, now)
            previous = manifest
    for left in (folder / "log").glob(".*"):
        left.unlink()
    assert previous is not None
    (directory / "vectors.json").write_text(json.dumps(_facts(folder, previous), indent=1) + "\n")


@contextlib.contextmanager
def _early_snapshots() -> Iterator[None]:
    """A snapshot in edition 3, though the list is small."""
    spare, editions.SPARE_ROWS = editions.SPARE_ROWS, 4
    yield
    editions.SPARE_ROWS = spare


def _publish_root(folder: Path) -> None:
    """Two roots: the second, with another freshness, signed by one of the first's two holders."""
    holders = [
        PublicKey(name, role_key(seed).public_key) for name, seed in (("anna", 10), ("ben", 11))
    ]
    online = {
        role: PublicKey(role, role_key(seed).public_key)
        for role, seed in (("targets", 12), ("snapshot", 13), ("timestamp", 14))
    }
    expires = START + timedelta(days=365)
    plan = roots.Plan(policy(), tuple(holders), 1, online, expires)
    first = roots.draft(plan)
    gathered = ceremony.gather(first, [ceremony.sign(first, role_key(10))])
    ceremony.publish(folder, gathered)
    changes = roots.Changes(threshold=2)
    second = roots.following(gathered.data, changes, expires=expires)
    signed = [ceremony.sign(second, role_key(seed), previous=gathered.data) for seed in (10, 11)]
    ceremony.publish(folder, ceremony.gather(second, signed, previous=gathered.data))


def _log(
    log: Log,
    edition: Path,
    files: dict[str, bytes],
    witnesses: Sequence[CosignatureSigner],
    now: datetime,
) -> None:
    first = log.append(list(files.values()))
    text = Checkpoint.parse(open_note(log.checkpoint(), [LOG.verifier]).text).text
    note = log.publish([witness.cosign(text, now) for witness in witnesses])
    for index, name in enumerate(files, first):
        proof = make_proof(index, log.reader().inclusion(index, log.size), note)
        (edition / f"{name}.proof").write_text(proof)


def _facts(folder: Path, manifest: Manifest) -> dict[str, Any]:
    numbers = {
        "equal": [7, 7, 7],
        "one to four": [1, 2, 3, 4],
        "far apart": [0, 2**53, 5],
        "more than a group": [number % 3 for number in range(1030)],
    }
    classes = []
    for entry_class, state in manifest.classes:
        index = parse_index((folder / index_path(manifest.edition, entry_class)).read_text())
        file = index.files[0]
        classes.append(
            {
                "name": entry_class.name,
                "id": entry_class.id,
                "root": state.root,
                "first leaf": file.leaf.decode(),
            }
        )
    return {
        "fingerprint": pinning.fingerprint((folder / "metadata/1.root.json").read_bytes()),
        "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "salt key": SALT_KEY.hex(),
        "keys": {
            "hotline.example": "01" * 32,
            "second.example": "02" * 32,
            "log.hotline.example": "03" * 32,
            "witness.example/1": "04" * 32,
            "witness.example/2": "05" * 32,
            "root anna": "0a" * 32,
            "root ben": "0b" * 32,
            "targets": "0c" * 32,
            "snapshot": "0d" * 32,
            "timestamp": "0e" * 32,
        },
        "manifest": manifest.digest(),
        "classes": classes,
        "packed": [
            {"numbers": some if len(some) < 9 else f"n mod 3 for n from 0 to {len(some) - 1}",
             "bytes": pack(np.array(some, np.uint64)).hex()}
            for some in numbers.values()
        ],
        "entries": [
            {
                "entry": "entry-1", "class": CAMERA.name, "kind": "image",
                "pipeline": "media-1+pdq-1", "quarantined": False,
                "sha256": "01" * 32, "sha1": "01" * 20, "md5": "01" * 16, "pdq": "3c" * 32,
                "quality": 99,
            },
            {
                "entry": "entry-2", "class": CAMERA.name, "kind": "image",
                "pipeline": "media-1+pdq-1", "quarantined": True,
                "sha256": "02" * 32, "sha1": "02" * 20, "md5": "02" * 16, "pdq": "f2" * 32,
                "quality": 98,
            },
            {
                "entry": "entry-3", "class": DRAWN.name, "kind": "video",
                "pipeline": "media-1+pdq-1", "quarantined": False,
                "sha256": "03" * 32, "sha1": "03" * 20, "md5": "03" * 16,
                "video": [[0, 90, "0a" * 32], [1000, 80, "0b" * 32], [1500, 70, "0c" * 32]],
            },
            {
                "entry": "entry-5", "class": CAMERA.name, "kind": "image",
                "pipeline": "media-1+pdq-1", "quarantined": False,
                "sha256": "05" * 32, "sha1": "05" * 20, "md5": "05" * 16, "pdq": "f5" * 32,
                "quality": 95,
            },
            {
                "entry": f"entry-{2**40}", "class": CAMERA.name, "kind": "image",
                "pipeline": "media-1+pdq-1", "quarantined": False,
                "sha256": "06" * 32, "sha1": "06" * 20, "md5": "06" * 16, "pdq": "f6" * 32,
                "quality": 94,
            },
        ],
    }  # fmt: skip


if __name__ == "__main__":
    shutil.rmtree(VECTORS, ignore_errors=True)
    make(VECTORS)
