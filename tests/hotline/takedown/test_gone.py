"""A page that shows nothing proves nothing."""

import pytest

from strandline.hashing import PageFacts
from strandline.hotline.reports.look import Outcome, Sight, says_not_found
from strandline.hotline.reports.models import Availability
from strandline.hotline.takedown.judge import Confirmed, judge

CONFIRMED = Confirmed(frozenset({"a" * 64}), ())
URL = "http://pictures.example.com/a"


def seen(**more):
    return Sight(Outcome.SEEN, "0 of 0 pictures", 200, URL, **more)


def test_a_page_without_pictures_is_inconclusive():
    found = judge(seen(), CONFIRMED, frozenset({"pictures.example.com"}))
    assert found.availability == Availability.INCONCLUSIVE


def test_pictures_that_are_gone_from_their_own_addresses_are_gone():
    gone = (f"status 404 {URL}/1.jpg",)
    found = judge(seen(missed=gone, dead=gone), CONFIRMED, frozenset({"pictures.example.com"}))
    assert found.availability == Availability.REMOVED


@pytest.mark.parametrize(
    ("text", "says_so"),
    [
        ("Room 404, 12 pictures: click to show", False),
        ("We will be back soon. Down for maintenance", False),
        ("404 Not Found nginx", True),
        ("This album has been removed", True),
    ],
)
def test_only_words_of_absence_say_that_nothing_is_there(text, says_so):
    page = PageFacts(title="", text=text, pictures=(), refresh=None)
    assert says_not_found(page) is says_so
