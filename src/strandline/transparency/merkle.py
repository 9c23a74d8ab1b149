"""Merkle trees of logs: roots, inclusion and consistency proofs, and their verification.

Source: RFC 6962 section 2.1 and RFC 9162 section 2.1; SHA-256 throughout. Hashes are 32 bytes. A
tree is known here by its leaf hashes or by a function that gives its complete subtrees, so that
the same proofs are made from memory and from tiles. Nothing is read or written.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from strandline.errors import ProofRefused

HASH_BYTES = 32
#: RFC 6962, 2.1: "the hash of an empty list is the hash of an empty string".
EMPTY_ROOT = hashlib.sha256().digest()
#: Leaves. Sizes beyond it fit no other implementation's signed 64-bit integers.
MAX_SIZE = 2**63 - 1

#: ``node(level, index)``: the hash over leaves ``index * 2**level`` to ``(index + 1) * 2**level``.
Node = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf's data."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children's hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves' data, in one pass and with a few dozen hashes in memory."""
    return root_of(map(leaf_hash, leaves))


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes; the hash of the empty string when there are none."""
    complete: list[tuple[int, bytes]] = []  # (level, hash) of subtrees, ever smaller to the right
    for one in hashes:
        level, value = 0, one
        while complete and complete[-1][0] == level:
            value = node_hash(complete.pop()[1], value)
            level += 1
        complete.append((level, value))
    if not complete:
        return EMPTY_ROOT
    root = complete.pop()[1]
    while complete:
        root = node_hash(complete.pop()[1], root)
    return root


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf ``index`` is in the tree over these leaf hashes, the sibling first.

    Raises ProofRefused when there is no such leaf.
    """
    return [root_of(hashes[start:end]) for start, end in inclusion_ranges(index, len(hashes))]


def consistency_proof(hashes: Sequence[bytes], size1: int) -> list[bytes]:
    """The proof that the tree over the first ``size1`` leaf hashes is the beginning of the whole.

    Raises ProofRefused when the tree never had that size, or ``size1`` is 0: then there is nothing
    to prove.
    """
    return [root_of(hashes[start:end]) for start, end in consistency_ranges(size1, len(hashes))]


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, end) whose hashes make an inclusion proof (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ProofRefused(f"There is no leaf {index} in a log of {size} leaves.")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(size1: int, size2: int) -> list[tuple[int, int]]:
    """The leaf ranges [start, end) whose hashes make a consistency proof (RFC 6962, 2.1.2)."""
    if not 0 < size1 <= size2:
        raise ProofRefused(f"No proof leads from a log of {size1} leaves to one of {size2}.")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size2
    while size1 != end:
        middle = start + _split(end - start)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # the old tree's root is known to whoever asks, unless it is a part of the new one's
        ranges.append((start, end))
    return ranges[::-1]


def range_hash(node: Node, start: int, end: int) -> bytes:
    """The hash over one of the ranges above, from complete subtrees."""
    width = end - start
    if not width:
        return EMPTY_ROOT
    parts: list[bytes] = []
    while width:
        level = width.bit_length() - 1
        parts.append(node(level, start >> level))
        start += 1 << level
        width -= 1 << level
    value = parts.pop()
    while parts:
        value = node_hash(parts.pop(), value)
    return value


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash ``leaf`` is number ``index`` of the ``size`` under ``root``.

    RFC 9162, 2.1.3.2. Raises ProofRefused.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofRefused(f"There is no leaf {index} in a log of {size} leaves.")
    _check_hashes(leaf, root, *proof)
    value = leaf
    for sibling, on_left in zip(proof, _sides(index, size - 1, len(proof)), strict=True):
        value = node_hash(sibling, value) if on_left else node_hash(value, sibling)
    if value != root:
        raise ProofRefused("The proof of inclusion leads to another root: this leaf is not there.")


def verify_consistency(
    size1: int, root1: bytes, size2: int, root2: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the log of ``size1`` leaves is the beginning of that of ``size2``.

    RFC 9162, 2.1.4.2. Raises ProofRefused, also when ``size1`` is 0: a proof that starts from the
    empty log says nothing, and whoever accepts one must decide so (see ``Checkpoint.extends``).
    """
    if not 0 < size1 <= size2 <= MAX_SIZE:
        raise ProofRefused(f"No proof leads from a log of {size1} leaves to one of {size2}.")
    if size1 == size2:
        if proof:
            raise _wrong_length()
        if root1 != root2:
            raise ProofRefused("Two logs of the same size have different roots: this is a fork.")
        return
    _check_hashes(root1, root2, *proof)
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    if not path:
        raise _wrong_length()
    complete = (size1 & -size1).bit_length() - 1  # the old log's last complete subtree
    position, last = (size1 - 1) >> complete, (size2 - 1) >> complete
    old = new = path.pop(0)
    for sibling, on_left in zip(path, _sides(position, last, len(path)), strict=True):
        if on_left:
            old = node_hash(sibling, old)
        new = node_hash(sibling, new) if on_left else node_hash(new, sibling)
    if (old, new) != (root1, root2):
        raise ProofRefused("The new log does not begin with the old one: its history was changed.")


def _sides(position: int, last: int, count: int) -> list[bool]:
    """Whether each of ``count`` siblings on the way from ``position`` to the root is on its left.

    ``last`` is the position of the level's last node. Raises ProofRefused when the way has another
    length.
    """
    sides: list[bool] = []
    for _ in range(count):
        if last == 0:
            raise _wrong_length()
        on_left = bool(position & 1) or position == last
        sides.append(on_left)
        while on_left and position and not position & 1:  # no sibling here: straight up
            position >>= 1
            last >>= 1
        position >>= 1
        last >>= 1
    if last:
        raise _wrong_length()
    return sides


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << ((width - 1).bit_length() - 1)


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofRefused("A hash of the proof is cut or padded: each has 32 bytes.")


def _wrong_length() -> ProofRefused:
    return ProofRefused("The proof has not the number of hashes that logs of these sizes need.")
