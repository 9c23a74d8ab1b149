import os
import signal
import smtplib
import socket
import threading
from datetime import timedelta

import pytest

from strandline.demo.mail import Maildir, MailRules


def kept(web):
    return list(Maildir(web.maildir))


def test_a_mail_is_kept_as_it_came_with_its_envelope_and_time(web, mail, clock):
    mail("abuse@alder-hosting.example", "Grüße\nand a second line\n")
    (found,) = kept(web)
    assert found.path.parent == web.maildir / "new"
    assert found.recipients == ("abuse@alder-hosting.example",)
    assert found.received_at == clock.now()
    assert found.message["Return-Path"] == "<notices@hotline.example>"
    assert found.message["Subject"] == "Notice"
    assert "Grüße\nand a second line" in found.text().replace("\r\n", "\n")
    assert not list((web.maildir / "tmp").iterdir())


def test_mails_sort_in_the_order_of_arrival(web, mail):
    for number in range(12):
        mail("anyone@example", f"number {number}")
    assert [found.text().strip() for found in kept(web)] == [f"number {n}" for n in range(12)]


def test_mails_arriving_at_once_are_all_kept(web, mail):
    senders = [
        threading.Thread(target=mail, args=("anyone@example", f"number {n}")) for n in range(8)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {found.text().strip() for found in kept(web)} == {f"number {n}" for n in range(8)}


def test_mail_is_deferred_until_the_time_of_the_rule(web, mail, clock):
    web.set_mail_rules(MailRules(deferred_until=clock.now() + timedelta(hours=1)))
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        mail("abuse@alder-hosting.example", "text")
    assert refusal.value.smtp_code == 451
    assert kept(web) == []
    clock.advance(timedelta(hours=1))
    mail("abuse@alder-hosting.example", "text")
    assert len(kept(web)) == 1


def test_one_recipient_is_refused_for_good(web, mail):
    web.set_mail_rules(MailRules(refused=frozenset({"Abuse@dogwood-net.example"})))
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        mail("abuse@DOGWOOD-net.example", "text")
    assert [code for code, _ in refusal.value.recipients.values()] == [550]
    mail("abuse@alder-hosting.example", "text")
    assert len(kept(web)) == 1


def test_what_is_not_finished_is_not_kept(web):
    host, _, port = web.smtp_address.partition(":")
    smtp = smtplib.SMTP(host, int(port), timeout=5)
    smtp.helo("here.example")
    smtp.mail("a@hotline.example")
    smtp.rcpt("abuse@alder-hosting.example")
    smtp.docmd("DATA")
    smtp.send(b"Subject: half a mail\r\n")
    smtp.close()
    assert kept(web) == []


def test_a_mail_survives_a_kill_right_after_its_250(start_web):
    process, addresses = start_web()
    host, _, port = addresses["smtp_address"].partition(":")
    message = (
        b"Message-ID: <1@hotline.example>\r\nSubject: Notice\r\n\r\n"
        b"http://gallery.alder-hosting.example/a/1\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as sender:
        lines = sender.makefile("rb")
        lines.readline()
        for command in (
            b"HELO here.example",
            b"MAIL FROM:<notices@hotline.example>",
            b"RCPT TO:<abuse@alder-hosting.example>",
            b"DATA",
        ):
            sender.sendall(command + b"\r\n")
            lines.readline()
        sender.sendall(message + b".\r\n")
        assert lines.readline().startswith(b"250")
        os.kill(process.pid, signal.SIGKILL)
        lines.close()
    process.wait(timeout=5)
    (found,) = Maildir(addresses["maildir"])
    assert found.message_id == "<1@hotline.example>"
    assert found.path.read_bytes().endswith(message)
