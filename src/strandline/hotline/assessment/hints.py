"""What is known of an item before anybody looks, from whoever registers here.

A hint never tells what a colleague recorded of the item itself: only what others were found to be.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strandline.hotline.reports.models import MediaItem


@dataclass(frozen=True)
class Hint:
    """One sentence for the analyst, e.g. that a near copy is listed."""

    text: str
    #: Where to read more at the console; empty for nowhere.
    url: str = ""


Provider = Callable[[MediaItem], list[Hint]]

#: Rooms above add theirs in ``AppConfig.ready``.
PROVIDERS: list[Provider] = []


def hints_for(item: MediaItem) -> list[Hint]:
    """Every registered hint on ``item``."""
    return [hint for provider in PROVIDERS for hint in provider(item)]
