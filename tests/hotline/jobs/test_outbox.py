import dataclasses
import socket
from datetime import timedelta

import pytest

from strandline.demo.clock import FileClock
from strandline.demo.mail import Maildir, MailRules, MailSink
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.jobs import due, outbox
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.jobs.signals import mail_refused, mail_sent
from strandline.hotline.jobs.tools import Tools

pytestmark = pytest.mark.django_db

State = OutboxMail.State


@pytest.fixture
def sink(tmp_path, now):
    """A real mail server on loopback that keeps what it takes; ``sink.mails``, ``sink.rules``."""
    clock = FileClock(tmp_path / "clock")
    clock.set(now)
    sink = MailSink(Maildir(tmp_path / "mail"), clock, tmp_path / "rules.json", lambda mail: None)
    sink.start()
    sink.mails, sink.path, sink.clock = sink._maildir, tmp_path / "mail", clock
    sink.rules = lambda **rules: MailRules(**rules).write(tmp_path / "rules.json")
    yield sink
    sink.stop()


@pytest.fixture
def policy(settings, hotline):
    """Change the mail settings."""

    def change(**changes):
        mail = dataclasses.replace(settings.HOTLINE.mail, **changes)
        settings.HOTLINE = dataclasses.replace(settings.HOTLINE, mail=mail)

    return change


@pytest.fixture
def send(settings, policy, sink):
    """``send(now)``: a worker hands over the next mail that is due; its row."""
    policy(host="127.0.0.1", port=sink.port, sent_maildir=sink.path, grace_seconds=0.0)

    def hand_over(now):
        row = due.claim(OutboxMail, worker="w1", now=now)
        if row is None:
            return None
        with Tools(settings.HOTLINE) as tools:
            outbox.hand_over(row, tools, now)
        row.refresh_from_db()
        return row

    return hand_over


@pytest.fixture
def heard():
    """What the room's signals told."""
    told = []

    def sent(mail, now, **_):
        told.append(("sent", mail.pk, mail.state))

    def refused(mail, now, **_):
        told.append(("refused", mail.pk, mail.state))

    mail_sent.connect(sent)
    mail_refused.connect(refused)
    yield told
    mail_sent.disconnect(sent)
    mail_refused.disconnect(refused)


def post(now, key="notice:1", **changes):
    mail = {
        "key": key,
        "recipient": "abuse@host.example",
        "subject": "Please remove",
        "body": "The address.\n",
        "domain": "hotline.example",
        "now": now,
    }
    return outbox.post(**mail | changes)


def actions():
    return list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))


def test_a_mail_is_sent_once_told_of_and_written_down(send, sink, now, heard):
    mail = post(now)
    assert send(now).state == State.SENT
    assert send(now) is None
    (kept,) = sink.mails
    assert kept.recipients == ("abuse@host.example",)
    assert kept.message_id == mail.message_id
    assert kept.message["Auto-Submitted"] == "auto-generated"
    assert kept.message["Date"].datetime == now
    assert heard == [("sent", mail.pk, State.SENT)]
    assert actions() == ["jobs.send_mail"]


def test_asking_for_the_same_mail_twice_gives_the_same_row(now):
    first = post(now)
    assert post(now, body="something else").pk == first.pk
    assert OutboxMail.objects.get().body == first.body


def test_a_line_break_in_a_subject_adds_no_header(send, sink, now):
    post(now, subject="Please remove\r\nBcc: everyone@host.example")
    send(now)
    (kept,) = sink.mails
    assert kept.message["Bcc"] is None
    assert kept.message["Subject"] == "Please remove Bcc: everyone@host.example"
    assert kept.recipients == ("abuse@host.example",)


def test_a_long_address_arrives_whole(send, sink, now):
    url = f"http://host.example/{'a' * 2000}"
    post(now, body=f"Address:\n{url}\n")
    send(now)
    (kept,) = sink.mails
    assert url in kept.text()


def test_later_is_tried_again_later(send, sink, now, heard):
    post(now)
    sink.rules(deferred_until=now + timedelta(minutes=3))
    first = send(now)
    assert (first.state, first.failures) == (State.WAITING, 1)
    assert "451" in first.last_error
    assert first.due_at > now
    assert not heard
    sink.clock.set(now + timedelta(hours=1))
    assert send(now + timedelta(hours=1)).state == State.SENT
    assert len(list(sink.mails)) == 1


def test_later_for_ever_is_given_up_to_a_person(send, sink, now, heard):
    post(now)
    sink.rules(deferred_until=now + timedelta(days=99))
    for day in range(due.MOST_FAILURES):
        row = send(now + timedelta(days=day))
    assert row.given_up_at is not None
    assert due.failing() == [row]
    assert not heard


def test_a_refused_recipient_is_final_and_told_of(send, sink, now, heard):
    mail = post(now)
    sink.rules(refused=frozenset({"abuse@host.example"}))
    row = send(now)
    assert (row.state, row.due_at) == (State.REFUSED, None)
    assert "550" in row.last_error
    assert due.failing() == [row]
    assert heard == [("refused", mail.pk, State.REFUSED)]
    assert list(sink.mails) == []
    assert actions() == ["jobs.mail_refused"]


def test_a_mail_server_that_is_away_is_tried_again(send, policy, now, heard):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    policy(port=port)
    post(now)
    row = send(now)
    assert (row.state, row.failures) == (State.WAITING, 1)
    assert not heard


def test_a_receiver_that_fails_undoes_the_sending_and_it_is_not_sent_again(send, sink, now):
    post(now)

    def broken(**_):
        raise RuntimeError("a receiver broke")

    mail_sent.connect(broken)
    try:
        with pytest.raises(RuntimeError):
            send(now)
    finally:
        mail_sent.disconnect(broken)
    row = OutboxMail.objects.get()
    assert row.state == State.HANDING_OVER
    due.release("w1")  # the outbox is a registered kind
    assert send(now).state == State.SENT
    assert len(list(sink.mails)) == 1


def killed_while_handing_over(mail):
    """The row as a worker leaves it that dies between the text and the server's answer."""
    OutboxMail.objects.filter(pk=mail.pk).update(state=State.HANDING_OVER)


def test_a_killed_hand_over_whose_copy_is_found_was_sent(send, sink, now, heard):
    mail = post(now)
    message = outbox._compose(mail, sink_policy(), now)
    sink.mails.keep(message, sender="x@hotline.example", recipients=[mail.recipient], at=now)
    killed_while_handing_over(mail)
    assert send(now).state == State.SENT
    assert len(list(sink.mails)) == 1
    assert heard == [("sent", mail.pk, State.SENT)]


def test_a_killed_hand_over_without_a_copy_is_sent_now(send, sink, now, heard):
    mail = post(now)
    killed_while_handing_over(mail)
    assert send(now).state == State.WAITING
    assert not heard
    assert send(now).state == State.SENT
    assert [kept.message_id for kept in sink.mails] == [mail.message_id]


def test_a_killed_hand_over_with_no_copies_to_look_at_waits_for_a_person(
    send, policy, sink, now, heard
):
    policy(sent_maildir=None)
    mail = post(now)
    killed_while_handing_over(mail)
    row = send(now)
    assert (row.state, row.due_at) == (State.UNCERTAIN, None)
    assert due.failing() == [row]
    assert send(now + timedelta(days=9)) is None
    assert not heard
    assert list(sink.mails) == []


@pytest.fixture
def uncertain(send, policy, now):
    policy(sent_maildir=None)
    mail = post(now)
    killed_while_handing_over(mail)
    return send(now)


def test_a_person_who_finds_it_sent_makes_it_sent(uncertain, sink, send, now, heard):
    outbox.settle_uncertain(uncertain, was_sent=True, by="person:1", now=now)
    assert send(now) is None
    assert heard == [("sent", uncertain.pk, State.SENT)]
    assert list(sink.mails) == []


def test_a_person_who_finds_it_not_sent_has_it_sent(uncertain, sink, send, now, heard):
    outbox.settle_uncertain(uncertain, was_sent=False, by="person:1", now=now)
    assert send(now).state == State.SENT
    assert len(list(sink.mails)) == 1


def test_what_one_person_settled_another_does_not_settle_again(uncertain, now, heard):
    outbox.settle_uncertain(uncertain, was_sent=True, by="person:1", now=now)
    outbox.settle_uncertain(uncertain, was_sent=False, by="person:2", now=now)
    uncertain.refresh_from_db()
    assert uncertain.state == State.SENT
    assert len(heard) == 1
    assert actions().count("jobs.settle_mail") == 1


def sink_policy():
    from django.conf import settings

    return settings.HOTLINE.mail
