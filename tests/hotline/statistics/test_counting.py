"""Figures of different kinds never add up: it is a property of the type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.statistics.counting import Counts, Figure, UnlikeFigures

COUNTS = st.sampled_from([kind for kind in Counts if kind != Counts.DAY])


def figure(counts, value=1, key="key"):
    return Figure(key, key.title(), counts, value, "A note.")


@given(COUNTS, st.integers(0), COUNTS, st.integers(0))
def test_only_figures_that_count_the_same_can_be_added(one, a, other, b):
    if one == other:
        total = figure(one, a) + figure(other, b)
        assert (total.value, total.counts) == (a + b, one)
    else:
        with pytest.raises(UnlikeFigures, match="cannot be added"):
            figure(one, a) + figure(other, b)


@given(st.sampled_from(Counts))
def test_a_duration_is_added_to_nothing_not_even_to_another(other):
    with pytest.raises(UnlikeFigures, match="duration"):
        figure(Counts.DAY, 1.5) + figure(other)
    with pytest.raises(UnlikeFigures, match="duration"):
        figure(other) + figure(Counts.DAY, 1.5)


@given(COUNTS, st.lists(st.integers(0), min_size=1, max_size=9))
def test_sum_works_within_one_kind(counts, values):
    assert sum(figure(counts, value) for value in values).value == sum(values)


def test_sum_over_two_kinds_is_refused_by_name():
    with pytest.raises(UnlikeFigures, match="reports and 'Addresses' counts addresses"):
        sum([figure(Counts.REPORT, 3, "reports"), figure(Counts.ADDRESS, 2, "addresses")])


@pytest.mark.parametrize("number", [1, 2.5, "3", None])
def test_a_bare_number_is_no_figure(number):
    with pytest.raises(TypeError):
        figure(Counts.REPORT) + number
    with pytest.raises(TypeError):
        number + figure(Counts.REPORT)


@pytest.mark.parametrize(
    ("counts", "value", "shown", "unit"),
    [
        (Counts.ADDRESS, 1, "1", "address"),
        (Counts.ADDRESS, 1234567, "1,234,567", "addresses"),
        (Counts.CHILD, 0, "0", "children"),
        (Counts.DAY, 2.25, "2.2", "days"),
        (Counts.DAY, None, "n/a", "days"),
    ],
)
def test_a_figure_is_shown_with_its_word(counts, value, shown, unit):
    assert (figure(counts, value).shown, figure(counts, value).unit) == (shown, unit)
