"""The host's word, by the link of a notice: taken down as said, checked by looking."""

import re
from datetime import datetime

from django.db import transaction

from strandline.hotline.audit import chain
from strandline.hotline.errors import NoticeRefused
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.states import State
from strandline.hotline.takedown.models import HostAnswer, Notice
from strandline.hotline.takedown.notices import token_hash
from strandline.hotline.takedown.traces import trace_again
from strandline.hotline.takedown.watch import ask_look

Answer = HostAnswer.Answer
LONGEST_COMMENT = 2_000
#: Here nobody is written to, so that finding out who is responsible would change nothing.
SETTLED = frozenset(
    {State.REMOVED, State.MOVED, State.UNCHANGED, State.CLOSED, State.APPEALED, State.NOT_ILLEGAL}
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,64}")


def notice_by_token(token: str, *, now: datetime) -> Notice | None:
    """The notice whose letter carried this token; none for a wrong or an expired one alike."""
    if not _TOKEN.fullmatch(token):
        return None
    return (
        Notice.objects.select_related("address", "mail", "answer")
        .filter(token_hash=token_hash(token), token_expires_at__gt=now)
        .first()
    )


def is_settled(address: ReportedUrl) -> bool:
    """Whether nothing is asked of anybody about this address any more, unless it comes back."""
    return address.state in SETTLED


def answer_notice(notice: Notice, answer: str, comment: str, *, now: datetime) -> HostAnswer:
    """Record what the host says, and act on it; a second answer gives the first one back.

    'Removed' makes a look due at once, 'not ours' a new trace; 'need time' puts the reminder off.
    Where the address is settled (:func:`is_settled`), the answer is only written down.

    Raises:
        NoticeRefused: no such answer, or a comment that is too long.
    """
    if answer not in Answer.values:
        raise NoticeRefused("answer", "Please choose one of the three answers.")
    comment = comment.replace("\0", "").replace("\r\n", "\n").strip()
    if len(comment) > LONGEST_COMMENT:
        raise NoticeRefused(
            "comment",
            f"The comment has {len(comment):,} characters; {LONGEST_COMMENT:,} is the most.",
        )
    with transaction.atomic():
        chain.lock()
        row, is_new = HostAnswer.objects.get_or_create(
            notice=notice, defaults={"answer": answer, "comment": comment, "at": now}
        )
        if not is_new:
            return row
        chain.record(
            at=now,
            actor=f"host:{notice.pk}",
            action="takedown.answer_notice",
            subject=notice.address.subject,
            detail={"answer": answer},
        )
        if answer == Answer.REMOVED:
            ask_look(notice.address, now=now)
        elif answer == Answer.NOT_OURS and not is_settled(notice.address):
            trace_again(notice.address, now=now)
    return row
