"""The states of a reported address and the one table of allowed changes.

The table is kept twice: here, for :func:`strandline.hotline.reports.services.change_state`, and
as a trigger in the database (``guard``), so that no path at all can write another change.
"""

from django.db import models


class State(models.TextChoices):
    """Where a reported address stands. Words: ``docs/record.md``."""

    RECEIVED = "received", "Received"
    DEDUPLICATED = "deduplicated", "Joined"
    TRIAGED = "triaged", "Waiting for capture"
    CAPTURED = "captured", "Waiting for assessment"
    ASSESSED = "assessed", "Assessed once"
    SECOND_ASSESSED = "second-assessed", "Confirmed"
    TRACED = "traced", "Traced"
    CLEARED_BY_POLICE = "cleared-by-police", "Cleared by police"
    NOTICED = "noticed", "Notice sent"
    REFERRED_ABROAD = "referred-abroad", "Referred abroad"
    MONITORED = "monitored", "Being watched"
    REMOVED = "removed", "Removed"
    MOVED = "moved", "Moved"
    UNAVAILABLE = "unavailable", "Unavailable"
    UNCHANGED = "unchanged", "Unchanged"
    CLOSED = "closed", "Closed"
    DUPLICATE = "duplicate", "Duplicate"
    NOT_FOUND = "not-found", "Not found"
    NEEDS_INFORMATION = "needs-information", "Needs information"
    OUT_OF_REMIT = "out-of-remit", "Out of remit"
    NOT_ILLEGAL = "not-illegal", "Not illegal"
    APPEALED = "appealed", "Appealed"
    REOPENED = "reopened", "Reopened"


S = State

#: From each state, where an address may go next. A state that is missing is final.
CHANGES: dict[State, frozenset[State]] = {
    S.RECEIVED: frozenset({S.DEDUPLICATED, S.OUT_OF_REMIT}),
    S.DEDUPLICATED: frozenset({S.TRIAGED, S.DUPLICATE}),
    S.TRIAGED: frozenset({S.CAPTURED, S.NOT_FOUND, S.NEEDS_INFORMATION, S.OUT_OF_REMIT}),
    S.NOT_FOUND: frozenset({S.TRIAGED, S.CLOSED}),
    S.NEEDS_INFORMATION: frozenset({S.TRIAGED, S.CLOSED}),
    S.OUT_OF_REMIT: frozenset({S.TRIAGED, S.CLOSED}),
    S.CAPTURED: frozenset({S.ASSESSED, S.OUT_OF_REMIT, S.NEEDS_INFORMATION}),
    S.ASSESSED: frozenset({S.SECOND_ASSESSED, S.NOT_ILLEGAL}),
    S.SECOND_ASSESSED: frozenset({S.TRACED, S.APPEALED}),
    S.NOT_ILLEGAL: frozenset({S.APPEALED, S.CLOSED, S.REOPENED}),
    S.TRACED: frozenset({S.CLEARED_BY_POLICE, S.NOTICED, S.REFERRED_ABROAD}),
    S.CLEARED_BY_POLICE: frozenset({S.NOTICED, S.REFERRED_ABROAD}),
    S.NOTICED: frozenset({S.MONITORED}),
    S.REFERRED_ABROAD: frozenset({S.MONITORED}),
    S.MONITORED: frozenset({S.REMOVED, S.MOVED, S.UNAVAILABLE, S.UNCHANGED, S.APPEALED}),
    S.REMOVED: frozenset({S.CLOSED, S.REOPENED}),
    S.MOVED: frozenset({S.CLOSED, S.REOPENED}),
    S.UNAVAILABLE: frozenset({S.MONITORED, S.REMOVED, S.CLOSED, S.REOPENED}),
    S.UNCHANGED: frozenset({S.REMOVED, S.MOVED, S.CLOSED, S.REOPENED}),
    S.APPEALED: frozenset({S.REOPENED, S.CLOSED}),
    S.REOPENED: frozenset({S.TRIAGED, S.TRACED, S.NOTICED}),
    S.CLOSED: frozenset({S.REOPENED}),
}

#: Where every address begins.
FIRST = State.RECEIVED

#: States in which an analyst has something to do.
WAITING_FOR_ANALYSTS = (State.CAPTURED, State.ASSESSED)


def pairs() -> list[tuple[str, str]]:
    """Every allowed change as ``(from, to)``, sorted."""
    return sorted((a.value, b.value) for a, after in CHANGES.items() for b in after)
