"""What the hotline's tests share: one face at a time, people, addresses in a given state."""

import dataclasses
import hashlib
from collections import deque
from itertools import count
from urllib.parse import urlencode

import pytest
from django.test import Client

from strandline.hotline.config import Face


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_database():
    """Tests with real transactions clean up by emptying every table; the audit chain refuses that.

    Its triggers are put aside for that moment alone, by somebody with every right on the database.
    """
    from django.db import connection

    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_without_triggers(self, sql_list):
        if self.connection.vendor == "postgresql":
            sql_list = [
                "SET session_replication_role = replica",
                *sql_list,
                "SET session_replication_role = DEFAULT",
            ]
        else:
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT name, sql FROM sqlite_master"
                    " WHERE type = 'trigger' AND (name LIKE 'audit_no_%' OR name LIKE 'reports_%'"
                    " OR name LIKE 'hashlist_%')"
                )
                triggers = cursor.fetchall()
            sql_list = [
                *(f"DROP TRIGGER {name}" for name, _ in triggers),
                *sql_list,
                *(sql for _, sql in triggers),
            ]
        return flush(self, sql_list)

    operations.execute_sql_flush = flush_without_triggers
    yield
    operations.execute_sql_flush = flush


@pytest.fixture
def wear(settings, hotline):
    """Turn this process into one face of the test's hotline: pages, middleware, settings."""

    def become(name):
        chosen = Face(name)
        settings.HOTLINE = dataclasses.replace(settings.HOTLINE, face=chosen)
        settings.ROOT_URLCONF = f"strandline.hotline.site.urls.{chosen.value}"
        settings.MIDDLEWARE = settings.MIDDLEWARE_BY_FACE[chosen]
        settings.CSRF_COOKIE_NAME = f"{chosen.value}-form"
        return chosen

    return become


class PlainForms(Client):
    """Sends forms as the pages' own forms do; Django's sends what only a file needs."""

    def post(self, path, data=None, content_type="application/x-www-form-urlencoded", **more):
        if isinstance(data, dict):
            data = urlencode(data, doseq=True)
        return super().post(path, data or "", content_type, **more)


@pytest.fixture
def face(wear):
    """``face("public")`` is a client of that face; CSRF is checked with ``csrf=True``."""

    def client(name, *, csrf=False):
        wear(name)
        return PlainForms(enforce_csrf_checks=csrf)

    return client


@pytest.fixture
def serve(wear, transactional_db):
    """``serve("public")`` serves that face on loopback; its address, for a real browser."""
    from pytest_django.live_server_helper import LiveServer

    running = []

    def start(name):
        wear(name)
        server = LiveServer("127.0.0.1")
        # Stopping then waits for every answer and closes its socket; close the browser first.
        server.thread.httpd.daemon_threads = False
        running.append(server)
        return server.url

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def person(db, now):
    """``person(Role.ANALYST)`` is somebody of that role, with a password nobody needs."""
    from strandline.hotline.accounts.roles import Role
    from strandline.hotline.accounts.services import add_person

    numbers = count(1)

    def add(role, *, password=None):
        number = next(numbers)
        return add_person(
            email=f"{Role(role).value}-{number}@hotline.example",
            name=f"{Role(role).label} {number}",
            role=Role(role),
            password=password,
            by="test",
            now=now,
        )

    return add


@pytest.fixture
def sign_in():
    """``sign_in(client, person)`` without the password page."""

    def login(client, somebody):
        client.force_login(somebody, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return login


@pytest.fixture
def address(db, now):
    """``address(State.CAPTURED, pictures=2)``: an address led there by allowed changes only."""
    from strandline.hotline.reports.models import Appearance, Capture, ReportedUrl
    from strandline.hotline.reports.services import change_states

    numbers = count(1)

    def add(state, *, pictures=0, host="host.example", at=now):
        number = next(numbers)
        row = ReportedUrl.objects.create(
            url=f"http://{host}/{number}", host=host, site=host, first_reported_at=at
        )
        Capture.objects.create(address=row, due_at=None, captured_at=at)
        change_states(row, way_to(state), by="test", now=at)
        for picture in range(pictures):
            Appearance.objects.create(
                address=row,
                item=_item(f"{number}/{picture}", at),
                source_url=f"http://{host}/{number}/{picture}.png",
                seen_at=at,
            )
        return row

    return add


def way_to(state):
    """The shortest allowed way from the first state to ``state``, without the first."""
    from strandline.hotline.reports.states import CHANGES, FIRST, State

    ways = deque([(FIRST,)])
    seen = {FIRST}
    while ways:
        way = ways.popleft()
        if way[-1] == State(state):
            return way[1:]
        for after in sorted(CHANGES.get(way[-1], frozenset()) - seen):
            seen.add(after)
            ways.append((*way, after))
    raise LookupError(f"no way leads to {state}")


def _item(name, at):
    from strandline.hotline.reports.models import MediaItem

    data = name.encode()
    return MediaItem.objects.create(
        sha256=hashlib.sha256(data).hexdigest(),
        sha1=hashlib.sha1(data).hexdigest(),
        md5=hashlib.md5(data).hexdigest(),
        pdq=hashlib.sha256(b"pdq" + data).hexdigest(),
        quality=100,
        pipeline="media-1",
        format="PNG",
        size=1000,
        width=64,
        height=64,
        bytes_are=MediaItem.Bytes.DISCARDED,
        first_seen_at=at,
    )


@pytest.fixture(scope="module")
def chromium():
    """A real browser; skipped by name where Debian's Chromium is missing."""
    from pathlib import Path

    from playwright.sync_api import sync_playwright

    if not Path("/usr/bin/chromium").exists():
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()
