"""What every test stands on: a home with real keys, one of two real databases, closed sockets.

``STRANDLINE_TEST_DATABASE`` chooses ``sqlite`` (the default) or ``postgresql``: then a private
cluster is started for this run, by a user that is not root, and stopped at its end.
"""

import dataclasses
import os
import shutil
import signal
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

# A shell starts what runs in the background with interrupts ignored, and so would every program
# that a test starts and then interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_HOME = Path(os.environ.get("STRANDLINE_TEST_HOME") or tempfile.mkdtemp(prefix="strandline-test-"))
os.environ["STRANDLINE_TEST_HOME"] = str(_HOME)
os.environ["STRANDLINE_HOME"] = str(_HOME)
os.environ["STRANDLINE_SECURE_COOKIES"] = "false"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in the test's thread

from strandline.hotline.setup import make_home  # noqa: E402

make_home(_HOME, origin="hotline.example")
DATABASE = os.environ.get("STRANDLINE_TEST_DATABASE", "sqlite")
_cluster = None
if DATABASE == "postgresql" and "PYTEST_XDIST_WORKER" not in os.environ:
    import postgresql_cluster

    _cluster = postgresql_cluster.start()
    os.environ["STRANDLINE_DATABASE_URL"] = _cluster.url if _cluster else ""
os.environ["DJANGO_SETTINGS_MODULE"] = "strandline.hotline.site.settings"

import django  # noqa: E402

# pytest-django read its environment before this file did: test modules import models at once.
django.setup()

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def pytest_unconfigure(config):
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if _cluster:
        _cluster.stop()
    shutil.rmtree(_HOME, ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker("database")
    if DATABASE == "postgresql":
        skip = (
            None
            if _cluster or "PYTEST_XDIST_WORKER" in os.environ
            else pytest.mark.skip(reason="PostgreSQL is not installed (Debian: postgresql)")
        )
        # What a browser shows is the same on either: the queries behind it have tests of their own.
        chosen = [
            item
            for item in items
            if item.get_closest_marker("database") and not item.get_closest_marker("browser")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
        for item in items if skip else ():
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _sockets_closed_but_for_loopback(socket_enabled):
    import pytest_socket

    pytest_socket.socket_allow_hosts([f"127.{'.'.join(['0', '0', '1'])}", "localhost", "::1"])


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def hotline(settings, tmp_path):
    """A hotline of this test's own: its settings, with the run's keys and an empty vault."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "keys").symlink_to(_HOME / "keys")
    settings.HOTLINE = dataclasses.replace(
        settings.HOTLINE, home=home, vault=str(home / "vault"), published=home / "published"
    )
    return settings.HOTLINE
