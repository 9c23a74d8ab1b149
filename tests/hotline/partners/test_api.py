"""The members' API: a key, the files, and every download written down."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from strandline.hotline.accounts.models import ApiKey
from strandline.hotline.accounts.services import add_key, add_member, revoke_key
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.hashlist.models import Entry
from strandline.hotline.hashlist.publishing import publish_edition
from strandline.hotline.hashlist.services import add_entry, withdraw
from strandline.hotline.reports.models import MediaItem
from strandline.hotline.site.headers import HEADERS

FILES = ["/lists/latest", "/lists/editions/000001/manifest", "/lists/editions/000001/entries.jsonl"]
GUARDED = [*FILES, "/api/v1/list", "/lists/editions/000009/manifest", "/lists/x", "/api/v1/x"]


@pytest.fixture
def listed(db, now, hotline):
    """``listed("…sha256…")`` lists an item; its entry."""

    def add(number, **facts):
        item = MediaItem.objects.create(
            sha256=facts.pop("sha256", f"{number:064x}"),
            sha1=f"{number:040x}",
            md5=f"{number:032x}",
            pdq=facts.pop("pdq", f"{number * 7919:064x}"),
            quality=100,
            pipeline="media-1",
            size=10,
            bytes_are=MediaItem.Bytes.DISCARDED,
            first_seen_at=now,
            **facts,
        )
        return add_entry(item, category="A", by="test", now=now)

    return add


@pytest.fixture
def published(listed, hotline, now):
    listed(1)
    listed(2)
    return publish_edition(hotline, by="worker", now=now)


@pytest.fixture
def key(db, now):
    member = add_member(name="Example Platform", by="test", now=now)
    return add_key(member, by="test", now=now)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def downloads():
    acts = AuditEntry.objects.filter(action="partners.download")
    return [(act.actor, act.subject, act.detail["file"]) for act in acts]


@pytest.mark.django_db
@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "headers",
    [{}, bearer("slk_wrong"), bearer(""), {"Authorization": "Basic eDp5"}],
    ids=["none", "wrong", "empty", "another scheme"],
)
def test_without_a_key_nothing_is_told(path, headers, face, published):
    answer = face("partners").get(path, headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="hash list"'
    assert "key" in answer.json()["detail"]
    assert downloads() == []


@pytest.mark.django_db
def test_a_revoked_key_and_a_key_of_an_inactive_member_open_nothing(face, published, key, now):
    client = face("partners")
    assert client.get("/lists/latest", headers=bearer(key)).status_code == 200
    row = ApiKey.objects.get()
    row.member.is_active = False
    row.member.save()
    assert client.get("/lists/latest", headers=bearer(key)).status_code == 401
    row.member.is_active = True
    row.member.save()
    revoke_key(row, by="test", now=now)
    assert client.get("/lists/latest", headers=bearer(key)).status_code == 401


@pytest.mark.django_db
def test_the_files_are_the_published_ones_byte_for_byte(face, published, key, hotline):
    client = face("partners")
    for path in FILES:
        answer = client.get(path, headers=bearer(key))
        body = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code == 200
        assert body == (Path(hotline.published) / path.removeprefix("/lists/")).read_bytes()
        assert {name: answer[name] for name in HEADERS} == HEADERS
    assert "ndjson" in answer["Content-Type"]
    assert answer.streaming
    assert int(answer["Content-Length"]) == len(body)


@pytest.mark.django_db
def test_the_files_can_be_asked_for_by_their_headers_alone(face, published, key):
    client = face("partners")
    for path in FILES:
        whole = client.get(path, headers=bearer(key))
        b"".join(whole)
        before = len(downloads())
        answer = client.head(path, headers=bearer(key))
        assert (answer.status_code, b"".join(answer)) == (200, b"")
        assert answer["Content-Type"] == whole["Content-Type"]
        assert len(downloads()) == before, "nothing left the house"
        assert client.head(path).status_code == 401
    assert client.head("/lists/editions/9/manifest", headers=bearer(key)).status_code == 404


@pytest.mark.django_db
def test_every_download_is_in_the_chain_once(face, published, key):
    client = face("partners")
    actor = ApiKey.objects.get().member.actor
    for path in FILES:
        answer = client.get(path, headers=bearer(key))
        if answer.streaming:
            b"".join(answer)
    assert downloads() == [
        (actor, "edition:1", "latest"),
        (actor, "edition:1", "manifest"),
        (actor, "edition:1", "entries.jsonl"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/lists/editions/000009/manifest",
        "/lists/editions/000009/entries.jsonl",
        "/lists/editions/000001/latest",
        "/lists/editions/../latest",
        "/lists/editions/%2e%2e/%2e%2e/keys/list-signer",
        "/lists/editions/000001/..%2f..%2f..%2fkeys/list-signer",
        "/lists/%2e%2e/keys/list-signer",
        "/lists/incoming/edition/manifest",
        "/lists/editions/-1/manifest",
        "/lists/editions/1e0/manifest",
        "/lists/editions/99999999999999999999999999/manifest",
        "/lists/",
        "/api/v1/",
        "/api/v1/members",
    ],
)
def test_what_is_not_published_does_not_exist(path, face, published, key):
    answer = face("partners").get(path, headers=bearer(key))
    assert answer.status_code == 404
    assert downloads() == []


@pytest.mark.django_db
def test_before_the_first_edition_the_answer_is_a_sentence(face, key, hotline):
    client = face("partners")
    answer = client.get("/lists/latest", headers=bearer(key))
    assert answer.status_code == 404
    assert answer.json() == {"detail": "No edition has been published yet."}
    assert client.get("/api/v1/list", headers=bearer(key)).json()["edition"] is None


@pytest.mark.django_db
def test_the_list_says_what_it_is(face, published, key, hotline):
    about = face("partners").get("/api/v1/list", headers=bearer(key)).json()
    assert about["edition"] == 1
    assert about["origin"] == hotline.list_origin
    assert about["vkey"] == (hotline.home / "keys" / "list-signer.vkey").read_text().strip()
    assert about["url"].endswith("/lists")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(method, face, published, key):
    for path in GUARDED:
        answer = getattr(face("partners"), method)(path, headers=bearer(key))
        assert answer.status_code in {404, 405}


@pytest.mark.django_db
def test_the_description_declares_the_key_and_every_refusal(face, hotline):
    description = face("partners").get("/api/v1/openapi.json").json()
    assert set(description["paths"]) == {
        "/api/v1/list",
        "/lists/latest",
        "/lists/editions/{number}/manifest",
        "/lists/editions/{number}/entries.jsonl",
    }
    for path, methods in description["paths"].items():
        assert set(methods) == {"get"}, path
        call = methods["get"]
        assert call["security"] == [{"ListKey": []}], path
        wanted = {"200", "401"} | ({"404"} if path.startswith("/lists") else set())
        assert {str(status) for status in call["responses"]} == wanted, path
    schemes = description["components"]["securitySchemes"]
    assert schemes["ListKey"]["type"] == "http"
    assert schemes["ListKey"]["scheme"] == "bearer"


@pytest.mark.django_db
def test_no_other_face_has_these_pages(face, published, key):
    for name in ("public", "console"):
        client = face(name)
        for path in (*FILES, "/api/v1/list", "/api/v1/openapi.json"):
            assert client.get(path, headers=bearer(key)).status_code == 404


def strandline(*words, key):
    """The member's own command, in a process of its own."""
    environment = {**os.environ, "STRANDLINE_API_KEY": key}
    return subprocess.run(
        [sys.executable, "-m", "strandline", *map(str, words)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def pictures(tmp_path):
    """Two drawn pictures: one that will be listed, and another."""
    import numpy as np
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate(("listed", "innocent")):
        random = np.random.default_rng(seed)
        small = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC).save(
            folder / f"{name}.png"
        )
    return folder


@pytest.mark.django_db(transaction=True)
def test_a_member_syncs_and_recognises_a_copy_and_nothing_else(
    serve, listed, key, hotline, now, tmp_path, pictures
):
    """The way members go: their command, over HTTP, with their key."""
    from PIL import Image

    from strandline.hashing import hash_image

    facts = hash_image(pictures / "listed.png")
    entry = listed(1, sha256=facts.digests.sha256, pdq=facts.pdq)
    publish_edition(hotline, by="worker", now=now)
    with Image.open(pictures / "listed.png") as picture:
        picture.resize((300, 300)).save(pictures / "copy.jpg", quality=70)
    url, folder = f"{serve('partners')}/lists", tmp_path / "member"
    vkey = (hotline.home / "keys" / "list-signer.vkey").read_text().strip()

    refused = strandline("list", "sync", url, folder, "--key", vkey, key="slk_wrong")
    assert refused.returncode == 1
    assert "did not accept the API key" in refused.stderr

    done = strandline("list", "sync", url, folder, "--key", vkey, key=key)
    assert done.returncode == 0, done.stderr
    assert "Edition 1 of hotline.example" in done.stdout
    files = sorted(pictures.iterdir())
    found = strandline("list", "match", "--json", folder, *files, key="")
    matches = {
        Path(line["file"]).name: [match["id"] for match in line["matches"]]
        for line in map(json.loads, found.stdout.splitlines())
    }
    assert matches == {"copy.jpg": [entry.name], "innocent.png": [], "listed.png": [entry.name]}

    withdraw(Entry.objects.get(), reason="A mistake", by="test", now=now)
    publish_edition(hotline, by="worker", now=now + timedelta(days=1))
    again = strandline("list", "sync", url, folder, key=key)
    assert "Edition 2" in again.stdout, again.stderr
    found = strandline("list", "match", "--json", folder, *files, key="")
    assert all(not json.loads(line)["matches"] for line in found.stdout.splitlines())
    assert [what for _, what, _ in downloads()] == ["edition:1"] * 2 + ["edition:2"] * 2
