"""What a reporter reads: every state of an address in plain words, from one table.

The table speaks of the address, never of what was seen there, of other reporters or of people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from strandline.hotline.reports.models import Report
from strandline.hotline.reports.states import State


@dataclass(frozen=True)
class Words:
    """How one state is told."""

    #: Where things stand, as a heading.
    now: str
    #: What that means and what comes next.
    meaning: str
    #: What happened on the day this state was reached; empty when it is no news to a reporter.
    event: str = ""
    #: How the page marks it: ``wait``, ``act``, ``good`` or ``end``.
    tone: str = "wait"
    #: What it means once the address is closed, where that differs.
    once_closed: str = ""


_WAITING = "Nothing is needed from you. The next step is that we look at the address."
_CONFIRMED = (
    "It is illegal: two analysts came to that independently, for this address or where the same "
    "pictures were seen before. Their fingerprints are on the list by which companies recognise "
    "copies."
)
_CLOSED = "Nothing more will happen here unless the address is reported again."

S = State
WORDS: dict[State, Words] = {
    S.RECEIVED: Words("We have received your report", _WAITING),
    S.DEDUPLICATED: Words("We have received your report", _WAITING),
    S.TRIAGED: Words("Your report is waiting to be looked at", _WAITING),
    S.CAPTURED: Words(
        "The address is being looked at",
        "We have seen what the address shows. An analyst will assess it, then a second one "
        "independently of the first.",
        "We looked at the address.",
    ),
    S.ASSESSED: Words(
        "The address is being looked at",
        "One analyst has assessed it. A second one does so independently of the first.",
    ),
    S.SECOND_ASSESSED: Words(
        "Confirmed, and on the list",
        f"{_CONFIRMED} Next, we find out who hosts it.",
        "Confirmed as illegal, and put on the list.",
        "act",
    ),
    S.TRACED: Words(
        "Confirmed, and on the list",
        f"{_CONFIRMED} We have found out who hosts it; a warning to them comes next.",
        tone="act",
    ),
    S.CLEARED_BY_POLICE: Words(
        "Confirmed, and on the list",
        f"{_CONFIRMED} A warning to the host comes next.",
        tone="act",
    ),
    S.NOTICED: Words(
        "The host was warned",
        "We told the company that hosts the address what is there and asked for its removal.",
        "The host was warned.",
        "act",
    ),
    S.REFERRED_ABROAD: Words(
        "Passed on to a partner hotline",
        "The address is hosted in another country. A partner hotline there has it now.",
        "Passed on to a partner hotline in the country where it is hosted.",
        "act",
    ),
    S.MONITORED: Words(
        "The host was warned, and we keep looking",
        "We look at the address again and again until what you reported is gone.",
        tone="act",
    ),
    S.REMOVED: Words(
        "Removed",
        "What you reported is gone. We saw so more than once, on different occasions, and will "
        "look a few more times in case it comes back.",
        "Removed.",
        "good",
        "What you reported is gone. We saw so on different occasions, and it has not come back.",
    ),
    S.MOVED: Words(
        "Moved elsewhere, and followed",
        "What you reported has left this address for another one. We follow it there.",
        "It was moved to another address, which we follow.",
        "act",
    ),
    S.UNAVAILABLE: Words(
        "Not reachable at present",
        "The address does not answer. That is not the same as removed, so we look again.",
        "The address stopped answering.",
        "act",
    ),
    S.UNCHANGED: Words(
        "Still there",
        "We warned the host and it has not been removed. Its fingerprints remain on the list, so "
        "that companies recognise copies.",
        "After repeated warnings it was still there.",
        "end",
    ),
    S.CLOSED: Words("Closed", _CLOSED, "Closed.", "end"),
    S.DUPLICATE: Words(
        "Joined with an earlier report",
        "This address was known under another form. We work on it there.",
        "Joined with an earlier report.",
        "end",
    ),
    S.NOT_FOUND: Words(
        "Nothing found",
        "When we looked, nothing was at this address any more. If you can still see it, please "
        "report it again and tell us how you got there.",
        "We looked and found nothing there.",
        "end",
    ),
    S.NEEDS_INFORMATION: Words(
        "We need more information",
        "We could not see what you reported. How did you get there? Did you have to click "
        "something, come from another page, or sign in? You can add a message below, or report "
        "the address of the picture or film itself.",
        "We looked, but could not see what was reported.",
        "act",
    ),
    S.OUT_OF_REMIT: Words(
        "Not something this hotline can act on",
        "We looked at your report. What is at this address is not ours to assess. That does not "
        "mean that it is right, or legal.",
        "Found to be outside of what this hotline can act on.",
        "end",
    ),
    S.NOT_ILLEGAL: Words(
        "Not illegal under the law we work by",
        "Two analysts came to that independently. It may still be upsetting, or break the rules "
        "of the site it is on: the site itself can act on that. You were right to ask.",
        "Found not to be illegal under the law we work by.",
        "end",
    ),
    S.APPEALED: Words(
        "Being looked at again",
        "The assessment was contested, and is being checked.",
        "The assessment was contested.",
        "act",
    ),
    S.REOPENED: Words(
        "Back up, and noticed again",
        "What you reported was gone and has come back, or new facts came to light. We have taken "
        "it up again.",
        "Back up; we noticed it again and took it up once more.",
        "act",
    ),
}


@dataclass(frozen=True)
class Event:
    """Something that happened, on a day."""

    day: date
    text: str


@dataclass(frozen=True)
class Outcome:
    """All that the holder of a return code is told."""

    reference: str
    words: Words
    events: tuple[Event, ...]
    messages: int


def tell(report: Report) -> Outcome:
    """The outcome of a report, from the record, in plain words and whole days (UTC)."""
    address = report.address
    events = [Event(_day(report.received_at), "We received your report.")]
    if report.duplicate_of_id is not None:
        joined = "Joined with an earlier report of the same address."
        events.append(Event(_day(report.received_at), joined))
    changes = list(address.changes.all())
    for change in changes:
        text = WORDS[State(change.after)].event
        if text:
            events.append(Event(_day(change.at), text))
    events.sort(key=lambda event: event.day)
    return Outcome(
        reference=report.reference,
        words=_words(State(address.state), [State(change.before) for change in changes]),
        events=tuple(events),
        messages=report.follow_ups.count(),
    )


def _words(state: State, before: Sequence[State]) -> Words:
    """A closed address is told by how it ended: that is what its reporter wants to know."""
    if state != State.CLOSED or not before:
        return WORDS[state]
    ended = WORDS[before[-1]]
    return replace(ended, meaning=f"{ended.once_closed or ended.meaning} {_CLOSED}")


def _day(moment: datetime) -> date:
    return moment.date()
