"""How a page behaves: what a visitor gets at a time, given the notices its host received.

Each conduct is a frozen dataclass with one method, a pure function of the visit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What the server sends."""

    SHOWN = "shown"
    #: The page's harmless other face, with other pictures.
    DECOY = "decoy"
    GONE = "gone"
    #: Status 200 with a text that says 'not found'.
    SAYS_NOT_FOUND = "says-not-found"
    UNAVAILABLE = "unavailable"
    ELSEWHERE = "elsewhere"
    ENDLESS = "endless"


@dataclass(frozen=True)
class Outcome:
    """The answer to one visit."""

    kind: Kind
    status: int = 200
    #: For ELSEWHERE: the key of the page that is redirected to.
    to: str = ""


@dataclass(frozen=True)
class Visit:
    """One request for a page or for one of its pictures."""

    now: datetime
    #: When each notice about this page arrived, in order.
    notices: tuple[datetime, ...]
    #: The Referer header, or ''.
    referrer: str = ""


class Conduct(Protocol):
    """A rule that answers every visit."""

    def meet(self, visit: Visit) -> Outcome:
        """What this visitor gets now."""


SHOWN = Outcome(Kind.SHOWN)


@dataclass(frozen=True)
class Stays:
    """Never removed, whoever asks."""

    def meet(self, visit: Visit) -> Outcome:  # noqa: ARG002 - the answer is the same for everyone
        """The page."""
        return SHOWN


@dataclass(frozen=True)
class Removes:
    """Removed some days after a notice; until then, and with fewer notices, it stays."""

    at_notice: int = 1
    after: timedelta = timedelta(days=1)
    gone: Outcome = Outcome(Kind.GONE, 404)

    def meet(self, visit: Visit) -> Outcome:
        """The page, or ``gone`` from ``after`` the decisive notice on."""
        if len(visit.notices) < self.at_notice:
            return SHOWN
        decisive = visit.notices[self.at_notice - 1]
        return self.gone if visit.now >= decisive + self.after else SHOWN


@dataclass(frozen=True)
class Falters:
    """Answers 503 on every third day, and otherwise as ``otherwise`` does."""

    otherwise: Conduct

    def meet(self, visit: Visit) -> Outcome:
        """503 on the second, fifth, eighth… day of the story (UTC)."""
        if visit.now.toordinal() % 3 == 1:
            return Outcome(Kind.UNAVAILABLE, 503)
        return self.otherwise.meet(visit)


@dataclass(frozen=True)
class OnlyFrom:
    """Shown to visitors with a certain Referer; others get a harmless page at the same address."""

    referrer: str
    otherwise: Conduct

    def meet(self, visit: Visit) -> Outcome:
        """The page to those who come the right way; the decoy never goes away."""
        if visit.referrer.startswith(self.referrer):
            return self.otherwise.meet(visit)
        return Outcome(Kind.DECOY)


@dataclass(frozen=True)
class ComesBack:
    """Removed after the first notice, back again later, removed for good at the next notice."""

    after: timedelta = timedelta(days=1)
    away: timedelta = timedelta(days=14)

    def meet(self, visit: Visit) -> Outcome:
        """Only a notice that arrives once the page is back counts as the next one."""
        if not visit.notices:
            return SHOWN
        left = visit.notices[0] + self.after
        back = left + self.away
        again = next((moment for moment in visit.notices if moment >= back), None)
        away = left <= visit.now < back
        for_good = again is not None and visit.now >= again + self.after
        return Outcome(Kind.GONE, 404) if away or for_good else SHOWN


@dataclass(frozen=True)
class Redirects:
    """Always sends the visitor to another page."""

    to: str

    def meet(self, visit: Visit) -> Outcome:  # noqa: ARG002 - the answer is the same for everyone
        """302 to the other page."""
        return Outcome(Kind.ELSEWHERE, 302, self.to)


@dataclass(frozen=True)
class Endless:
    """Sends two gigabytes to whoever keeps reading."""

    def meet(self, visit: Visit) -> Outcome:  # noqa: ARG002 - the answer is the same for everyone
        """The stream."""
        return Outcome(Kind.ENDLESS)
