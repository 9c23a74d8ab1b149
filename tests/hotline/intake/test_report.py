"""Sending a report: what is stored, what is said, what is kept of what was typed."""

import dataclasses
import itertools
from datetime import timedelta

import pytest

from public_visitor import ADDRESS, Visitor, hidden, seven, text
from strandline.hotline.intake.models import SentForm
from strandline.hotline.reports.models import Report, ReportedUrl
from strandline.hotline.reports.turns import Turns
from strandline.vault import unseal

pytestmark = pytest.mark.django_db


def test_a_report_is_stored_and_its_seven_words_are_shown(visitor, now):
    page = visitor.report(
        ADDRESS,
        referrer="https://forum.example.com/thread",
        note="The third picture.\r\nAnd the fourth.",
        contact="a pigeon",
        headers={"accept-language": "nl-BE,en;q=0.5"},
    )
    assert page.status_code == 200
    report = Report.objects.get()
    assert report.reference in text(page)
    assert len(seven(page).split()) == 7
    assert report.address.url == ADDRESS
    assert report.address.referrer == "https://forum.example.com/thread"
    assert report.source == Report.Source.PUBLIC
    assert report.language == "nl"
    assert report.received_at == now


def test_message_and_contact_are_sealed_to_two_different_keys(visitor, hotline):
    visitor.report(note="The third picture.\r\nAnd the fourth.", contact="a pigeon")
    report = Report.objects.get()
    notes, contacts = hotline.secret("note-identity"), hotline.secret("contact-identity")
    assert unseal(bytes(report.note_sealed), notes) == "The third picture.\nAnd the fourth."
    assert unseal(bytes(report.contact_sealed), contacts) == "a pigeon"


def test_only_the_address_is_needed(visitor):
    assert visitor.report().status_code == 200
    report = Report.objects.get()
    assert (report.note_sealed, report.contact_sealed, report.language) == (None, None, "")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("de", "de"),
        ("de-CH-1996,fr;q=0.9", "de"),
        ("fr;q=0.3, pt-BR;q=0.8", "pt"),
        ("*", ""),
        ("x-very-unusual-tag", ""),
        ("", ""),
        ("gsw-u-sd-chzh", "gsw"),
        ("de;q=broken, \x7f", ""),
        ("e" * 5000, ""),
    ],
)
def test_of_the_languages_only_the_first_ones_primary_tag_is_kept(visitor, said, kept):
    assert visitor.report(headers={"accept-language": said}).status_code == 200
    assert Report.objects.get().language == kept


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"address": "http://192.168.1.1/admin"}, "address"),
        ({"address": ""}, "address"),
        ({"address": ADDRESS, "referrer": "javascript:alert(1)"}, "referrer"),
        ({"address": ADDRESS, "note": "x" * 5001}, "note"),
        ({"address": ADDRESS, "contact": "x" * 301}, "contact"),
    ],
)
def test_a_refusal_stands_at_its_field_and_everything_typed_is_kept(visitor, fields, field):
    typed = {"note": "Some words.", "contact": "somewhere", **fields}
    page = visitor.report(**typed)
    html = page.content.decode()
    assert page.status_code == 422
    assert f'<a href="#{field}">' in html, "a summary leads to the field"
    assert 'role="alert" tabindex="-1" autofocus' in html
    assert f'id="{field}-error"' in html
    assert f'aria-describedby="{field}-error {field}-hint" aria-invalid="true"' in html
    assert html.count('aria-invalid="true"') == 1
    assert "<title>Not sent yet: " in html
    for value in typed.values():
        assert value in html
    assert not Report.objects.exists()
    assert not ReportedUrl.objects.exists()
    assert not SentForm.objects.exists()


def test_a_refused_form_can_be_corrected_and_sent(visitor):
    refused = visitor.report("http://10.0.0.1/")
    assert visitor.report(form=hidden(refused, "form")).status_code == 200
    assert Report.objects.count() == 1


def test_a_message_that_starts_with_line_ends_comes_back_as_it_was(visitor):
    page = visitor.report("nothing", note="\n\nfar down")
    # HTML drops the first line end of a textarea: the page has one of its own before the text.
    assert ">\n\n\nfar down</textarea>" in page.content.decode()


def test_a_return_code_in_the_message_is_refused(visitor):
    code = seven(visitor.report())
    page = visitor.report(note=f"my code is {code}")
    assert page.status_code == 422
    assert "take it out of the message" in text(page)
    assert Report.objects.count() == 1


def test_the_code_is_in_no_address_cookie_or_header(visitor):
    page = visitor.report()
    words = seven(page).split()
    assert not page.has_header("Location")
    outside = " ".join(map(str, page.headers.values())) + page.cookies.output()
    assert not any(f"{a} {b}" in outside for a, b in itertools.pairwise(words))
    assert page["Cache-Control"] == "no-store"


def test_a_form_without_its_cookie_stores_nothing_and_keeps_what_was_typed(db, clock, face):
    visitor = Visitor(face("public", csrf=True))
    page = visitor.report(note="Some words.")
    assert page.status_code == 403
    assert "nothing was stored" in text(page)
    assert "Some words." in page.content.decode()
    assert ADDRESS in page.content.decode()
    assert not Report.objects.exists()
    again = visitor.report(
        form=hidden(page, "form"), csrfmiddlewaretoken=hidden(page, "csrfmiddlewaretoken")
    )
    assert again.status_code == 200


def test_the_forms_cookie_ends_with_the_window(visitor):
    cookie = visitor.open("/report/").cookies["public-form"]
    assert not cookie["max-age"]
    assert not cookie["expires"]


@pytest.fixture
def flood(visitor, settings):
    """``flood(refuse_at=20)``: two forms are a flood, and two were sent."""

    def start(**policy):
        few = dataclasses.replace(settings.HOTLINE.intake, most_in_window=2, **policy)
        settings.HOTLINE = dataclasses.replace(settings.HOTLINE, intake=few)
        for number in range(SentForm.objects.count(), 2):
            assert visitor.report(f"https://pictures.example.com/{number}").status_code == 200

    return start


def test_in_a_flood_a_form_waits_its_turn_and_is_taken_in(visitor, flood, clock):
    flood()
    form = visitor.token()
    for _ in range(2):
        clock.now += timedelta(seconds=10)
        page = visitor.report(form=form, note="Some words.")
        assert page.status_code == 503
        assert "about 30 seconds and press Send again" in text(page)
        assert "Some words." in page.content.decode()
        assert hidden(page, "form") == form, "it does not begin to wait anew"
        assert Report.objects.count() == 2
    clock.now += timedelta(seconds=10)
    assert visitor.report(form=form, note="Some words.").status_code == 200
    assert Report.objects.count() == 3


def test_in_a_flood_a_message_waits_its_turn_too(visitor, flood, clock):
    code = seven(visitor.report("https://pictures.example.com/mine"))
    flood()
    page = visitor.add(visitor.outcome(code), "Some more words.")
    assert page.status_code == 503
    assert "Some more words." in page.content.decode()
    clock.now += timedelta(seconds=30)
    assert visitor.add(page, "Some more words.").status_code == 200


def test_in_a_flood_far_beyond_nothing_is_stored_and_what_was_typed_is_kept(visitor, flood, clock):
    flood(refuse_at=1)
    form = visitor.token()
    clock.now += timedelta(minutes=1)
    page = visitor.report(form=form, note="Some words.")
    assert page.status_code == 503
    assert "in about 10 minutes" in text(page)
    assert "Some words." in page.content.decode()
    assert Report.objects.count() == 2
    clock.now += timedelta(minutes=11)
    assert visitor.report(form=hidden(page, "form")).status_code == 200


@pytest.mark.parametrize("turns", ["services._OPENING", "return_code._HASHING"])
def test_when_too_many_try_codes_the_words_are_kept_unchecked(visitor, monkeypatch, turns):
    code = seven(visitor.report())
    full = Turns(1, waiting=-1)
    monkeypatch.setattr(f"strandline.hotline.reports.{turns}", full)
    page = visitor.outcome(code)
    assert page.status_code == 503
    assert "press Open again" in text(page)
    assert code in page.content.decode()


def test_when_too_many_report_at_once_nothing_is_stored_and_all_is_kept(visitor, monkeypatch):
    full = Turns(1, waiting=-1)
    monkeypatch.setattr("strandline.hotline.reports.return_code._HASHING", full)
    page = visitor.report(note="Some words.")
    assert page.status_code == 503
    assert "press Send again" in text(page)
    assert "Some words." in page.content.decode()
    assert not Report.objects.exists()


@pytest.mark.parametrize("letter", ["x", "\u6f22"])
def test_a_message_that_is_far_too_long_comes_back_whole(visitor, letter):
    note = letter * 100_000
    page = visitor.report(note=note)
    assert page.status_code == 422
    assert note in page.content.decode()
    assert 'maxlength="100000"' in page.content.decode()
    assert "5,000" in text(page)


def test_a_message_too_long_to_be_read_is_promised_nothing(visitor):
    assert visitor.report(note="x" * 300_000).status_code == 422
    page = visitor.report(note="x" * 1_100_000)
    assert page.status_code == 413
    assert "Nothing was stored" in text(page)
    assert "may not" in text(page)


def test_a_second_report_of_an_address_joins_the_first(visitor):
    visitor.report()
    visitor.report()
    assert ReportedUrl.objects.get().reports_count == 2
    first, second = Report.objects.order_by("pk")
    assert second.duplicate_of == first
