"""``strandline list`` against a real web server on loopback."""

import csv
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from PIL import Image
from skimage import data as photographs

from list_publisher import API_KEY, HOUR, fingerprints
from strandline import formats
from strandline.cli import main
from strandline.hashing import hash_image
from strandline.lists.published.innocent_note import InnocentNote, InnocentPicture


@pytest.fixture(autouse=True)
def api_key(monkeypatch):
    monkeypatch.setenv("STRANDLINE_API_KEY", API_KEY)


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.png"
    Image.fromarray(photographs.astronaut()).save(path)
    return path


@pytest.fixture
def folder(tmp_path, published, list_site, photograph, capsys):
    """A copy that lists the photograph as entry-20."""
    image = hash_image(photograph)
    told = fingerprints(20, sha256=image.digests.sha256, pdq=image.pdq)
    published.publish(published.book.add(20, told=told))
    made = tmp_path / "member"
    assert main(["list", "init", str(made), "--url", list_site.url, *pin(published)]) == 0
    assert main(["list", "sync", str(made), *at(published)]) == 0
    capsys.readouterr()
    return made


def pin(published):
    return ["--fingerprint", published.fingerprint]


def at(published):
    return ["--at", published.now.isoformat()]


def test_init_says_what_is_trusted_and_sync_what_is_held(tmp_path, published, list_site, capsys):
    folder = tmp_path / "member"
    assert main(["list", "init", str(folder), "--url", list_site.url, *pin(published)]) == 0
    output = capsys.readouterr().out
    assert "trusts the list list.example" in output
    assert published.fingerprint[:4] in output
    assert main(["list", "sync", str(folder), "--limit-rate", "10M", *at(published)]) == 0
    output = capsys.readouterr().out
    assert "Edition 3 of list.example, 2026-03-01 15:00 UTC, 8 entries. now held" in output
    assert main(["list", "sync", str(folder), *at(published)]) == 0
    assert "already held" in capsys.readouterr().out


def test_verify_says_what_is_complete_and_how_long_it_is_current(folder, published, capsys):
    assert main(["list", "verify", str(folder), *at(published)]) == 0
    output = capsys.readouterr().out
    assert "Complete: 2 of 2 classes" in output
    assert "Current until 2026-03-03 16:00 UTC." in output
    page = next(folder.glob("editions/*/*/*.pdq"))
    page.write_bytes(page.read_bytes()[:-1] + b"\0")
    assert main(["list", "verify", str(folder), *at(published)]) == 1
    assert "is not the file that was published" in capsys.readouterr().err


def test_a_copy_that_is_not_current_fails_to_verify_and_still_matches(
    folder, published, photograph, capsys
):
    late = (published.now + 49 * HOUR).isoformat()
    assert main(["list", "verify", str(folder), "--at", late]) == 1
    assert "not current" in capsys.readouterr().err
    assert main(["list", "match", str(folder), str(photograph)]) == 0


def test_a_refused_sync_says_why_and_exits_with_1(folder, published, capsys):
    published.publish(published.book.add(30), certified=False)
    assert main(["list", "sync", str(folder), *at(published)]) == 1
    error = capsys.readouterr().err
    assert "Edition 5 is not certified" in error
    assert "Edition 4 is kept and stays in use." in error


def test_match_names_the_entry_and_how_near_it_is(folder, photograph, tmp_path, capsys):
    smaller = tmp_path / "smaller.jpg"
    Image.open(photograph).resize((256, 256)).save(smaller, quality=80)
    text = tmp_path / "text.txt"
    text.write_text("no picture")
    assert main(["list", "match", str(folder), str(photograph), str(smaller), str(text)]) == 1
    output = capsys.readouterr()
    assert f"{photograph}: entry-20 (A), the same bytes" in output.out
    assert f"{smaller}: entry-20 (A)" in output.out
    assert "bits away" in output.out
    assert "3 compared, 2 on the list, 1 could not be read." in output.err


def test_match_as_json_has_every_fact(folder, photograph, capsys):
    assert main(["list", "match", str(folder), str(photograph), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    [hit] = found["matches"]
    assert (hit["entry"], hit["column"], hit["edition"]) == ("entry-20", "sha256", 4)
    assert (hit["category"], hit["provenance"], hit["weaker"]) == ("A", "camera", False)


def test_explain_tells_the_entry_its_vouchers_and_its_place_in_the_log(folder, photograph, capsys):
    for what in ("entry-20", str(photograph), fingerprints(20).md5):
        assert main(["list", "explain", str(folder), what]) == 0
        output = capsys.readouterr().out
        assert "entry-20" in output
        assert "came with    edition 4" in output
        assert "by second.example (de)" in output
        assert "of the transparency log" in output
    assert main(["list", "explain", str(folder), "entry-2", "--json"]) == 0
    gone = json.loads(capsys.readouterr().out)
    assert [told["action"] for told in gone["history"]] == ["add", "withdraw"]
    assert not gone["listed"]
    assert gone["proof"].startswith("c2sp.org/tlog-proof@v1\n")
    assert main(["list", "explain", str(folder), "ff" * 32]) == 0
    assert "matches nothing" in capsys.readouterr().out
    assert main(["list", "explain", str(folder), "what?"]) == 1


def innocent(published, list_site, pdq, number=1):
    pictures = [InnocentPicture("logo", None, pdq)]
    note = InnocentNote.of(published.policy.origin, number, published.now, pictures)
    list_site.answers["/innocent"] = (200, {}, published.publisher.sign(note.text()).encode())


def turned(pdq, bits, first=0):
    return f"{int(pdq, 16) ^ (2**bits - 1 << first):064x}"


def test_match_and_explain_tell_what_an_innocent_picture_sets_aside(
    folder, published, list_site, photograph, tmp_path, capsys
):
    pdq = hash_image(photograph).pdq
    published.publish(published.book.add(21, told=fingerprints(21, pdq=turned(pdq, 25))))
    innocent(published, list_site, turned(pdq, 31, first=64))
    assert main(["list", "sync", str(folder), *at(published)]) == 0
    assert main(["list", "verify", str(folder), *at(published)]) == 0
    assert "Innocent pictures: 1, note 1 of 2026-03-01" in capsys.readouterr().out
    smaller = tmp_path / "smaller.png"
    Image.open(photograph).save(smaller, compress_level=1)
    published.publish(published.book.withdraw(20))
    assert main(["list", "sync", str(folder), *at(published)]) == 0
    capsys.readouterr()
    assert main(["list", "match", str(folder), str(smaller)]) == 0
    output = capsys.readouterr()
    assert "no match: like entry-21, 25 bits away, but 31 bits from a known innocent" in output.out
    assert "1 compared, 0 on the list" in output.err
    assert main(["list", "match", str(folder), str(smaller), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["matches"] == []
    [aside] = told["set_aside"]
    assert (aside["entry"], aside["innocent"]) == ("entry-21", {"what": "logo", "distance": 31})
    for what in (str(smaller), pdq):
        assert main(["list", "explain", str(folder), what]) == 0
        assert "  no match     25 bits away, but 31 bits from" in capsys.readouterr().out
    assert main(["list", "explain", str(folder), pdq, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["match"], told["set_aside"]["entry"]) == (None, "entry-21")


def test_an_entry_that_the_note_calls_innocent_still_matches_and_is_told(
    folder, published, list_site, photograph, capsys
):
    innocent(published, list_site, hash_image(photograph).pdq)
    assert main(["list", "sync", str(folder), *at(published)]) == 0
    assert main(["list", "verify", str(folder), *at(published)]) == 0
    assert "The note holds entry-20 to be innocent: it hides nothing" in capsys.readouterr().err
    assert main(["list", "explain", str(folder), "entry-20"]) == 0
    assert "1 of its 1 hashes look like innocent pictures" in capsys.readouterr().out


def test_a_note_of_innocent_pictures_that_is_refused_fails_the_sync_and_not_the_edition(
    folder, published, list_site, capsys
):
    innocent(published, list_site, "ab" * 32, number=2)
    assert main(["list", "sync", str(folder), *at(published)]) == 0
    innocent(published, list_site, "cd" * 32, number=1)
    published.publish(published.book.add(30))
    assert main(["list", "sync", str(folder), *at(published)]) == 1
    output = capsys.readouterr()
    assert "Edition 5 of list.example" in output.out
    assert "Note 2, which is held, stays in use." in output.err


def test_export_streams_the_live_entries(folder, published, capsys):
    assert main(["list", "export", str(folder)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["entry"] for row in rows] == [f"entry-{n}" for n in (1, 3, 4, 5, 6, 7, 8, 9, 20)]
    assert rows[1]["sha256"] == fingerprints(33).sha256
    assert main(["list", "export", str(folder), "--format", "json"]) == 0
    films = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(films[5]["video"]) == 4
    assert main(["list", "export", str(folder), "--format", "md5"]) == 0
    assert fingerprints(4).md5 in capsys.readouterr().out.split()
    assert main(["list", "export", str(folder), "--format", "tape"]) == 1


@pytest.mark.parametrize("form", ["vics-2.0", "vics-1.3", "ncmec"])
def test_export_in_a_format_of_others_is_read_again_and_says_what_it_lost(form, folder, capsys):
    assert main(["list", "export", str(folder), "--format", form]) == 0
    output = capsys.readouterr()
    reader = form.partition("-")[0]
    rows = list(formats.read(reader, io.BytesIO(output.out.encode()), formats.Losses()))
    assert [row.sha256 for row in rows if row.md5 == fingerprints(33).md5] == [
        fingerprints(33).sha256
    ]
    told = output.err
    assert "frames of films are not written: no such format has them (1 row" in told
    assert "provenance and survivor are not written" in told
    if form == "ncmec":
        assert rows[0].source_id == "entry-1"
        assert rows[0].contributor == "1 list.example"
        assert rows[0].changed is not None
    else:
        assert "is written as null: the table of Default has no number for it" in told


def test_a_bundle_is_checked_in_a_closed_network_as_the_web_is(folder, published, tmp_path, capsys):
    bundle, closed = tmp_path / "out.strandline", tmp_path / "closed"
    assert main(["list", "bundle", str(folder), str(bundle)]) == 0
    assert main(["list", "init", str(closed), "--from", str(bundle), *pin(published)]) == 0
    assert main(["list", "sync", str(closed), "--from", str(bundle), *at(published)]) == 0
    assert main(["list", "verify", str(closed), *at(published)]) == 0
    assert "Edition 4" in capsys.readouterr().out
    assert main(["list", "bundle", str(folder), str(bundle)]) == 1
    assert main(["list", "sync", str(closed), *at(published)]) == 1
    assert "give a bundle" in capsys.readouterr().err
    damaged = tmp_path / "damaged"
    damaged.write_bytes(bundle.read_bytes()[:5000])
    assert main(["list", "sync", str(closed), "--from", str(damaged), *at(published)]) == 1
    assert "not a bundle" in capsys.readouterr().err


def test_the_key_can_come_from_a_file(tmp_path, published, list_site, monkeypatch, capsys):
    monkeypatch.delenv("STRANDLINE_API_KEY")
    key, folder = tmp_path / "key", tmp_path / "member"
    key.write_text(f"{API_KEY}\n")
    typed = ["--url", list_site.url, *pin(published), "--api-key-file", str(key)]
    assert main(["list", "init", str(folder), *typed]) == 0
    assert main(["list", "sync", str(folder), *at(published)]) == 0
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    arguments = ["list", "sync", str(folder), "--api-key-file", str(wrong), *at(published)]
    assert main(arguments) == 1
    assert "did not accept the API key" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--limit-rate", "fast"], ["--at", "noon"]])
def test_an_option_that_cannot_be_read_is_a_question_of_usage(tmp_path, option):
    assert main(["list", "sync", str(tmp_path), *option]) == 2


@pytest.fixture
def of_another_user(folder):
    """A copy, and this process as a user who may only read what everybody may."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o755)
        made = Path(shared, "copy")
        shutil.copytree(folder, made)
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield made
        os.seteuid(0)


def become_another():
    os.seteuid(65534)


@pytest.mark.parametrize(
    "closed", ["", "store", "store/current", "store/g000001/arrays", "store/g000001/frames.index"]
)
def test_a_copy_of_another_user_cannot_be_read_and_is_not_called_damaged(
    of_another_user, closed, published, capsys
):
    made = of_another_user
    generation = next(path.name for path in (made / "store").glob("g*"))
    path = made / closed.replace("g000001", generation)
    path.chmod(0o700 if path.is_dir() else 0o600)
    become_another()
    for words in (
        ["verify", made, *at(published)],
        ["match", made, "photograph"],
        ["export", made],
        ["explain", made, "entry-20"],
        ["bundle", made, "out"],
        ["sync", made, *at(published)],
    ):
        assert main(["list", *map(str, words)]) == 1
        said = capsys.readouterr().err
        assert f"{path} cannot be read: permission denied. It belongs to root, and this" in said
        assert "as it was written" not in said


@pytest.mark.parametrize(
    "closed", ["held", "subscription", "innocent", "log/hashes", "trust", "editions/000004"]
)
def test_whatever_of_a_copy_cannot_be_read_is_named(
    of_another_user, closed, published, list_site, capsys
):
    path = of_another_user / closed
    if closed == "innocent":
        innocent(published, list_site, "ab" * 32)
        assert main(["list", "sync", str(of_another_user), *at(published)]) == 0
    path.chmod(0o700 if path.is_dir() else 0o600)
    become_another()
    assert main(["list", "verify", str(of_another_user), *at(published)]) == 1
    said = capsys.readouterr().err
    assert f"{path}" in said
    assert "cannot be read: " in said.lower()


@pytest.mark.parametrize("stray", ["more", "log/more", "trust/more"])
def test_a_stray_file_is_to_be_removed_and_no_sync_is_said_to_do_that(
    folder, published, stray, capsys
):
    (folder / stray).write_bytes(b"")
    for _ in range(2):
        assert main(["list", "verify", str(folder), *at(published)]) == 1
        said = capsys.readouterr().err
        assert "does not belong to the copy. Nothing was changed: remove it.\n" in said
        assert main(["list", "sync", str(folder), *at(published)]) == 0
        capsys.readouterr()
    (folder / stray).unlink()
    assert main(["list", "verify", str(folder), *at(published)]) == 0
