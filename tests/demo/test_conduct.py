from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.demo import hosts
from strandline.demo.conduct import ComesBack, Falters, Kind, Removes, Stays, Visit

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.floats(0, 60).map(lambda days: START + days * DAY)
notices = st.lists(moments, max_size=5).map(sorted).map(tuple)


@given(notices, moments, st.integers(1, 3))
def test_what_is_removed_stays_removed(told, now, at_notice):
    conduct = Removes(at_notice=at_notice)
    told = tuple(moment for moment in told if moment <= now)
    if conduct.meet(Visit(now, told)).kind is Kind.GONE:
        assert len(told) >= at_notice
        assert conduct.meet(Visit(now + 100 * DAY, (*told, now))).kind is Kind.GONE


@given(notices, moments)
def test_without_enough_notices_a_page_stays(told, now):
    assert Removes(at_notice=6).meet(Visit(now, told)).kind is Kind.SHOWN
    assert Stays().meet(Visit(now, told)).kind is Kind.SHOWN
    assert ComesBack().meet(Visit(now, ())).kind is Kind.SHOWN


@given(moments)
def test_on_one_of_any_three_days_it_is_unavailable(now):
    kinds = [Falters(Stays()).meet(Visit(now + day * DAY, ())).kind for day in range(6)]
    assert kinds.count(Kind.UNAVAILABLE) == 2
    assert kinds[:3] == kinds[3:]


@given(notices)
def test_a_page_that_came_back_goes_for_good_only_after_a_later_notice(told):
    late = START + 100 * DAY
    back = told[0] + 15 * DAY if told else late
    heard_again = any(moment >= back for moment in told)
    assert (ComesBack().meet(Visit(late, told)).kind is Kind.GONE) == heard_again


@pytest.mark.parametrize("page", hosts.pages(), ids=lambda page: page.key)
def test_without_a_notice_no_page_is_ever_gone(page):
    for day in range(60):
        kind = page.conduct.meet(Visit(START + day * DAY, ())).kind
        assert kind not in {Kind.GONE, Kind.SAYS_NOT_FOUND}
