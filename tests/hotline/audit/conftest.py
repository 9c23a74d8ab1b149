"""A chain to attack, and somebody with the rights to attack it."""

import pytest
from django.db import connection, transaction

from strandline.hotline.audit import chain


@pytest.fixture
def record(db, now):
    """``record(3)`` adds three entries."""

    def add(count):
        with transaction.atomic():
            return [
                chain.record(
                    at=now,
                    actor=f"person:{number}",
                    action="test.act",
                    subject=f"address:{number}",
                    detail={"number": number, "text": "Ærøskøbing \u2028 \U0001f30a"},
                )
                for number in range(count)
            ]

    return add


@pytest.fixture
def drop_triggers(db):
    """What somebody with full rights on the database would do first."""

    def drop():
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER ALL")
            else:
                cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'audit_no_%'")
                for (name,) in cursor.fetchall():
                    cursor.execute(f"DROP TRIGGER {name}")

    return drop


@pytest.fixture
def sql(db):
    """``sql("DELETE …")`` past every rule of the program."""

    def run(statement, *params):
        with connection.cursor() as cursor:
            cursor.execute(statement, params)

    return run
