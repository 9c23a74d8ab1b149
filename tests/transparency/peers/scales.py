"""Checks a log with tlog-scales (PyPI, Apache-2.0), and writes one for ours to read."""

import json
import logging
import sys
from pathlib import Path

from tlog_scales import backend, reader, signing, tlog, writer

logging.disable()
given = json.load(sys.stdin)
checks = {}


def check(name, work):
    try:
        checks[name] = bool(work())
    except Exception:  # noqa: BLE001 - whatever it raises, it did not accept
        checks[name] = False


def note():
    checkpoint = tlog.Checkpoint.from_text(given["Note"])
    keys = [given["Vkey"], *given["Witnesses"]]
    known = signing.VkeySet(*map(signing.Vkey.from_string, keys))
    assert (checkpoint.size, checkpoint.root_hash.hex()) == (given["Size"], given["Root"])
    return len(known.verify(checkpoint.signatures, checkpoint)) == len(keys)


def inclusion():
    hashes = [bytes.fromhex(one) for one in given["Inclusion"]]
    proof = tlog.InclusionProof(given["Index"], given["Size"], hashes)
    leaf = tlog.sha256(b"\x00" + bytes.fromhex(given["Leaf"]))
    proof.check(leaf, bytes.fromhex(given["Root"]))
    return True


def consistency():
    hashes = [bytes.fromhex(one) for one in given["Consistency"]]
    proof = tlog.ConsistencyProof(given["OldSize"], given["Size"], hashes)
    proof.check(bytes.fromhex(given["OldRoot"]), bytes.fromhex(given["Root"]))
    return True


def tiles():
    held = reader.TilesReader(backend.LocalBackend(Path(given["Directory"])))
    held.set_size(given["Size"])
    return (
        held.calculate_root_hash().hex() == given["Root"]
        and held.get_entry(given["Index"]).hex() == given["Leaf"]
        and [h.hex() for h in held.get_inclusion_proof(given["Index"], given["Size"]).node_hashes]
        == given["Inclusion"]
    )


for work in (note, inclusion, consistency, tiles):
    check(work.__name__, work)

directory = Path(given["Target"])
log = writer.TilesWriter.create(directory, given["Name"])
for number in range(given["Size"]):
    log.add_leaf(b"theirs %d" % number)
log.commit([signing.PlainEd25519Signer(given["Name"], bytes.fromhex(given["Seed"]))])
json.dump(
    {"checks": checks, "theirs": {"note": (directory / "checkpoint").read_text()}}, sys.stdout
)
