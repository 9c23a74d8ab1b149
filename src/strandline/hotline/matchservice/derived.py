"""The list as the service asks it: a store in ``home/match/list``, derived from the record.

The worker writes it (``following``); the processes that answer map it, and see another edition with
their next question. A store that is lost or damaged is made again from the record.
"""

from collections.abc import Sequence
from pathlib import Path

from strandline.errors import ListRefused
from strandline.hashing import SAME_PICTURE
from strandline.hotline.errors import NoList
from strandline.hotline.matchservice.asking import Item
from strandline.hotline.matchservice.lookup import Hit
from strandline.lists import state
from strandline.lists.published.classes import Column
from strandline.lists.state import Query, State

#: The store's folder under the hotline's home.
FOLDER = Path("match") / "list"


class Derived:
    """A :class:`lookup.Lookup` over a store."""

    def __init__(self, held: State) -> None:
        self._state = held

    @property
    def edition(self) -> int:
        """Of which edition the answers are."""
        return self._state.edition

    def find(self, items: Sequence[Item], columns: frozenset[Column]) -> list[list[Hit]]:
        """See :class:`lookup.Lookup`."""
        queries: list[Query] = []
        owners: list[tuple[int, int | None]] = []
        for place, item in enumerate(items):
            known = {column: raw.hex() for column, raw in item.digests if column in columns}
            hashes = item.hashes if columns & {Column.PDQ, Column.VIDEO} else ()
            still = hashes[0].raw.hex() if hashes and not item.film else None
            if known or still:
                queries.append(
                    Query(
                        known.get(Column.SHA256),
                        known.get(Column.SHA1),
                        known.get(Column.MD5),
                        still,
                    )
                )
                owners.append((place, None))
            if item.film:
                queries += [Query(pdq=each.raw.hex()) for each in hashes]
                owners += [(place, each.ms) for each in hashes]
        answers: list[list[Hit]] = [[] for _ in items]
        try:
            found = self._state.find_many(queries, radius=SAME_PICTURE)
        except (ListRefused, OSError) as error:
            raise _nothing() from error
        for (place, ms), hits in zip(owners, found, strict=True):
            answers[place] += [_hit(hit, ms) for hit in hits]
        return answers


def open_list(folder: Path) -> Derived:
    """Open what the worker made; raises NoList."""
    try:
        return Derived(State.open(folder))
    except (ListRefused, OSError) as error:
        raise _nothing() from error


def _hit(hit: state.Hit, ms: int | None) -> Hit:
    return Hit(hit.number, hit.entry_class, hit.column, hit.distance, hit.edition, ms)


def _nothing() -> NoList:
    # Where it is and what is wrong with it is not for who asks; the log has it.
    return NoList(
        "There is no list to look anything up in just now. Nothing was looked up: send this again "
        "in a minute."
    )
