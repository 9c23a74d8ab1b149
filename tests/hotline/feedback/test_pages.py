"""The room's pages on the console: what they show, what they refuse, and to whom they open."""

from datetime import timedelta

import pytest

from strandline.hotline.accounts.roles import PERMISSIONS, Permission, Role
from strandline.hotline.feedback import holding, sources
from strandline.hotline.feedback.floods import LEAST
from strandline.hotline.feedback.models import Flood, Innocent, Review, SourceAlarm, Terms
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.hashlist.scopes import scope_of
from strandline.hotline.hashlist.services import withdraw
from strandline.lists.published.classes import Column

pytestmark = pytest.mark.django_db

P = Permission
PAGES = {
    ("get", "/feedback/"): P.REVIEW_ENTRIES,
    ("get", "/feedback/reviews/1"): P.REVIEW_ENTRIES,
    ("post", "/feedback/reviews/1/keep"): P.REVIEW_ENTRIES,
    ("post", "/feedback/reviews/1/withdraw"): P.REVIEW_ENTRIES,
    ("get", "/feedback/alarms/"): P.SETTLE_FLOODS,
    ("post", "/feedback/alarms/floods/1"): P.SETTLE_FLOODS,
    ("post", "/feedback/alarms/sources/1"): P.SETTLE_FLOODS,
    ("get", "/feedback/innocent/"): P.REVIEW_ENTRIES,
    ("post", "/feedback/innocent/1"): P.REVIEW_ENTRIES,
    ("get", "/feedback/holders/"): P.SEE_HOLDERS,
    ("get", "/members/1/terms"): P.SET_SCOPES,
    ("post", "/members/1/terms"): P.SET_SCOPES,
}


@pytest.fixture
def at(face, person, sign_in):
    """``at(Role.MANAGER)`` is a client at the console, signed in."""

    def open_console(role):
        somebody = person(role)
        client = sign_in(face("console"), somebody)
        client.person = somebody
        return client

    return open_console


def the(model):
    """The address of the page, or of the form, of the only row there is."""
    folders = {
        Review: "reviews",
        Flood: "alarms/floods",
        SourceAlarm: "alarms/sources",
        Innocent: "innocent",
    }
    return f"/feedback/{folders[model]}/{model.objects.get().pk}"


def text(answer):
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_exactly_its_pages(role, at):
    client = at(role)
    for (method, url), permission in PAGES.items():
        refused = getattr(client, method)(url).status_code == 403
        assert refused == (permission not in PERMISSIONS[role]), (url, role)


@pytest.mark.parametrize("role", [Role.SENIOR_ANALYST, Role.MANAGER])
def test_empty_pages_say_so(role, at):
    client = at(role)
    assert "No entry waits" in text(client.get("/feedback/"))
    assert "Nothing is proposed" in text(client.get("/feedback/innocent/"))


def test_empty_pages_of_a_manager_say_so(at, hotline):
    client = at(Role.MANAGER)
    assert "No source is contested" in text(client.get("/feedback/alarms/"))
    page = text(client.get("/feedback/holders/"))
    assert "Nothing has been withdrawn or quarantined" in page
    assert "No members yet" in page


def test_a_contested_entry_is_decided_on_its_page(at, listed, member, say):
    (entry,) = listed(source="Example Hotline")
    say(member("Platform"), "dispute", entry, note="A poster <b>", edition=3)
    client = at(Role.SENIOR_ANALYST)
    assert "entry-1</a>" in text(client.get("/feedback/"))
    page = text(client.get(the(Review)))
    assert "A poster &lt;b&gt;" in page
    assert "only one source vouches" in page
    assert "Example Hotline" in page
    assert "edition 3" in page
    answer = client.post(the(Review) + "/keep", {"reason": ""})
    assert answer.status_code == 422
    assert 'id="keep-error"' in text(answer)
    answer = client.post(the(Review) + "/keep", {"reason": "It is what it says"})
    assert answer.status_code == 302
    assert "It is what it says" in text(client.get(the(Review)))
    assert "Your decision" not in text(client.get(the(Review)))
    assert Entry.objects.get().state == Entry.State.LISTED


def test_a_withdrawal_keeps_what_was_typed_when_it_is_refused(at, listed, member, say):
    (entry,) = listed()
    say(member(), "dispute", entry)
    client = at(Role.MANAGER)
    answer = client.post(the(Review) + "/withdraw", {"reason": "Typed <b>"})
    assert answer.status_code == 422
    assert 'id="why-error"' in text(answer)
    assert 'value="Typed &lt;b&gt;"' in text(answer)
    client.post(the(Review) + "/withdraw", {"why": "mistake", "reason": "It was one"})
    assert Review.objects.get().outcome == "withdrawn"


def test_what_a_number_means_after_a_withdrawal_is_the_same_on_both_pages(at, listed, member, say):
    (entry,) = listed()
    say(member(), "dispute", entry)
    client = at(Role.MANAGER)
    kept = "no other entry gets it, and if this one is listed again, it has the same"
    assert kept in text(client.get(the(Review)))
    assert kept in text(client.get("/list/"))
    assert "until somebody decides." in text(client.get(the(Review)))
    client.post(the(Review) + "/withdraw", {"why": "mistake", "reason": "It was one"})
    page = text(client.get(the(Review)))
    assert "It was not matched until somebody decided." in page


def test_entries_that_look_alike_are_named_on_the_page(at, listed, member, say):
    pdq = "5" * 64
    (entry,) = listed(pdq=pdq)
    listed(pdq=pdq[:-1] + "4", source="Another Source")
    say(member(), "dispute", entry)
    page = text(at(Role.MANAGER).get(the(Review)))
    assert "entry-2" in page
    assert "Another Source" in page


def test_a_flood_is_settled_on_its_page(at, listed, member, say):
    say(member("Hostile <b>"), "dispute", *listed(LEAST + 1))
    client = at(Role.MANAGER)
    assert "1 alarm" in text(client.get("/feedback/"))
    page = text(client.get("/feedback/alarms/"))
    assert "Hostile &lt;b&gt;" in page
    assert f"<strong>{LEAST + 1}</strong> disputes are held back" in page
    assert client.post(the(Flood), {"decision": "x"}).status_code == 404
    assert client.post(the(Flood), {"decision": "set-aside"}).status_code == 302
    again = client.post(the(Flood), {"decision": "counted"})
    assert again.status_code == 422
    assert "settled already" in text(again)
    assert Flood.objects.get().outcome == "set-aside"


def test_a_source_is_quarantined_by_one_button_and_a_reason(at, listed, member, say):
    say(member(), "dispute", *listed(20, source="Bad Import")[: sources.LEAST])
    client = at(Role.MANAGER)
    page = text(client.get("/feedback/alarms/"))
    assert "Bad Import" in page
    assert "<strong>15</strong> listed entries rest on it alone" in page
    answer = client.post(the(SourceAlarm), {"decision": "quarantined"})
    assert answer.status_code == 422
    assert f'id="error-{SourceAlarm.objects.get().pk}"' in text(answer)
    client.post(the(SourceAlarm), {"decision": "quarantined", "reason": "All wrong"})
    assert SourceAlarm.objects.get().state == "quarantined"
    assert client.post(the(SourceAlarm), {"decision": "?"}).status_code == 404
    assert "Restore what nobody contests" in text(client.get("/feedback/alarms/"))


def test_a_picture_is_proposed_by_one_and_accepted_by_another(at):
    first, second = at(Role.SENIOR_ANALYST), at(Role.MANAGER)
    answer = first.post("/feedback/innocent/", {"what": "logo", "pdq": "x", "reason": "A logo"})
    assert answer.status_code == 422
    assert 'id="pdq-error"' in text(answer)
    assert 'value="A logo"' in text(answer)
    first.post("/feedback/innocent/", {"what": "logo", "pdq": "0f" * 32, "reason": "A logo"})
    assert "Somebody else has to accept" in text(first.get("/feedback/innocent/"))
    assert first.post(the(Innocent), {"decision": "accept"}).status_code == 422
    assert second.post(the(Innocent), {"decision": "accept"}).status_code == 302
    assert "1 picture," in text(first.get("/feedback/innocent/"))
    assert first.post(the(Innocent), {"decision": "remove"}).status_code == 422
    assert first.post(the(Innocent), {"decision": "eat"}).status_code == 404
    first.post(the(Innocent), {"decision": "remove", "reason": "Not a logo"})
    assert Innocent.objects.get().state == "removed"


def test_the_page_of_holders_names_who_still_matches_what(at, listed, member, published, now):
    platform = member("Platform")
    member("Unheard")
    (entry,) = listed()
    published(now)
    holding.report(platform, 1, now=now)
    withdraw(entry, reason="A mistake", by="person:1", now=now)
    published(now)
    page = text(at(Role.MANAGER).get("/feedback/holders/"))
    assert 'Platform <span class="soft small">(edition 1 since' in page
    assert "Nothing is known" in page
    assert "No address to write to" in page
    assert "1 of 1 is still held by somebody" in page


def test_every_removal_is_on_some_page(at, listed, member, published, now, monkeypatch):
    from strandline.hotline.feedback.views import holders

    monkeypatch.setattr(holders, "SHOWN", 2)
    platform = member("Platform")
    entries = listed(3)
    published(now)
    for entry in entries[:2]:
        withdraw(entry, reason="A mistake", by="person:1", now=now)
    published(now)
    holding.report(platform, 2, now=now)
    withdraw(entries[2], reason="A mistake", by="person:1", now=now - timedelta(days=9))
    client = at(Role.MANAGER)
    first, second = (text(client.get(f"/feedback/holders/?page={page}")) for page in (1, 2))
    assert "1 of 3 is still held by somebody" in first
    assert 'class="entry">entry-3<' in first
    assert 'href="?page=2#removals"' in first
    assert 'class="entry">entry-1<' in second


def test_an_administrator_sets_what_a_member_may_have(at, member, listed):
    who = member("Platform")
    listed()
    client = at(Role.ADMINISTRATOR)
    url = f"/members/{who.pk}/terms"
    page = text(client.get(url))
    assert "may have the whole list" in page
    assert "In the list: baseline" in page
    typed = {"columns": ["pdq", "md5"], "categories": "B A", "mailbox": "x"}
    answer = client.post(url, typed)
    assert answer.status_code == 422
    assert 'id="mailbox-error"' in text(answer)
    assert 'value="B A"' in text(answer)
    assert not Terms.objects.exists()
    assert client.post(url, typed | {"mailbox": "a@b.example"}).status_code == 302
    assert scope_of(who).columns == {Column.PDQ, Column.MD5}
    assert 'value="A B"' in text(client.get(url))
    assert client.post(url, {"columns": ["sha3"]}).status_code == 422
    assert client.post("/members/99/terms").status_code == 404


def test_the_members_page_leads_there(at, member):
    who = member("Platform")
    assert f"/members/{who.pk}/terms" in text(at(Role.ADMINISTRATOR).get("/members/"))
