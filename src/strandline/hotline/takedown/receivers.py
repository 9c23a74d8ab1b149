"""What this room does when something happens in another."""

from datetime import datetime

from strandline.hotline.assessment.signals import address_confirmed
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.jobs.signals import mail_refused, mail_sent
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.signals import address_reported_again
from strandline.hotline.takedown import notices
from strandline.hotline.takedown.traces import trace_again
from strandline.hotline.takedown.watch import ask_look


def connect() -> None:
    """Connect every receiver, once."""
    address_confirmed.connect(_confirmed, dispatch_uid="takedown.confirmed")
    address_reported_again.connect(_reported_again, dispatch_uid="takedown.reported_again")
    mail_sent.connect(_sent, dispatch_uid="takedown.sent")
    mail_refused.connect(_refused, dispatch_uid="takedown.refused")


def _confirmed(*, address: ReportedUrl, now: datetime, **_: object) -> None:
    trace_again(address, now=now)


def _reported_again(*, address: ReportedUrl, now: datetime, **_: object) -> None:
    ask_look(address, now=now)


def _sent(*, mail: OutboxMail, now: datetime, **_: object) -> None:
    notices.mail_left(mail, now)


def _refused(*, mail: OutboxMail, now: datetime, **_: object) -> None:
    notices.mail_came_back(mail, now)
