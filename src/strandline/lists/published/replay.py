"""What a class comes to after its events: which entries stand, and by which event.

Only numbers are looked at, never hashes: some forty bytes for each event, so that millions are
settled at once in arrays. ``standing_rows`` then picks the rows that still count while pages
stream by a second time; they are the rows of a snapshot.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from strandline.errors import ListRefused
from strandline.lists.published.blocks import ACTIONS, Block
from strandline.lists.published.classes import Action

_ADD, _AMEND, _WITHDRAW, _QUARANTINE, _RESTORE = (
    ACTIONS[action]
    for action in (
        Action.ADD,
        Action.AMEND,
        Action.WITHDRAW,
        Action.QUARANTINE,
        Action.RESTORE,
    )
)


@dataclass(frozen=True, eq=False)
class Standing:
    """The entries of one class as of some event, n of them."""

    #: uint64[n], rising.
    number: npt.NDArray[np.uint64]
    #: uint64[n]: sequence of the event that last told what the entry is.
    told: npt.NDArray[np.uint64]
    #: uint32[n]: 0, or 1 + the place in ``reasons`` of why the entry is under quarantine.
    quarantine: npt.NDArray[np.uint32]
    reasons: tuple[str, ...]
    #: Of the last event; 0 before the first.
    sequence: int

    def __len__(self) -> int:
        return len(self.number)

    @property
    def quarantined(self) -> int:
        """How many are under quarantine."""
        return int(np.count_nonzero(self.quarantine))


NOTHING = Standing(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint32), (), 0)


def replay(blocks: Iterable[Block], before: Standing = NOTHING) -> Standing:
    """The entries after the events of ``blocks``, in order, on top of ``before``.

    Raises ListRefused when events contradict each other: something is added twice, or changed,
    withdrawn, contested or restored when it was not there to be.
    """
    numbers = [before.number]
    told = [before.told]
    tells = [np.ones(len(before), np.bool_)]
    actions = [np.where(before.quarantine > 0, np.uint8(_QUARANTINE), np.uint8(_ADD))]
    reasons = list(before.reasons)
    place = {word: index for index, word in enumerate(reasons)}
    why = [np.maximum(before.quarantine, 1) - np.uint32(1)]
    last = before.sequence
    for block in blocks:
        if not len(block):
            continue
        if int(block.sequence[0]) <= last:
            raise ListRefused(
                f"Events of class {block.entry_class.id} go back behind number {last}. "
                "They were not applied."
            )
        last = int(block.sequence[-1])
        for word in block.reasons:
            if place.setdefault(word, len(reasons)) == len(reasons):
                reasons.append(word)
        numbers.append(block.number)
        told.append(block.sequence)
        tells.append(block.tells)
        actions.append(block.action)
        moved = np.array([place[word] for word in block.reasons], np.uint32)
        why.append(moved[block.reason])
    return _settle(
        last,
        tuple(reasons),
        number=np.concatenate(numbers),
        sequence=np.concatenate(told),
        tells=np.concatenate(tells),
        action=np.concatenate(actions),
        why=np.concatenate(why),
    )


def standing_rows(blocks: Iterable[Block], standing: Standing) -> Iterator[Block]:
    """The rows of ``blocks`` that tell an entry as it stands, in the form of a snapshot.

    ``blocks`` are the events that ``standing`` came from, once more and in the same order.
    """
    table = ("", *standing.reasons)
    for block in blocks:
        if not len(standing):
            return
        place = np.searchsorted(standing.number, block.number)
        place[place == len(standing)] = 0
        stands = (
            block.tells
            & (standing.number[place] == block.number)
            & (standing.told[place] == block.sequence)
        )
        if not stands.any():
            continue
        chosen = block.take(stands)
        why = standing.quarantine[place[stands]]
        # The place in the table counts from 1, as ``quarantine`` does.
        yield replace(
            chosen,
            action=np.where(why > 0, np.uint8(_QUARANTINE), np.uint8(_ADD)),
            reason=why,
            reasons=table,
        )


def _settle(
    last: int,
    reasons: tuple[str, ...],
    *,
    number: npt.NDArray[np.uint64],
    sequence: npt.NDArray[np.uint64],
    tells: npt.NDArray[np.bool_],
    action: npt.NDArray[np.uint8],
    why: npt.NDArray[np.uint32],
) -> Standing:
    """Each entry's rows in turn, all entries at once."""
    rising = bool((number[1:] > number[:-1]).all())
    if rising and (tells & (action != _AMEND)).all():
        # A list that only grew, or a snapshot: much memory less.
        quarantine = np.where(action == _QUARANTINE, why + np.uint32(1), np.uint32(0))
        return Standing(number, sequence, quarantine, reasons, last)
    if not rising:
        order = np.argsort(number, kind="stable")
        number, sequence, tells = number[order], sequence[order], tells[order]
        action, why = action[order], why[order]
    here = np.arange(len(number))
    begins = np.ones(len(number), np.bool_)
    begins[1:] = number[1:] != number[:-1]
    ends = np.ones(len(number), np.bool_)
    ends[:-1] = begins[1:]
    # An amendment leaves the state as the row before it did; what begins with one is refused below.
    after = np.array([0, 1, 0, 0, 2, 1], np.uint8)[action]
    deciding = (action != _AMEND) | begins
    after = after[np.maximum.accumulate(np.where(deciding, here, 0))]
    before = np.zeros(len(number), np.uint8)
    before[1:] = after[:-1]
    before[begins] = 0
    fits = np.select(
        [(action == _ADD) | (tells & (action == _QUARANTINE)), action == _QUARANTINE],
        [before == 0, before == 1],
        np.where(action == _RESTORE, before == 2, before > 0),
    )
    if not fits.all():
        entry = int(number[np.argmin(fits)])
        raise ListRefused(
            f"The events about entry-{entry} contradict each other. They were not applied."
        )
    stays = ends & (after > 0)
    told = np.maximum.accumulate(np.where(tells, here, 0))[stays]
    contested = np.maximum.accumulate(np.where(action == _QUARANTINE, here, 0))[stays]
    quarantine = np.where(after[stays] == 2, why[contested] + np.uint32(1), np.uint32(0))
    return Standing(number[stays], sequence[told], quarantine, reasons, last)
