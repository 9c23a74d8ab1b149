import pytest

from strandline.hotline.accounts.models import ApiKey, Member, Person
from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import member_of
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.jobs import due, outbox
from strandline.hotline.jobs.models import OutboxMail
from strandline.hotline.reports.models import Capture
from strandline.hotline.reports.panels import PANELS, Panel
from strandline.hotline.reports.services import take_report
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(hotline, now):
    """A report with a message and a contact."""
    return take_report(
        address="https://host.example/page",
        note="It opens <b>twice</b>.",
        contact="me@reporter.example",
        now=now,
    ).report


def test_an_analyst_reads_a_message_and_the_chain_tells(at_console, report):
    client = at_console(Role.ANALYST)
    page = client.get(f"/addresses/{report.address_id}").content.decode()
    assert "It opens" not in page
    answer = client.post(f"/addresses/{report.address_id}/reports/{report.reference}/message")
    assert "It opens &lt;b&gt;twice&lt;/b&gt;." in answer.content.decode()
    assert "me@reporter.example" not in answer.content.decode()
    entry = AuditEntry.objects.get(action="reports.read_note")
    assert (entry.actor, entry.subject) == (client.person.actor, f"report:{report.pk}")


def test_a_manager_sees_that_there_is_a_message_and_no_more(at_console, report):
    page = at_console(Role.MANAGER).get(f"/addresses/{report.address_id}").content.decode()
    assert "with a message" in page
    assert "Read the message" not in page


def test_a_custodian_opens_a_contact_with_a_reason(at_console, report):
    client = at_console(Role.CUSTODIAN)
    reason = "Police asked for a witness, case 12."
    answer = client.post("/contacts/", {"reference": report.reference.lower(), "reason": reason})
    assert "me@reporter.example" in answer.content.decode()
    assert AuditEntry.objects.get(action="reports.open_contact").detail == {"reason": reason}


@pytest.mark.parametrize("typed", [{"reason": "short"}, {"reference": "R-2222-2222"}])
def test_without_reason_or_report_nothing_is_opened(at_console, report, typed):
    client = at_console(Role.CUSTODIAN)
    good = {"reference": report.reference, "reason": "Police asked for a witness."}
    answer = client.post("/contacts/", {**good, **typed})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "me@reporter.example" not in page
    assert 'aria-invalid="true"' in page
    assert next(iter(typed.values())) in page
    assert not AuditEntry.objects.filter(action="reports.open_contact").exists()


def test_the_record_page_shows_panels_of_other_rooms(at_console, address, monkeypatch):
    monkeypatch.setattr(
        "strandline.hotline.console.views.address.PANELS",
        [
            *PANELS,
            lambda row: Panel("Notices", ("To", "When"), [("<abuse@host.example>", None)]),
            lambda row: Panel("Silent", ("A",), []),
            lambda row: Panel("Empty", ("A",), [], empty="None sent yet."),
        ],
    )
    page = at_console(Role.ANALYST).get(f"/addresses/{address(State.CLOSED).pk}").content.decode()
    assert "&lt;abuse@host.example&gt;" in page
    assert "Silent" not in page
    assert "None sent yet." in page


def test_a_person_is_added_with_a_password_shown_once(at_console, face):
    client = at_console(Role.ADMINISTRATOR)
    typed = {"name": "Ada", "email": "ada@hotline.example", "role": "analyst"}
    page = client.post("/people/", typed).content.decode()
    password = page[page.index('class="code">') + 13 :].split("<")[0]
    assert password not in client.get("/people/").content.decode()
    answer = face("console").post(
        "/sign-in", {"email": "ada@hotline.example", "password": password}
    )
    assert answer.url == "/"


def test_a_forgotten_password_is_replaced_by_one_shown_once(at_console, face, person):
    administrator = at_console(Role.ADMINISTRATOR)
    old = "seven quiet starfish at noon"
    who = person(Role.ANALYST, password=old)
    elsewhere = face("console")
    elsewhere.post("/sign-in", {"email": who.email, "password": old})
    page = administrator.post(f"/people/{who.pk}/password").content.decode()
    password = page[page.index('class="code">') + 13 :].split("<")[0]
    assert password not in administrator.get("/people/").content.decode()
    assert elsewhere.get("/").status_code == 302
    answer = elsewhere.post("/sign-in", {"email": who.email, "password": password})
    assert answer.url == "/"
    own = administrator.post(f"/people/{administrator.person.pk}/password")
    assert own.status_code == 422
    assert administrator.get("/people/").status_code == 200


def test_a_refused_person_keeps_what_was_typed(at_console):
    client = at_console(Role.ADMINISTRATOR)
    typed = {"name": "Ada", "email": "not an address", "role": "member"}
    answer = client.post("/people/", typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Ada"' in page
    assert 'value="not an address"' in page
    assert "Choose one of the roles" in page
    assert Person.objects.count() == 1


def test_roles_change_and_access_ends_but_not_ones_own(at_console, person):
    client = at_console(Role.ADMINISTRATOR)
    other = person(Role.ANALYST)
    client.post(f"/people/{other.pk}", {"role": "manager"})
    other.refresh_from_db()
    assert (other.role, other.is_active) == ("manager", False)
    answer = client.post(f"/people/{client.person.pk}", {"role": "analyst"})
    assert answer.status_code == 422
    client.person.refresh_from_db()
    assert (client.person.role, client.person.is_active) == ("administrator", True)


def test_nobody_becomes_a_member_by_their_role(at_console, person):
    other = person(Role.ANALYST)
    answer = at_console(Role.ADMINISTRATOR).post(f"/people/{other.pk}", {"role": "member"})
    assert answer.status_code == 422


def test_a_look_up_key_is_marked_and_does_not_hold_the_list(at_console):
    client = at_console(Role.ADMINISTRATOR)
    client.post("/members/", {"name": "Platform Ltd"})
    page = client.post(f"/members/{Member.objects.get().pk}/keys", {"role": "look-up"})
    key = page.content.decode().split('class="code">')[1].split("<")[0]
    assert "Look-up only" in page.content.decode()
    assert member_of(key) is None


def test_a_key_is_shown_once_and_ends_when_revoked(at_console):
    client = at_console(Role.ADMINISTRATOR)
    client.post("/members/", {"name": "Platform Ltd"})
    member = Member.objects.get()
    page = client.post(f"/members/{member.pk}/keys").content.decode()
    key = page[page.index('class="code">') + 13 :].split("<")[0]
    assert member_of(key) == member
    assert key not in client.get("/members/").content.decode()
    client.post(f"/keys/{ApiKey.objects.get().pk}/revoke")
    assert member_of(key) is None


def test_two_members_do_not_share_a_name(at_console):
    client = at_console(Role.ADMINISTRATOR)
    client.post("/members/", {"name": "Platform Ltd"})
    assert client.post("/members/", {"name": "platform ltd"}).status_code == 422


def test_work_that_was_given_up_is_tried_again(at_console, address, now):
    row = address(State.TRIAGED).capture
    Capture.objects.filter(pk=row.pk).update(
        given_up_at=now, failures=8, last_error="OSError: <gone>"
    )
    client = at_console(Role.MANAGER)
    page = client.get("/work/").content.decode()
    assert "OSError: &lt;gone&gt;" in page
    client.post(f"/work/reports.capture/{row.pk}/retry")
    row.refresh_from_db()
    assert row.due_at is not None
    assert row.given_up_at is None
    assert client.post("/work/auth.user/1/retry").status_code == 404


@pytest.mark.parametrize(
    ("answer", "state"), [("yes", OutboxMail.State.SENT), ("no", OutboxMail.State.WAITING)]
)
def test_an_uncertain_mail_is_settled_by_a_person_only(at_console, now, answer, state):
    mail = outbox.post(
        key="notice:1", recipient="a@b.example", subject="S", body="B", domain="d.example", now=now
    )
    OutboxMail.objects.filter(pk=mail.pk).update(
        state=OutboxMail.State.UNCERTAIN, due_at=None, given_up_at=now
    )
    client = at_console(Role.MANAGER)
    assert mail.message_id[1:-1] in client.get("/work/").content.decode()
    kind = due.name_of(OutboxMail)
    assert client.post(f"/work/{kind}/{mail.pk}/retry").status_code == 404
    client.post(f"/work/mails/{mail.pk}", {"was_sent": answer})
    mail.refresh_from_db()
    assert mail.state == state


def test_the_chain_is_checked_and_read_by_subject(at_console, address):
    row = address(State.CAPTURED)
    client = at_console(Role.MANAGER)
    page = client.post("/audit/verify").content.decode()
    assert "The chain holds." in page
    page = client.get("/audit/", {"subject": row.subject}).content.decode()
    assert "reports.change_state" in page
    assert "accounts.add_person" not in page


def test_who_opened_a_picture_is_in_the_chain_and_not_on_its_page(at_console, claimed):
    analyst = at_console(Role.ANALYST)
    claim = claimed(analyst)
    item = claim.address.appearances.get().item
    analyst.get(f"/assess/{claim.pk}/items/{item.pk}/blurred")
    entry = AuditEntry.objects.get(action="console.show_rendition")
    assert entry.actor == analyst.person.actor
    for role in (Role.MANAGER, Role.CUSTODIAN, Role.ADMINISTRATOR):
        client = at_console(role)
        page = client.get("/audit/", {"subject": f"item:{item.pk}"}).content.decode()
        assert "console.show_rendition" in page
        row = page[page.index("<tbody>") : page.index("</tbody>")]
        assert "an analyst" in row
        assert "style: blurred" in row
        assert analyst.person.name not in row
        assert analyst.person.actor not in row
        assert "claim" not in row
        for query in ({"subject": analyst.person.actor}, {"actor": analyst.person.actor}):
            page = client.get("/audit/", query).content.decode()
            shown = [row for row in page.split("<tr>") if "console.show_rendition" in row]
            assert not any(analyst.person.actor in row for row in shown)
    assert "and not by whom" in analyst.get("/me/").content.decode()


def test_the_audit_page_goes_back_by_number(at_console, address):
    for _ in range(40):
        address(State.CAPTURED)
    client = at_console(Role.MANAGER)
    page = client.get("/audit/").content.decode()
    assert "Earlier ones" in page
    assert "Earlier ones" not in client.get("/audit/", {"before": "50"}).content.decode()


def test_ones_own_page_is_ones_own(at_console, address, now):
    from django.utils import timezone

    from strandline.hotline.wellbeing.models import Exposure

    one, other = at_console(Role.ANALYST), at_console(Role.ANALYST)
    item = address(State.CAPTURED, pictures=1).appearances.get().item
    Exposure.objects.create(
        person=one.person, item=item, style="grey", kind="shown", at=timezone.now(), weight=97
    )
    assert "97" in one.get("/me/").content.decode()
    assert "97" not in other.get("/me/").content.decode()


def test_a_password_is_changed_by_whoever_knows_it(face, person):
    old, new = "seven quiet starfish at noon", "eleven loud herring gulls"
    who = person(Role.ANALYST, password=old)
    here, elsewhere = face("console"), face("console")
    for client in (here, elsewhere):
        client.post("/sign-in", {"email": who.email, "password": old})
    typed = {"current": old, "new": new, "again": new}
    for wrong in ({"current": "x"}, {"again": "x"}, {"new": "short", "again": "short"}):
        assert here.post("/me/password", {**typed, **wrong}).status_code == 422
    assert "was changed" in here.post("/me/password", typed).content.decode()
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302


@pytest.mark.parametrize(
    ("role", "method", "url", "field"),
    [
        (Role.ANALYST, "get", "/", "q"),
        (Role.MANAGER, "get", "/audit/", "subject"),
        (Role.CUSTODIAN, "post", "/contacts/", "reference"),
        (Role.ADMINISTRATOR, "post", "/people/", "email"),
        (Role.ADMINISTRATOR, "post", "/members/", "name"),
        (Role.CUSTODIAN, "post", "/sign-in", "email"),
    ],
)
def test_a_nul_is_only_a_sign_that_is_dropped(at_console, role, method, url, field):
    answer = getattr(at_console(role), method)(url, {field: "a\0@b.example"})
    assert answer.status_code < 500
    assert "\0" not in answer.content.decode()
