"""The list's files for members: within their scope, written down, and nothing else."""

import json

import pytest

from strandline.hotline.accounts.services import add_key, add_member, revoke_key
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.hashlist import scopes, services
from strandline.hotline.hashlist.models import Publication, Release
from strandline.hotline.hashlist.publishing import publish
from strandline.hotline.hashlist.releasing import release
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.setup import make_list_root
from strandline.hotline.site.headers import HEADERS
from strandline.lists.published.classes import Column, EntryClass, Scope
from strandline.lists.published.events import Fingerprints

pytestmark = pytest.mark.django_db
CLASSES = {
    "A": EntryClass("A", "camera", "gb", labels=("baseline",)),
    "C": EntryClass("C", "drawn", "gb"),
}


@pytest.fixture
def hotline(hotline, now):
    make_list_root(hotline, now=now)
    for number, entry_class in enumerate(CLASSES.values()):
        told = Fingerprints(sha256=f"{number:064x}", md5=f"{number:032x}", pdq="0f" * 32)
        what = services.Identity(told, entry_class, pipeline="media-1")
        services.add_received(what, source="Example", by="test", now=now)
    services.publish_now(by="test", now=now)
    with Tools(hotline) as tools:
        for kind, handle in ((Publication, publish), (Release, release)):
            handle(due.claim(kind, worker="w", now=now), tools, now)
    return hotline


@pytest.fixture
def member(db, now):
    return add_member(name="Example Platform", by="test", now=now)


@pytest.fixture
def get(face, hotline, member, now):
    """``get(path)``: what the member is answered."""
    client = face("partners")
    key = add_key(member, by="test", now=now)

    def ask(path, *, key=key, method="get"):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return getattr(client, method)(f"/lists/{path}", headers=headers)

    ask.key = key
    return ask


def files(hotline):
    return sorted(
        path.relative_to(hotline.published).as_posix()
        for path in hotline.published.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )


def downloads():
    acts = AuditEntry.objects.filter(action="partners.download")
    return sorted((act.subject, act.detail["class"], act.detail["column"]) for act in acts)


def test_every_published_file_is_there_byte_for_byte(get, hotline):
    asked = files(hotline)
    assert len(asked) > 15
    for path in asked:
        answer = get(path)
        assert answer.status_code == 200, path
        assert b"".join(answer) == (hotline.published / path).read_bytes()
        assert {name: answer[name] for name in HEADERS} == HEADERS


def test_without_a_key_nothing_is_told(get, hotline, member, now):
    for path in files(hotline):
        assert get(path, key="").status_code == 401
        assert get(path, key="slk_wrong").status_code == 401
    revoke_key(member.keys.get(), by="test", now=now)
    assert get("metadata/timestamp.json").status_code == 401
    assert downloads() == []


@pytest.fixture
def narrow(monkeypatch):
    def to(**parts):
        monkeypatch.setattr(scopes, "PROVIDERS", [lambda _member: Scope(**parts)])

    return to


def test_what_is_outside_the_scope_is_refused_before_a_byte_leaves(get, hotline, narrow):
    narrow(categories=frozenset({"A"}), columns=frozenset({Column.SHA256}))
    allowed, refused = CLASSES["A"].id, CLASSES["C"].id
    for path in files(hotline):
        answer = get(path)
        if refused in path or path.endswith((".md5", ".pdq")):
            assert answer.status_code == 403, path
            assert "outside what was agreed" in json.loads(answer.content)["detail"]
        else:
            assert answer.status_code == 200, path
            b"".join(answer)
    assert {(class_id, column) for _, class_id, column in downloads()} == {
        (allowed, "core"),
        (allowed, "sha256"),
    }


def test_each_class_and_kind_is_in_the_chain_once_for_each_edition(get, hotline):
    for _ in range(2):
        for path in files(hotline):
            b"".join(get(path))
    assert downloads() == sorted(
        ("edition:1", each.id, column)
        for each in CLASSES.values()
        for column in ("core", "sha256", "md5", "pdq")
    )


def test_the_headers_alone_are_no_download(get, hotline):
    for path in files(hotline):
        answer = get(path, method="head")
        assert (answer.status_code, b"".join(answer)) == (200, b"")
    assert downloads() == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "latest",
        "../keys/list-signer",
        "%2e%2e/keys/list-signer",
        "editions/000001/../../../keys/list-signer",
        "editions/000001/..%2f..%2f..%2fkeys/list-signer",
        "editions/000009/manifest",
        "editions/1/manifest",
        "editions/000001/",
        "editions/000001",
        "metadata/.lock",
        "metadata/99.root.json",
        "log/.head",
        "log/.lock",
        "log/tile/0/../../.head",
        "log/tile/0/000",
        "editions/000001/0123456789abcdef/000000.core",
        "incoming/x",
    ],
)
def test_what_is_not_published_does_not_exist(path, get, hotline):
    assert get(path).status_code == 404
    assert downloads() == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(method, get, hotline):
    assert get("metadata/timestamp.json", method=method).status_code in {404, 405, 415}


def test_the_log_is_for_everybody_on_the_public_face(face, hotline):
    client = face("public")
    answer = client.get("/log/checkpoint")
    assert answer.status_code == 200
    assert b"".join(answer) == (hotline.published / "log/checkpoint").read_bytes()
    tile = client.get("/log/tile/0/000.p/1")
    assert (tile.status_code, len(b"".join(tile))) == (200, 32)
    for path in ("/log/.head", "/log/", "/log/tile/0/000", "/log/../metadata/timestamp.json"):
        assert client.get(path).status_code == 404


def test_what_was_signed_is_for_everybody_and_the_files_of_classes_are_not(face, hotline):
    client = face("public")
    signed = "metadata/timestamp.json"
    answer = client.get(f"/lists/{signed}")
    assert b"".join(answer) == (hotline.published / signed).read_bytes()
    within = [
        path.relative_to(hotline.published) for path in hotline.published.glob("editions/*/*")
    ]
    indexes = [path for path in within if path.suffix == ".index"]
    assert indexes
    for path in indexes:
        assert client.get(f"/lists/{path}").status_code == 404


def test_another_hotline_hands_in_its_certificate(face, get, hotline):
    client = face("partners")
    headers = {"Authorization": f"Bearer {get.key}"}
    answer = client.post(
        "/api/v1/certificates", '{"note": "x"}', "application/json", headers=headers
    )
    assert answer.status_code == 422
    assert "Nothing was kept" in answer.json()["detail"]
    answer = client.post("/api/v1/certificates", '{"note": "x"}', "application/json")
    assert answer.status_code == 401
