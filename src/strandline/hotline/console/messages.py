"""Opening what reporters sealed: messages for analysts, contacts for custodians."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from strandline.hotline.audit import chain
from strandline.hotline.reports.models import FollowUp, Report
from strandline.vault import unseal


@dataclass(frozen=True)
class Message:
    """One opened message."""

    at: datetime
    text: str


@transaction.atomic
def read(report: Report, *, identity: str, by: str, now: datetime) -> list[Message]:
    """The reporter's message and whatever was added later, oldest first."""
    chain.record(at=now, actor=by, action="reports.read_note", subject=f"report:{report.pk}")
    opened = []
    if report.note_sealed:
        opened.append(Message(report.received_at, unseal(bytes(report.note_sealed), identity)))
    opened.extend(
        Message(added.at, unseal(bytes(added.text_sealed), identity))
        for added in report.follow_ups.filter(direction=FollowUp.Direction.FROM_REPORTER)
    )
    return opened


@transaction.atomic
def open_contact(report: Report, *, reason: str, identity: str, by: str, now: datetime) -> str:
    """How to reach the reporter; empty when nothing was left. The reason goes into the chain."""
    chain.record(
        at=now,
        actor=by,
        action="reports.open_contact",
        subject=f"report:{report.pk}",
        detail={"reason": reason},
    )
    return unseal(bytes(report.contact_sealed), identity) if report.contact_sealed else ""
