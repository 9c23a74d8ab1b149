"""Fixtures of a member's side."""

import ssl

import pytest

from list_publisher import (
    list_site,
    member,
    newcomer,
    published,
    synced_copy,
    three_editions,
)

__all__ = ["list_site", "member", "newcomer", "published", "synced_copy", "three_editions"]


@pytest.fixture(autouse=True, scope="session")
def _one_tls_context():
    """Reading the system's certificates takes longer than a sync; they are read once."""
    made = ssl.create_default_context()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ssl, "create_default_context", lambda *_, **__: made)
        yield
