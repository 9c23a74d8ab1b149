"""Addresses that went the usual way, which is not always the shortest one."""

import pytest


@pytest.fixture
def usual(address, now):
    """``usual(State.REMOVED)``: an address that was confirmed, traced, noticed … in that order."""
    from strandline.hotline.reports.services import change_states
    from strandline.hotline.reports.states import State

    way = (
        State.ASSESSED,
        State.SECOND_ASSESSED,
        State.TRACED,
        State.NOTICED,
        State.MONITORED,
        State.REMOVED,
    )

    def add(state):
        row = address(State.CAPTURED)
        change_states(row, way[: way.index(state) + 1], by="test", now=now)
        return row

    return add
