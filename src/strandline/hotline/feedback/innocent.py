"""The list of common innocent pictures: proposed by one person, accepted by another.

A logo or a blank picture that gets into a hash list matches half of a platform. What is accepted
here is never matched: an entry on it or within the radius of likeness is quarantined at once,
whether it was there before or comes later, and waits for somebody to decide.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from strandline.hotline.accounts.models import Person
from strandline.hotline.audit import chain
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import entries, weighing
from strandline.hotline.feedback.innocent_file import sign_soon
from strandline.hotline.feedback.models import Innocent, Review
from strandline.hotline.feedback.words import Cause
from strandline.hotline.hashlist.models import Entry, Why
from strandline.lists.published.innocent_note import MAX_PICTURES
from strandline.lists.state.innocence import Innocents

State = Innocent.State
LONGEST_REASON = 250
#: Entries compared in one go.
AT_ONCE = 5000
_HEX = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True)
class Likeness:
    """The innocent picture something looks like."""

    innocent: int
    #: Bits of 256 in which the two differ; 0 for the same bytes.
    distance: int


class _Known:
    """What was accepted, as one process keeps it; read anew when it changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: object = None
        self._innocents = Innocents()
        self._numbers: list[int] = []
        self._digests: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._digests) or bool(len(self._innocents))

    def find(self, pictures: Sequence[tuple[str, str]]) -> list[Likeness | None]:
        """For each (sha256, pdq), the nearest innocent picture within the radius, if any."""
        with self._lock:
            found: list[Likeness | None] = [
                Likeness(same, 0) if (same := self._digests.get(sha256)) else None
                for sha256, _ in pictures
            ]
            rest = [place for place, (_, pdq) in enumerate(pictures) if pdq and not found[place]]
            nearest = self._innocents.nearest([pictures[place][1] for place in rest])
            for place, near in zip(rest, nearest, strict=True):
                if near:
                    found[place] = Likeness(self._numbers[near.place], near.distance)
        return found

    def refresh(self) -> None:
        """Read the accepted pictures again if any decision came since."""
        decided = Innocent.objects.exclude(state=State.PROPOSED)
        version = (
            decided.aggregate(last=Max("decided_at"))["last"],
            decided.count(),
            decided.filter(state=State.ACCEPTED).count(),
        )
        with self._lock:
            if version == self._version:
                return
            rows = list(
                Innocent.objects.filter(state=State.ACCEPTED).values_list("pk", "sha256", "pdq")
            )
            self._innocents = Innocents(pdq for _, _, pdq in rows)
            self._numbers = [pk for pk, _, _ in rows]
            self._digests = {sha256: pk for pk, sha256, _ in rows if sha256}
            self._version = version


_known = _Known()


def likeness(sha256: str, pdq: str) -> Likeness | None:
    """The accepted innocent picture that these hashes are of, or look like."""
    _known.refresh()
    return _known.find([(sha256, pdq)])[0]


def innocent_among(pictures: Sequence[tuple[str, str]]) -> list[bool]:
    """Which of these (sha256, pdq) are innocent pictures: what ``hashlist.checks`` asks."""
    _known.refresh()
    return [found is not None for found in _known.find(pictures)]


def hold(numbers: Sequence[int], now: datetime) -> None:
    """Quarantine whichever of these entries are on or near the list, until somebody decides."""
    _known.refresh()
    if not _known:
        return
    for begin in range(0, len(numbers), AT_ONCE):
        rows = Entry.objects.filter(
            pk__in=numbers[begin : begin + AT_ONCE], state=Entry.State.LISTED
        )
        prints = list(rows.values_list("pk", "fingerprint__sha256", "fingerprint__pdq"))
        likenesses = _known.find([(sha256, pdq) for _, sha256, pdq in prints])
        for (number, _, _), found in zip(prints, likenesses, strict=True):
            if found is not None:
                _hold(Entry.objects.get(pk=number), found, now)


def _hold(entry: Entry, found: Likeness, now: datetime) -> None:
    how = f"{found.distance} of 256 bits differ" if found.distance else "the same picture"
    because = f"Looks like innocent picture {found.innocent}: {how}."
    review = Review.objects.filter(entry=entry, outcome="").first()
    if review is None:
        weighing.open_review(entry, Cause.INNOCENT, because=because, now=now)
    else:
        review.cause, review.quarantined_because = Cause.INNOCENT, because
        review.save(update_fields=["cause", "quarantined_because"])
    entries.quarantine(entry, Why.INNOCENT, because, now=now)


@transaction.atomic
def propose(
    *, what: str, sha256: str = "", pdq: str = "", reason: str, by: Person, now: datetime
) -> Innocent:
    """Propose a picture by its hashes; nothing changes until another person accepts it.

    Raises:
        FeedbackRefused: naming the field.
    """
    sha256, pdq = sha256.strip().lower(), pdq.strip().lower()
    if what not in Innocent.What.values:
        raise FeedbackRefused("what", "Choose what kind of picture it is.")
    for field, value in (("sha256", sha256), ("pdq", pdq)):
        if not _HEX.fullmatch(value):
            raise FeedbackRefused(field, "This hash is 64 hexadecimal digits.")
    if not sha256 and not pdq:
        raise FeedbackRefused("sha256", "Give the SHA-256, the PDQ hash, or both.")
    innocent = Innocent.objects.create(
        what=what,
        sha256=sha256,
        pdq=pdq,
        reason=_reason(reason),
        proposed_at=now,
        proposed_by=by.actor,
    )
    _record(innocent, "propose_innocent", by, now, reason=innocent.reason)
    return innocent


@transaction.atomic
def accept(innocent: Innocent, *, by: Person, now: datetime) -> int:
    """Put a proposed picture on the list; entries like it are quarantined: how many were.

    Raises:
        FeedbackRefused: whoever proposed it cannot accept it; it was decided meanwhile; or the
            list is as long as members take it.
    """
    if Innocent.objects.filter(state=State.ACCEPTED).count() >= MAX_PICTURES:
        raise FeedbackRefused(
            "decision",
            f"There are {MAX_PICTURES:,} innocent pictures, the most that members take. Remove one "
            "first.",
        )
    if innocent.proposed_by == by.actor:
        raise FeedbackRefused("decision", "You proposed this: somebody else has to accept it.")
    _move(innocent, (State.PROPOSED, State.ACCEPTED), by=by, now=now)
    _record(innocent, "accept_innocent", by, now)
    before = Review.objects.filter(cause=Cause.INNOCENT, outcome="").count()
    hold(_suspects(innocent), now)
    sign_soon(now=now)
    return Review.objects.filter(cause=Cause.INNOCENT, outcome="").count() - before


@transaction.atomic
def decline(innocent: Innocent, *, reason: str, by: Person, now: datetime) -> None:
    """Refuse a proposal, or take back one's own.

    Raises:
        FeedbackRefused: no reason was given, or it was decided meanwhile.
    """
    reason = _reason(reason)
    _move(innocent, (State.PROPOSED, State.DECLINED), reason=reason, by=by, now=now)
    _record(innocent, "decline_innocent", by, now, reason=reason)


@transaction.atomic
def remove(innocent: Innocent, *, reason: str, by: Person, now: datetime) -> None:
    """Take a picture off the list again; entries that wait because of it go on waiting.

    Raises:
        FeedbackRefused: no reason was given, or it is not on the list.
    """
    reason = _reason(reason)
    _move(innocent, (State.ACCEPTED, State.REMOVED), reason=reason, by=by, now=now)
    _record(innocent, "remove_innocent", by, now, reason=reason)
    sign_soon(now=now)


def _suspects(innocent: Innocent) -> list[int]:
    """Listed entries with the same bytes, and those whose fingerprints look alike."""
    listed = Entry.objects.filter(state=Entry.State.LISTED)
    same = listed.filter(fingerprint__sha256=innocent.sha256) if innocent.sha256 else []
    numbers = {entry.pk for entry in same}
    if innocent.pdq:
        numbers |= {number for number, _ in entries.near(innocent.pdq)}
    return sorted(numbers)


def _move(
    innocent: Innocent, change: tuple[str, str], *, reason: str = "", by: Person, now: datetime
) -> None:
    chain.lock()
    before, after = change
    moved = Innocent.objects.filter(pk=innocent.pk, state=before).update(
        state=after, decision=reason, decided_at=now, decided_by=by.actor
    )
    if not moved:
        raise FeedbackRefused("decision", "Somebody decided this meanwhile. Nothing was changed.")
    innocent.refresh_from_db()


def _reason(text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST_REASON:
        raise FeedbackRefused("reason", f"Say why, in at most {LONGEST_REASON} characters.")
    return text


def _record(innocent: Innocent, verb: str, by: Person, now: datetime, **detail: object) -> None:
    chain.record(
        at=now,
        actor=by.actor,
        action=f"feedback.{verb}",
        subject=innocent.subject,
        detail=detail,
    )
