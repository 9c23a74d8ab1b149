"""Members' side of feedback over HTTP: batches, retries, outcomes, holdings, scopes."""

import hashlib

import pytest
from django.db import transaction

from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import add_key, add_member
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.feedback import innocent, innocent_file, reviews, terms
from strandline.hotline.feedback.models import Holding, InnocentFile, Review, ScopeSigning
from strandline.hotline.hashlist.classing import make_class
from strandline.hotline.hashlist.events import Identity, last_sequence
from strandline.hotline.hashlist.models import Edition, Entry
from strandline.hotline.hashlist.services import add_received, withdraw
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.lists.published.classes import Scope
from strandline.lists.published.events import Fingerprints
from strandline.lists.published.scope_note import ScopeNote
from strandline.transparency import Verifier, open_note

pytestmark = pytest.mark.django_db

FEEDBACK, HOLDING = "/api/v1/feedback", "/api/v1/holding"
DISPUTE = {"entry": "entry-1", "say": "dispute", "reason": "adult"}


@pytest.fixture
def entries(db, now, hotline):
    """Three entries of another hotline."""
    return [
        add_received(
            Identity(
                Fingerprints(sha256=hashlib.sha256(bytes([number])).hexdigest()), make_class("A")
            ),
            source="Example Hotline",
            by="test",
            now=now,
        )
        for number in range(3)
    ]


@pytest.fixture
def platform(db, now):
    return add_member(name="Example Platform", by="test", now=now)


@pytest.fixture
def call(face, platform, now):
    """``call("post", path, {…})`` as the platform: status and what was answered."""
    key = add_key(platform, by="test", now=now)
    client = face("partners")

    def ask(method, path, body=None, *, key=key):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if method == "get":
            answer = client.get(path, headers=headers)
        else:
            answer = client.generic(
                method.upper(), path, _json(body), content_type="application/json", headers=headers
            )
        return answer.status_code, answer.json()

    return ask


def _json(body):
    import json

    return body if isinstance(body, str) else json.dumps(body)


def give(call, *said):
    status, answer = call("post", FEEDBACK, {"statements": list(said)})
    assert status == 200, answer
    return answer["results"]


def publish(at):
    with transaction.atomic():
        return Edition.objects.create(
            number=Edition.objects.count() + 1,
            state=Edition.State.PUBLISHED,
            up_to=last_sequence(),
            published_at=at,
        )


def test_a_batch_is_answered_one_by_one_in_its_order(call, entries):
    results = give(
        call,
        DISPUTE,
        {"entry": "entry-2", "say": "confirm", "reason": "seen", "edition": 1},
        {"entry": "entry-9", "say": "confirm", "reason": "seen"},
        {"entry": "entry-3", "say": "confirm", "reason": "adult"},
    )
    states = [one["statement"]["state"] if one["statement"] else None for one in results]
    assert states == ["in-review", "counted", None, None]
    assert results[0]["statement"]["entry_state"] == "quarantined"
    assert "no entry of this number" in results[2]["problem"]
    assert "The reason of 'confirm'" in results[3]["problem"]


def test_a_call_that_is_sent_again_changes_nothing(call, entries):
    first = give(call, DISPUTE | {"reference": "a"}, DISPUTE | {"entry": "entry-2"})
    acts = AuditEntry.objects.count()
    assert give(call, DISPUTE | {"reference": "a"}, DISPUTE | {"entry": "entry-2"}) == first
    assert AuditEntry.objects.count() == acts


def test_a_member_reads_how_its_dispute_ended(call, entries, person, now):
    give(call, DISPUTE)
    by = person(Role.SENIOR_ANALYST)
    reviews.keep(Review.objects.get(), reason="It is what it says.", by=by, now=now)
    status, page = call("get", FEEDBACK)
    assert status == 200
    (mine,) = page["statements"]
    assert (mine["state"], mine["decision"], mine["entry_state"]) == (
        "kept",
        "It is what it says.",
        "listed",
    )
    assert page["after"] is None
    assert by.name not in str(page)


def test_a_member_reads_its_own_statements_alone_a_page_at_a_time(call, entries, now, monkeypatch):
    from strandline.hotline.partners import feedback_api

    monkeypatch.setattr(feedback_api, "PAGE", 2)
    give(call, *(DISPUTE | {"entry": entry.name} for entry in entries))
    other = add_key(add_member(name="Other", by="test", now=now), by="test", now=now)
    assert call("get", FEEDBACK, key=other)[1] == {"statements": [], "after": None}
    first = call("get", FEEDBACK)[1]
    assert [one["entry"] for one in first["statements"]] == ["entry-1", "entry-2"]
    rest = call("get", f"{FEEDBACK}?after={first['after']}")[1]
    assert [one["entry"] for one in rest["statements"]] == ["entry-3"]
    assert rest["after"] is None


@pytest.mark.parametrize("path", [FEEDBACK, HOLDING, "/lists/scope", "/lists/innocent"])
def test_without_a_key_that_may_hold_the_list_nothing_is_told(path, call, platform, now):
    looking = add_key(platform, by="test", now=now, role=Role.LOOK_UP)
    methods = ["get"] if path.startswith("/lists") else ["post"]
    methods += ["get"] if path == FEEDBACK else []
    for method in methods:
        for key in ("", "slk_wrong", looking):
            assert call(method, path, {}, key=key)[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        {},
        {"statements": []},
        {"statements": [{}]},
        {"statements": [DISPUTE] * 1001},
        {"statements": [DISPUTE | {"edition": 0}]},
        {"statements": [DISPUTE | {"edition": 2**40}]},
        {"statements": [DISPUTE | {"note": "x" * 501}]},
        {"statements": [DISPUTE | {"entry": ["entry-1"]}]},
        {"statements": "entry-1"},
        '{"statements": ' * 500,
    ],
)
def test_a_body_that_is_no_call_is_refused_and_nothing_is_kept(body, call, entries):
    status, _ = call("post", FEEDBACK, body)
    assert status in {400, 415, 422}
    assert set(Entry.objects.values_list("state", flat=True)) == {"listed"}


def test_a_thousand_statements_fit_one_call(call, entries):
    said = [DISPUTE | {"entry": f"entry-{n}"} for n in range(1, 1001)]
    results = give(call, *said)
    assert sum(one["statement"] is not None for one in results) == 3


def test_a_member_says_what_it_holds_and_hears_what_is_gone(call, entries, platform, now):
    publish(now)
    status, answer = call("post", HOLDING, {"edition": 1})
    assert (status, answer) == (200, {"edition": 1, "latest": 1, "still_matched": []})
    withdraw(entries[1], reason="A mistake", by="person:1", now=now)
    publish(now)
    assert call("post", HOLDING, {"edition": 1})[1] == {
        "edition": 1,
        "latest": 2,
        "still_matched": ["entry-2"],
    }
    assert call("post", HOLDING, {"edition": 2})[1]["still_matched"] == []
    assert call("post", HOLDING, {"edition": 3})[0] == 404
    assert call("post", HOLDING, {"edition": 0})[0] == 422
    assert call("post", HOLDING, {"edition": "x"})[0] == 422
    assert set(Holding.objects.values_list("member", "edition")) == {
        (platform.pk, 1),
        (platform.pk, 2),
    }


def test_what_a_member_fetches_is_taken_for_what_it_holds(
    face, platform, entries, tmp_path, monkeypatch, now
):
    from strandline.hotline.hashlist import published

    page = tmp_path / "000000.core"
    page.write_bytes(b"page")
    found = published.File(page, edition=3, listed_class=entries[0].listed_class)
    monkeypatch.setattr(published, "find", lambda _: found)
    key = add_key(platform, by="test", now=now)
    for _ in range(2):
        answer = face("partners").get(
            "/lists/editions/000003/x/000000.core", headers={"Authorization": f"Bearer {key}"}
        )
        assert b"".join(answer) == b"page"
    (row,) = Holding.objects.all()
    assert (row.member, row.edition, row.said) == (platform, 3, False)
    assert AuditEntry.objects.filter(action="partners.download").count() == 1


def signed(call_raw, hotline):
    key = (hotline.home / "keys" / "list-signer.vkey").read_text().strip()
    return open_note(call_raw, [Verifier.from_vkey(key)]).text


def fetch(face, platform, path, now):
    key = add_key(platform, by="test", now=now)
    answer = face("partners").get(path, headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.content.decode()


def test_a_member_fetches_its_signed_scope(face, platform, hotline, now):
    narrow = Scope(categories=frozenset({"A"}))
    terms.set_terms(platform, narrow, by="person:1", now=now)
    status, body = fetch(face, platform, "/lists/scope", now)
    assert (status, "being signed" in body) == (404, True)
    with Tools(hotline) as tools:
        terms.sign(due.claim(ScopeSigning, worker="w", now=now), tools, now)
    status, body = fetch(face, platform, "/lists/scope", now)
    assert status == 200
    note = ScopeNote.parse(signed(body, hotline))
    assert (note.member, note.scope) == (platform.actor, narrow)


def test_members_fetch_the_signed_list_of_innocent_pictures(face, platform, hotline, person, now):
    assert fetch(face, platform, "/lists/innocent", now)[0] == 404
    made = innocent.propose(
        what="blank", pdq="0" * 64, reason="White", by=person(Role.MANAGER), now=now
    )
    innocent.accept(made, by=person(Role.SENIOR_ANALYST), now=now)
    with Tools(hotline) as tools:
        innocent_file.sign(due.claim(InnocentFile, worker="w", now=now), tools, now)
    status, body = fetch(face, platform, "/lists/innocent", now)
    assert status == 200
    assert f"blank - {'0' * 64}\n" in signed(body, hotline)
