"""What can be done to the record: take a report in, change an address's state."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from strandline.errors import AddressRefused
from strandline.fetching import WebAddress, normalise
from strandline.hotline.audit import chain
from strandline.hotline.errors import ReportRefused, StateMoved, StateRefused
from strandline.hotline.reports.models import (
    Capture,
    FollowUp,
    Report,
    ReportedUrl,
    StateChange,
)
from strandline.hotline.reports.priority import priority
from strandline.hotline.reports.return_code import code_hash, looks_like_code, new_code
from strandline.hotline.reports.signals import address_reported_again
from strandline.hotline.reports.states import CHANGES, State
from strandline.hotline.reports.turns import Turns
from strandline.vault import seal

LONGEST_NOTE = 5_000
LONGEST_CONTACT = 300
#: Messages a reporter can add to one report.
MOST_FOLLOW_UPS = 20
#: Trying codes takes one of the two turns that hashing has: reports come in by the other.
_OPENING = Turns(1, waiting=6)
#: Letters and digits that cannot be mistaken for one another when read aloud or written down.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Taken:
    """A report that was taken in, and the code its reporter keeps."""

    report: Report
    code: str


def change_state(
    address: ReportedUrl, to: State, *, by: str, now: datetime, reason: str = ""
) -> ReportedUrl:
    """Move an address to another state, with its history and its audit entry.

    Raises:
        StateRefused: the table does not list this change.
        StateMoved: somebody else changed the address meanwhile; nothing is written.
    """
    before = State(address.state)
    if to not in CHANGES.get(before, frozenset()):
        raise StateRefused(f"An address cannot go from '{before.label}' to '{to.label}'.")
    with transaction.atomic():
        chain.lock()
        moved = ReportedUrl.objects.filter(pk=address.pk, state=before).update(state=to)
        if not moved:
            raise StateMoved("Somebody else changed this address meanwhile. Nothing was changed.")
        StateChange.objects.create(
            address=address, before=before, after=to, at=now, by=by, reason=reason[:250]
        )
        chain.record(
            at=now,
            actor=by,
            action="reports.change_state",
            subject=address.subject,
            detail={"from": before.value, "to": to.value, "reason": reason[:250]},
        )
    address.state = to
    return address


def change_states(
    address: ReportedUrl, path: Iterable[State], *, by: str, now: datetime, reason: str = ""
) -> None:
    """Several changes in a row, all or none."""
    with transaction.atomic():
        chain.lock()
        for to in path:
            change_state(address, to, by=by, now=now, reason=reason)


def check_address(text: str) -> WebAddress:
    """The address in normal form.

    Raises:
        ReportRefused: with a sentence for the reporter, at the field ``address``.
    """
    try:
        return normalise(text, allow=settings.HOTLINE.web.allow_networks)
    except AddressRefused as refused:
        raise ReportRefused("address", refused.message) from refused


def take_report(
    *,
    address: str,
    now: datetime,
    note: str = "",
    contact: str = "",
    referrer: str = "",
    source: Report.Source = Report.Source.PUBLIC,
    language: str = "",
    by: str = "public",
    also: Callable[[Taken], object] | None = None,
) -> Taken:
    """Take a report in: seal what was written, join it to the address, decide how soon it is seen.

    Everything happens in one transaction; a report that is refused leaves nothing behind. What
    ``also`` writes belongs to it: if it raises, there is no report.

    Raises:
        ReportRefused: naming the field and what to do about it.
        Busy: too many reports wait to be taken in; nothing is stored.
    """
    web = check_address(address)
    came_from = _check_referrer(referrer)
    note, contact = _check_note(note), contact.replace("\0", "").strip()
    if len(contact) > LONGEST_CONTACT:
        raise ReportRefused("contact", f"At most {LONGEST_CONTACT} characters, please.")
    code = new_code()
    # A tenth of a second of Argon2: not while every other writer waits.
    hashed = code_hash(code)
    note_sealed, contact_sealed = _seal(note, "note-identity"), _seal(contact, "contact-identity")
    with transaction.atomic():
        chain.lock()
        row, is_new = ReportedUrl.objects.get_or_create(
            url=web.url,
            defaults={
                "host": web.host,
                "site": web.site,
                "network": _network(web),
                "referrer": came_from,
                "first_reported_at": now,
            },
        )
        first = row.reports.order_by("pk").first()
        report = Report.objects.create(
            reference=_reference(),
            return_code_hash=hashed,
            received_at=now,
            source=source,
            language=language[:8],
            note_sealed=note_sealed,
            contact_sealed=contact_sealed,
            address=row,
            duplicate_of=first,
        )
        chain.record(
            at=now,
            actor=by,
            action="reports.take_report",
            subject=f"report:{report.pk}",
            detail={"address": row.pk, "duplicate": first is not None},
        )
        _join(row, report, is_new=is_new, came_from=came_from, by=by, now=now)
        taken = Taken(report, code)
        if also is not None:
            also(taken)
    return taken


def add_moved_address(url: str, origin: ReportedUrl, *, by: str, now: datetime) -> ReportedUrl:
    """The address that ``origin``'s content moved to, in the record and due for capture."""
    web = check_address(url)
    with transaction.atomic():
        chain.lock()
        row, is_new = ReportedUrl.objects.get_or_create(
            url=web.url,
            defaults={
                "host": web.host,
                "site": web.site,
                "network": _network(web),
                "first_reported_at": now,
                "moved_from": origin,
                "priority": origin.priority,
                # A redirect carries the referrer on, and the new page may ask for it too.
                "referrer": origin.referrer,
            },
        )
        if is_new:
            path = (State.DEDUPLICATED, State.TRIAGED)
            change_states(row, path, by=by, now=now, reason=f"moved from address {origin.pk}")
            Capture.objects.create(address=row, due_at=now)
        else:
            _heard_of_again(row, by=by, now=now, reason=f"moved here from address {origin.pk}")
    return row


def report_by_code(typed: str, *, now: datetime) -> Report | None:
    """The report this return code opens; none for a wrong or expired one, after the same work."""
    since = now - settings.HOTLINE.intake.code_lives
    with _OPENING.turn():
        hashed = code_hash(typed)
    return (
        Report.objects.select_related("address")
        .filter(return_code_hash=hashed, received_at__gte=since)
        .first()
    )


def add_follow_up(
    report: Report,
    text: str,
    *,
    by: str,
    now: datetime,
    also: Callable[[], object] | None = None,
) -> FollowUp:
    """Add the reporter's further message, sealed like the first; ``also`` as in a report.

    Raises:
        ReportRefused: at the field ``note``: empty, too long, one too many, or with a return code.
    """
    text = _check_note(text)
    if not text:
        raise ReportRefused("note", "The message is empty. Write something, or just close this.")
    sealed = seal(text, settings.HOTLINE.recipient("note-identity"))
    with transaction.atomic():
        chain.lock()
        if report.follow_ups.count() >= MOST_FOLLOW_UPS:
            raise ReportRefused(
                "note",
                f"{MOST_FOLLOW_UPS} messages have been added to this report, which is the most. "
                "To tell us more, please send a new report of the same address.",
            )
        follow_up = FollowUp.objects.create(
            report=report,
            at=now,
            direction=FollowUp.Direction.FROM_REPORTER,
            text_sealed=sealed,
        )
        chain.record(
            at=now, actor=by, action="reports.add_follow_up", subject=f"report:{report.pk}"
        )
        if also is not None:
            also()
    return follow_up


def _join(
    row: ReportedUrl, report: Report, *, is_new: bool, came_from: str, by: str, now: datetime
) -> None:
    known_site = StateChange.objects.filter(
        after=State.SECOND_ASSESSED, address__site=row.site
    ).exists()
    score = priority(
        source=report.source,
        reports=row.reports_count + 1,
        known_site=known_site,
        has_note=report.note_sealed is not None,
    )
    row.reports_count += 1
    row.priority = max(row.priority, score)
    row.referrer = row.referrer or came_from
    row.save(update_fields=["reports_count", "priority", "referrer"])
    if is_new:
        change_states(row, (State.DEDUPLICATED, State.TRIAGED), by=by, now=now)
        Capture.objects.create(address=row, due_at=now)
    else:
        _heard_of_again(row, by=by, now=now, reason="reported again")


def _heard_of_again(row: ReportedUrl, *, by: str, now: datetime, reason: str) -> None:
    if row.state in {State.NOT_FOUND, State.NEEDS_INFORMATION, State.OUT_OF_REMIT}:
        change_state(row, State.TRIAGED, by=by, now=now, reason=reason)
        Capture.objects.filter(address=row).update(due_at=now, tries=0, given_up_at=None)
    else:
        address_reported_again.send(ReportedUrl, address=row, now=now)


def _check_note(note: str) -> str:
    note = note.replace("\0", "").strip()
    if len(note) > LONGEST_NOTE:
        raise ReportRefused(
            "note", f"The message has {len(note):,} characters; {LONGEST_NOTE:,} is the most."
        )
    if looks_like_code(note):
        raise ReportRefused(
            "note",
            "This message seems to contain a return code. Keep the code to yourself, and take it "
            "out of the message: it opens your report.",
        )
    return note


def _check_referrer(referrer: str) -> str:
    if not referrer.strip():
        return ""
    try:
        return normalise(referrer, allow=settings.HOTLINE.web.allow_networks).url
    except AddressRefused as refused:
        raise ReportRefused("referrer", refused.message) from refused


def _network(web: WebAddress) -> str:
    onion = web.host.endswith(".onion")
    return ReportedUrl.Network.ONION if onion else ReportedUrl.Network.CLEAR


def _seal(text: str, key: str) -> bytes | None:
    return seal(text, settings.HOTLINE.recipient(key)) if text else None


def _reference() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"R-{letters[:4]}-{letters[4:]}"
