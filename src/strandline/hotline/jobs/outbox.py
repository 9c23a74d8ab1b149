"""Mail that leaves: once, whatever dies when.

SMTP cannot say whether a mail whose connection broke after its last dot was taken. So the row
is committed as 'handing-over' *before* the text is sent. A worker that finds a row in that state
does not send again: it looks for the Message-ID among the copies the mail server keeps
(``STRANDLINE_SENT_MAILDIR``). Found means sent. Not found, after ``STRANDLINE_SENT_GRACE`` seconds,
means it never left. With no copies to look at, the row is 'uncertain' and a manager decides.
"""

import mailbox
import smtplib
import ssl
import time
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from django.db import transaction

from strandline.hotline.audit import chain
from strandline.hotline.config import MailPolicy
from strandline.hotline.jobs import due
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.jobs.signals import mail_refused, mail_sent
from strandline.hotline.jobs.tools import Tools

State = OutboxMail.State

#: Seconds for each answer of the mail server.
TIMEOUT = 30


def post(
    *, key: str, recipient: str, subject: str, body: str, domain: str, now: datetime
) -> OutboxMail:
    """Put a mail into the outbox, in the caller's transaction; one ``key`` gives one row."""
    mail, _ = OutboxMail.objects.get_or_create(
        key=key,
        defaults={
            "recipient": recipient,
            "subject": " ".join(subject.split())[:250],
            "body": body,
            "message_id": f"<{key.replace(':', '.')}@{domain}>",
            "created_at": now,
            "due_at": now,
        },
    )
    return mail


def hand_over(mail: OutboxMail, tools: Tools, now: datetime) -> None:
    """Send one mail, or find out whether it was sent."""
    policy = tools.config.mail
    if mail.state == State.HANDING_OVER:
        _settle(mail, policy, now)
        return
    try:
        handed_over = _send(mail, policy, now)
    except smtplib.SMTPResponseException as error:
        _refused(mail, error.smtp_code, error.smtp_error, now)
    except (OSError, smtplib.SMTPException) as error:
        if OutboxMail.objects.filter(pk=mail.pk, state=State.HANDING_OVER).exists():
            _settle(mail, policy, now)
        else:
            due.fail(mail, f"The mail server could not be reached: {error}", now=now)
    else:
        if handed_over:
            _sent(mail, now)


def _send(mail: OutboxMail, policy: MailPolicy, now: datetime) -> bool:
    """Hand the mail over; false when another worker took the row first."""
    server = smtplib.SMTP(policy.host, policy.port, timeout=TIMEOUT)
    try:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        _expect(server.mail(policy.sender))
        _expect(server.rcpt(mail.recipient))
        marked = OutboxMail.objects.filter(pk=mail.pk, attempt=mail.attempt).update(
            state=State.HANDING_OVER
        )
        if not marked:
            return False
        _expect(server.data(_compose(mail, policy, now)))
        return True
    finally:
        # QUIT would be polite, but its failure must not look like the mail's.
        server.close()


def _expect(answer: tuple[int, bytes]) -> None:
    code, text = answer
    if code // 100 != 2:
        raise smtplib.SMTPResponseException(code, text)


def _compose(mail: OutboxMail, policy: MailPolicy, now: datetime) -> bytes:
    # Long lines in headers: folded early, a subject with a long host name begins on an empty line.
    message = EmailMessage(policy=SMTP.clone(max_line_length=300))
    message["From"] = policy.sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message.as_bytes()


def _sent(mail: OutboxMail, now: datetime) -> None:
    with due.finish(mail):
        OutboxMail.objects.filter(pk=mail.pk).update(state=State.SENT, sent_at=now)
        chain.record(at=now, actor="worker", action="jobs.send_mail", subject=f"mail:{mail.pk}")
        mail.refresh_from_db()
        mail_sent.send(OutboxMail, mail=mail, now=now)


def _refused(mail: OutboxMail, code: int, text: bytes | str, now: datetime) -> None:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    if code // 100 == 4:
        OutboxMail.objects.filter(pk=mail.pk, attempt=mail.attempt).update(state=State.WAITING)
        due.fail(mail, f"The mail server said 'later': {code} {said}", now=now)
        return
    with due.finish(mail):
        OutboxMail.objects.filter(pk=mail.pk).update(
            state=State.REFUSED, last_error=f"{code} {said}", given_up_at=now
        )
        chain.record(
            at=now,
            actor="worker",
            action="jobs.mail_refused",
            subject=f"mail:{mail.pk}",
            detail={"code": code},
        )
        mail.refresh_from_db()
        mail_refused.send(OutboxMail, mail=mail, now=now)


def _settle(mail: OutboxMail, policy: MailPolicy, now: datetime) -> None:
    if policy.sent_maildir is None:
        with due.finish(mail):
            OutboxMail.objects.filter(pk=mail.pk).update(
                state=State.UNCERTAIN,
                given_up_at=now,
                last_error="A worker stopped while handing this mail over. Ask the mail server's "
                "log for its Message-ID, then choose 'it was sent' or 'send it'.",
            )
            chain.record(
                at=now, actor="worker", action="jobs.mail_uncertain", subject=f"mail:{mail.pk}"
            )
    elif _copy_appears(policy.sent_maildir, mail.message_id, policy.grace_seconds):
        _sent(mail, now)
    else:
        with due.finish(mail, next_due=now):
            OutboxMail.objects.filter(pk=mail.pk).update(state=State.WAITING)


def _copy_appears(maildir: Path, message_id: str, grace_seconds: float) -> bool:
    end = time.monotonic() + grace_seconds
    while not was_sent(maildir, message_id):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def was_sent(maildir: Path, message_id: str) -> bool:
    """Whether the mail server kept a copy of the mail with this Message-ID."""
    box = mailbox.Maildir(maildir, create=False)
    return any(message["Message-ID"] == message_id for message in box)


@transaction.atomic
def settle_uncertain(mail: OutboxMail, *, was_sent: bool, by: str, now: datetime) -> None:
    """What a manager found out about a mail that may or may not have left."""
    chain.lock()
    settled = OutboxMail.objects.filter(pk=mail.pk, state=State.UNCERTAIN).update(
        state=State.SENT if was_sent else State.WAITING,
        sent_at=now if was_sent else None,
        due_at=None if was_sent else now,
        given_up_at=None,
        last_error="",
    )
    if not settled:  # somebody else settled it first
        return
    chain.record(
        at=now,
        actor=by,
        action="jobs.settle_mail",
        subject=f"mail:{mail.pk}",
        detail={"was_sent": was_sent},
    )
    if was_sent:
        mail.refresh_from_db()
        mail_sent.send(OutboxMail, mail=mail, now=now)
