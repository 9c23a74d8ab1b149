"""Addresses of the simulated web, from their confirmation to their end, over real sockets."""

import pytest

from strandline.demo import hosts
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


def states(address):
    return [State(change.after) for change in address.changes.all()][4:]


def levels(address):
    return [(n.round, n.level, n.mail.recipient) for n in address.notices.all()]


def test_a_host_that_removes_at_once_gets_one_notice(confirmed, days, web):
    address = confirmed("removes-at-first")
    days(4)
    assert states(address) == [
        State.SECOND_ASSESSED,
        State.TRACED,
        State.NOTICED,
        State.MONITORED,
        State.REMOVED,
    ]
    assert levels(address) == [(1, "first", "abuse@alder-hosting.example")]
    assert [mail.recipients for mail in web.mails] == [("abuse@alder-hosting.example",)]
