import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import change_person
from strandline.hotline.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

PASSWORD = "seven quiet starfish at noon"


@pytest.fixture
def door(face, person):
    """A client at the door, and somebody who may come in."""
    return face("console"), person(Role.ANALYST, password=PASSWORD)


def enter(client, who, password=PASSWORD, after=""):
    return client.post("/sign-in", {"email": who.email, "password": password, "next": after})


def test_signing_in_leads_to_the_first_page_of_ones_menu(door):
    client, who = door
    assert enter(client, who).url == "/"
    assert client.get("/").status_code == 200


def test_a_custodian_begins_at_the_contacts(face, person):
    who = person(Role.CUSTODIAN, password=PASSWORD)
    assert enter(face("console"), who).url == "/contacts/"


def test_a_wrong_password_keeps_the_address_and_says_no_more_than_that(door):
    client, who = door
    answer = enter(client, who, "wrong")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'value="{who.email}"' in page
    assert "do not fit together" in page
    assert 'aria-invalid="true"' in page
    unknown = client.post("/sign-in", {"email": "nobody@hotline.example", "password": "wrong"})
    assert "do not fit together" in unknown.content.decode()


@pytest.mark.parametrize(
    ("after", "goes"),
    [
        ("/addresses/3", "/addresses/3"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("addresses/3", "/"),
    ],
)
def test_after_signing_in_only_a_page_of_ours_comes_next(door, after, goes):
    client, who = door
    assert enter(client, who, after=after).url == goes


def test_signing_out_needs_a_post_and_ends_the_session(door):
    client, who = door
    enter(client, who)
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    assert client.get("/").status_code == 302
    entry = AuditEntry.objects.last()
    assert (entry.action, entry.actor) == ("accounts.sign_out", who.actor)
    client.post("/sign-out")
    assert AuditEntry.objects.filter(action="accounts.sign_out").count() == 1


def test_an_address_nobody_has_is_answered_like_one_that_waits(door):
    client, who = door
    said = set()
    for email in (who.email, "nobody@hotline.example"):
        for _ in range(7):
            page = client.post("/sign-in", {"email": email, "password": "wrong"}).content.decode()
            said.add(page[page.index('id="sign-in-error"') :].split("</p>")[0])
    assert len(said) == 1


def test_access_that_ended_and_was_restored_revives_no_session(door, now):
    client, who = door
    enter(client, who)
    for is_active in (False, True):
        change_person(who, role=Role.ANALYST, is_active=is_active, by="test", now=now)
        assert client.get("/").status_code == 302
    assert enter(client, who).url == "/"
    assert client.get("/").status_code == 200


def test_a_form_from_elsewhere_is_refused(face, person):
    who = person(Role.ANALYST, password=PASSWORD)
    assert enter(face("console", csrf=True), who).status_code == 403
