"""Coming back with seven words: what they open, and what any others do."""

import dataclasses
from datetime import timedelta

import pytest

from public_visitor import ADDRESS, hidden, seven, text
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.reports import return_code
from strandline.hotline.reports.models import FollowUp, Report
from strandline.hotline.reports.services import MOST_FOLLOW_UPS, change_states
from strandline.hotline.reports.states import State
from strandline.vault import unseal

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(visitor):
    """The words of a report that was just sent."""
    return seven(visitor.report())


def test_the_words_open_the_outcome(visitor, code):
    page = visitor.outcome(code)
    assert page.status_code == 200
    assert Report.objects.get().reference in text(page)
    assert "2 March 2026" in text(page)


@pytest.mark.parametrize(
    "write",
    [
        str.upper,
        str.title,
        lambda c: c.replace(" ", "  "),
        lambda c: f"\n {c}. ",
        lambda c: c + "\0",
    ],
    ids=["capitals", "titles", "wide", "full stop", "nul"],
)
def test_how_the_words_are_written_does_not_matter(visitor, code, write):
    assert visitor.outcome(write(code)).status_code == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: " ".join(reversed(c.split())),
        lambda c: " ".join(c.split()[:6]),
        lambda c: f"{c} more",
        lambda _: "' OR 1=1 --",
        lambda _: "x" * 100_000,
        lambda _: "\u202e\0\ud7ff",
    ],
    ids=["other order", "six", "eight", "sql", "long", "strange"],
)
def test_any_other_words_open_nothing(visitor, code, spoil):
    page = visitor.outcome(spoil(code))
    assert page.status_code == 422
    assert Report.objects.get().reference not in text(page)


def test_a_wrong_and_an_expired_code_answer_alike_after_the_same_work(
    visitor, code, clock, hotline, monkeypatch
):
    hashed = []
    honest = return_code.hash_secret

    def count(secret, *args, **kwargs):
        hashed.append(secret)
        return honest(secret, *args, **kwargs)

    monkeypatch.setattr(return_code, "hash_secret", count)

    def answer(typed):
        hashed.clear()
        page = visitor.outcome(typed)
        assert len(hashed) == 1, "one Argon2, whatever was typed"
        shown = text(page).replace(typed, "…")
        marks = page.content.decode().replace(typed, "…")
        token = hidden(page, "csrfmiddlewaretoken")
        return page.status_code, shown, marks.replace(token, "…"), sorted(page.headers)

    clock.now += hotline.intake.code_lives + timedelta(seconds=1)
    expired = answer(code)
    wrong = answer("seven quite wrong words that were guessed")
    assert expired == wrong
    assert expired[0] == 422


def test_a_code_opens_its_report_until_its_last_day(visitor, code, clock, hotline):
    clock.now += hotline.intake.code_lives
    assert visitor.outcome(code).status_code == 200


def test_how_long_codes_live_is_a_setting(visitor, code, clock, settings):
    short = dataclasses.replace(settings.HOTLINE.intake, code_lives=timedelta(days=3))
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, intake=short)
    clock.now += timedelta(days=4)
    assert visitor.outcome(code).status_code == 422
    assert "3 days" in text(visitor.open("/about/"))


def test_no_words_at_all_is_told_apart(visitor):
    page = visitor.outcome("  ")
    assert page.status_code == 422
    assert "Type the seven words first" in text(page)


def test_the_outcome_page_does_not_repeat_the_words(visitor, code):
    page = visitor.outcome(code)
    assert code not in page.content.decode()
    assert code not in str(page.headers)


def test_the_page_names_no_time_but_the_day(visitor, code, clock):
    address = Report.objects.get().address
    clock.now += timedelta(days=1, hours=5, minutes=17)
    change_states(address, (State.CAPTURED, State.ASSESSED), by="test", now=clock.now)
    page = text(visitor.outcome(code))
    assert "3 March 2026" in page
    assert "14:17" not in page
    assert "9:00" not in page


def test_the_page_tells_nothing_of_the_address_or_of_those_who_work_on_it(visitor, code, now):
    address = Report.objects.get().address
    change_states(
        address, (State.CAPTURED, State.ASSESSED), by="person:17", now=now, reason="the reason"
    )
    page = visitor.outcome(code).content.decode()
    for secret in (ADDRESS, "pictures.example.com", "person:17", "the reason"):
        assert secret not in page


def test_a_message_is_added_sealed_and_recorded(visitor, code, hotline, now):
    outcome = visitor.outcome(code)
    answer = visitor.add(outcome, "It is behind\r\nthe second link.")
    assert answer.status_code == 200
    message = FollowUp.objects.get()
    assert message.report == Report.objects.get()
    assert message.direction == FollowUp.Direction.FROM_REPORTER
    assert message.at == now
    sealed = bytes(message.text_sealed)
    assert unseal(sealed, hotline.secret("note-identity")) == "It is behind\nthe second link."
    assert AuditEntry.objects.filter(action="reports.add_follow_up").count() == 1
    assert "You added 1 message to this report" in text(visitor.outcome(code))


@pytest.mark.parametrize(
    ("note", "said"),
    [("", "empty"), (" \0 ", "empty"), ("x" * 5001, "5,000 is the most"), ("CODE", "return code")],
    ids=["empty", "blank", "long", "code"],
)
def test_a_message_that_is_refused_is_kept_on_the_page(visitor, code, note, said):
    note = code if note == "CODE" else note
    page = visitor.add(visitor.outcome(code), note)
    assert page.status_code == 422
    assert said in text(page)
    assert 'id="note-error"' in page.content.decode()
    assert note.strip(" \0") in page.content.decode()
    assert not FollowUp.objects.exists()


def test_there_is_a_limit_to_messages_on_one_report(visitor, code):
    for number in range(MOST_FOLLOW_UPS):
        assert visitor.add(visitor.outcome(code), f"Message {number}").status_code == 200
    page = visitor.add(visitor.outcome(code), "One more")
    assert page.status_code == 422
    assert "send a new report" in text(page)
    assert FollowUp.objects.count() == MOST_FOLLOW_UPS


def test_an_old_outcome_page_asks_for_the_words_and_keeps_the_message(visitor, code, clock):
    outcome = visitor.outcome(code)
    clock.now += timedelta(minutes=61)
    page = visitor.add(outcome, "Still worth saying.")
    assert page.status_code == 422
    assert "Still worth saying." in page.content.decode()
    assert not FollowUp.objects.exists()
    opened = visitor.outcome(code, note="Still worth saying.")
    assert "Still worth saying." in opened.content.decode()
    assert visitor.add(opened, "Still worth saying.").status_code == 200


def test_a_pass_is_worth_nothing_when_it_is_forged_or_stands_for_another_report(visitor, code):
    outcome = visitor.outcome(code)
    given = hidden(outcome, "pass")
    other = visitor.report("https://pictures.example.com/b")
    reference = Report.objects.order_by("-pk").first().reference
    assert reference in text(other)
    mine = Report.objects.order_by("pk").first().reference
    for forged in ("", "x", given.replace(mine, reference), given + "0", given[:-1]):
        page = visitor.post(
            "/outcome/message/", {"form": visitor.token(), "pass": forged, "note": "Words"}
        )
        assert page.status_code == 422
    assert not FollowUp.objects.exists()


def test_a_pass_ends_with_the_code(visitor, code, clock, hotline):
    clock.now += hotline.intake.code_lives - timedelta(minutes=1)
    outcome = visitor.outcome(code)
    assert outcome.status_code == 200
    clock.now += timedelta(minutes=2)
    assert visitor.add(outcome, "Words").status_code == 422
    assert not FollowUp.objects.exists()


@pytest.mark.parametrize(
    ("path", "to"), [("/report/noted/", "/"), ("/outcome/message/", "/outcome/")]
)
def test_reloading_an_answers_address_leads_on(visitor, path, to):
    page = visitor.open(path)
    assert page.status_code == 302
    assert page["Location"] == to
