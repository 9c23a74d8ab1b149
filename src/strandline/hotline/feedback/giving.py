"""Taking in what a member says of entries: idempotent, within its scope, in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import entries, floods, sources, weighing
from strandline.hotline.feedback.models import Statement
from strandline.hotline.feedback.models.statements import LONGEST_NOTE, LONGEST_REFERENCE
from strandline.hotline.feedback.words import REASONS, Reason, Say, Standing
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.hashlist.scopes import scope_of

#: Statements in one call.
MOST = 1000

UNKNOWN = "What you receive holds no entry of this number; a match reports it, like entry-17."

USED = (
    "You used this reference for something else that you said of this entry, so this was not kept: "
    "give it a reference of its own, or none."
)


@dataclass(frozen=True)
class Said:
    """One statement as the member made it."""

    #: ``entry-17``
    entry: str
    say: str
    reason: str
    note: str = ""
    edition: int | None = None
    #: The member's own word; sent again of the same entry, it gives the first answer again.
    reference: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of one statement: kept under a number, or a sentence saying why it was not."""

    said: Said
    statement: Statement | None = None
    problem: str = ""


@transaction.atomic
def give(member: Member, said: Sequence[Said], *, now: datetime) -> list[Taken]:
    """Take in statements, in order; each is kept or refused by itself.

    What was said before is not taken twice; something else of the same entry replaces it.

    Raises:
        FeedbackRefused: there are more than a call may hold.
    """
    if len(said) > MOST:
        raise FeedbackRefused("statements", f"One call holds at most {MOST} statements.")
    chain.lock()
    giving = _Giving(member, said, now)
    taken = [giving.take(one) for one in said]
    if giving.touched:
        _after(giving, now)
        fresh = Statement.objects.select_related("review", "entry").in_bulk(
            [one.statement.pk for one in taken if one.statement]
        )
        taken = [
            Taken(one.said, fresh[one.statement.pk] if one.statement else None, one.problem)
            for one in taken
        ]
    return taken


def _after(giving: "_Giving", now: datetime) -> None:
    chain.record(
        at=now,
        actor=giving.member.actor,
        action="feedback.give",
        subject=giving.member.actor,
        detail=dict(giving.counts),
    )
    if giving.counts[Say.DISPUTE.value]:
        floods.notice(giving.member, now=now)
    weighing.weigh(giving.touched, now=now)
    sources.notice(giving.touched, now=now)


class _Giving:
    """One call's statements, with what the record holds of them read at once."""

    def __init__(self, member: Member, said: Sequence[Said], now: datetime) -> None:
        self.member, self._now = member, now
        numbers = [number for one in said if (number := entries.number_of(one.entry)) is not None]
        self._entries = entries.within(numbers, scope_of(member))
        own = Statement.objects.select_related("review", "entry").filter(member=member)
        self._standing = {
            row.entry_id: row
            for row in own.filter(entry__in=self._entries).exclude(standing=Standing.REPLACED)
        }
        references = [one.reference for one in said if one.reference]
        self._by_reference = {
            (row.entry_id, row.reference): row for row in own.filter(reference__in=references)
        }
        #: Entries of which something new was said.
        self.touched: set[int] = set()
        self.counts: Counter[str] = Counter()

    def take(self, one: Said) -> Taken:
        """Keep one statement, or find the one it repeats."""
        number = entries.number_of(one.entry) or 0
        repeated = self._by_reference.get((number, one.reference)) if one.reference else None
        if repeated is not None:
            # Another thing under a used word is not a retry: to drop it silently would lose it.
            return Taken(one, repeated) if _same(one, repeated) else Taken(one, problem=USED)
        problem = _problem(one)
        if problem:
            return Taken(one, problem=problem)
        entry = self._entries.get(number)
        if entry is None:
            return Taken(one, problem=UNKNOWN)
        before = self._standing.get(entry.pk)
        if before is not None and _same(one, before):
            return Taken(one, before)
        return Taken(one, self._keep(one, entry, before))

    def _keep(self, one: Said, entry: Entry, before: Statement | None) -> Statement:
        if before is not None:
            before.standing = Standing.REPLACED
            before.save(update_fields=["standing"])
        kept = Statement.objects.create(
            member=self.member,
            entry=entry,
            say=one.say,
            reason=one.reason,
            note=one.note,
            edition=one.edition,
            reference=one.reference,
            at=self._now,
        )
        self._standing[entry.pk] = kept
        if one.reference:
            self._by_reference[entry.pk, one.reference] = kept
        self.touched.add(entry.pk)
        self.counts[one.say] += 1
        return kept


def _same(one: Said, kept: Statement) -> bool:
    return (kept.say, kept.reason, kept.note) == (one.say, one.reason, one.note)


def _problem(one: Said) -> str:
    """Why a statement cannot be one; empty when it can."""
    if one.say not in Say.values:
        return f"Say one of: {', '.join(Say.values)}."
    reasons = REASONS[Say(one.say)]
    if one.reason not in reasons:
        return f"The reason of '{one.say}' is one of: {', '.join(reasons)}."
    if one.reason == Reason.OTHER and not one.note.strip():
        return "Write a note that says what else it is."
    if len(one.note) > LONGEST_NOTE or "\x00" in one.note:
        return f"A note has at most {LONGEST_NOTE} characters, and no null among them."
    if len(one.reference) > LONGEST_REFERENCE or not one.reference.isprintable():
        return f"A reference has at most {LONGEST_REFERENCE} printable characters."
    return ""
