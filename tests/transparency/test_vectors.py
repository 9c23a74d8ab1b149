"""docs/vectors/log/log.json: what is written there holds, for us and for the definitions.

``STRANDLINE_TEST_WRITE_VECTORS=1`` writes the file anew; its differences are then to be read.
"""

import hashlib
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import naive_tree as naive
from log_cast import HOUR, LOG, NOW, W1, W2, body, cosigned
from strandline.transparency import (
    CosignatureVerifier,
    Log,
    ProofRefused,
    Verifier,
    open_checkpoint,
    open_proof,
)
from strandline.transparency.merkle import verify_consistency, verify_inclusion
from strandline.transparency.proofs import make_proof
from strandline.transparency.witnessing import request

PATH = Path(__file__).parents[2] / "docs/vectors/log/log.json"
SIZES = (0, 1, 2, 3, 5, 8, 255, 256, 257, 300)
SIZE = 300


def hexes(hashes):
    return [one.hex() for one in hashes]


def refused():
    """Claims that must be refused: those about the empty log, and one of each kind."""
    leaves, empty = naive.leaves(8), hashlib.sha256().digest()
    root, older = naive.mth(leaves), naive.mth(leaves[:5])
    consistency, inclusion = naive.proof(5, leaves), naive.path(2, leaves)
    leaf = naive.leaf(leaves[2])

    def grew(why, size1, root1, size2, root2, proof):
        return {
            "kind": "consistency",
            "why": why,
            "size1": size1,
            "root1": root1.hex(),
            "size2": size2,
            "root2": root2.hex(),
            "proof": hexes(proof),
        }

    def inside(why, hash_, index, size, proof, root_):
        return {
            "kind": "inclusion",
            "why": why,
            "leaf_hash": hash_.hex(),
            "index": index,
            "size": size,
            "proof": hexes(proof),
            "root": root_.hex(),
        }

    return [
        grew("from the empty log to itself", 0, empty, 0, empty, []),
        grew("from the empty log, without a proof", 0, empty, 8, root, []),
        grew("from the empty log, with a proof", 0, empty, 8, root, [root]),
        inside("in the empty log", leaf, 0, 0, [], empty),
        grew("same size, another root", 8, older, 8, root, []),
        grew("same size, a proof too many", 8, root, 8, root, [root]),
        grew("backwards", 8, root, 5, older, consistency),
        grew("another old root", 5, root, 8, root, consistency),
        grew("a hash too few", 5, older, 8, root, consistency[:-1]),
        grew("a hash too many", 5, older, 8, root, [*consistency, root]),
        inside("another leaf", naive.leaf(leaves[3]), 2, 8, inclusion, root),
        inside("another index", leaf, 3, 8, inclusion, root),
        inside("beyond the end", leaf, 8, 8, inclusion, root),
        inside("another root", leaf, 2, 8, inclusion, older),
        inside("a hash too few", leaf, 2, 8, inclusion[:-1], root),
        inside("a hash too many", leaf, 2, 8, [*inclusion, root], root),
        inside("a node for a leaf", naive.mth(leaves[:2]), 0, 8, inclusion[1:], root),
    ]


def built(directory):
    leaves = naive.leaves(SIZE)
    log = Log(directory, LOG)
    log.append(leaves)
    unsigned = log.checkpoint()
    note = cosigned(log, W1, W2)
    index = 257
    files = sorted(path for path in directory.glob("tile/**/*") if path.is_file())
    return {
        "about": "Keys are made from the seeds (RFC 8032); never use them. Leaf i is 'leaf <i>'.",
        "log": {"seed": bytes(32).hex(), "name": LOG.name, "vkey": LOG.vkey},
        "witnesses": [
            {"seed": (bytes([number]) * 32).hex(), "name": each.name, "vkey": each.vkey}
            for number, each in ((1, W1), (2, W2))
        ],
        "roots": {str(size): naive.mth(leaves[:size]).hex() for size in SIZES},
        "files": {
            str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
        "time": int(NOW.timestamp()),
        "checkpoint": note,
        "inclusion": [
            {"index": at, "size": size, "proof": hexes(naive.path(at, leaves[:size]))}
            for at, size in ((0, 1), (0, 2), (2, 3), (4, 5), (6, 8), (0, 300), (257, 300))
        ],
        "consistency": [
            {"size1": old, "size2": new, "proof": hexes(naive.proof(old, leaves[:new]))}
            for old, new in ((1, 1), (1, 2), (3, 5), (4, 8), (6, 8), (256, 300), (257, 300))
        ],
        "tlog_proof": {
            "leaf": leaves[index].decode(),
            "text": make_proof(index, log.reader().inclusion(index, SIZE), note),
        },
        "add_checkpoint": request(257, naive.proof(257, leaves), unsigned).decode(),
        "refused": refused(),
    }


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    made = built(tmp_path_factory.mktemp("log"))
    if os.environ.get("STRANDLINE_TEST_WRITE_VECTORS"):
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    held = json.loads(PATH.read_text())
    assert held == made
    return held


def test_the_log_is_what_the_vectors_say(vectors):
    assert open_checkpoint(
        vectors["checkpoint"],
        Verifier.from_vkey(vectors["log"]["vkey"]),
        [CosignatureVerifier.from_vkey(each["vkey"]) for each in vectors["witnesses"]],
        2,
        now=NOW,
        fresh=HOUR,
    ).checkpoint.root == bytes.fromhex(vectors["roots"]["300"])


def test_a_cosignature_verifies_as_the_page_says_with_nothing_of_ours(vectors):
    import base64

    text, lines = vectors["checkpoint"].split("\n\n")
    line = lines.split("\n")[1].split(" ")[2]
    blob = base64.b64decode(line)
    seconds = int.from_bytes(blob[4:12], "big")
    assert seconds == vectors["time"]
    key = base64.b64decode(vectors["witnesses"][0]["vkey"].split("+", 2)[2])
    assert key[0] == 4
    message = f"cosignature/v1\ntime {seconds}\n{text}\n".encode()
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[12:], message)
    name = vectors["witnesses"][0]["name"]
    assert blob[:4] == hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]


def test_the_proofs_hold(vectors):
    leaves = naive.leaves(SIZE)
    for each in vectors["inclusion"]:
        leaf, root = naive.leaf(leaves[each["index"]]), naive.mth(leaves[: each["size"]])
        proof = [bytes.fromhex(one) for one in each["proof"]]
        verify_inclusion(leaf, each["index"], each["size"], proof, root)
    for each in vectors["consistency"]:
        roots = [naive.mth(leaves[: each[key]]) for key in ("size1", "size2")]
        proof = [bytes.fromhex(one) for one in each["proof"]]
        verify_consistency(each["size1"], roots[0], each["size2"], roots[1], proof)
    proof = vectors["tlog_proof"]
    assert open_proof(proof["text"], proof["leaf"].encode(), LOG.verifier).index == 257
    assert body(vectors["add_checkpoint"].partition("\n\n")[2]) == body(vectors["checkpoint"])


def test_what_must_be_refused_is(vectors):
    for each in vectors["refused"]:
        with pytest.raises(ProofRefused):
            claimed(each)


def claimed(each):
    def plain(key):
        return bytes.fromhex(each[key])

    proof = [bytes.fromhex(one) for one in each["proof"]]
    if each["kind"] == "inclusion":
        verify_inclusion(plain("leaf_hash"), each["index"], each["size"], proof, plain("root"))
    else:
        roots = plain("root1"), plain("root2")
        verify_consistency(each["size1"], roots[0], each["size2"], roots[1], proof)
