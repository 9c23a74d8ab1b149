"""Matching: which listed hashes lie within a distance of a query, exactly.

Every hash within the radius is found and none outside it, whatever the size of the list. Hashes
in, matches out: where a list comes from, and what a match means, is for the rooms above.

What it may touch: numpy, numba once a list is long, and the index files it is given; ``films``,
which turns the hashes of a film into entries and matches into ranges of time, also ``hashing``.
No address, no decoder.
"""

from strandline.matching.clustering import Cluster, Clusters
from strandline.matching.entries import BITS, Entry, Match, Refused
from strandline.matching.index import Index, Info

__all__ = ["BITS", "Cluster", "Clusters", "Entry", "Index", "Info", "Match", "Refused"]
