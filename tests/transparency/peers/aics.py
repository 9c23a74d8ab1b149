"""Checks a log with aics-tlog and aics-witness (PyPI, Apache-2.0), and asks their witness."""

import json
import sys
from pathlib import Path

from aics_tlog.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint, verify_checkpoint
from aics_tlog.hashing import leaf_hash
from aics_tlog.note import parse_note, parse_vkey
from aics_tlog.tiles import FileSystemTileReader
from aics_tlog.tree import MerkleTree, verify_consistency, verify_inclusion
from aics_tlog.verified import audit_tiles
from aics_tlog.writer import DirectoryTileStore, IncrementalTileWriter
from aics_witness.config import LogConfig
from aics_witness.protocol import format_add_checkpoint_request
from aics_witness.service import Witness, WitnessError
from aics_witness.store import WitnessStore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

given = json.load(sys.stdin)
checks = {}


def hashes(texts):
    return [bytes.fromhex(one) for one in texts]


def check(name, work):
    try:
        checks[name] = bool(work())
    except Exception:  # noqa: BLE001 - whatever it raises, it did not accept
        checks[name] = False


def note():
    found = verify_checkpoint(
        parse_note(given["Note"]),
        parse_vkey(given["Vkey"]),
        [parse_vkey(each) for each in given["Witnesses"]],
        len(given["Witnesses"]),
    )
    return found.ok and (found.size, found.root.hex()) == (given["Size"], given["Root"])


def inclusion():
    leaf = leaf_hash(bytes.fromhex(given["Leaf"]))
    proof, root = hashes(given["Inclusion"]), bytes.fromhex(given["Root"])
    return verify_inclusion(leaf, given["Index"], given["Size"], proof, root)


def consistency():
    roots = bytes.fromhex(given["OldRoot"]), bytes.fromhex(given["Root"])
    return verify_consistency(given["OldSize"], given["Size"], *roots, hashes(given["Consistency"]))


def tiles():
    reader = FileSystemTileReader(given["Directory"])
    audit_tiles(reader, given["Size"], bytes.fromhex(given["Root"]))
    return True


for work in (note, inclusion, consistency, tiles):
    check(work.__name__, work)

key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given["Seed"]))
directory = Path(given["Target"])
store = DirectoryTileStore(directory)
writer = IncrementalTileWriter(store)
leaves = [b"theirs %d" % number for number in range(given["Size"])]
writer.append(leaves)
signed = sign_checkpoint(
    Checkpoint(given["Name"], given["Size"], writer.root()), key, given["Name"]
)
store.write_checkpoint(signed.to_bytes())
tree = MerkleTree(leaves)

# Their witness, asked about our log; and what they would ask ours.
state = WitnessStore(directory / "witness.sqlite3", create=True)
origin = parse_checkpoint(parse_note(given["Note"]).text).origin
witness = Witness(
    "their.example/witness",
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    state,
    [LogConfig.from_strings(origin, [given["Vkey"]])],
)
answers = []
for text in given["Requests"]:
    try:
        answers.append([200, witness.add_checkpoint(text.encode()).decode()])
    except WitnessError as refused:
        answers.append([refused.status, refused.body.decode()])
old = given["OldSize"]
begun = Checkpoint(given["Name"], old, tree.root(old))
requests = [
    format_add_checkpoint_request(0, [], sign_checkpoint(begun, key, given["Name"]).to_bytes()),
    format_add_checkpoint_request(old, tree.consistency_proof(old), signed.to_bytes()),
]
json.dump(
    {
        "checks": checks,
        "theirs": {
            "note": signed.serialise(),
            "old_root": tree.root(old).hex(),
            "inclusion": [one.hex() for one in tree.inclusion_proof(given["Index"])],
            "consistency": [one.hex() for one in tree.consistency_proof(old)],
            "requests": [one.decode() for one in requests],
        },
        "witness": {"vkey": witness.vkey_text, "answers": answers},
    },
    sys.stdout,
)
