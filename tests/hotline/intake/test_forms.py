"""One filled-in form is one report, and its answer can be seen again for a while."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from public_visitor import ADDRESS, Visitor, hidden, seven, text
from strandline.demo.browser import Browser
from strandline.hotline.intake import forms, services
from strandline.hotline.intake.models import SentForm
from strandline.hotline.reports.models import FollowUp, Report

pytestmark = pytest.mark.django_db


def test_a_double_click_makes_one_report_and_shows_the_same_words(visitor):
    form = visitor.token()
    first = visitor.report(form=form)
    second = visitor.report(form=form)
    assert second.status_code == 200
    assert seven(second) == seven(first) != ""
    assert Report.objects.count() == 1


@pytest.mark.parametrize("change", ["address", "referrer", "note", "contact"])
@pytest.mark.parametrize("is_noted", [True, False], ids=["acknowledged", "open"])
def test_a_form_sent_again_with_other_words_is_kept_and_can_be_sent_as_new(
    visitor, change, is_noted
):
    form = visitor.token()
    visitor.report(form=form)
    if is_noted:
        visitor.post("/report/noted/", {"form": form})
    other = {change: "https://pictures.example.com/other"}
    page = visitor.report(form=form, **other)
    assert page.status_code == 422
    assert "This page was sent before" in text(page)
    assert seven(page) == ""
    assert other[change] in page.content.decode()
    assert Report.objects.get().address.url == ADDRESS
    assert hidden(page, "form") != form
    assert visitor.report(form=hidden(page, "form"), **other).status_code == 200
    assert Report.objects.count() == 2


def test_a_message_form_sent_again_with_other_words_is_kept_and_can_be_sent_as_new(visitor):
    outcome = visitor.outcome(seven(visitor.report()))
    visitor.add(outcome, "One message.")
    page = visitor.add(outcome, "Another message.")
    assert page.status_code == 422
    assert "This page was sent before" in text(page)
    assert "Another message." in page.content.decode()
    assert FollowUp.objects.count() == 1
    assert visitor.add(page, "Another message.").status_code == 200
    assert FollowUp.objects.count() == 2


def test_the_slower_of_two_clicks_shows_what_the_faster_one_stored(visitor, monkeypatch):
    form = visitor.token()
    first = visitor.report(form=form)
    honest = services._already_sent
    looked = []

    def late(token):
        looked.append(token)
        return None if len(looked) == 1 else honest(token)

    monkeypatch.setattr(services, "_already_sent", late)
    assert seven(visitor.report(form=form)) == seven(first)
    assert len(looked) == 2
    assert Report.objects.count() == 1
    assert Report.objects.get().address.reports_count == 1


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_make_one_report(clock, face):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's test database has one connection for all threads")
    visitor = Visitor(face("public"))
    form = visitor.token()
    start = threading.Barrier(4)
    shown = []

    def click():
        from django.test import Client

        start.wait()
        shown.append(seven(Visitor(Client()).report(form=form)))
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert len(shown) == 4
    assert len(set(shown)) == 1
    assert shown[0]
    assert Report.objects.count() == 1


def test_clicks_at_the_same_moment_make_one_report_on_a_real_server_with_sqlite(
    hotline, real_server, tmp_path
):
    database = tmp_path / "record.sqlite3"
    environment = {"STRANDLINE_DATABASE_URL": f"sqlite:///{database}"}
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
    subprocess.run(migrate, env={**os.environ, **environment}, check=True)
    port, log = real_server(**environment)
    with Browser(f"http://127.0.0.1:{port}") as browser:
        page = browser.open("/report/")
        start = threading.Barrier(4)
        shown = []

        def click():
            start.wait()
            shown.append(browser.submit(page, "form.report", {"address": ADDRESS}))

        clicks = [threading.Thread(target=click) for _ in range(4)]
        for one in clicks:
            one.start()
        for one in clicks:
            one.join()
    words = {tuple(node.text() for node in answer.tree.css(".seven li")) for answer in shown}
    assert [answer.status for answer in shown] == [200] * 4, log.read_text()
    assert [len(said) for said in words] == [7]
    with contextlib.closing(sqlite3.connect(database)) as record:
        assert record.execute("SELECT count(*) FROM reports_report").fetchone() == (1,)


def test_once_acknowledged_the_words_are_shown_nowhere_again(visitor):
    page = visitor.report(form=(form := visitor.token()))
    words = seven(page)
    done = visitor.post("/report/noted/", {"form": hidden(page, "form")})
    assert done.status_code == 200
    assert SentForm.objects.get().answer_sealed in {b"", memoryview(b"")}
    again = visitor.report(form=form)
    assert again.status_code == 200
    assert seven(again) == ""
    assert words not in text(again)
    assert "already arrived" in text(again)
    assert Report.objects.count() == 1


def test_the_words_are_shown_again_for_an_hour_only(visitor, clock):
    form = visitor.token()
    words = seven(visitor.report(form=form))
    clock.now += timedelta(minutes=59)
    assert seven(visitor.report(form=form)) == words
    clock.now += timedelta(minutes=2)
    assert seven(visitor.report(form=form)) == ""


def test_answers_are_erased_after_an_hour_and_forms_after_a_day(visitor, clock):
    visitor.report(form=visitor.token())
    clock.now += timedelta(hours=2)
    visitor.report()
    assert [bool(sent.answer_sealed) for sent in SentForm.objects.order_by("pk")] == [False, True]
    clock.now += timedelta(days=2)
    visitor.report()
    assert SentForm.objects.count() == 1
    assert Report.objects.count() == 3


def test_a_form_may_stay_open_for_a_day(visitor, clock):
    form = visitor.token()
    clock.now += timedelta(hours=23)
    assert visitor.report(form=form).status_code == 200


@pytest.mark.parametrize("spoil", ["late", "changed", "missing", "foreign", "huge"])
def test_a_form_that_is_not_ours_or_too_old_is_refused_and_kept(visitor, clock, spoil):
    form = visitor.token()
    if spoil == "late":
        clock.now += timedelta(hours=25)
    form = {
        "late": form,
        "changed": form.replace(form[0], "A" if form[0] != "A" else "B", 1),
        "missing": "",
        "foreign": forms.new_token(clock.now) + "x",
        "huge": form * 50,
    }[spoil]
    page = visitor.report(form=form, note="Some words.")
    assert page.status_code == 422
    assert "Some words." in page.content.decode()
    assert not Report.objects.exists()
    assert visitor.report(form=hidden(page, "form")).status_code == 200


def test_the_database_alone_does_not_open_the_answer(visitor):
    form = visitor.token()
    page = visitor.report(form=form)
    sent = SentForm.objects.get()
    row = f"{sent.token_hash} {bytes(sent.answer_sealed)!r}"
    assert form not in row
    assert not any(word in row for word in seven(page).split() if len(word) > 4)
    from cryptography.exceptions import InvalidTag

    with pytest.raises(InvalidTag):
        forms.open_answer(sent.token_hash, sent, sent.sent_at)


@given(reference=st.text(), code=st.text())
def test_whoever_holds_the_token_opens_the_answer(reference, code):
    now = datetime(2026, 3, 2, tzinfo=UTC)
    token = forms.new_token(now)
    sealed = forms.seal_answer(token, reference=reference, code=code)
    sent = SentForm(token_hash="", sent_at=now, answer_sealed=sealed)
    assert forms.open_answer(token, sent, now) == (reference, code)


def test_tokens_never_repeat(now):
    assert len({forms.new_token(now) for _ in range(100)}) == 100


def test_a_message_sent_twice_is_added_once(visitor):
    outcome = visitor.outcome(seven(visitor.report()))
    for _ in range(2):
        assert "Your message was added" in text(visitor.add(outcome, "More words."))
    assert FollowUp.objects.count() == 1


def test_of_two_messages_at_once_from_one_form_one_is_added(visitor, monkeypatch):
    outcome = visitor.outcome(seven(visitor.report()))
    visitor.add(outcome, "More words.")
    honest = services._already_sent
    looked = []

    def late(token):
        looked.append(token)
        return None if len(looked) == 1 else honest(token)

    monkeypatch.setattr(services, "_already_sent", late)
    assert visitor.add(outcome, "More words.").status_code == 200
    assert len(looked) == 2
    assert FollowUp.objects.count() == 1
