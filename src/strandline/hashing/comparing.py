"""Comparing two pictures: how near they are, turned or cut as suits best, and what that means."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from strandline.hashing.examiner import PictureFacts
from strandline.hashing.orientation import Orientation
from strandline.hashing.variants import Variant
from strandline.hashing.versions import MIN_QUALITY, SAME_PICTURE


class Verdict(StrEnum):
    """What a comparison found."""

    #: Every byte is the same.
    SAME_FILE = "same-file"
    #: Versions of one picture: ``SAME_PICTURE`` bits or fewer differ.
    SAME_PICTURE = "same-picture"
    #: More bits differ, however the pictures are turned and cut.
    DIFFERENT = "different"
    #: One of them shows too little for a hash to tell anything.
    TOO_PLAIN = "too-plain"


@dataclass(frozen=True)
class Side:
    """One of the two: a picture, or no more than a hash of one."""

    #: The first is the picture as it is; a hash alone has no other.
    variants: tuple[Variant, ...]
    #: Hex digest of the file, None of a hash alone.
    sha256: str | None
    #: 0 to 100, None of a hash alone.
    quality: int | None

    @classmethod
    def of_picture(cls, facts: PictureFacts) -> "Side":
        """Of facts that have variants; without those, the picture is compared as it is."""
        image = facts.image
        as_it_is = Variant(
            Orientation.ORIGINAL, trimmed=False, pdq=image.pdq, quality=image.quality
        )
        return cls(facts.variants or (as_it_is,), image.digests.sha256, image.quality)

    @classmethod
    def of_hash(cls, pdq: str) -> "Side":
        """Of 64 hex digits, taken to be of a picture that is not too plain."""
        as_it_is = Variant(Orientation.ORIGINAL, trimmed=False, pdq=pdq.lower(), quality=100)
        return cls((as_it_is,), None, None)

    @property
    def usable(self) -> tuple[Variant, ...]:
        """The variants whose hashes tell something."""
        return tuple(each for each in self.variants if each.quality >= MIN_QUALITY)


@dataclass(frozen=True)
class Comparison:
    """How near two pictures are at their nearest."""

    verdict: Verdict
    #: Bits of 256 that differ.
    distance: int
    #: What is done to the first picture to make it the second.
    orientation: Orientation
    #: Whether uniform borders of the first, and of the second, were left out.
    trimmed: tuple[bool, bool]


def compare(first: Side, second: Side) -> Comparison:
    """Find the orientation and the trim at which two pictures are nearest."""
    same_file = first.sha256 is not None and first.sha256 == second.sha256
    plain = not (first.usable and second.usable)
    if same_file or plain:
        verdict = Verdict.SAME_FILE if same_file else Verdict.TOO_PLAIN
        distance = _distance(first.variants[0], second.variants[0])
        return Comparison(verdict, distance, Orientation.ORIGINAL, (False, False))
    return min(_pairs(first.usable, second.usable), key=lambda found: found.distance)


def _pairs(first: tuple[Variant, ...], second: tuple[Variant, ...]) -> Iterator[Comparison]:
    """Compare in every way, as they are first: turning one of the two is enough."""
    turn_second = all(each.orientation is Orientation.ORIGINAL for each in first)
    for one in first:
        for other in second:
            still = one if turn_second else other
            if still.orientation is not Orientation.ORIGINAL:
                continue
            distance = _distance(one, other)
            yield Comparison(
                Verdict.SAME_PICTURE if distance <= SAME_PICTURE else Verdict.DIFFERENT,
                distance,
                other.orientation.undone if turn_second else one.orientation,
                (one.trimmed, other.trimmed),
            )


def _distance(one: Variant, other: Variant) -> int:
    return (int(one.pdq, 16) ^ int(other.pdq, 16)).bit_count()
