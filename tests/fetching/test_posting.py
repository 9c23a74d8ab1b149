"""Sending something to one address, under the guards of fetching."""

import pytest

from strandline.fetching import Answer, Failure, FailureReason


def taken(visits):
    def take(visit):
        visits.append((visit.command, visit.path, visit.sent, dict(visit.headers)))
        visit.answer(b"thanks", status=201)

    return take


def test_what_is_sent_arrives_and_the_answer_is_given(web, fetcher):
    visits = []
    web.pages["/in"] = taken(visits)
    url = web.url("/in")
    answer = fetcher.post(url, b"\x00body", content_type="text/plain", headers={"X-Key": "k"})
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.final_url) == (201, b"thanks", url)
    ((method, path, sent, headers),) = visits
    assert (method, path, sent) == ("POST", "/in", b"\x00body")
    assert (headers["content-type"], headers["x-key"]) == ("text/plain", "k")


def test_an_empty_body_is_sent_as_one(web, fetcher):
    visits = []
    web.pages["/in"] = taken(visits)
    assert fetcher.post(web.url("/in"), b"").status == 201
    assert visits[0][:3] == ("POST", "/in", b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_the_answer_and_nothing_is_sent_further(web, fetcher, status):
    web.pages["/in"] = lambda visit: visit.redirect(web.url("/out", "two.test"), status=status)
    web.pages["/out"] = lambda visit: visit.answer(b"caught")
    answer = fetcher.post(web.url("/in"), b"secret")
    assert (answer.status, answer.body) == (status, b"moved")
    assert [path for _, path in web.visited()] == ["/in"]


def test_nothing_is_sent_to_an_address_that_is_not_public(web, fetcher):
    failure = fetcher.post(web.url("/in", "inside.test"), b"secret")
    assert isinstance(failure, Failure)
    assert failure.reason is FailureReason.REFUSED_ADDRESS
    assert web.visits == []


def test_an_answer_that_is_too_large_is_cut_off(web, fetcher):
    web.pages["/in"] = lambda visit: visit.answer(b"x" * 1000)
    failure = fetcher.post(web.url("/in"), b"", max_bytes=999)
    assert isinstance(failure, Failure)
    assert failure.reason is FailureReason.TOO_LARGE


def test_headers_that_are_not_the_callers_to_set_are_refused(web, fetcher):
    for name, value in (("Host", "x"), ("Content-Length", "9"), ("X", "a\nb")):
        with pytest.raises(ValueError, match="cannot be"):
            fetcher.post(web.url("/in"), b"", headers={name: value})
    assert web.visits == []
