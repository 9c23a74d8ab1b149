"""A kind of due work for tests: captures of addresses, done by a handler of the test's own."""

import pytest


@pytest.fixture
def rows(address, now):
    """``rows(3)``: three rows of due work."""
    from strandline.hotline.reports.models import Capture
    from strandline.hotline.reports.states import State

    def make(number, *, due_at=now):
        made = [address(State.TRIAGED).capture for _ in range(number)]
        for row in made:
            Capture.objects.filter(pk=row.pk).update(due_at=due_at, captured_at=None)
            row.refresh_from_db()
        return made

    return make
