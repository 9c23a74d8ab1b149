"""Sampling entries by public randomness, and the signed protocol of what was found.

Nobody can choose which entries are looked at: they follow from a value that a public beacon gave
after the edition was published. Looking at them needs legal access to the material and is done by
people elsewhere; here is only what is to be looked at, and how the result is written down.

The protocol's text, canonical like every other that is signed::

    hotline.example/audit
    format 1
    edition 12
    manifest <sha256 of the manifest's text>
    hotline other.example
    beacon <name> <round> <value>
    entries 48211
    sample 300
    bad 0
    entry 17 ok
    entry 20 bad <word>
"""

import hashlib
import hmac
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from strandline.errors import ListRefused
from strandline.lists.published.manifests import MAX_EDITION, check_origin

#: None bad in so many means at most 1 % bad, at 95 % confidence.
SAMPLE = 300
CONFIDENCE = 0.95
OK = "ok"
_WORD = re.compile(r"[!-~]{1,120}")
_WHY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Beacon:
    """One value of public randomness. Raises ListRefused for what cannot be one."""

    #: Which beacon, such as ``drand-quicknet`` or ``nist-2``.
    name: str
    #: Which of its values: a number or a time, as the beacon says it.
    round: str
    #: As the beacon gave it.
    value: str

    def __post_init__(self) -> None:
        if not all(_WORD.fullmatch(part) for part in (self.name, self.round, self.value)):
            raise ListRefused(
                "A beacon is a name, a round and a value, each of up to 120 printable characters "
                "without spaces."
            )
        if len(self.value) < 16:
            raise ListRefused(
                "A beacon's value has at least 16 characters: it must not be guessed."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``NAME:ROUND:VALUE``."""
        parts = text.split(":")
        if len(parts) != 3:
            raise ListRefused("A beacon is given as NAME:ROUND:VALUE.")
        return cls(*parts)


def draw(beacon: Beacon, manifest: str, entries: Sequence[int], size: int = SAMPLE) -> list[int]:
    """``size`` of the numbers ``entries``, or all if there are fewer, in rising order.

    ``manifest`` is the sha256 of the edition's manifest text, in hex; ``entries`` are the numbers
    of the entries to choose from, rising. Each has the same chance. The same arguments give the
    same sample, whoever draws it: numbers below n are taken from HMAC-SHA256 of a counter under a
    key made of the arguments, without replacement (Fisher and Yates).
    """
    words = f"strandline audit 1\n{manifest}\n{beacon.name} {beacon.round} {beacon.value}\n"
    stream = _Numbers(hashlib.sha256(words.encode()).digest())
    moved: dict[int, int] = {}
    chosen = []
    for at in range(min(size, len(entries))):
        other = at + stream.below(len(entries) - at)
        chosen.append(moved.get(other, other))
        moved[other] = moved.get(at, at)
    return sorted(entries[place] for place in chosen)


def most_bad(sample: int, bad: int, *, confidence: float = CONFIDENCE) -> float:
    """The share of bad entries that the list has at most, at this confidence.

    The exact bound of Clopper and Pearson (1934), one-sided: 0 of 300 gives 0.00994.
    """
    if not 0 <= bad <= sample or sample < 1:
        raise ValueError("a sample has at least one entry, and no more bad ones than entries")
    if bad == sample:
        return 1.0
    low, high = bad / sample, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        chance = sum(
            math.comb(sample, k) * middle**k * (1 - middle) ** (sample - k) for k in range(bad + 1)
        )
        low, high = (middle, high) if chance > 1 - confidence else (low, middle)
    return high


@dataclass(frozen=True)
class Protocol:
    """What one hotline found. Raises ListRefused when it cannot be."""

    origin: str
    edition: int
    #: sha256 of the manifest's text.
    manifest: str
    #: Who looked.
    hotline: str
    beacon: Beacon
    #: How many there were to choose from.
    entries: int
    #: Number of each entry of the sample → ``ok``, or a word for what is wrong with it.
    found: Mapping[int, str]

    def __post_init__(self) -> None:
        sound = (
            check_origin(self.origin)
            and 1 <= self.edition <= MAX_EDITION
            and _DIGEST.fullmatch(self.manifest)
            and check_origin(self.hotline)
            and 1 <= len(self.found) <= self.entries
            and all(number >= 1 and _WHY.fullmatch(word) for number, word in self.found.items())
        )
        if not sound:
            raise ListRefused("A protocol of an audit names something that cannot be.")

    @property
    def bad(self) -> int:
        """Entries with something wrong."""
        return sum(word != OK for word in self.found.values())

    @property
    def most_bad(self) -> float:
        """The share of bad entries that the list has at most, at 95 % confidence."""
        return most_bad(len(self.found), self.bad)

    def text(self) -> str:
        """What is signed."""
        beacon = self.beacon
        lines = "".join(
            f"entry {number} {word if word == OK else f'bad {word}'}\n"
            for number, word in sorted(self.found.items())
        )
        return (
            f"{self.origin}/audit\nformat 1\nedition {self.edition}\nmanifest {self.manifest}\n"
            f"hotline {self.hotline}\nbeacon {beacon.name} {beacon.round} {beacon.value}\n"
            f"entries {self.entries}\nsample {len(self.found)}\nbad {self.bad}\n{lines}"
        )

    def digest(self) -> str:
        """sha256 of the text, in hex: what a certificate names."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def check(self, entries: Sequence[int]) -> None:
        """That just the drawn entries were looked at; raises ListRefused.

        ``entries`` are the numbers there were to choose from, rising.
        """
        drawn = draw(self.beacon, self.manifest, entries, len(self.found))
        if len(entries) != self.entries or drawn != sorted(self.found):
            raise ListRefused(
                "The entries of this protocol are not those that the beacon's value draws: they "
                "were chosen, or the protocol is of another edition."
            )


def parse_protocol(text: str) -> Protocol:
    """Read a protocol whose signature was verified; raises ListRefused unless canonical."""
    lines = text.split("\n")
    try:
        pairs = dict(line.split(" ", 1) for line in lines[1:9])
        protocol = Protocol(
            origin=lines[0].removesuffix("/audit"),
            edition=int(pairs["edition"]),
            manifest=pairs["manifest"],
            hotline=pairs["hotline"],
            beacon=Beacon(*pairs["beacon"].split(" ")),
            entries=int(pairs["entries"]),
            found=dict(_parse_entry(line) for line in lines[9:-1]),
        )
    except (KeyError, ValueError, TypeError):
        raise ListRefused("This is not the protocol of an audit. It was not used.") from None
    if protocol.text() != text:
        raise ListRefused("This protocol is not in its one form. It was not used.")
    return protocol


def _parse_entry(line: str) -> tuple[int, str]:
    word, number, found, *why = line.split(" ")
    if word != "entry" or (found == OK) == bool(why):
        raise ValueError(line)
    return int(number), why[0] if why else found


class _Numbers:
    """Numbers below any n, each with the same chance, from HMAC-SHA256 in counter mode."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._count = 0

    def below(self, n: int) -> int:
        limit = 2**64 - 2**64 % n
        while True:
            block = hmac.digest(self._key, self._count.to_bytes(8, "big"), "sha256")
            self._count += 1
            number = int.from_bytes(block[:8], "big")
            if number < limit:
                return number % n
