"""Loads addresses into one database and times the console's pages; prints JSON lines."""

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import django
import numpy as np

REQUESTS = 150
WARM_UP = 15
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: How a hotline's record looks after some years: most is over, some waits.
STATES = (
    ("closed",) * 62
    + ("removed",) * 20
    + ("monitored",) * 6
    + ("captured",) * 10
    + ("assessed",) * 2
)


def say(**row: Any) -> None:
    print(json.dumps(row), flush=True)


def rows(start: int, stop: int) -> Iterator[tuple[Any, ...]]:
    """Addresses numbered from ``start``: 30 % on ten large sites, the rest on one site in 40."""
    for number in range(start, stop):
        random = Random(number)
        large = random.random() < 0.3
        site = f"site{random.randrange(10) if large else 10 + number // 40}.example"
        host = f"{random.choice('abcdef')}.{site}"
        url = f"http://{host}/path/{random.randrange(100)}/{number}"
        at = NOW - timedelta(minutes=number % 500_000)
        yield (number + 1, url, host, site, "clear", "", random.choice(STATES),
               10 + 8 * random.randrange(8), 1, at)  # fmt: skip


ADDRESS = ("id", "url", "host", "site", "network", "referrer", "state", "priority",
           "reports_count", "first_reported_at")  # fmt: skip
REPORT = ("id", "reference", "return_code_hash", "received_at", "source", "language", "address_id")


def reports(start: int, stop: int) -> Iterator[tuple[Any, ...]]:
    for number in range(start, stop):
        yield (number + 1, f"R-{number:08d}", f"hash{number}", NOW, "public", "en", number + 1)


def load(start: int, stop: int) -> None:
    """Insert around the guard of states: it would have every address begin as 'received'."""
    from django.db import connection

    from strandline.hotline.reports import guard
    from strandline.hotline.reports.states import FIRST, pairs

    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute("ALTER TABLE reports_reportedurl DISABLE TRIGGER reports_state_guard")
        else:
            cursor.execute("DROP TRIGGER reports_state_guard_insert")
            cursor.execute("DROP TRIGGER reports_state_guard_replace")
    for table, columns, source in (
        ("reports_reportedurl", ADDRESS, rows(start, stop)),
        ("reports_report", REPORT, reports(start, stop)),
    ):
        _insert(table, columns, source, postgresql=postgresql)
    with connection.cursor() as cursor:
        if postgresql:
            cursor.execute("ALTER TABLE reports_reportedurl ENABLE TRIGGER reports_state_guard")
            cursor.execute("ANALYZE")
        else:
            with connection.schema_editor() as editor:
                guard.install(editor, FIRST.value, pairs())
            cursor.execute("ANALYZE")


def _insert(
    table: str, columns: tuple[str, ...], source: Iterator[tuple[Any, ...]], *, postgresql: bool
) -> None:
    from django.db import connection, transaction

    names = ", ".join(columns)
    with transaction.atomic(), connection.cursor() as cursor:
        if postgresql:
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in source:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        while batch := list(itertools.islice(source, 5000)):
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", batch)


def p95(act: Callable[[int], None], *, requests: int = REQUESTS) -> float:
    """The 95th percentile of the time of ``act``, in milliseconds."""
    times = []
    for number in range(WARM_UP + requests):
        began = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - began) * 1000)
    return float(np.percentile(times[WARM_UP:], 95))


def main(sizes: list[int]) -> None:
    import os

    from strandline.hotline.setup import make_home

    make_home(Path(os.environ["STRANDLINE_HOME"]), origin="bench.example")
    os.environ["DJANGO_SETTINGS_MODULE"] = "strandline.hotline.site.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.test import Client

    from strandline.hotline.accounts.roles import Role
    from strandline.hotline.accounts.services import add_person

    analyst = add_person(email="a@bench.example", name="Analyst", role=Role.ANALYST,
                         password=None, by="bench", now=NOW)  # fmt: skip
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(analyst)
    have = 0
    for size in sizes:
        began = time.monotonic()
        load(have, size)
        have = size
        say(progress=f"{size:,} addresses loaded in {time.monotonic() - began:.0f} s")
        measure(client, size)


def measure(client: Any, size: int) -> None:
    """Time every case with our reads, then the same pages with the peer's reads underneath."""

    def get(path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)

    limit = p95(lambda _: get("/healthz"))
    random = Random(size)
    numbers = [random.randrange(size) for _ in range(WARM_UP + REQUESTS)]
    picked = [next(iter(rows(number, number + 1))) for number in numbers]
    deep = deep_page(client)
    paths: dict[str, Callable[[int], str]] = {
        "queue": lambda _: "/",
        "queue, a page far down": lambda _: deep,
        "search by site": lambda i: f"/?q={picked[i][3]}",
        "search by a large site": lambda i: f"/?q=site{i % 10}.example",
        "search by address": lambda i: f"/?q={picked[i][1]}",
        "search by reference": lambda i: f"/?q=R-{numbers[i]:08d}",
        "search that finds nothing": lambda i: f"/?q=nothing{i}.example",
    }
    for case, path in paths.items():
        ours = p95(lambda i, path=path: get(path(i)))  # type: ignore[misc]
        peer = None
        if case != "search by reference":  # the peer would need a join of its own: not the usual
            with usual_way(deep_number=size * 12 // 100 // 50 // 2):
                few = 10 if size > 100_000 else 60
                peer = p95(lambda i, path=path: get(path(i)), requests=few)  # type: ignore[misc]
        say(size=size, case=case, ours=ours, peer=peer, limit=limit)


@contextlib.contextmanager
def usual_way(*, deep_number: int) -> Iterator[None]:
    """The same pages, reading as Django's Paginator does: COUNT, OFFSET, icontains."""
    from django.core.paginator import Paginator

    from strandline.hotline.console import search
    from strandline.hotline.reports.models import ReportedUrl

    def page(found: Any, after: Any) -> Any:
        pages = Paginator(found.order_by("-priority", "id"), search.PAGE)
        shown = pages.get_page(deep_number if after else 1)
        return search.Page(list(shown), None)

    kept = (search.queue, search.search, search.count_capped)
    search.queue = lambda states, after=None: page(
        ReportedUrl.objects.filter(state__in=states), after
    )
    search.search = lambda text, _states=(), after=None: page(
        ReportedUrl.objects.filter(url__icontains=text), after
    )
    search.count_capped = lambda state: ReportedUrl.objects.filter(state=state).count()
    try:
        yield
    finally:
        search.queue, search.search, search.count_capped = kept


def deep_page(client: Any) -> str:
    """Follow 'next' a hundred times, as far as it goes; that page's address."""
    from strandline.demo.browser import LexborHTMLParser

    path = "/"
    for _ in range(100):
        page = LexborHTMLParser(client.get(path).content.decode())
        link = page.css_first("a[rel=next]")
        if link is None:
            break
        path = "/" + (link.attributes["href"] or "").removeprefix("/")
    return path


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
