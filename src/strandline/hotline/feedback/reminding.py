"""Mail to members that still hold what was withdrawn: once for each edition they are behind."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction

from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.feedback import holding
from strandline.hotline.feedback.models import HolderCheck, Terms
from strandline.hotline.hashlist.models import Edition
from strandline.hotline.jobs import due, outbox
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.jobs.tools import Tools

#: The one row of :class:`HolderCheck`.
_ONLY = 1


@dataclass
class Behind:
    """A member and what it should no longer match."""

    member: Member
    #: The edition it holds.
    holds: int
    #: Numbers of entries by the edition that took them off.
    gone: dict[Edition, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def newest(self) -> Edition:
        """The latest edition that took something off."""
        return max(self.gone, key=lambda edition: edition.number)

    @property
    def oldest(self) -> Edition:
        """The first one."""
        return min(self.gone, key=lambda edition: edition.number)

    @property
    def entries(self) -> list[int]:
        """Every entry, by number."""
        return sorted(number for numbers in self.gone.values() for number in numbers)


def behind(members: Sequence[Member] | None = None) -> list[Behind]:
    """Members, of these or of all, that still match something an edition took off, by name."""
    if members is None:
        members = list(Member.objects.filter(is_active=True).order_by("name"))
    held = holding.held_by(members)
    rows = [held[member.pk] for member in members if member.pk in held]
    late = []
    for row, still in zip(rows, holding.still_matched(rows), strict=True):
        found = Behind(row.member, row.edition)
        for number, edition in still:
            found.gone[edition].append(number)
        if still:
            late.append(found)
    return late


def look_again(*, now: datetime, **_: object) -> None:
    """An edition was published: whoever holds an older one may hold what it took off."""
    check_soon(now=now)


@transaction.atomic
def check_soon(*, now: datetime) -> None:
    """Look again for members to remind: an edition was published, or a member said what it holds.

    Cheap: the look itself is the worker's.
    """
    chain.lock()
    row, _ = HolderCheck.objects.get_or_create(pk=_ONLY)
    if row.due_at is None or row.due_at > now:
        HolderCheck.objects.filter(pk=_ONLY).update(due_at=now)


def check(row: HolderCheck, tools: Tools, now: datetime) -> None:
    """Handle the due row: remind whoever is late, and come back when the next one is."""
    mailboxes = dict(Terms.objects.exclude(mailbox="").values_list("member_id", "mailbox"))
    reachable = [late for late in behind() if late.member.pk in mailboxes]
    waiting = [
        at
        for late in reachable
        for edition in late.gone
        if (at := edition.published_at + settings.HOTLINE.feedback.remind_after) > now
    ]
    with due.finish(row, next_due=min(waiting, default=None)):
        for late in reachable:
            _remind(late, mailboxes[late.member.pk], tools, now)


def _remind(late: Behind, mailbox: str, tools: Tools, now: datetime) -> None:
    before = now - settings.HOTLINE.feedback.remind_after
    overdue = {
        edition: numbers for edition, numbers in late.gone.items() if edition.published_at <= before
    }
    if not overdue:
        return
    late = Behind(late.member, late.holds, overdue)
    key = f"holding:{late.member.pk}:{late.newest.number}"
    if OutboxMail.objects.filter(key=key).exists():
        return
    outbox.post(
        key=key,
        recipient=mailbox,
        subject=f"{tools.config.name}: your copy of the hash list is behind",
        body=_letter(late, tools.config.name),
        domain=tools.config.list_origin.split("/", 1)[0],
        now=now,
    )
    chain.record(
        at=now,
        actor="worker",
        action="feedback.remind",
        subject=late.member.actor,
        detail={
            "edition": late.newest.number,
            "holds": late.holds,
            "entries": len(late.entries),
        },
    )


def _letter(late: Behind, name: str) -> str:
    gone = late.entries
    some = ", ".join(f"entry-{number}" for number in gone[:50])
    more = f" and {len(gone) - 50} more" if len(gone) > 50 else ""
    count = "1 entry" if len(gone) == 1 else f"{len(gone)} entries"
    return (
        f"Dear colleagues at {late.member.name},\n\n"
        f"as far as we know you hold edition {late.holds} of our hash list. Editions up to "
        f"{late.newest.number} took off or quarantined {count} that your copy may still match:"
        f"\n\n{some}{more}\n\n"
        "Please sync (strandline list sync), and do not act on matches of these entries. If you "
        "are up to date, say so: POST /api/v1/holding with the edition you hold.\n\n"
        f"{name}\n"
    )
