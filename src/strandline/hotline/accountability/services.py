"""What a member can state: its figures of one month."""

import re
from datetime import date, datetime

from django.db import transaction

from strandline.hotline.accountability.models import MonthlyFigures
from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.errors import FiguresRefused

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
#: More than anybody compares in a month; keeps a slip of the keyboard out.
MOST = 10**15


@transaction.atomic
def state_figures(
    member: Member, month: str, *, compared: int, matched: int, reported: int, now: datetime
) -> MonthlyFigures:
    """Keep a member's statement about ``month`` (``2026-03``); a later one replaces it.

    Raises:
        FiguresRefused: the month has not begun, or the numbers cannot be right.
    """
    first = _first_day(month, now)
    if not 0 <= reported <= matched <= compared <= MOST:
        raise FiguresRefused(
            "Of the files compared some matched, and of those some were reported: reported is at "
            f"most matched, matched at most compared, and that at most {MOST:,}. Nothing was kept."
        )
    chain.lock()
    row, _ = MonthlyFigures.objects.update_or_create(
        member=member,
        month=first,
        defaults={
            "compared": compared,
            "matched": matched,
            "reported": reported,
            "stated_at": now,
        },
    )
    chain.record(
        at=now,
        actor=member.actor,
        action="accountability.state_figures",
        subject=member.actor,
        detail={"month": month, "compared": compared, "matched": matched, "reported": reported},
    )
    return row


def _first_day(month: str, now: datetime) -> date:
    found = _MONTH.fullmatch(month)
    if not found or int(found[1]) < 2000:
        raise FiguresRefused("A month is written like 2026-03. Nothing was kept.")
    first = date(int(found[1]), int(found[2]), 1)
    if first > now.date():
        raise FiguresRefused("This month has not begun yet. Nothing was kept.")
    return first
