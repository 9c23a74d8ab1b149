"""The answer: one shape for a picture, a batch and a film, and never more than the key may know.

Whoever may hold the list is told entries. Anybody else is told one bit for each item, in the very
same shape: ``matches`` is empty and ``edition`` is null, whatever was found.
"""

from collections.abc import Sequence
from typing import Any

from strandline.hotline.matchservice.asking import Item
from strandline.hotline.matchservice.lookup import Hit
from strandline.lists.published.classes import EntryClass, Scope

#: Entries told of one item, nearest first: a crowd of copies says nothing more.
MOST_MATCHES = 50
#: Frames told of one match.
MOST_TOLD_FRAMES = 100


def within(hits: Sequence[Sequence[Hit]], scope: Scope) -> list[list[Hit]]:
    """The hits in what a member may have; what is outside does not exist for it."""
    covered: dict[EntryClass, bool] = {}
    kept = []
    for found in hits:
        mine = []
        for hit in found:
            inside = covered.get(hit.entry_class)
            if inside is None:
                inside = covered[hit.entry_class] = scope.covers(hit.entry_class)
            if inside and hit.column in scope.columns:
                mine.append(hit)
        kept.append(mine)
    return kept


def answer(
    items: Sequence[Item],
    hits: Sequence[Sequence[Hit]],
    listed: Sequence[bool],
    *,
    entitled: bool,
    edition: int,
) -> dict[str, Any]:
    """What is sent back, in the order of what was asked."""
    return {
        "edition": edition if entitled else None,
        "items": [
            {
                "id": item.id,
                # Neither yes nor no of what could not be compared.
                "listed": said if item.compared else None,
                "too_plain": item.too_plain,
                "error": item.fault or None,
                "matches": _matches(found) if entitled and found else [],
            }
            for item, found, said in zip(items, hits, listed, strict=True)
        ],
    }


def _matches(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Each entry once: by its nearest hit, with every frame at which it was found."""
    best: dict[int, Hit] = {}
    frames: dict[int, list[int]] = {}
    for hit in hits:
        seen = best.get(hit.number)
        if seen is None or _order(hit) < _order(seen):
            best[hit.number] = hit
        if hit.ms is not None:
            frames.setdefault(hit.number, []).append(hit.ms)
    told = sorted(best.values(), key=lambda hit: (_order(hit), hit.number))[:MOST_MATCHES]
    return [
        {
            "entry": f"entry-{hit.number}",
            "category": hit.entry_class.category,
            "provenance": hit.entry_class.provenance,
            "jurisdiction": hit.entry_class.jurisdiction,
            "survivor": hit.entry_class.survivor,
            "labels": list(hit.entry_class.labels),
            "column": hit.column.value,
            "distance": hit.distance,
            "edition": hit.edition,
            "frames": sorted(set(frames.get(hit.number, ())))[:MOST_TOLD_FRAMES],
        }
        for hit in told
    ]


_STRENGTH = {name: rank for rank, name in enumerate(("sha256", "sha1", "md5", "pdq", "video"))}


def _order(hit: Hit) -> tuple[int, int]:
    """The very same bytes first, by the strongest digest; then what looks nearest."""
    return hit.distance, _STRENGTH[hit.column.value]
