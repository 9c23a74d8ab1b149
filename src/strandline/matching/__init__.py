"""Matching: which listed hashes lie within a distance of a query, exactly.

Every hash within the radius is found and none outside it, whatever the size of the list. Hashes
in, matches out: where a list comes from, and what a match means, is for the rooms above.

What it may touch: numpy and the standard library. No file, no address, no decoder.
"""

from strandline.matching.index import BITS, Index, Match

__all__ = ["BITS", "Index", "Match"]
