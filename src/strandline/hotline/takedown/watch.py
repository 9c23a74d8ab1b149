"""Looking again, as due work: what each look leads to, from the first notice to the last look.

==============  ========================  ==========================================================
state           looked at                 a look leads to
==============  ========================  ==========================================================
monitored       every day                 removed (two 'gone', apart), moved, reminder, escalation;
                                          after ``give_up_after``: unchanged, or unavailable
unavailable     every week, half a year   monitored when it is seen again; removed, moved, closed
unchanged       every week, half a year   removed when it is gone, closed at the end
removed, moved  ``look_again_after``      reopened when it is seen again, else closed after the last
closed          when reported again       reopened when it is seen again
==============  ========================  ==========================================================

A failed look is inconclusive and moves nothing but the next look.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F

from strandline.hashing import MIN_QUALITY
from strandline.hotline.assessment.words import ILLEGAL
from strandline.hotline.errors import ReportRefused
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.capture import observe
from strandline.hotline.reports.look import look_at
from strandline.hotline.reports.models import Appearance, Availability, Film, MediaItem, ReportedUrl
from strandline.hotline.reports.services import add_moved_address, change_state
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import notices
from strandline.hotline.takedown.judge import Confirmed, Judgement, gone_since, judge, proved_gone
from strandline.hotline.takedown.models import Look
from strandline.hotline.takedown.traces import trace_again

BY = "worker"
#: Between looks at what was given up or cannot be reached.
SELDOM = timedelta(days=7)
#: Those looks end after this.
SELDOM_ENDS = timedelta(days=182)
#: Inconclusive looks after the last one that was due are tried again for this long.
LAST_LOOK_TRIES = timedelta(days=14)
#: A look somebody asked for is tried again for this long.
ASKED_LOOK_TRIES = timedelta(days=3)

Seen = Availability


def look(row: Look, tools: Tools, now: datetime) -> None:
    """Handle one due look: see and judge outside, then write everything at once."""
    address = row.address
    if address.state not in _NEXT:
        with due.finish(row):  # its notice has not left yet; that makes the next look due
            return
    sight = look_at(address, tools, known=known_pictures(address))
    judgement = judge(sight, confirmed_at(address), hosts_of(address))
    with due.finish(row):
        address.refresh_from_db()
        observe(address, sight, judgement.availability, now)
        step = _NEXT.get(State(address.state))
        next_due = step(address, judgement, now) if step else None
        Look.objects.filter(pk=row.pk).update(due_at=next_due)
        # Somebody asked while this look was under way: it may have seen what was before.
        Look.objects.filter(pk=row.pk).exclude(asked_at=row.asked_at).exclude(asked_at=None).update(
            due_at=F("asked_at")
        )


def ask_look(address: ReportedUrl, *, now: datetime) -> None:
    """Make a look due now, in the caller's transaction, if this address is looked at at all."""
    Look.objects.filter(address=address).update(
        due_at=now, asked_at=now, given_up_at=None, failures=0
    )


def confirmed_at(address: ReportedUrl) -> Confirmed:
    """The confirmed pictures and films of an address."""
    rows = MediaItem.objects.filter(appearances__address=address, verdict__category__in=ILLEGAL)
    items = rows.values_list("sha256", "pdq", "quality")
    films = Film.objects.filter(item__in=rows)
    return Confirmed(
        frozenset(sha256 for sha256, _, _ in items),
        tuple({pdq for _, pdq, quality in items if pdq and quality >= MIN_QUALITY}),
        tuple({frame.pdq for film in films for frame in film.frames}),
    )


def known_pictures(address: ReportedUrl) -> list[str]:
    """Where the confirmed pictures and films of an address were fetched from."""
    rows = Appearance.objects.filter(address=address, item__verdict__category__in=ILLEGAL)
    return list(rows.order_by("pk").values_list("source_url", flat=True))


def hosts_of(address: ReportedUrl) -> frozenset[str]:
    """Hosts at which the content has not moved: its own, and where it led from the first."""
    first = address.observations.filter(availability=Seen.PRESENT).order_by("pk").first()
    led_to = urlsplit(first.final_url).hostname if first else None
    return frozenset({address.host, led_to or address.host})


def _monitored(address: ReportedUrl, judgement: Judgement, now: datetime) -> datetime | None:
    policy = settings.HOTLINE.takedown
    match judgement.availability:
        case Seen.REMOVED:
            return _maybe_removed(address, judgement, now)
        case Seen.MOVED if _follow(address, judgement, now):
            _seen_again(address, judgement, now)
            change_state(address, State.MOVED, by=BY, now=now, reason=judgement.moved_to[:250])
            return now + policy.look_again_after[0]
        case _:
            pass
    unseen = judgement.availability == Seen.INCONCLUSIVE
    if not unseen:
        _seen_again(address, judgement, now)
        notices.follow_up(address, now=now)
    elif address.state == State.UNAVAILABLE:
        return _still_unavailable(address, judgement, now)
    started = notices.started_at(notices.round_of(address))
    if started is None or now < started + policy.give_up_after:
        return now + policy.look_every
    end = State.UNAVAILABLE if unseen else State.UNCHANGED
    reason = f"{(now - started).days} days after the first notice: {judgement.reason}"
    change_state(address, end, by=BY, now=now, reason=reason[:250])
    return now + SELDOM


def _seen_again(address: ReportedUrl, judgement: Judgement, now: datetime) -> None:
    if address.state == State.UNAVAILABLE:
        change_state(address, State.MONITORED, by=BY, now=now, reason=judgement.reason[:250])


def _still_unavailable(
    address: ReportedUrl, judgement: Judgement, now: datetime
) -> datetime | None:
    if now < _since(address, State.UNAVAILABLE) + SELDOM_ENDS:
        return now + SELDOM
    change_state(address, State.CLOSED, by=BY, now=now, reason=judgement.reason[:250])
    return None


def _maybe_removed(address: ReportedUrl, judgement: Judgement, now: datetime) -> datetime | None:
    policy = settings.HOTLINE.takedown
    rows = address.observations.order_by("-pk").values_list("availability", "at")[:500]
    seen = [(Seen(availability), at) for availability, at in rows]
    since = gone_since(seen) or now
    if not proved_gone(seen, policy.gone_apart):
        return since + policy.gone_apart
    reason = f"gone since {since:%Y-%m-%d %H:%M}, twice seen; {judgement.reason}"
    change_state(address, State.REMOVED, by=BY, now=now, reason=reason[:250])
    return now + policy.look_again_after[0]


def _unchanged(address: ReportedUrl, judgement: Judgement, now: datetime) -> datetime | None:
    match judgement.availability:
        case Seen.REMOVED:
            return _maybe_removed(address, judgement, now)
        case Seen.MOVED if _follow(address, judgement, now):
            change_state(address, State.MOVED, by=BY, now=now, reason=judgement.moved_to[:250])
            return now + settings.HOTLINE.takedown.look_again_after[0]
        case _:
            pass
    if now < _since(address, State.UNCHANGED) + SELDOM_ENDS:
        return now + SELDOM
    change_state(address, State.CLOSED, by=BY, now=now, reason="no longer looked at; still there")
    return None


def _afterwards(address: ReportedUrl, judgement: Judgement, now: datetime) -> datetime | None:
    """After removal or moving: content that returns is reopened, and the looks come to an end."""
    if judgement.availability == Seen.MOVED:
        _follow(address, judgement, now)
    if judgement.availability == Seen.PRESENT:
        _reopen(address, judgement, now)
        return None
    policy = settings.HOTLINE.takedown
    since = _since(address, State(address.state))
    later = [since + wait for wait in policy.look_again_after if since + wait > now]
    last = since + policy.look_again_after[-1]
    if judgement.availability == Seen.INCONCLUSIVE and now < last + LAST_LOOK_TRIES:
        return now + policy.look_every
    if later:
        return later[0]
    reason = f"{(now - since).days} days after: {judgement.reason}"
    change_state(address, State.CLOSED, by=BY, now=now, reason=reason[:250])
    return None


def _closed(address: ReportedUrl, judgement: Judgement, now: datetime) -> datetime | None:
    if judgement.availability == Seen.PRESENT:
        _reopen(address, judgement, now)
        return None
    if judgement.availability == Seen.MOVED:
        _follow(address, judgement, now)
    asked = Look.objects.values_list("asked_at", flat=True).get(address=address)
    unseen = judgement.availability == Seen.INCONCLUSIVE
    if unseen and asked and now < asked + ASKED_LOOK_TRIES:
        return now + settings.HOTLINE.takedown.look_every
    return None


def _reopen(address: ReportedUrl, judgement: Judgement, now: datetime) -> None:
    """Content is back: find its host anew and begin another round; its mail makes a look due."""
    change_state(address, State.REOPENED, by=BY, now=now, reason=judgement.reason[:250])
    trace_again(address, now=now)


def _follow(address: ReportedUrl, judgement: Judgement, now: datetime) -> bool:
    """Put the place the content moved to into the record; false when it is no address to report."""
    last_two = address.observations.filter(availability=Seen.MOVED).order_by("-pk")[:2]
    if len(last_two) == 2 and last_two[0].final_url == last_two[1].final_url:
        return True
    try:
        add_moved_address(judgement.moved_to, address, by=BY, now=now)
    except ReportRefused:
        return False
    return True


def _since(address: ReportedUrl, state: State) -> datetime:
    return address.changes.filter(after=state).order_by("-pk").values_list("at", flat=True)[0]


_NEXT = {
    State.MONITORED: _monitored,
    State.UNAVAILABLE: _monitored,
    State.UNCHANGED: _unchanged,
    State.REMOVED: _afterwards,
    State.MOVED: _afterwards,
    State.CLOSED: _closed,
}
