"""A worker that dies at any statement: the next one ends in the same record, and no mail twice."""

from datetime import timedelta

import pytest
from django.db import connection

from strandline.hotline.audit.verify import verify
from strandline.hotline.jobs import due
from strandline.hotline.reports.states import State

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Killed(BaseException):
    """SIGKILL, as far as one thread can play it: no handler and no clean-up of ours runs."""


class Dying:
    """Lets a number of statements through, and then kills."""

    def __init__(self, statements):
        self.left = statements

    def __call__(self, execute, sql, params, many, context):
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.left -= 1
            if self.left < 0:
                raise Killed
        return execute(sql, params, many, context)


@pytest.fixture
def outlive(work):
    """Work until idle; each worker dies one statement later than the one before it."""

    def go_on():
        for deaths in range(1000):
            try:
                with connection.execute_wrapper(Dying(deaths)):
                    work()
            except Killed:
                continue
            return deaths
        raise AssertionError("it never became idle")

    return go_on


def test_workers_that_die_at_every_statement_send_each_notice_once(
    confirmed, outlive, clock, web, now
):
    address = confirmed("says-not-found")
    deaths = 0
    end = clock.now() + timedelta(days=4)
    while (at := due.next_due()) is not None and at <= end:
        clock.set(max(at, clock.now()))
        deaths += outlive()
    address.refresh_from_db()
    assert deaths > 50
    assert address.state == State.REMOVED
    assert [(n.round, n.level) for n in address.notices.all()] == [(1, "first")]
    assert [mail.recipients for mail in web.mails] == [("abuse@hazel-images.example",)]
    assert [seen.availability for seen in address.observations.all()] == [
        "present",
        "removed",
        "removed",
    ]
    assert address.hostings.count() == 1
    assert due.failing() == []
    assert verify().ok
