import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import LeaseLost
from strandline.hotline.jobs import due
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.reports.models import Capture

pytestmark = pytest.mark.django_db

#: Tests' SQLite lives in memory, shared by threads, where a second writer fails instead of waiting.
needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="several writers at once need PostgreSQL"
)


def claim(now, worker="w1"):
    return due.claim(Capture, worker=worker, now=now)


def test_the_row_that_is_due_longest_comes_first(rows, now):
    late, early = rows(1, due_at=now)[0], rows(1, due_at=now - timedelta(hours=1))[0]
    assert claim(now).pk == early.pk
    assert claim(now).pk == late.pk
    assert claim(now) is None


def test_a_row_is_not_claimed_before_it_is_due_nor_when_it_never_is(rows, now):
    rows(1, due_at=now + timedelta(seconds=1))
    rows(1, due_at=None)
    assert claim(now) is None


def test_a_leased_row_is_not_claimed_again_until_the_lease_runs_out(rows, now):
    rows(1)
    first = claim(now)
    assert claim(now + due.LEASE, worker="w2") is None
    second = claim(now + due.LEASE + timedelta(seconds=1), worker="w2")
    assert (second.pk, second.attempt, second.leased_by) == (first.pk, first.attempt + 1, "w2")


def test_finishing_ends_the_lease_and_clears_the_failures(rows, now):
    rows(1)
    due.fail(claim(now), "no luck", now=now)
    row = claim(now + timedelta(hours=1))
    with due.finish(row, next_due=now + timedelta(days=1)):
        pass
    row.refresh_from_db()
    assert (row.due_at, row.lease_until, row.leased_by) == (now + timedelta(days=1), None, "")
    assert (row.failures, row.last_error) == (0, "")


def test_a_worker_whose_lease_was_taken_over_writes_nothing(rows, now):
    rows(1)
    first = claim(now)
    second = claim(now + due.LEASE * 2, worker="w2")
    written = []
    with pytest.raises(LeaseLost), due.finish(first):
        written.append("never")
    assert not written
    due.fail(first, "too late", now=now)
    second.refresh_from_db()
    assert (second.leased_by, second.failures) == ("w2", 0)


def test_an_error_while_finishing_undoes_everything_and_keeps_the_lease(rows, now):
    rows(1)
    row = claim(now)

    def write_half():
        with due.finish(row):
            Capture.objects.filter(pk=row.pk).update(tries=7)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    row.refresh_from_db()
    assert row.tries == 0
    assert row.lease_until is not None


def test_each_failure_waits_longer_and_the_last_one_waits_for_a_person(rows, now):
    rows(1)
    waits, at = [], now
    for _ in range(due.MOST_FAILURES):
        row = claim(at)
        due.fail(row, "no luck", now=at)
        row.refresh_from_db()
        if row.due_at is not None:
            waits.append(row.due_at - at)
            at = row.due_at
    assert waits == sorted(set(waits))
    assert waits[0] == timedelta(minutes=2)
    assert (row.due_at, row.given_up_at) == (None, at)
    assert claim(at + timedelta(days=365)) is None
    assert due.failing() == [row]
    assert AuditEntry.objects.filter(action="jobs.give_up").count() == 1


def test_a_person_can_have_it_tried_again(rows, now):
    rows(1)
    for _ in range(due.MOST_FAILURES):
        now += timedelta(days=1)
        row = claim(now)
        due.fail(row, "no luck", now=now)
    due.retry(row, by="person:1", now=now)
    again = claim(now)
    assert (again.pk, again.failures, again.given_up_at) == (row.pk, 0, None)


def test_a_row_that_was_not_given_up_is_not_moved_by_trying_again(rows, now):
    row = rows(1, due_at=now + timedelta(days=3))[0]
    due.retry(row, by="person:1", now=now)
    row.refresh_from_db()
    assert row.due_at == now + timedelta(days=3)
    assert not AuditEntry.objects.filter(action="jobs.retry").exists()


def test_trying_again_is_written_down_once(rows, now):
    row = rows(1)[0]
    Capture.objects.filter(pk=row.pk).update(given_up_at=now, due_at=None)
    for _ in range(2):
        due.retry(row, by="person:1", now=now)
    assert AuditEntry.objects.get(action="jobs.retry").actor == "person:1"


def test_a_new_process_takes_back_what_the_last_one_of_its_name_held(rows, now):
    rows(2)
    mine, others = claim(now, "w1"), claim(now, "w2")
    assert due.release("w1") == 1
    assert claim(now, "w1").pk == mine.pk
    with pytest.raises(LeaseLost), due.finish(mine):
        pass
    others.refresh_from_db()
    assert others.leased_by == "w2"


def test_next_due_is_the_earliest_of_every_kind(rows, now):
    assert due.next_due() is None
    rows(1, due_at=now + timedelta(hours=2))
    assert due.next_due() == now + timedelta(hours=2)
    OutboxMail.objects.create(
        key="k",
        recipient="a@host.example",
        message_id="<k@x>",
        created_at=now,
        due_at=now + timedelta(hours=1),
    )
    assert due.next_due() == now + timedelta(hours=1)


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_never_hold_the_same_row(rows, now):
    number, claimed, errors = 24, [], []
    rows(number)

    def work(worker):
        try:
            while (row := claim(now, worker)) is not None:
                claimed.append(row.pk)
                with due.finish(row):
                    pass
        except Exception as error:  # noqa: BLE001 - asserted on below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(claimed) == sorted(Capture.objects.values_list("pk", flat=True))
    assert len(claimed) == number


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_lease_taken_over_while_the_first_worker_writes_is_refused_to_one_of_them(rows, now):
    rows(1)
    first = claim(now)
    later = now + due.LEASE * 2
    entered, errors = threading.Event(), []

    def take_over():
        entered.wait(5)
        try:
            row = claim(later, "w2")
            if row is not None:
                with due.finish(row):
                    Capture.objects.filter(pk=row.pk).update(tries=2)
        except Exception as error:  # noqa: BLE001 - asserted on below
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=take_over)
    thread.start()
    with due.finish(first):
        entered.set()
        Capture.objects.filter(pk=first.pk).update(tries=1)
    thread.join()
    assert not errors
    assert Capture.objects.get(pk=first.pk).tries == 1  # finished: it is not due any more
    assert not transaction.get_connection().in_atomic_block
