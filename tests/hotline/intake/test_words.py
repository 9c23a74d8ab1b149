"""Every state has words, and the words say what the record says."""

from datetime import timedelta

import pytest

from public_visitor import ADDRESS, seven, text
from strandline.hotline.intake.words import WORDS, tell
from strandline.hotline.reports.models import Report
from strandline.hotline.reports.return_code import code_hash, new_code
from strandline.hotline.reports.services import change_state, change_states, take_report
from strandline.hotline.reports.states import State

S = State
#: How a report that leads to removal goes, with the day on which each is reached.
REMOVAL = [
    (S.CAPTURED, 0),
    (S.ASSESSED, 1),
    (S.SECOND_ASSESSED, 2),
    (S.TRACED, 2),
    (S.NOTICED, 2),
    (S.MONITORED, 2),
    (S.REMOVED, 6),
]


@pytest.fixture
def told(visitor, now):
    """``told([(state, day), …])``: what a reporter reads after these changes."""

    def walk(steps):
        code = seven(visitor.report())
        address = Report.objects.get().address
        for state, days in steps:
            change_state(address, state, by="test", now=now + timedelta(days=days))
        return text(visitor.outcome(code))

    return walk


def test_every_state_has_words_and_no_other_has():
    assert set(WORDS) == set(State)
    for words in WORDS.values():
        assert words.now
        assert words.meaning.endswith(".")
        assert not words.event or words.event.endswith(".")
        assert words.tone in {"wait", "act", "good", "end"}


@pytest.mark.parametrize("term", ["captur", "triag", "second-", "hash", "url", "sighting", "remit"])
def test_the_words_are_those_of_people_not_of_the_record(term):
    for words in WORDS.values():
        assert term not in f"{words.now} {words.meaning} {words.event}".lower()


@pytest.mark.django_db
@pytest.mark.parametrize("state", State, ids=str)
def test_an_address_in_any_state_is_told(state, visitor, address, now):
    code = new_code()
    row = address(state)
    Report.objects.create(
        reference="R-TEST-TEST", return_code_hash=code_hash(code), received_at=now, address=row
    )
    page = visitor.outcome(code)
    assert page.status_code == 200
    shown = text(page)
    assert "We received your report." in shown
    if state != S.CLOSED:
        assert WORDS[state].now in shown
        assert WORDS[state].meaning in shown


@pytest.mark.django_db
def test_a_removal_is_told_step_by_step_with_its_days(told):
    page = told(REMOVAL)
    for words in (
        "2 March 2026 We received your report.",
        "2 March 2026 We looked at the address.",
        "4 March 2026 Confirmed as illegal, and put on the list.",
        "4 March 2026 The host was warned.",
        "8 March 2026 Removed.",
    ):
        assert words in page
    order = [page.index(w) for w in ("received your", "looked at the", "was warned", "8 March")]
    assert order == sorted(order)


@pytest.mark.django_db
def test_what_returns_is_told_as_back_up_and_noticed_again(told):
    page = told([*REMOVAL, (S.REOPENED, 20)])
    assert "Back up, and noticed again" in page
    assert "22 March 2026 Back up; we noticed it again" in page


@pytest.mark.django_db
def test_a_second_warning_and_a_second_removal_have_their_own_days(told):
    again = [(S.REOPENED, 20), (S.NOTICED, 20), (S.MONITORED, 20), (S.REMOVED, 23)]
    page = told([*REMOVAL, *again])
    assert page.count("The host was warned.") == 2
    assert "8 March 2026 Removed." in page
    assert "25 March 2026 Removed." in page


@pytest.mark.django_db
def test_not_illegal_is_told_without_blame(told):
    page = told([(S.CAPTURED, 0), (S.ASSESSED, 1), (S.NOT_ILLEGAL, 2)])
    assert "Not illegal under the law we work by" in page
    assert "You were right to ask" in page
    assert "on the list" not in page


@pytest.mark.django_db
def test_a_closed_address_is_told_by_how_it_ended(told):
    page = told([*REMOVAL, (S.CLOSED, 40)])
    assert "it has not come back" in page
    assert "will look a few more times" not in page


@pytest.mark.django_db
def test_a_report_that_was_joined_says_so_and_the_first_does_not(now, hotline):
    first = take_report(address=ADDRESS, now=now).report
    second = take_report(address=ADDRESS, now=now).report
    assert "Joined with an earlier report" not in str(tell(first))
    assert "Joined with an earlier report" in str(tell(second))


@pytest.mark.django_db
def test_days_are_told_in_order_whenever_one_reported(now, hotline):
    address = take_report(address=ADDRESS, now=now).report.address
    change_states(address, (S.CAPTURED,), by="test", now=now + timedelta(days=1))
    late = take_report(address=ADDRESS, now=now + timedelta(days=9)).report
    days = [event.day for event in tell(late).events]
    assert days == sorted(days)
    assert len(days) == 3
