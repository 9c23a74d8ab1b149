"""What a look means, and when gone means removed: pure, from what was seen and confirmed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from strandline.hashing import MIN_QUALITY, SAME_PICTURE, FilmFacts
from strandline.hotline.reports.look import Outcome, SeenPicture, Sight
from strandline.hotline.reports.models import Availability
from strandline.matching import Index


@dataclass(frozen=True)
class Confirmed:
    """The pictures and films of an address that were confirmed."""

    sha256: frozenset[str]
    #: PDQ of those plain enough to compare (quality of at least ``MIN_QUALITY``).
    pdq: tuple[str, ...]
    #: The same of the films' frames.
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What one look came to."""

    availability: Availability
    reason: str
    #: Where the content is now, for MOVED.
    moved_to: str = ""


def judge(sight: Sight, confirmed: Confirmed, hosts: frozenset[str]) -> Judgement:
    """Judge one look at an address that was confirmed at ``hosts``.

    'Gone' is only a server's or a page's own word, or that something else stands at every address
    at which a confirmed picture was. A page that shows nothing proves nothing: whatever could not
    be seen makes the look inconclusive, never 'removed'.
    """
    if sight.outcome == Outcome.INCONCLUSIVE:
        return Judgement(Availability.INCONCLUSIVE, sight.reason)
    if sight.outcome == Outcome.GONE:
        return Judgement(Availability.REMOVED, sight.reason)
    there = sum(shows(picture, confirmed) for picture in sight.pictures)
    if there:
        reason = f"{there} confirmed of {sight.reason}"[:300]
        if urlsplit(sight.final_url).hostname in hosts:
            return Judgement(Availability.PRESENT, reason)
        return Judgement(Availability.MOVED, reason, sight.final_url)
    unread = {p.refused.verdict for p in sight.pictures if p.refused} & {"timed-out", "too-large"}
    if any(_is_cut_short(picture) for picture in sight.pictures):
        unread.add("read in part")
    nothing_seen = not sight.pictures and not sight.dead
    if unread or nothing_seen or len(sight.missed) > len(sight.dead):
        reason = "; ".join([*sorted(f"a picture was {why}" for why in unread), sight.reason])
        return Judgement(Availability.INCONCLUSIVE, reason[:300])
    return Judgement(Availability.REMOVED, f"no confirmed picture: {sight.reason}"[:300])


def _is_cut_short(picture: SeenPicture) -> bool:
    """Whether it is a film of which not every second was seen: the rest may be what it was."""
    return isinstance(picture.facts, FilmFacts) and picture.facts.film.truncated


def shows(picture: SeenPicture, confirmed: Confirmed) -> bool:
    """Whether this is a confirmed picture or film: the same bytes, or the same to the eye.

    A film is the same to the eye where one of its frames is a confirmed film's or picture's: what
    a host calls removed is doubted rather than believed. A still of a confirmed film does not
    make the film present.
    """
    if picture.facts is None:
        return False
    if picture.facts.digests.sha256 in confirmed.sha256:
        return True
    if isinstance(picture.facts, FilmFacts):
        known = Index.build((pdq, pdq) for pdq in {*confirmed.frames, *confirmed.pdq})
        asked = [frame.pdq for frame in picture.facts.film.frames]
        return any(known.query_many(asked, SAME_PICTURE))
    image = picture.facts.image
    if not confirmed.pdq or image.pdq is None or image.quality < MIN_QUALITY:
        return False
    index = Index.build((pdq, pdq) for pdq in confirmed.pdq)
    return bool(index.query(image.pdq, SAME_PICTURE))


def gone_since(newest_first: Iterable[tuple[Availability, datetime]]) -> datetime | None:
    """When the run of 'gone' that reaches to the newest look began; none when it is not gone.

    Inconclusive looks neither begin, nor break, nor prolong a run.
    """
    since: datetime | None = None
    for availability, at in newest_first:
        if availability == Availability.REMOVED:
            since = at
        elif availability != Availability.INCONCLUSIVE:
            break
    return since


def proved_gone(newest_first: Sequence[tuple[Availability, datetime]], apart: timedelta) -> bool:
    """Whether two looks found it gone, at least ``apart``, with only inconclusive ones between."""
    since = gone_since(newest_first)
    latest = next((at for seen, at in newest_first if seen == Availability.REMOVED), None)
    return since is not None and latest is not None and latest - since >= apart
