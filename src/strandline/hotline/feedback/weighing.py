"""Weighing what members say of entries, and doing what follows: reviews, quarantine, and back.

Called after every change of what counts: a new statement, a flood held back or let through. What
rested on statements that count no more is undone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from strandline.hotline.accounts.models import Member
from strandline.hotline.audit import chain
from strandline.hotline.feedback import entries
from strandline.hotline.feedback.models import Review, Statement, Terms
from strandline.hotline.feedback.quorum import Judgement, Voice, judge
from strandline.hotline.feedback.words import Cause, Outcome, Reason, Say, Standing
from strandline.hotline.hashlist.models import Entry, Why


def group_of(member: Member, groups: dict[int, str]) -> str:
    """What the member counts as: its group if it has one, its own name otherwise."""
    return groups.get(member.pk) or member.name


def groups() -> dict[int, str]:
    """The groups of all members that are in one, by the member's number."""
    return dict(Terms.objects.exclude(group="").values_list("member_id", "group"))


def weigh(numbers: Iterable[int], *, now: datetime) -> None:
    """Do what the statements on these entries ask for now, in the caller's transaction."""
    chain.lock()
    wanted = sorted(set(numbers))
    for begin in range(0, len(wanted), 500):
        _weigh(wanted[begin : begin + 500], now)


def look_again(numbers: Sequence[int], now: datetime) -> None:
    """Weigh those of these listed entries that members contested while they were not matched."""
    for begin in range(0, len(numbers), 500):
        some = numbers[begin : begin + 500]
        open_ones = Review.objects.filter(
            entry__in=some, entry__state=Entry.State.LISTED, outcome=""
        )
        if contested := list(open_ones.values_list("entry", flat=True)):
            weigh(contested, now=now)


def _weigh(numbers: Sequence[int], now: datetime) -> None:
    policy, known = settings.HOTLINE.feedback, groups()
    counting: dict[int, list[Statement]] = defaultdict(list)
    rows = Statement.objects.filter(entry__in=numbers, standing=Standing.COUNTED)
    for row in rows.select_related("member", "review").order_by("pk"):
        # A dispute that a review has answered weighs nothing any more; a confirmation always does.
        if row.say == Say.CONFIRM or row.review is None or row.review.is_open:
            counting[row.entry_id].append(row)
    found = Entry.objects.in_bulk(numbers)
    reviews = {
        review.entry_id: review for review in Review.objects.filter(entry__in=numbers, outcome="")
    }
    kept = set(
        Review.objects.filter(entry__in=numbers, outcome=Outcome.KEPT).values_list(
            "entry", flat=True
        )
    )
    for number, entry in found.items():
        said = counting[number]
        voices = [
            Voice(group_of(row.member, known), Say(row.say), Reason(row.reason)) for row in said
        ]
        judgement = judge(voices, source=entry.source, policy=policy, reviewed=number in kept)
        _follow(entry, reviews.get(number), judgement, said, now)


def _follow(
    entry: Entry,
    review: Review | None,
    judgement: Judgement,
    said: Sequence[Statement],
    now: datetime,
) -> None:
    if entry.state == Entry.State.WITHDRAWN:
        if review is not None:
            close(review, Outcome.WITHDRAWN, "It was withdrawn meanwhile.", entries.BY, now)
        return
    if judgement.cause is None:
        if review is not None and review.cause != Cause.INNOCENT:
            _lapse(entry, review, now)
        return
    if review is None:
        review = open_review(entry, judgement.cause, now=now)
    doubts = [row.pk for row in said if row.say != Say.CONFIRM and row.review_id != review.pk]
    Statement.objects.filter(pk__in=doubts).update(review=review)
    if judgement.quarantine:
        _quarantine(entry, review, judgement, now)
    elif review.quarantined_because and review.cause != Cause.INNOCENT:
        _release(entry, review, "What members say of it no longer suffices.", now)


def _quarantine(entry: Entry, review: Review, judgement: Judgement, now: datetime) -> None:
    if entry.state == Entry.State.LISTED:
        review.quarantined_because = judgement.quarantine
        entries.quarantine(entry, Why.DISPUTED, judgement.quarantine, now=now)
    review.by_quorum = judgement.by_quorum
    review.cause = review.cause if review.cause == Cause.INNOCENT else Cause.DISPUTED
    review.save(update_fields=["quarantined_because", "by_quorum", "cause"])


def _release(entry: Entry, review: Review, reason: str, now: datetime) -> None:
    entries.restore(entry, reason, now=now)
    review.quarantined_because, review.by_quorum = "", False
    review.save(update_fields=["quarantined_because", "by_quorum"])


def _lapse(entry: Entry, review: Review, now: datetime) -> None:
    if review.quarantined_because:
        _release(entry, review, "What was said against it counts no more.", now)
    close(review, Outcome.LAPSED, "Nothing was left to review.", entries.BY, now)


def open_review(entry: Entry, cause: Cause, *, because: str = "", now: datetime) -> Review:
    """Ask for a review of an entry that is not under one, in the caller's transaction."""
    review = Review.objects.create(
        entry=entry, cause=cause, opened_at=now, quarantined_because=because
    )
    chain.record(
        at=now,
        actor=entries.BY,
        action="feedback.open_review",
        subject=review.subject,
        detail={"entry": entry.pk, "cause": cause.value},
    )
    return review


def close(review: Review, outcome: Outcome, reason: str, by: str, now: datetime) -> None:
    """End a review, in the caller's transaction; what becomes of the entry is the caller's act."""
    review.outcome, review.reason = outcome, reason
    review.decided_by, review.decided_at = by, now
    review.save(update_fields=["outcome", "reason", "decided_by", "decided_at"])
    chain.record(
        at=now,
        actor=by,
        action="feedback.close_review",
        subject=review.subject,
        detail={"entry": review.entry_id, "outcome": outcome.value, "reason": reason},
    )
