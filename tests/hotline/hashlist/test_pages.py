"""The console's page of the list."""

import dataclasses
from datetime import timedelta

import pytest

from strandline.hotline import clock
from strandline.hotline.accounts.roles import Role
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.hashlist.models import Entry, Publication

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(face, person, sign_in):
    return sign_in(face("console"), person(Role.MANAGER))


def test_the_page_says_what_the_list_holds(manager, listed, publish, now):
    listed(3)
    publish(now)
    listed(1)
    page = manager.get("/list/").content.decode()
    assert "<strong>4</strong> entries listed" in page
    assert "<strong>1</strong> change waits" in page
    assert "Published" in page


def test_publish_now_makes_the_worker_publish(manager, listed):
    listed(1)
    Publication.objects.update(due_at=clock.now() + timedelta(hours=20))
    assert manager.post("/list/publish").status_code == 302
    assert Publication.objects.get().due_at <= clock.now()
    assert AuditEntry.objects.last().action == "hashlist.publish_now"


def test_publish_now_without_changes_is_refused_with_a_sentence(manager, hotline):
    answer = manager.post("/list/publish")
    assert answer.status_code == 422
    assert "Nothing has changed" in answer.content.decode()


def test_an_entry_is_withdrawn_by_the_name_a_match_reports(manager, listed):
    listed(2)
    answer = manager.post("/list/withdraw", {"entry": "entry-2", "reason": "A mistake"})
    assert answer.status_code == 302
    assert Entry.objects.get(pk=2).reason == "A mistake"


@pytest.mark.parametrize("number", ["", "entry-9", "x", "9" * 40, "²", "-1"])
def test_an_entry_that_does_not_exist_is_said_at_its_field(number, manager, listed):
    listed(1)
    answer = manager.post("/list/withdraw", {"entry": number, "reason": "Typed <b>before</b>"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="entry-error"' in page
    assert 'aria-invalid="true"' in page
    assert 'value="Typed &lt;b&gt;before&lt;/b&gt;"' in page


def test_a_withdrawal_without_a_reason_is_said_at_its_field(manager, listed):
    listed(1)
    answer = manager.post("/list/withdraw", {"entry": "1", "reason": " "})
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.content.decode()
    assert Entry.objects.get().state == Entry.State.LISTED


def test_publishing_that_failed_says_so(manager, listed, now):
    listed(1)
    Publication.objects.update(due_at=None, given_up_at=now, last_error="Disk <full>")
    page = manager.get("/list/").content.decode()
    assert "Disk &lt;full&gt;" in page
    assert "given up" in page


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
@pytest.mark.parametrize(
    ("method", "path"), [("get", "/list/"), ("post", "/list/publish"), ("post", "/list/withdraw")]
)
def test_nobody_but_a_manager_reaches_it(role, method, path, face, person, sign_in, listed):
    listed(1)
    client = sign_in(face("console"), person(role))
    answer = getattr(client, method)(path, {"entry": "1", "reason": "x"})
    assert answer.status_code == 403
    assert Entry.objects.get().state == Entry.State.LISTED


def test_what_members_are_told_is_chosen_apart_from_the_reason(manager, listed):
    listed(1)
    fields = {"entry": "1", "reason": "Looked at again", "why": "mistake"}
    assert manager.post("/list/withdraw", fields).status_code == 302
    event = Entry.objects.get().events.last()
    assert (event.why, event.reason) == ("mistake", "Looked at again")
    answer = manager.post("/list/withdraw", fields | {"why": "<b>"})
    assert answer.status_code == 422
    assert 'id="why-error"' in answer.content.decode()


def test_it_says_who_certified_and_which_witness_is_missing(manager, listed, publish, now):
    from strandline.hotline.hashlist.models import Certificate, Cosigning

    listed(2)
    Certificate.objects.create(
        edition=publish(now), hotline="other.example", jurisdiction="de", note="", classes=1,
        received_at=now,
    )  # fmt: skip
    Cosigning.objects.create(witness="w.example", vkey="w", given_up_at=now, last_error="<away>")
    page = manager.get("/list/").content.decode()
    assert "other.example (DE)" in page
    assert "Given up" in page
    assert "&lt;away&gt;" in page


def test_telling_members_late_is_said(manager, listed, publish, now):
    from strandline.hotline.hashlist.models import Release

    listed(1)
    publish(now)
    Release.objects.update(expires_at=clock.now() - timedelta(hours=1))
    assert "Is a worker running?" in manager.get("/list/").content.decode()
    Release.objects.update(given_up_at=now, last_error="LogDamaged: gone")
    assert "LogDamaged: gone" in manager.get("/list/").content.decode()


@pytest.fixture
def narrow(hotline, now):
    """A list whose members take at most three changes in an edition."""
    from strandline.hotline.setup import make_list_root, own_policy
    from strandline.lists.trust.policy import Growth

    policy = dataclasses.replace(own_policy(hotline), growth=Growth(most_events=3, most_percent=0))
    make_list_root(hotline, now=now, policy=policy)


def test_an_edition_that_members_will_refuse_is_published_only_knowingly(
    narrow, manager, listed, publish, now
):
    listed(2)
    publish(now)
    listed(3)
    assert "Members will refuse" not in manager.get("/list/").content.decode()
    listed(1)
    Publication.objects.update(due_at=clock.now() + timedelta(hours=20))
    said = "it would bring 4 changes, and one edition may 3"
    assert said in manager.get("/list/").content.decode()
    answer = manager.post("/list/publish")
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Publication.objects.get().due_at > clock.now()
    assert manager.post("/list/publish", {"knowingly": "yes"}).status_code == 302
    assert Publication.objects.get().due_at <= clock.now()
    assert said in AuditEntry.objects.last().detail["refused_by_members"]


def test_an_edition_that_takes_too_much_away_is_foreseen_too(manager, listed, publish, now):
    from strandline.hotline.hashlist.services import withdraw

    entries = listed(4)
    publish(now)
    for entry in entries:
        withdraw(entry, reason="A mistake", by="person:1", now=now)
    page = manager.get("/list/").content.decode()
    assert "it would take away or replace 4 of the entries, and one edition may do so to 3" in page


def test_an_edition_that_members_will_refuse_can_wait_and_no_other(
    narrow, manager, listed, publish, now, hotline
):
    listed(1)
    publish(now)
    listed(1)
    assert manager.post("/list/publish", {"decision": "wait"}).status_code == 422
    listed(3)
    Publication.objects.update(due_at=clock.now())
    assert manager.post("/list/publish", {"decision": "wait"}).status_code == 302
    left = Publication.objects.get().due_at - clock.now()
    assert timedelta(0) < left <= hotline.publish_every
    assert AuditEntry.objects.last().action == "hashlist.put_off"
