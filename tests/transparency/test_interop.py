"""Other people's implementations accept our log and refuse a changed one; ours accepts theirs.

Go: ``golang-go`` and ``golang-golang-x-mod-dev`` of Debian. npm: ``@sigstore/verify``, found
through ``NODE_PATH``. PyPI: ``tlog-scales``, and ``aics-tlog`` with ``aics-witness``, in the
interpreter that ``STRANDLINE_TEST_PEER_PYTHON`` names. What is not there is skipped by its name.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import naive_tree as naive
from log_cast import LOG, NOW, W1, W2, cosigned, reading
from strandline.transparency import (
    Checkpoint,
    CosignatureVerifier,
    Log,
    Signer,
    make_proof,
    open_checkpoint,
    open_note,
    open_proof,
)
from strandline.transparency.merkle import leaf_hash, tree_hash, verify_consistency
from strandline.transparency.tiles import VerifiedTiles
from strandline.transparency.witness import Witness
from strandline.transparency.witnessing import ask, request

PEERS = Path(__file__).parent / "peers"
PYTHON = os.environ.get("STRANDLINE_TEST_PEER_PYTHON", sys.executable)
GOCODE = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
THEIR_SEED = bytes([5]) * 32
THEIRS = Signer.from_seed("their.example/log", THEIR_SEED)
SIZE, OLD, INDEX = 700, 300, 513


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    log = Log(tmp_path_factory.mktemp("log"), LOG)
    log.append(naive.leaves(OLD))
    log.append(naive.leaves(SIZE - OLD, OLD))
    cosigned(log, W1, W2)
    return log


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    if not shutil.which("go") or not GOCODE.exists():
        pytest.skip("Go's sumdb is not here (Debian: golang-go golang-golang-x-mod-dev)")
    built = tmp_path_factory.mktemp("go")
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(built / "cache"),
        "GOFLAGS": "",
    }
    target = [str(built / "sumdb"), str(PEERS / "sumdb.go")]
    subprocess.run(["go", "build", "-o", *target], env=environment, check=True, timeout=300)
    return [target[0]]


@pytest.fixture(scope="module")
def sigstore():
    found = shutil.which("node") and subprocess.run(
        ["node", "-e", "require.resolve('@sigstore/verify')"], capture_output=True, check=False
    )
    if not found or found.returncode:
        pytest.skip("@sigstore/verify is not here (npm; NODE_PATH tells where)")
    return ["node", str(PEERS / "sigstore.cjs")]


def python_peer(module, script):
    found = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip(f"{module} is not here (PyPI; STRANDLINE_TEST_PEER_PYTHON tells where)")
    return [PYTHON, str(PEERS / script)]


@pytest.fixture(scope="module")
def scales():
    return python_peer("tlog_scales", "scales.py")


@pytest.fixture(scope="module")
def aics():
    return python_peer("aics_witness, aics_tlog", "aics.py")


def case(log, target, **changes):
    reader, note = log.reader(), log.published()
    given = {
        "Vkey": LOG.vkey,
        "Witnesses": [W1.vkey, W2.vkey],
        "Note": note,
        "Directory": str(log.directory),
        "Leaf": reader.leaf(INDEX, SIZE).hex(),
        "Index": INDEX,
        "Size": SIZE,
        "Root": reader.root(SIZE).hex(),
        "OldSize": OLD,
        "OldRoot": reader.root(OLD).hex(),
        "Inclusion": [one.hex() for one in reader.inclusion(INDEX, SIZE)],
        "Consistency": [one.hex() for one in reader.consistency(OLD, SIZE)],
        "Name": THEIRS.name,
        "Seed": THEIR_SEED.hex(),
        "Skey": secret(THEIRS, target),
        "Target": str(target / "theirs"),
        "Requests": [],
    }
    return given | changes


def secret(signer, target):
    path = target / "key"
    path.unlink(missing_ok=True)
    signer.save(path)
    return path.read_text().strip()


def asked(peer, given):
    shutil.rmtree(given["Target"], ignore_errors=True)
    done = subprocess.run(
        peer, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def flipped(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def changed(given):
    """One change for each thing a peer checks, with the checks that must then fail."""
    note = given["Note"].replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n")
    yield {"Note": note}, "note"
    yield {"Leaf": flipped(given["Leaf"])}, "inclusion"
    yield {"Inclusion": [*given["Inclusion"][:-1], flipped(given["Inclusion"][-1])]}, "inclusion"
    yield {"Inclusion": given["Inclusion"][:-1]}, "inclusion"
    yield {"Index": INDEX + 1}, "inclusion"
    yield {"OldRoot": flipped(given["OldRoot"])}, "consistency"
    yield {"Consistency": given["Consistency"][:-1]}, "consistency"


@pytest.mark.parametrize("name", ["go", "sigstore", "scales", "aics"])
def test_they_accept_our_log_and_refuse_it_changed(name, request, log, tmp_path):
    peer = request.getfixturevalue(name)
    given = case(log, tmp_path)
    checks = asked(peer, given)["checks"]
    assert checks
    assert all(checks.values()), checks
    for change, fails in changed(given):
        if fails in checks:
            assert not asked(peer, given | change)["checks"][fails], change


@pytest.mark.parametrize("name", ["go", "scales", "aics"])
def test_they_read_our_tiles_and_notice_a_changed_one(name, request, log, tmp_path):
    peer = request.getfixturevalue(name)
    copy = tmp_path / "copy"
    shutil.copytree(log.directory, copy)
    given = case(log, tmp_path, Directory=str(copy))
    assert asked(peer, given)["checks"]["tiles"]
    path = copy / "tile/0/002.p/188"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    assert not asked(peer, given)["checks"]["tiles"]


@pytest.mark.parametrize("name", ["go", "aics"])
def test_we_accept_their_notes_and_proofs(name, request, log, tmp_path):
    theirs = asked(request.getfixturevalue(name), case(log, tmp_path))["theirs"]
    leaves = [b"theirs %d" % number for number in range(SIZE)]
    checkpoint = open_checkpoint(theirs["note"], THEIRS.verifier).checkpoint
    assert (checkpoint.size, checkpoint.root) == (SIZE, tree_hash(leaves))
    inclusion = [bytes.fromhex(one) for one in theirs["inclusion"]]
    proof = make_proof(INDEX, inclusion, theirs["note"])
    assert open_proof(proof, leaves[INDEX], THEIRS.verifier).index == INDEX
    verify_consistency(
        OLD,
        bytes.fromhex(theirs["old_root"]),
        SIZE,
        checkpoint.root,
        [bytes.fromhex(one) for one in theirs["consistency"]],
    )


@pytest.mark.parametrize("name", ["scales", "aics"])
def test_we_read_their_tiles_and_bundles_and_go_on_from_them(name, request, log, tmp_path):
    theirs = asked(request.getfixturevalue(name), case(log, tmp_path))["theirs"]
    checkpoint = open_checkpoint(theirs["note"], THEIRS.verifier).checkpoint
    directory = tmp_path / "theirs"
    tiles = VerifiedTiles(reading(directory), checkpoint.size, checkpoint.root)
    leaves = [b"theirs %d" % number for number in range(SIZE)]
    assert list(tiles.leaves(0, SIZE)) == leaves
    ours = Log(directory, THEIRS)
    assert ours.append([b"ours"]) == SIZE
    assert ours.reader().root(SIZE + 1) == tree_hash([*leaves, b"ours"])


def test_their_witness_cosigns_our_log_and_refuses_its_fork(aics, log, tmp_path):
    reader, note = log.reader(), log.published()
    first = LOG.sign(Checkpoint("log.example", OLD, reader.root(OLD)).text)
    fork = LOG.sign(Checkpoint("log.example", SIZE, leaf_hash(b"another")).text)
    proof = reader.consistency(OLD, SIZE)
    requests = [
        request(0, [], first),
        request(0, [], note),
        request(OLD, proof, fork),
        request(OLD, proof, note),
    ]
    told = asked(aics, case(log, tmp_path, Requests=[one.decode() for one in requests]))["witness"]
    assert [status for status, _ in told["answers"]] == [200, 409, 422, 200]
    witness = CosignatureVerifier.from_vkey(told["vkey"])
    replies = dict(zip(requests, told["answers"], strict=True))

    def post(_url, body):
        status, answer = replies[body]
        return status, answer.encode()

    line = ask(post, "", note, lambda old: reader.consistency(old, SIZE), witness)
    opened = open_checkpoint(note + line, LOG.verifier, [witness], 1)
    assert opened.checkpoint.size == SIZE


def test_our_witness_answers_what_they_ask(aics, log, tmp_path):
    asking = asked(aics, case(log, tmp_path))["theirs"]["requests"]
    ours = Witness(tmp_path / "state", W1, [THEIRS.verifier], now=lambda: NOW)
    replies = [ours.add_checkpoint(one.encode()) for one in asking]
    assert [reply.status for reply in replies] == [200, 200]
    note = asking[1].partition("\n\n")[2] + replies[1].body.decode()
    assert open_note(note, [W1.verifier]).signed_by == (W1.name,)
