import pytest


@pytest.fixture
def in_bands(monkeypatch):
    """Let even the shortest lists go through bands, of few bits so that each test is quick."""
    monkeypatch.setattr("strandline.matching.building.SCANNED", 1)
    monkeypatch.setattr("strandline.matching.building.bands_for", lambda _: (8,) * 32)
    monkeypatch.setattr("strandline.matching.planning.LOOKUP", 0.0)
    monkeypatch.setattr("strandline.matching.planning.CANDIDATE", 1e-6)
