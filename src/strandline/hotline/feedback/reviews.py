"""Deciding a contested entry: it stays, or it is withdrawn; those who spoke of it are told."""

from datetime import datetime

from django.db import transaction

from strandline.hotline.accounts.models import Person
from strandline.hotline.assessment.models import Assessment
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import entries, sources, weighing
from strandline.hotline.feedback.models import Review
from strandline.hotline.feedback.models.statements import LONGEST_REASON
from strandline.hotline.feedback.words import Outcome
from strandline.hotline.hashlist.models import Entry, Why

#: Words a withdrawal can be told to members in, for this page.
WITHDRAWN_BECAUSE = (Why.NOT_ILLEGAL, Why.MISTAKE, Why.INNOCENT, Why.OTHER)


@transaction.atomic
def keep(review: Review, *, reason: str, by: Person, now: datetime) -> Review:
    """The entry stays: it is matched again if it was quarantined, and the disputes are answered.

    Raises:
        FeedbackRefused: no reason, decided meanwhile, withdrawn meanwhile, or ``by`` brought it.
    """
    entry = _begin(review, reason, by)
    if entry.state == Entry.State.WITHDRAWN:
        raise FeedbackRefused(
            "decision",
            "The entry was withdrawn meanwhile, so it cannot stay. Withdraw it here too.",
        )
    entries.restore(entry, reason, by=by.actor, now=now)
    weighing.close(review, Outcome.KEPT, reason.strip(), by.actor, now)
    return review


@transaction.atomic
def withdraw(review: Review, *, why: str, reason: str, by: Person, now: datetime) -> Review:
    """The entry goes: the next edition is without it.

    Raises:
        FeedbackRefused: no reason, no known word for it, decided meanwhile, or ``by`` brought it.
    """
    if why not in WITHDRAWN_BECAUSE:
        raise FeedbackRefused("why", "Choose what members are told.")
    entry = _begin(review, reason, by)
    entries.withdraw(entry, Why(why), reason.strip(), by=by.actor, now=now)
    weighing.close(review, Outcome.WITHDRAWN, reason.strip(), by.actor, now)
    sources.notice([entry.pk], now=now)
    return review


def brought_it(person: Person, entry: Entry) -> bool:
    """Whether this person graded or imported the entry, and so cannot judge a doubt about it."""
    if entry.batch is not None and entry.batch.by == person.actor:
        return True
    if entry.item_id is None:
        return False
    return Assessment.objects.filter(item=entry.item_id, analyst=person).exists()


def _begin(review: Review, reason: str, by: Person) -> Entry:
    if not reason.strip() or len(reason.strip()) > LONGEST_REASON:
        raise FeedbackRefused(
            "reason", f"Say why, in at most {LONGEST_REASON} characters: the members read it."
        )
    chain.lock()
    review.refresh_from_db()
    if not review.is_open:
        raise FeedbackRefused("decision", "Somebody decided this meanwhile. Nothing was changed.")
    entry = Entry.objects.get(pk=review.entry_id)
    if brought_it(by, entry):
        raise FeedbackRefused(
            "decision",
            "You assessed or imported this yourself: somebody else has to judge the doubt.",
        )
    return entry
