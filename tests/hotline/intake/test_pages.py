"""Every answer of the public face: its headers, and that its pages work with nothing but HTML."""

import re

import pytest

from public_visitor import ADDRESS, PLAIN, Visitor, hidden, seven, text
from strandline.hotline.intake import views
from strandline.hotline.intake.urls import urlpatterns
from strandline.hotline.site.headers import HEADERS

pytestmark = pytest.mark.django_db


def broken(*_args, **_kwargs):
    raise RuntimeError("broken on purpose")


ANSWERS = {
    "start": (200, lambda v: v.open("/")),
    "about": (200, lambda v: v.open("/about/")),
    "report, empty": (200, lambda v: v.open("/report/")),
    "report, refused": (422, lambda v: v.report("nothing")),
    "report, received": (200, lambda v: v.report()),
    "report, form unknown": (422, lambda v: v.report(form="x")),
    "words noted": (200, lambda v: v.post("/report/noted/", {"form": v.token()})),
    "words noted, reloaded": (302, lambda v: v.open("/report/noted/")),
    "outcome, empty": (200, lambda v: v.open("/outcome/")),
    "outcome, wrong words": (422, lambda v: v.outcome("wrong")),
    "outcome": (200, lambda v: v.outcome(seven(v.report()))),
    "message": (200, lambda v: v.add(v.outcome(seven(v.report())), "Words")),
    "message, refused": (422, lambda v: v.add(v.outcome(seven(v.report())), "")),
    "message, too late": (422, lambda v: v.post("/outcome/message/", {"note": "Words"})),
    "no such page": (404, lambda v: v.open("/nowhere/")),
    "no slash": (301, lambda v: v.open("/report")),
    "not allowed": (405, lambda v: v.client.delete("/")),
    "too large": (413, lambda v: v.post("/report/", b"a=" + b"b" * 1_100_000)),
    "a file": (415, lambda v: v.client.post("/report/", "x", "multipart/form-data; boundary=x")),
    "too many fields": (400, lambda v: v.post("/report/", b"a=b&" * 3000)),
}


@pytest.mark.parametrize(("status", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_every_answer_carries_the_headers(visitor, status, answer):
    page = answer(visitor)
    assert page.status_code == status
    assert {name: page.headers.get(name) for name in HEADERS} == HEADERS


def test_a_form_without_its_cookie_carries_the_headers(clock, face):
    visitor = Visitor(face("public", csrf=True))
    for path in ("/report/", "/report/noted/", "/outcome/", "/outcome/message/"):
        page = visitor.post(path, {"address": ADDRESS})
        assert page.status_code == 403
        assert {name: page.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("part", ["new_token", "age", "seal_answer"])
def test_a_broken_page_carries_the_headers_and_shows_nothing_of_the_inside(
    visitor, monkeypatch, part
):
    token = visitor.token()
    monkeypatch.setattr(views.forms, part, broken)
    visitor.client.raise_request_exception = False
    page = visitor.open("/report/") if part == "new_token" else visitor.report(form=token)
    assert page.status_code == 500
    assert {name: page.headers.get(name) for name in HEADERS} == HEADERS
    assert "Something broke on our side" in text(page)
    assert "broken on purpose" not in text(page)


def test_the_answers_above_are_of_every_address_the_face_has(visitor):
    asked = set()
    honest = visitor.client.generic

    def note(method, path, *args, **kwargs):
        asked.add(path.removeprefix("/"))
        return honest(method, path, *args, **kwargs)

    visitor.client.generic = note
    for _, answer in ANSWERS.values():
        answer(visitor)
    assert {str(pattern.pattern) for pattern in urlpatterns} <= asked


@pytest.mark.parametrize(("status", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_no_page_needs_or_holds_a_script_a_style_or_another_origin(visitor, status, answer):
    html = answer(visitor).content.decode()
    assert "<script" not in html
    assert "style=" not in html
    assert not re.search(r"\son\w+=", html)
    assert not re.findall(r'(?:src|href|action)="(?:[a-z]+:)?//', html)
    assert 'type="file"' not in html
    assert "multipart" not in html


@pytest.mark.parametrize(
    "answer", ["report, empty", "report, refused", "outcome, empty", "outcome"]
)
def test_no_field_is_remembered_or_spell_checked_by_the_browser(visitor, answer):
    html = ANSWERS[answer][1](visitor).content.decode()
    fields = re.findall(r'<(?:input type="text"|textarea)[^>]*>', html)
    assert fields
    for field in fields:
        # Some browsers send what is spell-checked to their maker.
        assert 'spellcheck="false"' in field
        assert 'autocomplete="off"' in field


@pytest.mark.parametrize("path", ["/", "/about/", "/report/", "/outcome/", "/nowhere/"])
def test_every_page_says_what_to_do_when_a_child_is_in_danger_now(visitor, path):
    page = text(visitor.open(path))
    assert "Is a child in danger right now? Call your local emergency number" in page
    assert not re.search(r"\b(112|911|999|0800)\b", page)


def test_the_start_page_leads_to_both_ways(visitor):
    html = visitor.open("/").content.decode()
    assert 'href="/report/"' in html
    assert 'href="/outcome/"' in html
    assert "never ask" in html


@pytest.mark.parametrize("path", ["/", "/about/", "/report/", "/outcome/", "/nowhere/"])
def test_every_page_has_one_heading_a_title_and_a_language(visitor, path):
    html = visitor.open(path).content.decode()
    assert len(re.findall(r"<h1\b", html)) == 1
    assert re.search(r"<title>\S[^<]+</title>", html)
    assert '<html lang="en">' in html


def test_visits_without_a_form_set_no_cookie(visitor):
    for path in ("/", "/about/", "/nowhere/"):
        assert not visitor.open(path).cookies


def test_an_onion_address_is_shown_where_there_is_one(visitor, settings):
    import dataclasses

    onion = "http://" + "a" * 56 + ".onion"
    intake = dataclasses.replace(settings.HOTLINE.intake, onion_url=onion)
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, intake=intake)
    assert onion in text(visitor.open("/about/"))


def test_what_the_about_page_promises_of_time_is_what_the_code_does():
    from datetime import timedelta

    from strandline.hotline.intake import forms

    assert timedelta(hours=1) == forms.ANSWER_LIVES
    assert timedelta(days=1) == forms.FORM_LIVES
    assert views.PASS_LIVES == 3600
    assert PLAIN == "application/x-www-form-urlencoded"


def test_a_token_is_never_the_same_on_two_pages(visitor):
    assert hidden(visitor.open("/report/"), "form") != hidden(visitor.open("/report/"), "form")
