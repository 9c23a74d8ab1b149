"""What rooms above look at before an entry is ever published, and what must not be matched.

Both lists are filled in ``AppConfig.ready``. A check is called inside the transaction that lists
entries, lists them again or changes what identifies them, with their numbers; one that has doubts
quarantines the entry at once, so that no member ever matches it before somebody decided.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

#: Given the numbers of entries and the time of the act.
Check = Callable[[Sequence[int], datetime], None]
#: Whether each picture, by its sha256 and its PDQ (either may be empty), is a known innocent one.
Innocence = Callable[[Sequence[tuple[str, str]]], list[bool]]

CHECKS: list[Check] = []
INNOCENT: list[Innocence] = []


def check_listed(numbers: Sequence[int], *, now: datetime) -> None:
    """Let every registered check look at entries that were just listed or amended."""
    for check in CHECKS:
        check(numbers, now)


def innocent_among(pictures: Sequence[tuple[str, str]]) -> list[bool]:
    """Which of these (sha256, pdq) are known innocent pictures: their likeness to an entry is none.

    The same bytes as an entry's are still that entry.
    """
    told = [judge(pictures) for judge in INNOCENT]
    return [any(each[place] for each in told) for place in range(len(pictures))]
