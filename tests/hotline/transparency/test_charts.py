"""A growth line goes through its values, whatever they are."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.transparency.charts import steps

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_fewer_than_two_moments_need_no_drawing():
    assert steps([]) is None
    assert steps([(START, 5)]) is None
    assert steps([(START, 5), (START, 6)]) is None


@given(st.lists(st.integers(0, 10**8), min_size=2, max_size=50))
def test_every_point_is_inside_the_frame_and_marks_reach_the_highest(values):
    points = [(START + timedelta(days=day), value) for day, value in enumerate(values)]
    drawn = steps(points)
    assert drawn is not None
    assert all(drawn.top <= tick.at <= drawn.bottom for tick in drawn.up)
    assert drawn.top <= drawn.end[1] <= drawn.bottom
    assert drawn.end[0] == drawn.right
    assert int(drawn.up[-1].label.replace(",", "")) >= max(values)
    assert 2 <= len(drawn.up) <= 7


def test_moments_of_one_day_are_named_once():
    drawn = steps([(START, 1), (START + timedelta(hours=1), 2)])
    assert drawn is not None
    assert len(drawn.across) == 2
