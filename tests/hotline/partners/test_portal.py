import re
from datetime import timedelta

import pytest

from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.site.headers import HEADERS
from strandline.hotline.takedown.models import HostAnswer, Look
from strandline.hotline.takedown.notices import TOKEN_LIVES

pytestmark = pytest.mark.django_db


@pytest.fixture
def notice(address, now, hotline):
    """A notice that left, and the path of its link."""
    from django.db import transaction

    from strandline.hotline.assessment.signals import address_confirmed
    from strandline.hotline.reports.models import ReportedUrl
    from strandline.hotline.reports.states import State
    from strandline.hotline.takedown.models import Hosting, Notice
    from strandline.hotline.takedown.notices import mail_left, send_notice

    row = address(State.TRACED)
    with transaction.atomic():
        address_confirmed.send(ReportedUrl, address=row, now=now)
        Hosting.objects.create(address=row, at=now, method="test", by="test")
        made = send_notice(row, Notice.Level.FIRST, "abuse@host.example", by="test", now=now)
    path = re.search(r"/answer/[\w-]+", OutboxMail.objects.get().body)[0]
    with transaction.atomic():
        OutboxMail.objects.update(state=OutboxMail.State.SENT, sent_at=now)
        made.mail.refresh_from_db()
        mail_left(made.mail, now)
    return made, path


@pytest.fixture
def at(monkeypatch):
    """Set the time the page is told."""
    from strandline.hotline import clock

    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


def test_the_link_shows_the_address_and_a_form(face, notice, at, now):
    made, path = notice
    at(now)
    answer = face("partners").get(path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert made.address.url in page
    assert all(f'value="{value}"' in page for value in HostAnswer.Answer.values)
    assert 'name="comment"' in page


def test_the_page_says_nothing_else_of_the_case(face, notice, at, now):
    made, path = notice
    at(now)
    page = face("partners").get(path).content.decode()
    assert f'href="{made.address.url}' not in page
    for word in ("abuse@host.example", "Confirmed", "category", "report"):
        assert word not in page


def test_an_answer_is_taken_down_and_shown_and_a_second_one_is_not(face, notice, at, now):
    _, path = notice
    at(now + timedelta(hours=2))
    host = face("partners")
    answer = host.post(path, {"answer": "removed", "comment": "Gone <b>now</b>"})
    assert (answer.status_code, answer["Location"]) == (302, path)
    page = host.get(path).content.decode()
    assert "You answered: We have removed it" in page
    assert "Gone &lt;b&gt;now&lt;/b&gt;" in page
    assert "<form" not in page
    assert Look.objects.get().due_at == now + timedelta(hours=2)
    again = host.post(path, {"answer": "not-ours", "comment": ""})
    assert again.status_code == 200
    assert HostAnswer.objects.get().answer == "removed"


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"comment": "kept"}, "answer"), ({"answer": "removed", "comment": "y" * 2001}, "comment")],
)
def test_a_refused_form_keeps_what_was_typed(face, notice, at, now, typed, field):
    _, path = notice
    at(now)
    answer = face("partners").post(path, typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert typed["comment"] in page
    assert f'id="{field}-error"' in page
    assert not HostAnswer.objects.exists()


def test_a_wrong_and_an_expired_link_answer_alike(face, notice, at, now):
    _, path = notice
    host = face("partners")
    at(now)
    wrong = host.get("/answer/" + "A" * 43)
    at(now + TOKEN_LIVES)
    expired = host.get(path)
    assert (wrong.status_code, expired.status_code) == (404, 404)
    assert wrong.content == expired.content
    assert host.post(path, {"answer": "removed"}).status_code == 404


def test_a_form_from_elsewhere_is_refused(face, notice, at, now):
    _, path = notice
    at(now)
    host = face("partners", csrf=True)
    assert host.post(path, {"answer": "removed"}).status_code == 403
    page = host.get(path).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    answer = host.post(path, {"answer": "removed", "csrfmiddlewaretoken": token})
    assert answer.status_code == 302


def test_nothing_is_kept_in_caches_and_every_header_is_there(face, notice, at, now):
    _, path = notice
    at(now)
    answer = face("partners").get(path)
    assert {name: answer[name] for name in HEADERS} == HEADERS
    assert "no-store" in answer["Cache-Control"]


def test_the_page_is_not_on_the_other_faces(face, notice, at, now):
    _, path = notice
    at(now)
    assert face("public").get(path).status_code == 404
    assert face("console").get(path).status_code == 404


def test_only_reading_and_answering_are_possible(face, notice, at, now):
    _, path = notice
    at(now)
    assert face("partners").delete(path).status_code == 405


@pytest.mark.parametrize("given", HostAnswer.Answer.values)
def test_a_settled_address_is_promised_nothing_that_does_not_happen(face, notice, at, now, given):
    from strandline.hotline.reports.services import change_states
    from strandline.hotline.reports.states import State
    from strandline.hotline.takedown.models import Trace

    made, path = notice
    made.address.refresh_from_db()
    change_states(made.address, [State.REMOVED, State.CLOSED], by="test", now=now)
    Trace.objects.filter(address=made.address).update(due_at=None)
    at(now + timedelta(hours=2))
    host = face("partners")
    form = host.get(path).content.decode()
    assert "no letter about this address is due" in form
    assert host.post(path, {"answer": given}).status_code == 302
    page = host.get(path).content.decode()
    assert "We have written your answer down" in page
    for promise in ("finding out anew", "We are looking", "put off our reminder"):
        assert promise not in page
    for promise in ("look at the address at once", "wait longer", "We will look for"):
        assert promise not in form
    assert not Trace.objects.filter(address=made.address, due_at__isnull=False).exists()
