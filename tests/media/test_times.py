import pytest

from strandline.media.times import on_the_clock


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0:00"),
        (7, "0:07"),
        (59.9, "0:59"),
        (750, "12:30"),
        (3723, "1:02:03"),
        (36000, "10:00:00"),
    ],
)
def test_places_in_a_film_read_as_on_a_clock(seconds, told):
    assert on_the_clock(seconds) == told
