import dataclasses
from datetime import timedelta

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.reports.panels import PANELS
from strandline.hotline.reports.states import State
from strandline.hotline.takedown import answers
from strandline.hotline.takedown.notices import want

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(face, person, sign_in):
    return sign_in(face("console"), person(Role.MANAGER))


@pytest.fixture
def orphan(watched, now):
    """An address nobody knows the owner of."""
    address = watched()
    want(address.trace, "contact", now=now)
    return address


def test_a_manager_sees_what_waits_and_names_a_contact(manager, orphan):
    page = manager.get("/hosts/").content.decode()
    assert orphan.url in page
    assert "No registry names anybody to write to" in page
    answer = manager.post(f"/hosts/{orphan.pk}/contact", {"mailbox": "desk@host.example"})
    assert answer.status_code == 302
    assert orphan.notices.last().recipient == "desk@host.example"
    assert "Every address has somebody" in manager.get("/hosts/").content.decode()


def test_a_refused_contact_keeps_what_was_typed_and_says_why(manager, orphan):
    answer = manager.post(f"/hosts/{orphan.pk}/contact", {"mailbox": "desk <b>"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="desk &lt;b&gt;"' in page
    assert "This is not an e-mail address" in page
    assert 'aria-invalid="true"' in page


def test_answers_of_hosts_are_seen(manager, watched, now):
    notice = watched().notices.get()
    answers.answer_notice(notice, "not-ours", "<i>Ask them.</i>", now=now)
    page = manager.get("/hosts/").content.decode()
    assert "It is not ours" in page
    assert "&lt;i&gt;Ask them.&lt;/i&gt;" in page


def test_police_clearing_is_a_button_where_police_come_first(manager, settings, hosted):
    assert "Police first" not in manager.get("/hosts/").content.decode()
    policy = dataclasses.replace(settings.HOTLINE.takedown, police_first=True)
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, takedown=policy)
    address = hosted()
    assert address.url in manager.get("/hosts/").content.decode()
    assert manager.post(f"/hosts/{address.pk}/cleared").status_code == 302
    address.refresh_from_db()
    assert address.state == State.CLEARED_BY_POLICE
    assert manager.post(f"/hosts/{address.pk}/cleared").status_code == 422


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
def test_nobody_else_may(face, person, sign_in, orphan, role):
    client = sign_in(face("console"), person(role))
    assert client.get("/hosts/").status_code == 403
    named = client.post(f"/hosts/{orphan.pk}/contact", {"mailbox": "desk@host.example"})
    assert named.status_code == 403
    assert client.post(f"/hosts/{orphan.pk}/cleared").status_code == 403
    assert orphan.notices.count() == 1


def test_an_address_without_a_trace_has_no_contact_to_name(manager, address):
    row = address(State.CAPTURED)
    assert manager.post(f"/hosts/{row.pk}/contact", {"mailbox": "a@b.example"}).status_code == 404


def test_the_address_page_is_told_of_host_and_notices(watched, now):
    address = watched()
    answers.answer_notice(address.notices.get(), "removed", "gone", now=now + timedelta(days=1))
    panels = {panel.title: panel for panel in (make(address) for make in PANELS)}
    hosting, notices = panels["Hosting"], panels["Notices"]
    assert [len(row) for row in hosting.rows] == [len(hosting.columns)]
    assert [len(row) for row in notices.rows] == [len(notices.columns)]
    assert "abuse@host.example" in hosting.rows[0]
    assert "We have removed it" in notices.rows[0]
