"""The worker: does what is due, one row at a time, and goes on whatever one row does."""

import time
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from strandline.hotline import clock
from strandline.hotline.errors import LeaseLost
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

log = structlog.get_logger()

#: Seconds to the next look after work was done: one act often makes another due.
FIRST_PAUSE = 0.01


def run_until_idle(tools: Tools, *, worker: str) -> int:
    """Do everything that is due now; how many rows were done."""
    due.release(worker)
    return _run_due(tools, worker)


def run_forever(*, worker: str, poll_seconds: float = 1.0) -> None:
    """Do what is due, for ever; ends with the process.

    Looks again at once after work, then ever less often, at most each ``poll_seconds``.
    """
    with Tools(settings.HOTLINE) as tools:
        pause, done, fresh = poll_seconds, 0, True
        while True:
            try:
                if fresh:
                    due.release(worker)
                done, fresh = _run_due(tools, worker), False
            except DatabaseError:
                # A full disk, a database that went away: what was begun is still leased to us, and
                # is taken up again once the database answers, over a new connection.
                log.exception("the database did not answer; trying again", seconds=poll_seconds)
                connection.close()
                pause, done, fresh = poll_seconds, 0, True
            close_old_connections()
            pause = FIRST_PAUSE if done else min(pause * 1.5, poll_seconds)
            time.sleep(pause)


def _run_due(tools: Tools, worker: str) -> int:
    if not due.anything_due(clock.now()):
        return 0
    done = 0
    while _run_one(tools, worker=worker, now=clock.now()):
        done += 1
    return done


def _run_one(tools: Tools, *, worker: str, now: datetime) -> bool:
    for kind in due.kinds():
        row = due.claim(kind.model, worker=worker, now=now)
        if row is None:
            continue
        try:
            kind.handler(row, tools, now)
        except LeaseLost as lost:
            log.warning("lease lost", kind=kind.name, row=row.pk, error=lost.message)
        except Exception as error:
            log.exception("due work failed", kind=kind.name, row=row.pk)
            due.fail(row, f"{type(error).__name__}: {error}", now=now)
        return True
    return False
