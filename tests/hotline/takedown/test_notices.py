import dataclasses
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import StateRefused
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import notices
from strandline.hotline.takedown.models import Notice
from takedown_sights import present

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def police_first(settings, hotline):
    policy = dataclasses.replace(settings.HOTLINE.takedown, police_first=True)
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, takedown=policy)


def levels(address):
    return [f"{n.round} {n.level} {n.recipient}" for n in address.notices.all()]


def wanted(address):
    address.trace.refresh_from_db()
    return address.trace.wanted


def test_a_traced_address_has_its_notice_in_the_outbox(hosted):
    address = hosted()
    assert address.state == State.TRACED
    assert levels(address) == ["1 first abuse@host.example"]
    assert OutboxMail.objects.get().state == OutboxMail.State.WAITING


def test_a_notice_says_what_where_and_what_to_do_and_nothing_else(hosted, settings):
    address = hosted()
    mail = OutboxMail.objects.get()
    assert address.url in mail.body
    assert "192.0.2.1 (HOST-NET, AS64496, NL)" in mail.body
    assert "2 March 2026" in mail.body
    assert "N-" in mail.subject
    assert address.url not in mail.subject
    link = f"{settings.HOTLINE.partners_url}/answer/"
    token = mail.body.partition(link)[2].split()[0]
    assert len(token) == 43
    assert notices.token_hash(token) == address.notices.get().token_hash
    item = address.appearances.get().item
    for secret in (item.sha256, item.pdq, "category", "girl", "boy"):
        assert secret not in mail.body


def test_sending_twice_sends_one_mail(hosted, now):
    address = hosted()
    with transaction.atomic():
        again = notices.send_notice(
            address, Notice.Level.FIRST, "other@host.example", by="test", now=now
        )
    assert again == address.notices.get()
    assert OutboxMail.objects.count() == 1


def test_the_database_refuses_a_second_notice_of_a_level_in_a_round(hosted):
    notice = hosted().notices.get()
    mail = OutboxMail.objects.create(
        key="x", recipient="a@b.example", message_id="<x@y>", created_at=notice.token_expires_at
    )
    notice.pk, notice.mail, notice.token_hash = None, mail, "0" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        notice.save(force_insert=True)


def test_a_mail_that_left_makes_its_address_watched_and_forgets_the_token(hosted, deliver, now):
    address = hosted()
    deliver(now + DAY)
    address.refresh_from_db()
    assert [c.after for c in address.changes.all()][-2:] == [State.NOTICED, State.MONITORED]
    assert "/answer/…" in OutboxMail.objects.get().body
    assert address.look.due_at == now + 2 * DAY


def test_a_refused_notice_goes_above_the_host_at_once(hosted, deliver, now):
    address = hosted()
    deliver(refused=True)
    assert levels(address) == [
        "1 first abuse@host.example",
        "1 escalation abuse@network.example",
    ]
    body = OutboxMail.objects.last().body
    assert "mailbox did not accept our letter" in body
    assert AuditEntry.objects.filter(action="takedown.notice_refused").count() == 1
    deliver(now)
    address.refresh_from_db()
    assert address.state == State.MONITORED
    assert wanted(address) == ""


def test_a_refused_notice_with_nobody_above_waits_for_a_person(hosted, deliver):
    address = hosted(upstream="")
    deliver(refused=True)
    assert levels(address) == ["1 first abuse@host.example"]
    assert wanted(address) == "delivery"
    address.refresh_from_db()
    assert address.state == State.TRACED


def test_when_everybody_refuses_a_person_is_asked(hosted, deliver):
    address = hosted()
    deliver(refused=True)
    deliver(refused=True)
    assert len(levels(address)) == 2
    assert wanted(address) == "delivery"


def test_a_refused_reminder_changes_nothing(watched, see, deliver, now):
    address = see(watched(), present, now + 3 * DAY)
    deliver(refused=True)
    assert len(levels(address)) == 2
    assert wanted(address) == ""


def test_where_police_come_first_no_notice_leaves_before_they_cleared_it(police_first, hosted, now):
    address = hosted()
    assert (address.state, levels(address)) == (State.TRACED, [])
    notices.clear_by_police(address, by="person:1", now=now + DAY)
    address.refresh_from_db()
    assert address.state == State.CLEARED_BY_POLICE
    assert levels(address) == ["1 first abuse@host.example"]
    with pytest.raises(StateRefused):
        notices.clear_by_police(address, by="person:1", now=now + DAY)


def test_a_notice_that_left_after_police_cleared_it_is_watched(police_first, hosted, deliver, now):
    address = hosted()
    notices.clear_by_police(address, by="person:1", now=now)
    deliver()
    address.refresh_from_db()
    assert address.state == State.MONITORED


def test_an_address_that_was_not_traced_cannot_be_cleared(address, now, hotline):
    with pytest.raises(StateRefused):
        notices.clear_by_police(address(State.CAPTURED), by="person:1", now=now)
