"""Reading at a limited rate, and what a member tells its publisher."""

from types import SimpleNamespace

import pytest

from strandline.errors import ListRefused
from strandline.fetching.named_site import NamedSite
from strandline.lists.member.sources import Throttle, WebSource


def test_a_rate_is_kept_by_pauses():
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    throttle = Throttle(1000, clock=lambda: now[0], sleep=sleep)
    for _ in range(10):
        throttle.passed(500)
    assert now[0] == pytest.approx(5, abs=1)
    assert len(slept) >= 9
    unlimited = Throttle(None, clock=lambda: now[0], sleep=sleep)
    slept.clear()
    unlimited.passed(10**9)
    assert slept == []


def test_a_publisher_whose_list_lies_beside_its_interface_is_told_what_is_held():
    told = []
    fetcher = SimpleNamespace(post=lambda url, body, **more: told.append((url, body, more)))
    WebSource(NamedSite("https://hotline.example/lists", fetcher), "key-1").tell(12)
    [(url, body, more)] = told
    assert url == "https://hotline.example/api/v1/holding"
    assert body == b'{"edition": 12}'
    assert more["headers"]["Authorization"] == "Bearer key-1"
    told.clear()
    WebSource(NamedSite("https://mirror.example/copy", fetcher), "key-1").tell(12)
    WebSource(NamedSite("https://hotline.example/lists", fetcher)).tell(12)
    assert told == []


@pytest.mark.parametrize("url", ["", "hotline.example", "ftp://hotline.example", "http://[::1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ListRefused, match="web address"):
        WebSource.open(url)


def test_a_key_is_not_sent_in_the_clear_over_the_internet():
    with pytest.raises(ListRefused, match="without https"):
        WebSource.open("http://8.8.8.8/lists", api_key="key-1")
