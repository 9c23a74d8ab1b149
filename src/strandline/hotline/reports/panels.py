"""Further parts of an address's record page, from whichever rooms register them.

A room above ``reports`` adds a function in its ``AppConfig.ready``; the console shows what it
returns. So the console needs to know no room's tables, and a room no page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strandline.hotline.reports.models import ReportedUrl


@dataclass(frozen=True)
class Panel:
    """A titled table. Cells are text, or moments and numbers, which the page formats."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    #: Said in place of the table when it has no rows; without it an empty panel is not shown.
    empty: str = ""


#: Called in order for each page; see :class:`Panel`.
PANELS: list[Callable[[ReportedUrl], Panel]] = []
