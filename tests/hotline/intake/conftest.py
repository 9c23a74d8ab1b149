"""The public face as its visitors meet it."""

import pytest

from public_visitor import Visitor


@pytest.fixture
def clock(monkeypatch, now):
    """``clock.now`` is what the pages take for the present."""

    class Clock:
        pass

    clock = Clock()
    clock.now = now
    monkeypatch.setattr("strandline.hotline.clock.now", lambda: clock.now)
    return clock


@pytest.fixture
def _cheap_codes(monkeypatch):
    """Argon2 at a thousandth of its cost: many reports are sent here."""
    monkeypatch.setattr("strandline.hotline.reports.return_code.MEMORY_KIB", 64)


@pytest.fixture
def visitor(db, clock, face, _cheap_codes):
    """Somebody at the public face."""
    return Visitor(face("public"))
