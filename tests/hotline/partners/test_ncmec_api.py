"""The list in NCMEC's shape: read by our own client, within scope, nothing lost between pages."""

import base64
import io
import json
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction
from lxml import etree

from exchanged import digests
from strandline.formats import Losses
from strandline.formats.ncmec_paging import Window, walk
from strandline.hotline import clock
from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import add_key, add_member
from strandline.hotline.audit import chain
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.exchange import serving
from strandline.hotline.feedback.models import Statement
from strandline.hotline.hashlist import scopes
from strandline.hotline.hashlist.classing import make_class
from strandline.hotline.hashlist.events import last_sequence
from strandline.hotline.hashlist.models import Edition, Entry
from strandline.hotline.hashlist.services import (
    Identity,
    amend,
    import_entries,
    quarantine,
    withdraw,
)
from strandline.lists.published.classes import Column, Scope
from strandline.lists.published.events import Fingerprints, Kind

pytestmark = pytest.mark.django_db
BASE = "http://testserver"
THEIR_PYTHON = Path(__file__).parents[3] / ".venv-bench" / "bin" / "python"


@pytest.fixture(autouse=True)
def _no_checks(monkeypatch):
    from strandline.hotline.hashlist import checks

    monkeypatch.setattr(checks, "CHECKS", [])


@pytest.fixture(autouse=True)
def times(monkeypatch, now):
    """``times["now"]`` is the time; a test may move it."""
    shown = {"now": now}
    monkeypatch.setattr(clock, "now", lambda: shown["now"])
    return shown


@pytest.fixture
def listed(db, hotline, times):
    """``listed(3, category="A")``: entries, on no edition yet."""

    def add(number, category="A", kind=Kind.IMAGE):
        rows = []
        for each in range(number):
            pdq = digests(each)["sha256"]
            hashes = Fingerprints(**digests(f"{category} {each}"), pdq=pdq, quality=90)
            rows.append(Identity(hashes, make_class(category), kind=kind, pipeline="received"))
        return import_entries(rows, source="Example", by="test", now=times["now"])

    return add


@pytest.fixture
def publish(times):
    """``publish(after)``: an edition decided now and public ``after`` that."""

    def do(after=timedelta(0)):
        with transaction.atomic():
            edition = Edition.objects.create(
                number=Edition.objects.count() + 1,
                state=Edition.State.PUBLISHED,
                up_to=last_sequence(),
                published_at=times["now"],
            )
            chain.record(
                at=times["now"] + after,
                actor="worker",
                action="hashlist.publish_edition",
                subject=edition.subject,
            )
        return edition

    return do


@pytest.fixture
def member(db, now):
    return add_member(name="Peer & Sons", by="test", now=now)


@pytest.fixture
def ask(face, member, now):
    """``ask("/v2/status")`` as the peer."""
    key = add_key(member, by="test", now=now)
    client = face("partners")

    def call(path, *, key=key, method="GET", body=b"", content_type="application/xml"):
        word = base64.b64encode(f"anyone:{key}".encode()).decode()
        headers = {"Authorization": f"Basic {word}"} if key else {}
        return client.generic(method, path, body, content_type=content_type, headers=headers)

    return call


@pytest.fixture
def fetch(ask, times):
    """``fetch()``: every row of a window, as our own client walks it."""

    def do(since=None, size=1000):
        def get(address):
            answer = ask(address.removeprefix(BASE))
            assert answer.status_code == 200, answer.content
            return io.BytesIO(answer.content)

        window = Window(since or times["now"] - timedelta(days=365), times["now"])
        losses = Losses()
        rows = list(walk(get, BASE, window, losses, size=size))
        assert not losses.sentences
        return rows

    return do


#: Asks a server with the client that ships with the ``threatexchange`` package.
_ASK = """
import json, sys
from types import SimpleNamespace
from threatexchange.exchanges.clients.ncmec import hash_api as ncmec

client = ncmec.NCMECHashAPI("anyone", sys.argv[2], SimpleNamespace(value=sys.argv[1]))
who, pages = client.status(), list(client.get_entries_iter(start_timestamp=0))
reasons = client.feedback_reasons(ncmec.FingerprintType.pdq)
client.submit_upvote(1, "entry-1", ncmec.FingerprintType.md5)
client.submit_feedback(
    1, "entry-2", ncmec.FingerprintType.pdq, ncmec.FeedbackType.downvote, next(iter(reasons))
)
json.dump({
    "who": [who.esp_id, who.esp_name],
    "members": [[each.esp_id, each.esp_name] for each in client.members()],
    "pages": [len(page.updates) for page in pages],
    "latest": [page.max_timestamp for page in pages],
    "entries": {
        each.id: [each.entry_type.value, each.deleted, each.classification, each.fingerprints]
        for page in pages for each in page.updates
    },
    "reasons": reasons,
}, sys.stdout)
"""


@pytest.mark.skipif(
    not THEIR_PYTHON.exists(),
    reason="the threatexchange package is not installed (./scripts/bench)",
)
def test_the_client_of_the_threatexchange_package_reads_and_answers(
    serve, listed, publish, member, now, monkeypatch
):
    listed(5)
    listed(2, "B", Kind.VIDEO)
    publish()
    withdraw(Entry.objects.get(pk=5), reason="x", by="test", now=now)
    publish()
    monkeypatch.setattr(serving, "MOST_ENTRIES", 3)
    key = add_key(member, by="test", now=now)
    done = subprocess.run(
        [THEIR_PYTHON, "-c", _ASK, serve("partners"), key],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["who"] == [member.pk, member.name]
    assert told["members"] == [[1, serving.sharer().name]]
    assert told["pages"] == [3, 3, 1]
    assert set(told["latest"]) == {int(now.timestamp())}
    assert told["entries"]["entry-1"] == [
        "image", False, "gb-A", {**digests("A 0"), "pdq": digests(0)["sha256"]},
    ]  # fmt: skip
    assert told["entries"]["entry-5"] == ["image", True, None, {}]
    assert [name for name, said in told["entries"].items() if said[0] == "video"] == [
        "entry-6", "entry-7",
    ]  # fmt: skip
    assert sorted(Statement.objects.values_list("entry", "say")) == [
        (1, "confirm"),
        (2, "dispute"),
    ]


def test_the_status_names_who_asks(ask, member):
    answer = ask("/v2/status")
    said = {etree.QName(part).localname: part for part in etree.fromstring(answer.content)}
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    assert (said["member"].text, said["member"].get("id")) == ("Peer & Sons", str(member.pk))


def test_every_entry_is_shared_by_this_hotline(ask, listed, publish):
    (one,) = etree.fromstring(ask("/v2/members").content)
    listed(1)
    publish()
    page = etree.fromstring(ask("/v2/entries").content)
    (shared_by,) = page.iter("{*}member")
    assert (one.get("id"), one.text) == (shared_by.get("id"), shared_by.text)


def test_entries_come_with_every_hash_the_shape_carries(listed, publish, fetch, now):
    listed(1)
    publish()
    (row,) = fetch()
    assert (row.sha256, row.sha1, row.md5) == tuple(digests("A 0").values())
    assert row.pdq == digests(0)["sha256"]
    assert (row.source_id, row.category, row.changed) == ("entry-1", "gb-A", now)


def test_pages_neither_lose_nor_repeat_whatever_happens_between_them(
    listed, publish, fetch, ask, times, monkeypatch
):
    listed(25)
    listed(5, "B", Kind.VIDEO)
    publish()
    first = ask("/v2/entries?from=2000-01-01T00:00:00Z&size=7")
    link = etree.fromstring(first.content).findtext(".//{*}next")
    query = parse_qs(urlsplit(link).query)
    assert (query["start"], query["size"], query["max"]) == (["7"], ["7"], ["30"])
    withdraw(Entry.objects.get(pk=20), reason="x", by="test", now=times["now"])
    found = fetch(size=7)
    assert [row.source_id for row in found if row.kind == "image"] == [
        f"entry-{number}" for number in range(1, 26)
    ]
    assert len(found) == len({row.source_id for row in found}) == 30
    monkeypatch.setattr(serving, "_FEW", 0)
    assert fetch(size=7) == found


def test_what_is_not_published_yet_is_not_served(listed, publish, fetch):
    listed(2)
    assert fetch() == []
    publish()
    listed(3, "B")
    assert len(fetch()) == 2


def test_a_window_follows_when_editions_became_public_not_when_they_were_decided(
    listed, publish, fetch, times
):
    listed(1)
    publish(after=timedelta(hours=30))
    times["now"] += timedelta(hours=29)
    asked = times["now"]
    assert fetch() == []
    times["now"] += timedelta(hours=24)
    assert len(fetch(since=asked)) == 1


def test_a_withdrawn_or_quarantined_entry_is_deleted_in_the_next_window(
    listed, publish, fetch, times
):
    listed(3)
    publish()
    times["now"] += timedelta(days=1)
    checkpoint = times["now"]
    withdraw(Entry.objects.get(pk=1), reason="x", by="test", now=checkpoint)
    quarantine(Entry.objects.get(pk=2), reason="x", by="test", now=checkpoint)
    publish()
    found = fetch(since=checkpoint)
    assert [(row.source_id, row.withdrawn, row.md5) for row in found] == [
        ("entry-1", True, None),
        ("entry-2", True, None),
    ]


def test_a_scope_is_kept_to_in_classes_and_in_columns(listed, publish, fetch, ask, monkeypatch):
    scope = Scope(columns=frozenset({Column.MD5}), categories=frozenset({"A"}))
    monkeypatch.setattr(scopes, "PROVIDERS", [lambda _member: scope])
    listed(1)
    listed(2, "B")
    publish()
    (row,) = fetch()
    assert (row.source_id, row.md5) == ("entry-1", digests("A 0")["md5"])
    assert (row.sha256, row.sha1, row.pdq) == (None, None, None)
    text = ask("/v2/entries?from=2000-01-01T00:00:00Z").content.decode()
    assert digests("B 0")["md5"] not in text
    assert "entry-2" not in text


def test_an_entry_that_leaves_the_scope_is_deleted_there(
    listed, publish, fetch, monkeypatch, times
):
    scope = Scope(categories=frozenset({"A"}))
    monkeypatch.setattr(scopes, "PROVIDERS", [lambda _member: scope])
    listed(1)
    publish()
    entry = Entry.objects.get()
    what = Identity(entry.fingerprint.value, make_class("C"), pipeline="received")
    amend(entry, what, reason="less", by="test", now=times["now"])
    publish()
    assert [(row.source_id, row.withdrawn) for row in fetch()] == [("entry-1", True)]


def test_every_page_that_leaves_is_in_the_chain(listed, publish, fetch, member):
    listed(5)
    publish()
    fetch(size=2)
    told = AuditEntry.objects.filter(action="partners.download", actor=member.actor)
    assert [entry.detail["entries"] for entry in told] == [2, 2, 1]


@pytest.mark.parametrize(
    "path", ["/v2/status", "/v2/members", "/v2/entries", "/v2/feedback/md5/reasons"]
)
def test_without_a_good_key_nothing_is_told(ask, path, member, now):
    assert ask(path, key=None).status_code == 401
    assert ask(path, key="slk_wrong").status_code == 401
    look_up = add_key(member, role=Role.LOOK_UP, by="test", now=now)
    assert ask(path, key=look_up).status_code == 401


@pytest.mark.parametrize("query", ["from=yesterday", "to=x", "size=-1", "start=x", "after=-1"])
def test_a_question_that_is_none_is_refused(ask, query):
    assert ask(f"/v2/entries?{query}").status_code in {400, 422}


@pytest.mark.parametrize(
    "query", ["size=1000000", "from=0001-01-01T00:00:00Z", "to=9999-12-31T23:59:59Z"]
)
def test_too_much_is_cut_to_what_is_given(ask, listed, publish, query, monkeypatch):
    monkeypatch.setattr(serving, "MOST_ENTRIES", 3)
    listed(5)
    publish()
    answer = ask(f"/v2/entries?{query}")
    assert answer.content.count(b"<image>") == 3


def submission(inner):
    return (
        '<feedbackSubmission xmlns="https://hashsharing.ncmec.org/hashsharing/v2">'
        f"{inner}</feedbackSubmission>"
    ).encode()


def test_a_peer_confirms_and_disputes_in_its_own_shape(ask, listed, publish):
    listed(2)
    publish()
    path = "/v2/entries/1/entry-{}/sha1/feedback"
    assert ask(path.format(1), method="PUT", body=submission("<affirmative/>")).status_code == 200
    reasons = etree.fromstring(ask("/v2/feedback/sha1/reasons").content)
    named = {one.get("name"): one.get("guid") for one in reasons.iter("{*}reason")}
    guid = named["Not illegal"]
    negative = submission(f"<negative><reasonIds><guid>{guid}</guid></reasonIds></negative>")
    for _ in range(2):
        assert ask(path.format(2), method="PUT", body=negative).status_code == 200
    said = Statement.objects.order_by("pk").values_list("entry_id", "say", "reason")
    assert list(said) == [(1, "confirm", "seen"), (2, "dispute", "not-illegal")]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v2/entries/1/entry-9/md5/feedback", submission("<affirmative/>"), 404),
        ("/v2/entries/2/entry-1/md5/feedback", submission("<affirmative/>"), 404),
        ("/v2/entries/1/entry-1/smell/feedback", submission("<affirmative/>"), 404),
        ("/v2/entries/1/entry-1/md5/feedback", submission(""), 400),
        ("/v2/entries/1/entry-1/md5/feedback", submission("<affirmative/><negative/>"), 400),
        ("/v2/entries/1/entry-1/md5/feedback", submission("<negative/>"), 400),
        ("/v2/entries/1/entry-1/md5/feedback", b" ", 400),
        ("/v2/entries/1/entry-1/md5/feedback", b"<!DOCTYPE a><a/>", 400),
        ("/v2/entries/1/entry-1/md5/feedback", b"<a>" * 30_000, 400),
        (
            "/v2/entries/1/entry-1/md5/feedback",
            submission(f"<negative><guid>{'0' * 32}</guid></negative>"),
            400,
        ),
    ],
)
def test_what_is_no_feedback_is_refused(ask, listed, publish, path, body, status):
    listed(1)
    publish()
    assert ask(path, method="PUT", body=body).status_code == status
    assert Statement.objects.count() == 0


def test_only_xml_is_taken(ask):
    answer = ask("/v2/entries/1/entry-1/md5/feedback", method="PUT", content_type="image/png")
    assert answer.status_code == 415
