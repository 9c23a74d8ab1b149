import io
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from formats_rows import image, ncmec
from strandline.errors import FormatRefused
from strandline.formats import Losses
from strandline.formats.ncmec_paging import (
    BEGINNING,
    OVERLAP,
    Window,
    first_address,
    next_address,
    walk,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BASE = "https://peer.example"


class Server:
    """Serves entries out of order of time, three a page, and remembers what was asked."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    def get(self, address):
        self.asked.append(address)
        start = int(parse_qs(urlsplit(address).query).get("start", ["0"])[0])
        more = start + 1 < len(self.pages)
        link = f"<paging><next>/v2/entries?start={start + 1}</next></paging>" if more else ""
        return io.BytesIO(ncmec(*self.pages[start], paging=link).encode())


def test_every_page_is_read_before_the_window_counts_as_done():
    server = Server([[image(1), image(9)], [image(4)], [image(2)]])
    window = Window.after(None, now=NOW)
    found = [row.source_id for row in walk(server.get, BASE, window, Losses())]
    assert found == ["image1", "image9", "image4", "image2"]
    assert len(server.asked) == 3
    assert window.checkpoint == NOW


def test_a_page_that_fails_fails_the_window():
    server = Server([[image(1)], ["<image>"]])
    seen = []
    with pytest.raises(FormatRefused, match="page 2"):
        seen.extend(walk(server.get, BASE, Window.after(None, now=NOW), Losses()))


def test_windows_overlap_because_clocks_differ():
    first = Window.after(None, now=NOW)
    second = Window.after(first.checkpoint, now=NOW + timedelta(days=1))
    assert first.since == BEGINNING
    assert second.since == NOW - OVERLAP


def test_times_are_asked_for_in_utc_whatever_clock_is_given():
    local = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    address = first_address(BASE, Window(local - timedelta(days=1), local))
    query = parse_qs(urlsplit(address).query)
    assert query["from"] == ["2026-03-01T09:00:00.000Z"]
    assert query["to"] == ["2026-03-02T09:00:00.000Z"]


def test_a_circle_of_pages_is_refused():
    page = ncmec(image(), paging="<paging><next>/v2/entries?start=1</next></paging>").encode()
    with pytest.raises(FormatRefused, match="circle"):
        list(walk(lambda _: io.BytesIO(page), BASE, Window.after(None, now=NOW), Losses()))


@pytest.mark.parametrize(
    "given",
    [
        "https://other.example/v2/entries?start=1",
        "//other.example/v2/entries",
        "http://peer.example/v2/entries",
        "/admin",
        "file:///v2/entries",
        "https://peer.example@other.example/v2/entries",
    ],
)
def test_the_key_goes_to_no_other_place(given):
    with pytest.raises(FormatRefused, match="somewhere else"):
        next_address(f"{BASE}/v2/entries?start=0", given)


def test_a_server_behind_a_prefix_is_followed_there():
    here = f"{BASE}/hashes/v2/entries?start=0"
    assert next_address(here, "/v2/entries?start=1") == f"{BASE}/hashes/v2/entries?start=1"
