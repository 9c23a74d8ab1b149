"""Digests of a file, as lists and notices exchange them."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Digests:
    """Lower-case hex. MD5 and SHA-1 only find a file again; neither proves anything."""

    md5: str
    sha1: str
    sha256: str


def digests(data: bytes) -> Digests:
    """Return all three digests of ``data``."""
    return Digests(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )
