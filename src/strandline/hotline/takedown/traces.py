"""Tracing as due work: who answers for an address is written down, then its notice begins."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from strandline.errors import AddressRefused
from strandline.fetching import normalise
from strandline.hotline.audit import chain
from strandline.hotline.errors import NoticeRefused
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.models import Availability, ReportedUrl
from strandline.hotline.reports.services import change_state
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import notices
from strandline.hotline.takedown.mailbox import read_mailbox
from strandline.hotline.takedown.models import HostAnswer, Hosting, Trace
from strandline.hotline.takedown.tracing import Traced, trace_host

BY = "worker"
#: States in which the answer to 'who hosts this?' is needed.
TRACEABLE = frozenset(
    {State.SECOND_ASSESSED, State.TRACED, State.CLEARED_BY_POLICE, State.REOPENED, State.MONITORED}
)
#: Attempts cut short by a registry or resolver, after which a person is asked.
MOST_TRIES = 5
Wanted = Trace.Wanted


def trace(row: Trace, tools: Tools, now: datetime) -> None:
    """Handle one due trace: ask outside, then write everything at once."""
    address = row.address
    if address.state not in TRACEABLE:
        with due.finish(row):
            return
    host, site, ip = _where(address)
    traced = trace_host(host, site, tools.registries, tools.config.web.rdap_bootstrap, ip=ip)
    contacts = _worth_writing_to(address, traced)
    # Whoever runs the network is the one to tell: worth a wait, even where a registrar is known.
    enough = contacts and traced.network is not None
    if not enough and traced.again_in and row.tries + 1 < MOST_TRIES:
        wait = traced.again_in * 2**row.tries
        with due.finish(row, next_due=now + wait):
            Trace.objects.filter(pk=row.pk).update(
                tries=row.tries + 1, last_error="; ".join(traced.asked)[-2000:]
            )
        return
    with due.finish(row):
        address.refresh_from_db()
        Trace.objects.filter(pk=row.pk).update(tries=0)
        _write_down(address, traced, contacts, now)
        if not contacts:
            wanted = Wanted.OWNER if traced.contacts else Wanted.CONTACT
            notices.want(address.trace, wanted, now=now)
        else:
            _found(address, by=BY, now=now)


def name_contact(address: ReportedUrl, mailbox: str, *, by: str, now: datetime) -> None:
    """A person found out whom to write to, where no registry knew.

    Raises:
        NoticeRefused: this is no e-mail address, or nothing is wanted here any more.
    """
    contact = read_mailbox(mailbox)
    if contact is None:
        raise NoticeRefused(
            "mailbox",
            "This is not an e-mail address. It needs the form name@host.example.",
        )
    with transaction.atomic():
        chain.lock()
        address.refresh_from_db()
        row = address.trace
        wanted = row.wanted
        if not wanted:
            raise NoticeRefused(
                "mailbox", "Somebody else has named a contact for this address meanwhile."
            )
        before = address.hostings.order_by("-pk").first()
        hosting = before or Hosting(address=address)
        hosting.pk = None
        hosting._state.adding = True  # noqa: SLF001 - Django's own way to copy a row
        hosting.at, hosting.by, hosting.method = now, by, "named by a person"
        if wanted == Wanted.UPSTREAM:
            hosting.upstream_contact = contact
        else:
            hosting.abuse_contact = contact
        hosting.save()
        Trace.objects.filter(pk=row.pk).update(wanted="", wanted_since=None, due_at=None, tries=0)
        row.refresh_from_db()
        chain.record(
            at=now,
            actor=by,
            action="takedown.name_contact",
            subject=address.subject,
            detail={"hosting": hosting.pk, "wanted": wanted},
        )
        if wanted != Wanted.UPSTREAM:
            _found(address, by=by, now=now)
        elif address.state in {State.MONITORED, State.UNAVAILABLE}:
            notices.send_notice(address, notices.Level.ESCALATION, contact, by=by, now=now)


def trace_again(address: ReportedUrl, *, now: datetime) -> None:
    """Find out anew who answers for an address, in the caller's transaction."""
    row, is_new = Trace.objects.get_or_create(address=address, defaults={"due_at": now})
    if not is_new:
        Trace.objects.filter(pk=row.pk).update(
            due_at=now,
            tries=0,
            given_up_at=None,
            failures=0,
            wanted="",
            wanted_since=None,
            # A trace under way does not know what is known now: it loses its lease.
            attempt=F("attempt") + 1,
            lease_until=None,
            leased_by="",
        )


def _found(address: ReportedUrl, *, by: str, now: datetime) -> None:
    if address.state not in TRACEABLE:  # it is gone, or was given up, meanwhile
        return
    if address.state == State.SECOND_ASSESSED or (
        address.state == State.REOPENED and notices.waits_for_police(address)
    ):
        hosting = address.hostings.order_by("-pk")[0]
        change_state(address, State.TRACED, by=by, now=now, reason=str(hosting)[:250])
    notices.begin(address, by=by, now=now)


def _where(address: ReportedUrl) -> tuple[str, str, str | None]:
    """Host, site and IP address that the content was last seen at."""
    seen = address.observations.filter(availability=Availability.PRESENT).order_by("-pk").first()
    if seen is None:
        return address.host, address.site, None
    try:
        led_to = normalise(seen.final_url, allow=settings.HOTLINE.web.allow_networks)
    except AddressRefused:  # a look-alike that a server, not a person, sent us to
        return address.host, address.site, seen.ip
    return led_to.host, led_to.site, seen.ip


def _worth_writing_to(address: ReportedUrl, traced: Traced) -> tuple[str, ...]:
    """The contacts that have not said of this server that it is not theirs."""
    said_no = set(
        HostAnswer.objects.filter(
            notice__address=address,
            notice__hosting__ip=traced.ip,
            answer=HostAnswer.Answer.NOT_OURS,
        ).values_list("notice__mail__recipient", flat=True)
    )
    return tuple(contact for contact in traced.contacts if contact not in said_no)


def _write_down(
    address: ReportedUrl, traced: Traced, contacts: tuple[str, ...], now: datetime
) -> Hosting:
    network, domain = traced.network, traced.domain
    hosting = Hosting.objects.create(
        address=address,
        at=now,
        ip=traced.ip,
        asn=traced.origin.asn if traced.origin else None,
        as_name=traced.as_name,
        network=(network.span if network else "")
        or (traced.origin.prefix if traced.origin else ""),
        network_name=network.name if network else "",
        country=traced.country,
        host_name=network.owner if network else "",
        registrar=domain.registrar if domain else "",
        abuse_contact=contacts[0] if contacts else "",
        upstream_contact=contacts[1] if len(contacts) > 1 else "",
        method="; ".join(traced.asked)[:500],
        by=BY,
    )
    chain.record(
        at=now,
        actor=BY,
        action="takedown.trace",
        subject=address.subject,
        detail={
            "hosting": hosting.pk,
            "country": hosting.country,
            "asn": hosting.asn,
            "contacts": len(contacts),
        },
    )
    return hosting
