"""What an index must answer, worked out the slow and obvious way."""

import numpy as np

from strandline.matching import BITS, Entry, Match

#: Every bit of a hash.
ALL = (1 << BITS) - 1


def as_hex(value):
    return f"{value:064x}"


class Reference:
    """Entries in a dictionary; every query looks at all of them."""

    def __init__(self, entries=()):
        self.held = {}
        self.add(entries)

    def __len__(self):
        return len(self.held)

    def add(self, entries):
        for entry in (Entry(*each) for each in entries):
            key = entry.id, int(entry.hash, 16)
            self.held[key] = tuple(sorted({*self.held.get(key, ()), *entry.labels}))

    def withdraw(self, ids):
        gone = [key for key in self.held if key[0] in set(ids)]
        for key in gone:
            del self.held[key]
        return len(gone)

    def query(self, text, radius, labels=None):
        wanted = int(text, 16)
        found = [
            Match(name, as_hex(value), (value ^ wanted).bit_count(), filed)
            for (name, value), filed in self.held.items()
            if (value ^ wanted).bit_count() <= radius
            and (labels is None or set(labels) & set(filed))
        ]
        return sorted(found, key=lambda match: (match.distance, match.id, match.hash))

    def clusters(self, radius):
        left, found = set(self.held), []
        while left:
            group = edge = {left.pop()}
            while edge:
                edge = {k for k in left if any((k[1] ^ e[1]).bit_count() <= radius for e in edge)}
                left -= edge
                group = group | edge
            if len(group) > 1:
                found.append(sorted((name, as_hex(value)) for name, value in group))
        return sorted(found, key=lambda group: (-len(group), group))


def clusters_of(index, radius):
    """The clusters of an index, as :meth:`Reference.clusters` gives them."""
    found = [sorted((e.id, e.hash) for e in cluster) for cluster in index.clusters(radius)]
    assert [len(group) for group in found] == sorted(map(len, found), reverse=True)
    return sorted(found, key=lambda group: (-len(group), group))


def drawn(seed, count, *, clusters=0, flips=40, twins=0):
    """Random hashes (count, 32): of them half around common centres, and some the same."""
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 256, (count, 32), dtype=np.uint8)
    for number in range(clusters):
        size = count // (2 * clusters)
        centre = np.unpackbits(hashes[-1 - number])
        flipped = random.random((size, BITS)) < random.random((size, 1)) * flips / BITS
        hashes[number * size : (number + 1) * size] = np.packbits(centre ^ flipped, axis=1)
    hashes[count // 2 : count // 2 + twins] = hashes[0]
    return hashes


def near(random, row, flips):
    """A hash that differs from ``row`` in that many bits."""
    bits = np.unpackbits(row)
    bits[random.choice(BITS, flips, replace=False)] ^= 1
    return np.packbits(bits)


def rows_within(hashes, wanted, radius):
    """(distance, row number as text) of all rows within the radius, nearest first."""
    distances = np.bitwise_count(hashes ^ wanted).sum(axis=1, dtype=int)
    return sorted((int(distances[row]), str(row)) for row in np.flatnonzero(distances <= radius))
