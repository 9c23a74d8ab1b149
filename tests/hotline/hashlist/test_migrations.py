"""A record of the time before events is carried over whole."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

BEFORE = [("hashlist", "0001_initial"), ("assessment", "0001_initial")]
#: What is told is read by the models of today, which know how long films are.
AFTER = [("hashlist", "0004_only_events"), ("reports", "0005_films")]


@pytest.fixture
def carried(db, tmp_path):
    """``carried(filled=True)``: what a database of its own holds after the move."""
    from django.db import connection

    url = f"sqlite:///{tmp_path / 'before.sqlite3'}"
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["STRANDLINE_DATABASE_URL"])._replace(path="/before").geturl()

    def move(*, filled):
        done = subprocess.run(
            [sys.executable, __file__, "filled" if filled else "empty"],
            env=os.environ | {"STRANDLINE_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return move


def move(*, filled):
    """In a process of its own: make the tables as they were, fill them, move on, tell."""
    import django
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    from strandline.hotline.hashlist import models

    make_database(connection)
    MigrationExecutor(connection).migrate(BEFORE)
    if filled:
        apps = MigrationExecutor(connection).loader.project_state(BEFORE).apps
        fill(apps, datetime(2026, 3, 2, 9, tzinfo=UTC))
    MigrationExecutor(connection).migrate(AFTER)
    columns = ("sequence", "action", "entry_id", "before", "why")
    told = {
        "events": list(models.Event.objects.values_list(*columns)),
        "editions": models.Edition.objects.count(),
        "hints": list(models.NearHint.objects.values_list("item_id", "entry_id")),
        "entries": [
            {
                "state": entry.state,
                "class": entry.listed_class.name,
                "id_fits": entry.listed_class.pk == entry.listed_class.value.id,
                "same": entry.fingerprint.value.sha256 == entry.item.sha256,
                "pdq": bool(entry.fingerprint.pdq),
            }
            for entry in models.Entry.objects.all()
        ],
    }
    print(json.dumps(told))


def make_database(connection):
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")


def add(apps, name, **values):
    return apps.get_model(*name.split("."))._default_manager.create(**values)


def fill(apps, now):
    """Four entries over two editions: one withdrawn in the second, one not published yet."""
    for number in range(1, 5):
        data = f"old {number}".encode()
        item = add(
            apps, "reports.MediaItem", sha256=hashlib.sha256(data).hexdigest(),
            sha1=hashlib.sha1(data).hexdigest(), md5=hashlib.md5(data).hexdigest(),
            pdq="0f" * 32, quality=100 if number != 3 else 20, pipeline="media-1", size=9,
            bytes_are="discarded", first_seen_at=now,
        )  # fmt: skip
        gone = number == 2
        add(
            apps, "hashlist.Entry", sequence=number, item=item, category="A",
            labels=["baseline"] if number < 4 else [], added_at=now + timedelta(hours=number),
            status="withdrawn" if gone else "active",
            withdrawn_at=now + timedelta(hours=30) if gone else None,
            withdrawn_reason="Assessed as not illegal." if gone else "",
            withdrawn_from=2 if gone else None,
        )  # fmt: skip
    for number, up_to in ((1, 2), (2, 3)):
        add(
            apps, "hashlist.Edition", number=number, state="published", up_to=up_to,
            published_at=now, entries=2, manifest_sha256="ab" * 32,
        )  # fmt: skip
    add(
        apps, "hashlist.NearHint", distance=3,
        item_id=4, entry_id=1,
    )  # fmt: skip


def test_entries_become_events_in_the_order_they_were_published(carried):
    told = carried(filled=True)
    assert told["events"] == [
        [1, "add", 1, "", "confirmed"],
        [2, "add", 2, "", "confirmed"],
        [3, "add", 3, "", "confirmed"],
        [4, "withdraw", 2, "listed", "not-illegal"],
        [5, "add", 4, "", "confirmed"],
    ]
    entries = told["entries"]
    assert [entry["state"] for entry in entries] == ["listed", "withdrawn", "listed", "listed"]
    labelled = "A undetermined gb none baseline"
    assert [entry["class"] for entry in entries] == [
        labelled, labelled, labelled, "A undetermined gb none -",
    ]  # fmt: skip
    # As the room derives them now, so that nothing is amended at the first verdict.
    assert all(entry["id_fits"] and entry["same"] for entry in entries)
    assert [entry["pdq"] for entry in entries] == [True, True, False, True]
    assert told["hints"] == [[4, 1]]
    assert told["editions"] == 0, "the list begins anew with edition 1"


def test_an_empty_record_is_carried_over_too(carried):
    assert carried(filled=False)["events"] == []


if __name__ == "__main__":
    move(filled=sys.argv[1] == "filled")
