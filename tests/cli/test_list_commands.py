"""``strandline list`` against a real web server on loopback."""

import json

import pytest
from PIL import Image
from skimage import data as photographs

from strandline.cli import main
from strandline.hashing import hash_image

API_KEY = "member-key-1"


@pytest.fixture(autouse=True)
def api_key(monkeypatch):
    monkeypatch.setenv("STRANDLINE_API_KEY", API_KEY)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "member"


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.png"
    Image.fromarray(photographs.astronaut()).save(path)
    return path


@pytest.fixture
def listed(publisher, entry, site, photograph):
    """The address where the photograph's entry is published."""
    image = hash_image(photograph)
    publisher.publish(1, [entry(1, id="known", pdq=image.pdq, sha256=image.digests.sha256)])
    return site.url


@pytest.fixture
def synced(listed, publisher, folder, capsys):
    assert main(["list", "sync", listed, str(folder), "--key", publisher.signer.vkey]) == 0
    capsys.readouterr()
    return folder


def test_sync_says_what_is_held(listed, publisher, folder, capsys):
    arguments = ["list", "sync", listed, str(folder)]
    assert main([*arguments, "--key", publisher.signer.vkey]) == 0
    output = capsys.readouterr().out
    assert "Edition 1 of hotline.example, 2026-03-01 13:00 UTC, 1 entry." in output
    assert "now held" in output
    assert main(arguments) == 0
    assert "already held" in capsys.readouterr().out


def test_the_keys_can_come_from_files(listed, publisher, tmp_path, monkeypatch):
    monkeypatch.delenv("STRANDLINE_API_KEY")
    (tmp_path / "vkey").write_text(publisher.signer.vkey + "\n")
    (tmp_path / "api-key").write_text(API_KEY + "\n")
    keys = ["--key", str(tmp_path / "vkey"), "--api-key-file", str(tmp_path / "api-key")]
    assert main(["list", "sync", listed, str(tmp_path / "member"), *keys]) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "needs the publisher's verifier key"),
        (["--key", "/no/such/file"], "neither a verifier key"),
        (["--key", "hotline.example+00000000+AAAA"], "not an Ed25519 key"),
    ],
)
def test_a_key_that_is_none_is_a_sentence(listed, folder, options, sentence, capsys):
    assert main(["list", "sync", listed, str(folder), *options]) == 1
    assert sentence in capsys.readouterr().err


def test_a_refused_sync_has_status_1_and_keeps_the_edition(synced, site, capsys):
    site.answers["/latest"] = (200, {}, b"something else")
    assert main(["list", "sync", site.url, str(synced)]) == 1
    assert "Edition 1 is kept" in capsys.readouterr().err
    assert main(["list", "verify", str(synced)]) == 0


def test_verify_has_status_1_when_a_byte_differs(synced, capsys):
    assert main(["list", "verify", str(synced)]) == 0
    assert "Every file is as it was signed." in capsys.readouterr().out
    path = synced / "editions/000001/entries.jsonl"
    path.write_bytes(path.read_bytes()[:-2] + b"!\n")
    assert main(["list", "verify", str(synced)]) == 1
    assert "entries.jsonl is not as it was signed" in capsys.readouterr().err


@pytest.fixture
def evidence(tmp_path, photograph):
    """A folder with the photograph, a smaller copy of it and another picture."""
    folder = tmp_path / "evidence"
    (folder / "below").mkdir(parents=True)
    photograph.rename(folder / "same.png")
    with Image.open(folder / "same.png") as picture:
        picture.resize((256, 256)).save(folder / "below/copy.jpg")
    Image.fromarray(photographs.chelsea()).save(folder / "other.webp")
    return folder


def test_match_names_the_files_that_are_listed(synced, evidence, capsys):
    assert main(["list", "match", str(synced), str(evidence)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == 2
    assert lines[0] == f"{evidence / 'same.png'}: known (confirmed), the same bytes"
    assert lines[1].startswith(f"{evidence / 'below/copy.jpg'}: known (confirmed), ")
    assert lines[1].endswith(" bits away")
    assert captured.err == "3 compared, 2 on the list, 0 could not be read.\n"


def test_match_in_json_has_one_object_for_each_file(synced, evidence, capsys):
    assert main(["list", "match", str(synced), str(evidence), "--json", "--radius", "31"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["file"] for each in found] == [
        str(evidence / name) for name in ("other.webp", "same.png", "below/copy.jpg")
    ]
    assert found[0]["matches"] == []
    assert found[0]["problem"] is None
    (near,) = found[2]["matches"]
    assert near["id"] == "known"
    assert near["algorithm"] == "pdq"
    assert near["edition"] == 1
    assert 0 < near["distance"] <= near["radius"] == 31


def test_a_file_that_cannot_be_read_gives_status_1_and_the_rest_is_done(
    synced, evidence, tmp_path, capsys
):
    (tmp_path / "notes.txt").write_text("no picture")
    files = [str(tmp_path / "notes.txt"), str(tmp_path / "absent"), str(evidence)]
    assert main(["list", "match", str(synced), *files]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "notes.txt: " in captured.err
    assert captured.err.endswith("5 compared, 2 on the list, 2 could not be read.\n")


def test_matching_without_a_list_is_a_sentence(tmp_path, photograph, capsys):
    assert main(["list", "match", str(tmp_path / "none"), str(photograph)]) == 1
    assert "holds no list" in capsys.readouterr().err
