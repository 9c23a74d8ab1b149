"""How many versions of a picture are there: linked clusters of a whole list, radius 31.

The peer is FAISS: a range self-search of a sample of the list with the quicker of its exact indexes
on two threads, extrapolated to the whole list (its index's building included, linking not).
"""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bench import _lists
from bench._apart import Failed, apart, installed
from bench.case import Case
from bench.matching import OURS, folder_with_room


def run(console: Console, *, quick: bool) -> Iterator[Case]:
    """10M hashes with 100,000 pictures in five versions each."""
    sizes = (20_000, 100_000) if quick else (1_000_000, 10_000_000)
    for size in sizes:
        pictures, versions, sample = size // 100, 5, 500 if quick else 2_000
        with folder_with_room() as folder:
            console.print(f"  {size:,} hashes, {pictures:,} pictures …", style="dim")
            _lists.planted(Path(folder), size, pictures, versions)
            ours = apart(f"{OURS}:clusters", folder=folder)
            assert (ours["clusters"], ours["entries"]) == (pictures, pictures * versions), ours
            peer = {}
            if installed("faiss"):
                try:
                    peer = apart("bench._matching_peers:self_search", folder=folder, sample=sample)
                except Failed as error:
                    console.print(f"  {error}", style="dim")
            bandwidth = apart(f"{OURS}:bandwidth")["two"]
        yield Case(
            f"{size:,} hashes: all clusters",
            ours["seconds"],
            "s",
            peer=f"FAISS {peer['with']} range self-search" if peer else None,
            peer_value=peer.get("seconds"),
            limit=size * 32 / bandwidth,
            limit_is="reading each hash once, two threads",
            at_least=50 if size == 10_000_000 else None,
            note=f"{ours['clusters']:,} clusters of {versions}; FAISS on {sample:,} queries, "
            "extrapolated to all",
        )
