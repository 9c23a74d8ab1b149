"""Times that people type after ``--at``."""

from datetime import UTC, datetime

import click

#: Years far enough from what a calendar can hold that hours and days can be added and taken away.
_YEARS = range(1970, 9000)


def moment(text: str | None) -> datetime | None:
    """The time in UTC, where ``text`` names no other zone; None when nothing was typed.

    Raises BadParameter, which says how a time is written, for what is none or far from today.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.year not in _YEARS:
        raise click.BadParameter(
            f"{text!r} is not a time like 2026-03-02T09:00Z, from 1970 on.", param_hint="--at"
        )
    return found
