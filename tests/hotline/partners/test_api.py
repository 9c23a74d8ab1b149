"""The members' API: a key, what list this is, and what the API says of itself."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from strandline.hotline.accounts.services import add_key, add_member
from strandline.hotline.hashlist.models import Entry, Publication, Release
from strandline.hotline.hashlist.publishing import publish
from strandline.hotline.hashlist.releasing import release
from strandline.hotline.hashlist.services import add_entry, publish_now, withdraw
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.models import MediaItem
from strandline.hotline.setup import make_list_root

GUARDED = ["/api/v1/list", "/lists/metadata/timestamp.json", "/lists/x", "/api/v1/x"]


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
def publish_all(hotline):
    """``publish_all(now)`` publishes what changed."""

    def do(now):
        make_list_root(hotline, now=now)
        publish_now(by="test", now=now)
        with Tools(hotline) as tools:
            for kind, handle in ((Publication, publish), (Release, release)):
                handle(due.claim(kind, worker="w", now=now), tools, now)

    return do


@pytest.fixture
def published(listed, publish_all, now):
    listed(1)
    listed(2)
    publish_all(now)


@pytest.fixture
def key(db, now):
    member = add_member(name="Example Platform", by="test", now=now)
    return add_key(member, by="test", now=now)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


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


@pytest.mark.django_db
def test_before_the_first_edition_there_is_none(face, key, hotline):
    about = face("partners").get("/api/v1/list", headers=bearer(key)).json()
    assert (about["edition"], about["root_fingerprint"]) == (None, "")


@pytest.mark.django_db
def test_the_list_says_what_it_is(face, published, key, hotline):
    about = face("partners").get("/api/v1/list", headers=bearer(key)).json()
    assert about["edition"] == 1
    assert about["origin"] == hotline.list_origin
    assert about["vkey"] == (hotline.home / "keys" / "list-signer.vkey").read_text().strip()
    assert about["url"].endswith("/lists")
    assert len(about["root_fingerprint"]) == 64


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(method, face, published, key):
    for path in GUARDED:
        answer = getattr(face("partners"), method)(path, headers=bearer(key))
        assert answer.status_code in {404, 405, 415}


@pytest.mark.django_db
def test_the_description_declares_the_key_and_every_refusal(face, hotline):
    description = face("partners").get("/api/v1/openapi.json").json()
    assert {"/api/v1/list", "/api/v1/certificates", "/lists/{path}"} <= set(description["paths"])
    for path, methods in description["paths"].items():
        for call in methods.values():
            assert call["security"], path
            assert "401" in {str(status) for status in call["responses"]}, path
    schemes = description["components"]["securitySchemes"]
    assert schemes["ListKey"]["type"] == "http"
    assert schemes["ListKey"]["scheme"] == "bearer"


@pytest.mark.django_db
def test_no_other_face_has_these_pages(face, published, key):
    signed = "/lists/metadata/timestamp.json"  # which the public face has for everybody
    for name in ("public", "console"):
        client = face(name)
        for path in {*GUARDED, "/api/v1/openapi.json"} - ({signed} if name == "public" else set()):
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
    serve, listed, key, hotline, publish_all, now, tmp_path, pictures
):
    """The way members go: their command, over HTTP, with their key."""
    from PIL import Image

    from strandline.hashing import hash_image
    from strandline.hotline.hashlist.published import root_fingerprint

    facts = hash_image(pictures / "listed.png")
    entry = listed(1, sha256=facts.digests.sha256, pdq=facts.pdq)
    for number in range(2, 10):
        listed(number)
    publish_all(now)
    with Image.open(pictures / "listed.png") as picture:
        picture.resize((300, 300)).save(pictures / "copy.jpg", quality=70)
    url, folder = f"{serve('partners')}/lists", tmp_path / "member"
    at = ("--at", now.isoformat())

    refused = strandline("list", "init", folder, "--url", url, "--fingerprint", root_fingerprint(),
                         key="slk_wrong")  # fmt: skip
    assert refused.returncode == 1
    assert "key" in refused.stderr

    done = strandline("list", "init", folder, "--url", url, "--fingerprint", root_fingerprint(),
                      key=key)  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = strandline("list", "sync", folder, *at, key=key)
    assert done.returncode == 0, done.stderr
    assert "Edition 1 of hotline.example" in done.stdout
    files = sorted(pictures.iterdir())
    assert matched(folder, files) == {"copy.jpg", "listed.png"}

    withdraw(Entry.objects.get(pk=entry.pk), reason="A mistake", by="test", now=now)
    later = now + timedelta(hours=1)
    publish_all(later)
    again = strandline("list", "sync", folder, "--at", later.isoformat(), key=key)
    assert "Edition 2" in again.stdout, again.stderr
    assert matched(folder, files) == set()


def matched(folder, files):
    found = strandline("list", "match", "--json", folder, *files, key="")
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(rows) == len(files), found.stderr
    return {Path(row["file"]).name for row in rows if row["matches"]}
