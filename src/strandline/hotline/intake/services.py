"""What a member of the public can do: send a report, acknowledge the code, add a message."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from strandline.hotline.errors import Busy, ReportRefused, TooManyReports
from strandline.hotline.intake import forms
from strandline.hotline.intake.models import SentForm
from strandline.hotline.reports.models import Report
from strandline.hotline.reports.services import Taken, add_follow_up, take_report

_EXPIRED = (
    "This page had been open for more than a day, or your browser changed it. Everything you "
    "typed is still here: check it and send it again."
)


_SENT_BEFORE = (
    "This page was sent before, with other words in it; nothing new was stored. Everything you "
    "typed is here: send it again."
)
_BUSY = (
    "Very many people are using this page at this moment, and nothing was stored yet. Everything "
    "you typed is still here: please wait a moment and press Send again."
)


@dataclass(frozen=True)
class Received:
    """What the reporter is shown. ``code`` is empty when it may not be shown any more."""

    reference: str
    code: str


@dataclass(frozen=True)
class Typed:
    """What somebody typed into the report form, as it came."""

    address: str = ""
    referrer: str = ""
    note: str = ""
    contact: str = ""


def send_report(typed: Typed, *, token: str, language: str, now: datetime) -> Received:
    """Take a report in; the same form sent again gives the same answer and no second report.

    With other words in it, the same form is refused rather than taken for a double click.

    Raises:
        ReportRefused: naming the field and what to do about it; nothing is stored.
        TooManyReports: a flood is under way; nothing is stored.
    """
    content = forms.content_hash(
        token, typed.address, typed.referrer, _unix(typed.note), typed.contact
    )
    sent = _already_sent(token)
    if sent is not None:
        return _answer_again(token, sent, now, content=content)
    _check_form(token, now)

    def keep(taken: Taken) -> None:
        reference = taken.report.reference
        answer = forms.seal_answer(token, reference=reference, code=taken.code)
        forms.keep(token, now, answer, content=content)

    try:
        taken = take_report(
            address=typed.address,
            referrer=typed.referrer,
            note=_unix(typed.note),
            contact=_unix(typed.contact),
            language=language,
            now=now,
            also=keep,
        )
    except IntegrityError:
        # The other click was first: its report stands, and this answer is the one that is seen.
        sent = _already_sent(token)
        if sent is None:
            raise
        return _answer_again(token, sent, now, content=content)
    except Busy as busy:
        raise TooManyReports("form", _BUSY) from busy
    return Received(taken.report.reference, taken.code)


def acknowledge(token: str) -> None:
    """The words are written down: nothing shows them again."""
    SentForm.objects.filter(token_hash=forms.token_hash(token)).update(answer_sealed=b"")


def send_follow_up(report: Report, text: str, *, token: str, now: datetime) -> None:
    """Add the reporter's message to their report; the same form sent again adds nothing.

    Raises:
        ReportRefused: naming the field and what to do about it; nothing is stored.
        TooManyReports: a flood is under way; nothing is stored.
    """
    content = forms.content_hash(token, _unix(text))
    sent = _already_sent(token)
    if sent is None:
        _check_form(token, now)
        try:
            add_follow_up(
                report,
                _unix(text),
                by="public",
                now=now,
                also=lambda: forms.keep(token, now, b"", content=content),
            )
        except IntegrityError:
            sent = _already_sent(token)
            if sent is None:
                raise
    if sent is not None:
        _check_same(sent, content)


def _check_form(token: str, now: datetime) -> None:
    age = forms.age(token, now)
    if age is None:
        raise ReportRefused("form", _EXPIRED)
    policy = settings.HOTLINE.intake
    sent = SentForm.objects.filter(sent_at__gt=now - policy.window).count()
    if sent < policy.most_in_window:
        return
    if sent >= policy.most_in_window * policy.refuse_at:
        minutes = max(int(policy.window.total_seconds() // 60), 1)
        raise TooManyReports(
            "form",
            "Very many reports are arriving at this moment, and yours was not stored. Everything "
            f"you typed is still here: please send it again in about {minutes} minutes.",
        )
    if age < policy.flood_wait:
        raise TooManyReports(
            "form",
            "Very many reports are arriving at this moment, and each has to wait its turn. Yours "
            "was not stored yet. Everything you typed is still here: please wait about "
            f"{int(policy.flood_wait.total_seconds())} seconds and press Send again.",
        )


def _already_sent(token: str) -> SentForm | None:
    return SentForm.objects.filter(token_hash=forms.token_hash(token)).first()


def _check_same(sent: SentForm, content: str) -> None:
    if sent.content_hash != content:
        raise ReportRefused("form", _SENT_BEFORE)


def _answer_again(token: str, sent: SentForm, now: datetime, *, content: str) -> Received:
    _check_same(sent, content)
    reference, code = forms.open_answer(token, sent, now) or ("", "")
    return Received(reference, code)


def _unix(text: str) -> str:
    """Line ends as they are counted and stored: forms send two characters for each."""
    return text.replace("\r\n", "\n")
