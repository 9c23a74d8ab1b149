"""Every error the hotline raises on purpose.

::

    HotlineError
    ├── StateRefused          a change of state that is not in the table       (reports)
    │   └── StateMoved        somebody else changed the address first          (reports)
    ├── NotAllowed            this person may not do this                      (accounts)
    ├── NameRefused           a name that cannot be one                        (accounts)
    ├── SignInRefused         wrong, locked or inactive                        (accounts)
    ├── PasswordRefused       a new password that is not taken                (accounts)
    ├── LeaseLost             another worker has taken this row over           (jobs)
    ├── ReportRefused         a report that is not stored, and why             (reports)
    │   └── TooManyReports    a flood is under way                             (intake)
    ├── ClaimRefused          an address that cannot be claimed, and why       (assessment)
    ├── AssessmentRefused     observations that do not make an assessment      (assessment)
    ├── TooFewPeople          a sum that would tell of single people           (wellbeing)
    ├── ListChangeRefused     a change of the list that is not made, and why   (hashlist)
    ├── ExchangeRefused       a list of others that is not taken, and why      (exchange)
    ├── FeedbackRefused       feedback, or a decision on it, that is not taken (feedback)
    ├── MatchChangeRefused    a change of the match service, and why not       (matchservice)
    ├── NoList                nothing to look up in, and why                   (matchservice)
    ├── NoticeRefused         a notice or an answer to it that is not accepted (takedown)
    ├── Busy                  costly work that too many wait for already       (reports)
    └── NotConfigured         a key or setting this process needs is missing   (site)

The text of each is written for the person who reads it.
"""

from collections.abc import Mapping

from strandline.errors import StrandlineError


class HotlineError(StrandlineError):
    """Something the hotline declined to do; its text is meant to be read by a person."""


class StateRefused(HotlineError):
    """A change of state that the table in ``reports.states`` does not list."""


class StateMoved(StateRefused):
    """The address was no longer in the state this change starts from."""


class NotAllowed(HotlineError):
    """The person's role does not carry the permission this needs."""


class NameRefused(HotlineError):
    """A name of a person or an organisation that cannot be one."""


class SignInRefused(HotlineError):
    """The sign-in was refused; the text never says which part was wrong."""


class PasswordRefused(HotlineError):
    """A new password that is not taken; the old one stays."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field the message belongs to.
        self.field = field


class LeaseLost(HotlineError):
    """The lease on a row of due work ran out and another worker holds it now."""


class ReportRefused(HotlineError):
    """A report that is not stored."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field the message belongs to.
        self.field = field


class TooManyReports(ReportRefused):
    """A report that is not stored because more are arriving than people send."""


class Busy(HotlineError):
    """Costly work that is not begun because too many wait for it already."""


class ClaimRefused(HotlineError):
    """An address that this analyst cannot claim now."""


class AssessmentRefused(HotlineError):
    """Observations that do not make an assessment."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        #: What is wrong at each field of the form, if it is a field's fault.
        self.fields = dict(fields or {})


class TooFewPeople(HotlineError):
    """A sum over so few people that it would tell of single ones."""


class ListChangeRefused(HotlineError):
    """A change of the hash list that is not made."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field the message belongs to.
        self.field = field


class FeedbackRefused(HotlineError):
    """What a member said of an entry, or what somebody decided about it, that is not taken."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field or part of the call the message belongs to.
        self.field = field


class MatchChangeRefused(HotlineError):
    """A change of what members may ask, or of an alarm, that is not made."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field the message belongs to.
        self.field = field


class NoList(HotlineError):
    """There is no list to look hashes up in now, or it is damaged."""


class FiguresRefused(HotlineError):
    """A member's statement about its own use of the list that is not kept."""


class ExchangeRefused(HotlineError):
    """A list of others, or a decision on one, that is not taken."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field the message belongs to.
        self.field = field


class NoticeRefused(HotlineError):
    """A notice, or an answer to one, that is not accepted."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: The form field the message belongs to.
        self.field = field


class NotConfigured(HotlineError):
    """A key or setting that this process needs is missing or unreadable."""
