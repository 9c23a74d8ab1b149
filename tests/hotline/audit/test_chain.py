"""Writing the chain: in the act's own transaction, one after another, without a gap."""

import contextlib
import threading
from datetime import datetime, timedelta, timezone

import pytest
from django.db import DatabaseError, connection, connections, transaction

from strandline.hotline.audit import chain, verify
from strandline.hotline.audit.models import AuditEntry


@pytest.mark.django_db
def test_entries_are_numbered_and_each_names_the_one_before(record):
    first, second, third = record(3)
    assert [first.sequence, second.sequence, third.sequence] == [1, 2, 3]
    assert first.previous == chain.GENESIS
    assert second.previous == first.hash
    assert third.previous == second.hash
    assert chain.head() == (3, third.hash)


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused(now):
    with pytest.raises(transaction.TransactionManagementError, match="transaction of the act"):
        chain.record(at=now, actor="a", action="b", subject="c")
    with pytest.raises(transaction.TransactionManagementError):
        chain.lock()
    assert chain.head() == (0, chain.GENESIS)


@pytest.mark.django_db
def test_an_act_that_is_undone_leaves_no_entry(record, now):
    record(1)
    with transaction.atomic():
        chain.record(at=now, actor="a", action="b", subject="c")
        transaction.set_rollback(True)
    assert chain.head()[0] == 1
    record(1)
    assert verify.verify().entries == 2


@pytest.mark.django_db
def test_a_hash_is_the_same_when_read_back_from_either_database(record, now):
    zone = timezone(timedelta(hours=5, minutes=45))
    moment = datetime(2026, 7, 1, 1, 2, 3, 450_000, zone)
    with transaction.atomic():
        written = chain.record(
            at=moment, actor="a", action="b", subject="c", detail={"z": 1, "a": ["ü", None, 1.5]}
        )
    read = AuditEntry.objects.get(pk=written.pk)
    assert chain.digest(read) == read.hash == written.hash


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_neither_fail_nor_leave_a_gap(now):
    """On PostgreSQL by the advisory lock; on SQLite writers queue for the file."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("an in-memory database has one writer")
    writers, each, failures = 8, 12, []

    def write(writer):
        try:
            for number in range(each):
                with transaction.atomic():
                    chain.record(at=now, actor=f"w:{writer}", action="x", subject=str(number))
                    if number % 4 == 3:
                        transaction.set_rollback(True)
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=[writer]) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    numbers = list(AuditEntry.objects.values_list("sequence", flat=True))
    assert numbers == list(range(1, writers * each * 3 // 4 + 1))
    assert verify.verify().ok


def guarded(act, done, failures):
    """What a thread runs: the act, and where its end is told."""
    try:
        act()
        done.append(act.__name__)
    except DatabaseError as error:
        failures.append(error)
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_acts_on_the_same_row_do_not_wait_for_each_other_in_a_circle(now, address, hotline):
    """A report of an address and a change of its state take their locks in the same order."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock")
    from strandline.hotline.errors import StateMoved, StateRefused
    from strandline.hotline.reports.services import change_state, take_report
    from strandline.hotline.reports.states import State

    row = address("triaged")
    url = row.url.replace("host.example", "host.example.com")
    type(row).objects.filter(pk=row.pk).update(url=url)
    failures, done = [], []

    def report():
        for _ in range(4):
            take_report(address=url, now=now)

    def change():
        for _ in range(20):
            with contextlib.suppress(StateMoved, StateRefused):
                mine = type(row).objects.get(pk=row.pk)
                change_state(mine, State.NOT_FOUND, by="t", now=now)

    threads = [
        threading.Thread(target=guarded, args=[act, done, failures])
        for act in (report, change, report, change)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(done) == ["change", "change", "report", "report"]
    assert type(row).objects.get(pk=row.pk).reports_count == 8
    assert verify.verify().ok
