"""What events come to: the entries that they leave, on top of those that were there.

An entry is absent, live or quarantined, and belongs to one class while it is there:

    absent       add → live
    live         amend → live          quarantine → quarantined    withdraw → absent
    quarantined  amend → quarantined   restore → live              withdraw → absent

Anything else contradicts what is held, and nothing of it is applied.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strandline.errors import ListRefused
from strandline.lists.published.blocks import ACTIONS
from strandline.lists.published.classes import Action
from strandline.lists.state.table import LIVE, QUARANTINED, Part, Rows, Table

ABSENT = 0
_ADD, _AMEND, _WITHDRAW, _QUARANTINE, _RESTORE = (
    ACTIONS[action]
    for action in (Action.ADD, Action.AMEND, Action.WITHDRAW, Action.QUARANTINE, Action.RESTORE)
)
#: A row of a snapshot: an addition that is under quarantine.
LISTED_UNDER_QUARANTINE = 6
#: By action: the states in which an entry may be before it, as bits.
_BEFORE = np.zeros(7, np.uint8)
_BEFORE[[_ADD, LISTED_UNDER_QUARANTINE]] = 1 << ABSENT
_BEFORE[[_AMEND, _WITHDRAW]] = 1 << LIVE | 1 << QUARANTINED
_BEFORE[_QUARANTINE], _BEFORE[_RESTORE] = 1 << LIVE, 1 << QUARANTINED
_AFTER = np.zeros(7, np.uint8)
_AFTER[[_ADD, _RESTORE]] = LIVE
_AFTER[[_QUARANTINE, LISTED_UNDER_QUARANTINE]] = QUARANTINED
_AFTER[_WITHDRAW] = ABSENT
_WORDS = {number: action.value for action, number in ACTIONS.items()}

Numbers = NDArray[np.uint64]


@dataclass(frozen=True)
class Happened:
    """Events of one edition or more, of whatever classes, in any order."""

    #: A row for each event, with its sequence and number; what it tells, if it tells something.
    table: Table
    #: As in ``blocks.ACTIONS``, or LISTED_UNDER_QUARANTINE.
    action: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.action)


@dataclass(frozen=True)
class Prior:
    """The entries of given numbers as they were: state (0 where absent) and class, side by side."""

    state: NDArray[np.uint8]
    entry_class: NDArray[np.uint16]


@dataclass(frozen=True)
class Outcome:
    """What became of each entry that the events are about."""

    #: Rising.
    numbers: Numbers
    #: ABSENT, LIVE or QUARANTINED.
    state: NDArray[np.uint8]
    #: The class it belongs to, or belonged to last.
    entry_class: NDArray[np.uint16]
    #: Rows of the events' table that tell what the entry is; -1 when it is what it was.
    rows: Rows

    def fresh(self, table: Table) -> Part:
        """Entries that are there and that these events tell of."""
        which = np.flatnonzero((self.state != ABSENT) & (self.rows >= 0))
        return Part(table, self.rows[which], {"state": self.state[which]})

    def kept(self) -> tuple[Numbers, NDArray[np.uint8]]:
        """Entries that are what they were, but in another state: their numbers and states."""
        which = np.flatnonzero((self.state != ABSENT) & (self.rows < 0))
        return self.numbers[which], self.state[which]

    def gone(self) -> Numbers:
        """Entries that are there no more."""
        gone: Numbers = self.numbers[self.state == ABSENT]
        return gone


def come_to(happened: Happened, prior: Callable[[Numbers], Prior]) -> Outcome:
    """Say what the events leave; raises ListRefused when they contradict what was there.

    Args:
        happened: the events.
        prior: tells the state of entries before, given rising numbers, each once.
    """
    table = happened.table
    sequence, number = table.scalar("sequence"), table.scalar("number")
    if np.unique(sequence).size != sequence.size:
        raise ListRefused("Two events have one sequence number. Nothing of them was applied.")
    order = np.lexsort((sequence, number))
    number, action = number[order], happened.action[order]
    entry_class = table.scalar("entry_class")[order]
    first = np.ones(order.size, bool)
    first[1:] = number[1:] != number[:-1]
    numbers = number[first]
    #: For each event, which of the numbers it is about.
    whose = np.cumsum(first) - 1
    before = prior(numbers)
    state_before, state_after = _states(action, first, whose, before.state)
    class_before = np.empty(order.size, np.uint16)
    class_before[1:] = entry_class[:-1]
    class_before[first] = before.entry_class
    allowed = (_BEFORE[action] >> state_before & 1).astype(bool)
    adds = (action == _ADD) | (action == LISTED_UNDER_QUARANTINE)
    allowed &= adds | (class_before == entry_class)
    if not allowed.all():
        wrong = int(np.argmin(allowed))
        raise ListRefused(
            f"Event {int(sequence[order[wrong]])} ({_WORDS.get(int(action[wrong]), 'listing')} of "
            f"entry-{int(number[wrong])}) contradicts what is held. Nothing of it was applied."
        )
    last = np.flatnonzero(np.append(first[1:], True)) if order.size else np.zeros(0, np.int64)
    telling = _latest(adds | (action == _AMEND), first)[last]
    rows = np.where(telling >= 0, order[telling], -1) if order.size else last
    return Outcome(numbers, state_after[last], entry_class[last], rows.astype(np.int64))


def _states(
    action: NDArray[np.uint8],
    first: NDArray[np.bool_],
    whose: NDArray[Any],
    prior: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The state before and after each event."""
    if not action.size:
        return action, action
    deciding = _latest(action != _AMEND, first)
    after = np.where(deciding >= 0, _AFTER[action[deciding]], prior[whose])
    before = np.empty_like(after)
    before[1:] = after[:-1]
    before[first] = prior
    return before, after


def _latest(chosen: NDArray[np.bool_], first: NDArray[np.bool_]) -> Rows:
    """For each event the latest chosen one of the same entry so far; -1 when there is none."""
    places = np.arange(chosen.size, dtype=np.int64)
    if not chosen.size:
        return places
    found = np.maximum.accumulate(np.where(chosen, places, -1))
    begin = np.maximum.accumulate(np.where(first, places, 0))
    return np.where(found >= begin, found, -1)
