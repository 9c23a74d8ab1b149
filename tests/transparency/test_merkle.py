"""Merkle trees: the tree of RFC 6962, its proofs, and that nothing else is believed."""

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_tree as naive
from strandline.transparency import ProofRefused
from strandline.transparency.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    tree_hash,
    verify_consistency,
    verify_inclusion,
)

#: The inputs and roots that implementations of Certificate Transparency share, by size.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
#: The public cases of transparency-dev/merkle, Apache-2.0: one JSON file each.
PUBLIC = Path(
    os.environ.get("STRANDLINE_TEST_MERKLE_CASES")
    or Path(__file__).parents[3] / "shared/vectors/merkle"
)


def hashes(count):
    return [naive.leaf(data) for data in naive.leaves(count)]


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_certificate_transparency(size):
    assert tree_hash(LEAVES[:size]).hex() == ROOTS[size]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=9), max_size=80))
def test_a_root_is_that_of_the_recursive_definition(leaves):
    assert tree_hash(leaves) == naive.mth(leaves)


@settings(deadline=None)
@given(st.data())
def test_proofs_are_those_of_the_recursive_definition_and_hold(data):
    leaves = naive.leaves(data.draw(st.integers(1, 150)))
    held, root, size = [leaf_hash(leaf) for leaf in leaves], naive.mth(leaves), len(leaves)
    index, older = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    inclusion, consistency = inclusion_proof(held, index), consistency_proof(held, older)
    assert inclusion == naive.path(index, leaves)
    assert consistency == naive.proof(older, leaves)
    verify_inclusion(held[index], index, size, inclusion, root)
    verify_consistency(older, naive.mth(leaves[:older]), size, root, consistency)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_proof_of_inclusion_is_refused(data):
    held = hashes(data.draw(st.integers(1, 70)))
    size, root = len(held), root_of(held)
    index = data.draw(st.integers(0, size - 1))
    given_ = (held[index], index, size, inclusion_proof(held, index), root)
    changed = data.draw(inclusion_changes(*given_))
    if changed == given_ or same_claim(changed, held):
        return
    with pytest.raises(ProofRefused):
        verify_inclusion(*changed)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_proof_of_consistency_is_refused(data):
    held = hashes(data.draw(st.integers(2, 70)))
    size = len(held)
    older = data.draw(st.integers(1, size - 1))
    given_ = (older, root_of(held[:older]), size, root_of(held), consistency_proof(held, older))
    changed = data.draw(consistency_changes(*given_))
    true = (
        0 < changed[0] <= changed[2] <= size
        and changed[1] == root_of(held[: changed[0]])
        and changed[3] == root_of(held[: changed[2]])
    )
    if changed == given_ or true:
        return
    with pytest.raises(ProofRefused):
        verify_consistency(*changed)


def test_a_proof_from_or_in_the_empty_log_says_nothing_and_is_refused():
    one = tree_hash([b"only"])
    for size, root in ((0, EMPTY_ROOT), (1, one), (1, EMPTY_ROOT)):
        for proof in ([], [EMPTY_ROOT], [one]):
            with pytest.raises(ProofRefused):
                verify_consistency(0, EMPTY_ROOT, size, root, proof)
    for leaf in (b"", EMPTY_ROOT, one):
        for root in (b"", EMPTY_ROOT, one):
            with pytest.raises(ProofRefused):
                verify_inclusion(leaf, 0, 0, [], root)
    with pytest.raises(ProofRefused):
        inclusion_proof([], 0)
    with pytest.raises(ProofRefused):
        consistency_proof([], 0)
    with pytest.raises(ProofRefused):
        consistency_proof(hashes(3), 0)


def test_a_fork_at_the_same_size_is_told_as_one():
    with pytest.raises(ProofRefused, match="fork"):
        verify_consistency(3, tree_hash(b"abc"[:1] for _ in range(3)), 3, EMPTY_ROOT, [])


def test_sizes_no_log_can_have_are_refused():
    leaf = leaf_hash(b"a")
    for index, size in ((-1, 1), (1, 1), (2**63, 2**64), (0, -1)):
        with pytest.raises(ProofRefused):
            verify_inclusion(leaf, index, size, [], leaf)


def test_leaves_and_nodes_are_told_apart():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


@pytest.mark.skipif(not PUBLIC.exists(), reason="the cases ../shared/vectors/merkle are not here")
def test_the_public_cases_come_out_as_they_say():
    checked = 0
    for path in sorted(PUBLIC.glob("**/*.json")):
        kind = path.relative_to(PUBLIC).parts[0]
        if kind not in {"inclusion", "consistency"}:
            continue
        case = json.loads(path.read_text())
        assert holds(kind, case) != case["wantErr"], f"{path}: {case['desc']}"
        checked += 1
    assert checked == 196


def holds(kind, case):
    def plain(text):
        return base64.b64decode(text or "")

    proof = [plain(one) for one in case["proof"] or []]
    try:
        if kind == "inclusion":
            leaf, root = plain(case["leafHash"]), plain(case["root"])
            verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)
        else:
            roots = plain(case["root1"]), plain(case["root2"])
            verify_consistency(case["size1"], roots[0], case["size2"], roots[1], proof)
    except ProofRefused:
        return False
    return True


def same_claim(changed, held):
    """Whether the changed claim is true of the same tree, by another leaf or an equal proof."""
    leaf, index, size, _, root = changed
    return 0 <= index < size == len(held) and leaf == held[index] and root == root_of(held)


@st.composite
def changed_hashes(draw, proof):
    garbage = st.binary(min_size=0, max_size=40) | st.just(hashlib.sha256(b"garbage").digest())
    changed = list(proof)
    match draw(st.sampled_from(["insert", "drop", "alter", "swap", "repeat"])):
        case "insert":
            changed.insert(draw(st.integers(0, len(changed))), draw(garbage))
        case "drop" if changed:
            changed.pop(draw(st.integers(0, len(changed) - 1)))
        case "alter" if changed:
            at = draw(st.integers(0, len(changed) - 1))
            place = draw(st.integers(0, 255))
            altered = bytearray(changed[at])
            altered[place // 8] ^= 1 << place % 8
            changed[at] = bytes(altered)
        case "swap" if len(changed) > 1:
            changed[0], changed[-1] = changed[-1], changed[0]
        case "repeat" if changed:
            changed.append(changed[-1])
    return changed


numbers = st.sampled_from([-1, 1, 2, -2]) | st.integers(-100, 100)


@st.composite
def inclusion_changes(draw, leaf, index, size, proof, root):
    match draw(st.sampled_from(["leaf", "index", "size", "proof", "root"])):
        case "leaf":
            return draw(st.binary(min_size=30, max_size=34)), index, size, proof, root
        case "index":
            return leaf, index + draw(numbers), size, proof, root
        case "size":
            # A larger tree may need a proof of the same length; its root would be another.
            return leaf, index, size, proof, draw(st.binary(min_size=32, max_size=32))
        case "proof":
            changed = draw(changed_hashes(proof))
            return leaf, index, size, changed, root if changed != proof else b""
    return leaf, index, size, proof, draw(st.sampled_from([b"", EMPTY_ROOT, root[:-1], leaf[::-1]]))


@st.composite
def consistency_changes(draw, older, root1, size, root2, proof):
    match draw(st.sampled_from(["older", "size", "root1", "root2", "swap", "proof"])):
        case "older":
            return older + draw(numbers), root1, size, root2, proof
        case "size":
            return older, root1, draw(st.integers(-2, older - 1)), root2, proof
        case "root1":
            return older, draw(st.sampled_from([b"", EMPTY_ROOT, root2])), size, root2, proof
        case "root2":
            return older, root1, size, draw(st.sampled_from([b"", EMPTY_ROOT, root1])), proof
        case "swap":
            return older, root2, size, root1, proof
    changed = draw(changed_hashes(proof))
    return older, root1, size, root2 if changed != proof else b"", changed
