"""RFC 6962 section 2.1 as it is written there: slow, recursive, and nobody else's code."""

import hashlib


def leaf(data):
    return hashlib.sha256(b"\x00" + data).digest()


def split(count):
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def mth(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf(leaves[0])
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m, leaves):
    return _subproof(m, leaves, whole=True)


def _subproof(m, leaves, *, whole):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def leaves(count, start=0):
    return [b"leaf %d" % number for number in range(start, start + count)]
