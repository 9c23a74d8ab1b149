"""Likenesses to common innocent pictures are none: a logo is nobody's copy of anything.

The rule is ``lists.state.innocence``'s, the same as of a member's copy. Whether a picture is a
known innocent one, ``hashlist.checks`` knows. It is asked only of what was found by likeness, which
few of the pictures asked about are.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from strandline.hotline.hashlist.checks import innocent_among
from strandline.hotline.matchservice.asking import Item
from strandline.hotline.matchservice.lookup import Hit
from strandline.hotline.matchservice.probing import Asked
from strandline.lists.state.innocence import LIKENESS, without_likenesses


def without_innocent(items: Sequence[Item], hits: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
    """The hits but for those of pictures, or frames of films, that are known innocent ones."""
    asked = [
        (place, each.ms, each.raw.hex())
        for place, (item, found) in enumerate(zip(items, hits, strict=True))
        if any(hit.column in LIKENESS for hit in found)
        for each in item.hashes
    ]
    if not asked:
        return [list(found) for found in hits]
    told = innocent_among([("", pdq) for _, _, pdq in asked])
    innocent = {(place, ms) for (place, ms, _), known in zip(asked, told, strict=True) if known}
    return [_kept(found, place, innocent) for place, found in enumerate(hits)]


def _kept(
    hits: Sequence[Hit], place: int, innocent: AbstractSet[tuple[int, int | None]]
) -> list[Hit]:
    return without_likenesses(hits, lambda hit: (place, hit.ms) in innocent)


def one_bit(
    hits: Sequence[Sequence[Hit]],
    asked: Sequence[Asked],
    alike: Sequence[bool],
) -> list[bool]:
    """What each item is told: by its digests, or because a hash of it is or is like a listed one.

    ``alike`` is of each hash ``asked``; groups are places among the items.
    """
    told = [any(hit.column not in LIKENESS for hit in found) for found in hits]
    raised = []
    for each, listed in zip(asked, alike, strict=True):
        if listed and each.entry is not None:
            told[each.group] = True
        elif listed:
            raised.append(each)
    innocent = innocent_among([("", each.raw.hex()) for each in raised]) if raised else []
    for each, known in zip(raised, innocent, strict=True):
        told[each.group] = told[each.group] or not known
    return told
