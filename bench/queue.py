"""The console's queue page and search at 1,000, 100,000 and 1,000,000 addresses, on both databases.

Measured is the server's time for a whole page (session, guard, queries, template) as a signed-in
analyst, p95 over many requests. The peer is the usual way to list a table in Django, its own
``Paginator`` with ``icontains`` (COUNT, OFFSET, scan), under the very same pages. The limit is a
page of the same stack that asks the database for nothing (``/healthz``).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.case import Case

ROOT = Path(__file__).parents[1]
SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000)
PEER = "Django Paginator, icontains"


def run(console: Console, *, quick: bool) -> list[Case]:
    """Every size on SQLite and, where it is installed, PostgreSQL."""
    sys.path.insert(0, str(ROOT / "tests"))
    import postgresql_cluster

    sizes = QUICK_SIZES if quick else SIZES
    cases = []
    with tempfile.TemporaryDirectory(prefix="strandline-bench-") as directory:
        found = _measure(
            "sqlite", f"sqlite:///{directory}/record.sqlite3", sizes, directory, console
        )
        cases += found
    cluster = postgresql_cluster.start()
    if cluster is None:
        console.print("PostgreSQL is not installed: measured on SQLite only.")
        return cases
    try:
        with tempfile.TemporaryDirectory(prefix="strandline-bench-") as directory:
            cases += _measure("postgresql", cluster.url, sizes, directory, console)
    finally:
        cluster.stop()
    return cases


def _measure(
    database: str, url: str, sizes: tuple[int, ...], home: str, console: Console
) -> list[Case]:
    """One database in a process of its own: Django's settings are for a whole process."""
    environment = os.environ | {
        "STRANDLINE_HOME": home,
        "STRANDLINE_DATABASE_URL": url,
        "STRANDLINE_FACE": "console",
        "STRANDLINE_SECURE_COOKIES": "false",
    }
    command = [sys.executable, "-m", "bench._queue_pages", *map(str, sizes)]
    cases = []
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            row: dict[str, Any] = json.loads(line)
            if "case" not in row:
                console.print(f"{database}: {row['progress']}")
                continue
            cases.append(
                Case(
                    case=f"{database}, {row['size']:,} addresses: {row['case']}",
                    ours=row["ours"],
                    unit="ms p95",
                    peer=PEER if row["peer"] is not None else None,
                    peer_value=row["peer"],
                    limit=row["limit"],
                )
            )
    if process.returncode:
        raise SystemExit(f"The measurement on {database} failed.")
    return cases
