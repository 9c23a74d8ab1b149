"""Sending notices: at most one mail for an address, round and level, whatever is repeated."""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from strandline.hotline.audit import chain
from strandline.hotline.jobs import outbox
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.reports.models import Availability, ReportedUrl, StateChange
from strandline.hotline.reports.services import change_state, change_states
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import letters
from strandline.hotline.takedown.models import HostAnswer, Look, Notice, Trace

Level = Notice.Level
Wanted = Trace.Wanted

#: How long the link in a notice opens its form.
TOKEN_LIVES = timedelta(days=90)
#: States in which an address waits for its notice to leave.
AWAITING_MAIL = frozenset({State.TRACED, State.CLEARED_BY_POLICE, State.REOPENED})

_TOKEN_IN_LINK = re.compile(r"(/answer/)[\w-]{40,}")


def send_notice(
    address: ReportedUrl, level: Notice.Level, recipient: str, *, by: str, now: datetime
) -> Notice:
    """Put this round's notice of this level into the outbox, in the caller's transaction.

    Asked again, it gives the notice that is there and writes nothing.
    """
    trace = address.trace
    earlier = address.notices.filter(round=trace.round, level=level).first()
    if earlier is not None:
        return earlier
    hosting = address.hostings.order_by("-pk")[0]
    token = secrets.token_urlsafe(32)
    notice = Notice(
        address=address,
        round=trace.round,
        level=level,
        hosting=hosting,
        token_hash=token_hash(token),
        token_expires_at=now + TOKEN_LIVES,
    )
    letter = letters.write(level, _facts(notice, token))
    hotline = settings.HOTLINE
    notice.mail = outbox.post(
        key=f"notice:{address.pk}.{trace.round}.{level.value}",
        recipient=recipient,
        subject=letter.subject,
        body=letter.body,
        domain=hotline.mail.sender.rpartition("@")[2],
        now=now,
    )
    notice.save()
    chain.record(
        at=now,
        actor=by,
        action="takedown.send_notice",
        subject=address.subject,
        detail={"level": level.value, "round": trace.round, "notice": notice.pk},
    )
    return notice


def token_hash(token: str) -> str:
    """What is kept of a token: it is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def mail_left(mail: OutboxMail, now: datetime) -> None:
    """A mail left: if it was a notice, its address is watched from now on.

    The link's token goes from the outbox's copy: from here on only the host has it.
    """
    notice = Notice.objects.select_related("address__trace").filter(mail=mail).first()
    if notice is None:
        return
    OutboxMail.objects.filter(pk=mail.pk).update(body=_TOKEN_IN_LINK.sub(r"\1…", mail.body))
    address = notice.address
    if address.state in AWAITING_MAIL:
        path = (State.NOTICED, State.MONITORED)
        reason = f"{notice.get_level_display()} {notice.reference} sent"
        change_states(address, path, by="worker", now=now, reason=reason)
    if notice.level != Level.REMINDER:
        _stop_wanting(address.trace, Wanted.DELIVERY)
    due_at = now + settings.HOTLINE.takedown.look_every
    look, is_new = Look.objects.get_or_create(address=address, defaults={"due_at": due_at})
    if not is_new:
        # Nobody looks while the notice is on its way; one that is due sooner stays so.
        Look.objects.filter(pk=look.pk, due_at=None).update(due_at=due_at)


def mail_came_back(mail: OutboxMail, now: datetime) -> None:
    """The mail server will not take a notice: write above the host at once, or ask a person."""
    notice = Notice.objects.select_related("address__trace").filter(mail=mail).first()
    if notice is None:
        return
    address = notice.address
    chain.record(
        at=now,
        actor="worker",
        action="takedown.notice_refused",
        subject=address.subject,
        detail={"level": notice.level, "notice": notice.pk},
    )
    if notice.round != address.trace.round or notice.level == Level.REMINDER:
        return
    upstream = address.hostings.order_by("-pk")[0].upstream_contact
    if notice.level == Level.FIRST and upstream and upstream != notice.recipient:
        send_notice(address, Level.ESCALATION, upstream, by="worker", now=now)
    else:
        want(address.trace, Wanted.DELIVERY, now=now)


def follow_up(address: ReportedUrl, *, now: datetime) -> None:
    """Content was just seen: send the reminder or the escalation that is due, in the caller's
    transaction; one at a time."""
    policy = settings.HOTLINE.takedown
    notices = {Level(n.level): n for n in round_of(address)}
    first = notices.get(Level.FIRST)
    started = started_at(notices.values())
    if first is None or started is None:
        return
    remindable = first.sent_at and len(notices) == 1
    if remindable and now >= _waiting_since(first, started) + policy.remind_after:
        send_notice(address, Level.REMINDER, first.recipient, by="worker", now=now)
        return
    if Level.ESCALATION not in notices and now >= started + policy.escalate_after:
        upstream = address.hostings.order_by("-pk")[0].upstream_contact
        if upstream and upstream != first.recipient:
            send_notice(address, Level.ESCALATION, upstream, by="worker", now=now)
        elif not address.trace.wanted:
            want(address.trace, Wanted.UPSTREAM, now=now)


def _waiting_since(first: Notice, started: datetime) -> datetime:
    """When the host was last told, or asked for time."""
    answer: HostAnswer | None = getattr(first, "answer", None)
    if answer is None or answer.answer != HostAnswer.Answer.NEED_TIME:
        return started
    return answer.at


def round_of(address: ReportedUrl) -> Sequence[Notice]:
    """This round's notices, in order."""
    found = address.notices.select_related("mail", "answer").filter(round=address.trace.round)
    return list(found.order_by("pk"))


def started_at(notices: Iterable[Notice]) -> datetime | None:
    """When the first of these notices left."""
    times = [notice.sent_at for notice in notices if notice.sent_at]
    return min(times, default=None)


def begin(address: ReportedUrl, *, by: str, now: datetime) -> None:
    """Send this round's first notice; where police come first and have not been, wait for them.

    The address is traced and has a contact. A round whose first notice exists is followed by
    another round.
    """
    contact = address.hostings.order_by("-pk")[0].abuse_contact
    if waits_for_police(address):
        return
    if address.notices.filter(round=address.trace.round, level=Level.FIRST).exists():
        next_round(address)
    send_notice(address, Level.FIRST, contact, by=by, now=now)


def next_round(address: ReportedUrl) -> None:
    """Notices from now on belong to another round."""
    trace = address.trace
    Trace.objects.filter(pk=trace.pk).update(round=trace.round + 1)
    trace.refresh_from_db()


@transaction.atomic
def clear_by_police(address: ReportedUrl, *, by: str, now: datetime) -> None:
    """Police have what they need: the notice may leave.

    Raises:
        StateRefused: the address does not wait for police.
    """
    chain.lock()
    address.refresh_from_db()
    change_state(address, State.CLEARED_BY_POLICE, by=by, now=now)
    begin(address, by=by, now=now)


def waits_for_police(address: ReportedUrl) -> bool:
    """Whether police come first here, and have not cleared this address at any time."""
    cleared = address.changes.filter(after=State.CLEARED_BY_POLICE)
    return settings.HOTLINE.takedown.police_first and not cleared.exists()


def want(trace: Trace, wanted: Trace.Wanted, *, now: datetime) -> None:
    """Put an address before a person; what it waits for already keeps its place."""
    since = trace.wanted_since if trace.wanted else now
    Trace.objects.filter(pk=trace.pk).update(wanted=wanted, wanted_since=since)
    trace.refresh_from_db()


def _stop_wanting(trace: Trace, wanted: Trace.Wanted) -> None:
    Trace.objects.filter(pk=trace.pk, wanted=wanted).update(wanted="", wanted_since=None)


def _facts(notice: Notice, token: str) -> letters.Facts:
    address, hotline = notice.address, settings.HOTLINE
    seen = address.observations.filter(availability=Availability.PRESENT).order_by("-pk").first()
    led_to = seen.final_url if seen and seen.final_url != address.url else ""
    confirmed = (
        StateChange.objects.filter(address=address, after=State.SECOND_ASSESSED)
        .order_by("pk")
        .values_list("at", flat=True)
        .last()
    )
    return letters.Facts(
        hotline=hotline.name,
        reference=notice.reference,
        url=address.url,
        host=address.host,
        led_to=led_to,
        referrer=address.referrer,
        hosting=notice.hosting,
        confirmed_at=confirmed or address.first_reported_at,
        first_sent_at=started_at(round_of(address)),
        link=f"{hotline.partners_url}/answer/{token}",
    )
