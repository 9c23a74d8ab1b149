"""A site that a person named: that host and no other, private ones too."""

import pytest

from strandline.fetching import NamedSite, SiteFailed


@pytest.fixture
def site(web):
    return NamedSite.open(f"http://127.65.10.1:{web.port}/log/")


def test_files_are_read_below_the_address_in_a_private_network_too(web, site):
    web.pages["/log/tile/0/000"] = lambda visit: visit.answer(
        b"\x00\x01", Content_Type="application/octet-stream"
    )
    assert site.read("tile/0/000") == b"\x00\x01"


def test_a_missing_file_is_told_apart_from_a_failure(web, site):
    for status in (404, 410):
        web.pages["/log/a"] = lambda visit, status=status: visit.answer(b"", status=status)
        with pytest.raises(FileNotFoundError):
            site.read("a")
    for status in (403, 500, 304):
        web.pages["/log/a"] = lambda visit, status=status: visit.answer(b"", status=status)
        with pytest.raises(SiteFailed, match=str(status)):
            site.read("a")


def test_no_redirect_is_followed(web, site):
    web.pages["/log/a"] = lambda visit: visit.redirect(f"http://127.64.10.1:{web.port}/b")
    web.pages["/b"] = lambda visit: visit.answer(b"caught")
    with pytest.raises(SiteFailed):
        site.read("a")
    assert [path for _, path in web.visited()] == ["/log/a"]


def test_something_is_sent_and_any_status_is_an_answer(web, site):
    web.pages["/log/add"] = lambda visit: visit.answer(visit.sent[::-1], status=409)
    assert site.post("add", b"abc") == (409, b"cba")


def test_its_headers_go_along_and_are_not_shown(web):
    site = NamedSite.open(f"http://127.65.10.1:{web.port}", headers={"Authorization": "Bearer k"})
    web.pages["/a"] = lambda visit: visit.answer(visit.headers["Authorization"].encode())
    assert site.read("a") == b"Bearer k"
    assert "Bearer" not in repr(site)


def test_a_file_larger_than_expected_is_not_kept(web, site):
    web.pages["/log/a"] = lambda visit: visit.answer(b"x" * 100)
    with pytest.raises(SiteFailed):
        site.read("a", max_bytes=99)


def test_nobody_there_is_a_sentence(site):
    with pytest.raises(SiteFailed, match="could not be reached"):
        NamedSite.open("http://127.65.10.9:9").read("a")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log",
        "ftp://a.example",
        "http://",
        "http://u@a.example",
        "http://a.example/?q",
        "http://a:b",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(SiteFailed):
        NamedSite.open(url)
