import dataclasses
from datetime import timedelta

import pytest
from django.db import OperationalError

from strandline.hotline.errors import LeaseLost
from strandline.hotline.jobs import due
from strandline.hotline.jobs import worker as workers
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.jobs.worker import run_forever, run_until_idle
from strandline.hotline.reports.models import Capture

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock_file(settings, hotline, tmp_path, now):
    file = tmp_path / "clock"
    file.write_text(now.isoformat())
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, clock_file=file)
    return file


@pytest.fixture
def handle(monkeypatch, clock_file, settings):
    """``handle(handler)``: do what is due with this handler, as ``worker`` would."""

    def run(handler, worker="w1"):
        kind = due.Kind(Capture, handler, 1)
        monkeypatch.setattr(due, "_kinds", {Capture: kind})
        with Tools(settings.HOTLINE) as tools:
            return run_until_idle(tools, worker=worker)

    return run


def done(row, tools, now):
    with due.finish(row):
        pass


def test_everything_that_is_due_is_done_and_then_it_is_idle(rows, handle):
    rows(3)
    assert handle(done) == 3
    assert handle(done) == 0


def test_one_row_that_breaks_does_not_stop_the_others(rows, handle, now):
    bad = rows(3)[0]

    def handler(row, tools, now):
        if row.pk == bad.pk:
            raise ValueError("broken")
        done(row, tools, now)

    assert handle(handler) == 3
    bad.refresh_from_db()
    assert (bad.failures, bad.last_error) == (1, "ValueError: broken")
    assert bad.due_at == now + timedelta(minutes=2)


def test_a_lost_lease_is_left_to_whoever_has_it_now(rows, handle, now):
    (row,) = rows(1)

    def handler(claimed, tools, now):
        Capture.objects.filter(pk=claimed.pk).update(attempt=claimed.attempt + 1, leased_by="w2")
        raise LeaseLost("taken over")

    assert handle(handler) == 1
    row.refresh_from_db()
    assert (row.leased_by, row.failures) == ("w2", 0)


def test_a_killed_worker_started_again_does_its_row_at_once(rows, handle, now):
    (row,) = rows(1)
    due.claim(Capture, worker="w1", now=now)  # and then the process dies
    assert handle(done, "w2") == 0
    assert handle(done, "w1") == 1
    row.refresh_from_db()
    assert row.due_at is None


def test_the_handler_is_told_the_simulated_time(rows, handle, clock_file, now):
    rows(1)
    later = now + timedelta(days=40)
    clock_file.write_text(later.isoformat())
    told = []

    def handler(row, tools, moment):
        told.append(moment)
        done(row, tools, moment)

    handle(handler)
    assert told == [later]


def test_a_worker_outlives_a_database_that_does_not_answer(monkeypatch, clock_file):
    rounds = iter([OperationalError("disk full"), 0, KeyboardInterrupt()])
    released = []

    def one_round(_tools, _worker):
        came = next(rounds)
        if isinstance(came, BaseException):
            raise came
        return came

    monkeypatch.setattr(workers, "_run_due", one_round)
    monkeypatch.setattr(workers.connection, "close", lambda: None)
    monkeypatch.setattr(workers, "close_old_connections", lambda: None)
    monkeypatch.setattr(workers.due, "release", released.append)
    with pytest.raises(KeyboardInterrupt):
        run_forever(worker="w1", poll_seconds=0.01)
    assert released == ["w1", "w1"], "what was begun is taken up again"
