"""``strandline hash``: a line for each file, whatever the file is."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage import data as photographs

from strandline import hashing
from strandline.cli import main
from strandline.cli.files import files_under

COMMAND = [sys.executable, "-c", "import sys; from strandline.cli import main; sys.exit(main())"]
FIELDS = {"path", "kind", "width", "height", "md5", "sha1", "sha256", "pdq", "quality", "pipeline"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two photographs, a plain picture and a text, one of them further down."""
    top = tmp_path_factory.mktemp("evidence")
    (top / "below").mkdir()
    Image.fromarray(photographs.chelsea()).save(top / "cat.jpg", quality=90)
    Image.fromarray(photographs.coffee()).save(top / "below" / "cup.png")
    Image.new("RGB", (64, 64), "white").save(top / "plain.png")
    (top / "notes.txt").write_text("no picture")
    return top


@pytest.fixture
def typed(monkeypatch):
    """Feed bytes to standard input."""

    def type_in(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return type_in


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_picture_gives_its_fingerprints(folder, capsys):
    path = folder / "cat.jpg"
    image = hashing.hash_image(path)
    assert main(["hash", str(path)]) == 0
    line = capsys.readouterr().out
    assert line == f"{image.pdq}  {image.quality:3}  {image.digests.sha256}  {path}\n"


def test_json_has_one_object_for_each_file_in_order_and_bad_ones_give_status_1(folder, capsys):
    assert main(["hash", "--json", str(folder)]) == 1
    found = lines(capsys)
    names = ["cat.jpg", "notes.txt", "plain.png", "below/cup.png"]
    assert [row["path"] for row in found] == [str(folder / name) for name in names]
    cat, notes, plain, cup = found
    assert notes.keys() == {"path", "error", "message"}
    assert notes["error"] == "undecodable"
    for row in (cat, plain, cup):
        assert row.keys() >= FIELDS
        assert row["kind"] == "image"
        assert len(row["pdq"]) == 64
    assert (cat["width"], cat["height"], cat["pipeline"]) == (451, 300, hashing.PIPELINE)
    assert (plain["too_plain"], cat["too_plain"]) == (True, False)


def test_fast_mode_says_so_and_stays_near(folder, capsys):
    path = str(folder / "cat.jpg")
    assert main(["hash", "--json", path, "--mode", "fast"]) == 0
    (fast,) = lines(capsys)
    exact = hashing.hash_image(folder / "cat.jpg")
    assert fast["pipeline"] == hashing.pipeline(hashing.Mode.FAST) != hashing.PIPELINE
    assert (int(fast["pdq"], 16) ^ int(exact.pdq, 16)).bit_count() <= 8


def test_paths_are_read_from_standard_input(folder, typed, capsys):
    typed(os.fsencode(folder / "cat.jpg") + b"\r\n\n" + os.fsencode(folder / "below") + b"\n")
    assert main(["hash", "--json", "-"]) == 0
    assert [row["path"].rpartition("/")[2] for row in lines(capsys)] == ["cat.jpg", "cup.png"]


def test_a_name_that_is_not_text_is_hashed_all_the_same(folder, tmp_path, capsys):
    name = os.fsencode(tmp_path) + b"/\xff.jpg"
    Path(os.fsdecode(name)).write_bytes((folder / "cat.jpg").read_bytes())
    assert main(["hash", "--json", str(tmp_path)]) == 0
    (row,) = lines(capsys)
    assert os.fsencode(row["path"]) == name


def test_what_is_not_there_or_is_no_file_is_told_and_the_rest_is_done(folder, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / "absent", tmp_path / "pipe", folder / "cat.jpg"]
    assert main(["hash", "--json", *map(str, paths)]) == 1
    absent, pipe, cat = lines(capsys)
    assert (absent["error"], pipe["error"]) == ("unreadable", "unreadable")
    assert "No such file" in absent["message"]
    assert cat["quality"] > 50


def test_an_interrupted_run_goes_on_where_it_was(folder, tmp_path, capsys):
    kept = tmp_path / "hashes.jsonl"
    assert main(["hash", str(folder / "cat.jpg"), "-o", str(kept)]) == 0
    whole = kept.read_bytes()
    kept.write_bytes(whole + b'{"path": "cut o')
    assert main(["hash", str(folder), "-o", str(kept)]) == 1
    assert capsys.readouterr().out == ""
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert kept.read_bytes().startswith(whole)
    assert sorted(row["path"] for row in rows) == sorted(
        str(path) for path in folder.rglob("*") if path.is_file()
    )
    assert main(["hash", str(folder / "cat.jpg"), "-o", str(kept)]) == 0
    assert len(kept.read_text().splitlines()) == len(rows)


@pytest.mark.parametrize("line", ["not JSON", "[]", '{"path": "x", "pipeline": "media-0+pdq-1"}'])
def test_a_file_that_holds_something_else_is_left_as_it_is(folder, tmp_path, line, capsys):
    kept = tmp_path / "other"
    kept.write_text(line + "\n")
    assert main(["hash", str(folder), "-o", str(kept)]) == 1
    assert kept.read_text() == line + "\n"
    assert "Nothing was added" in capsys.readouterr().err


def test_whoever_stops_reading_ends_it_quietly(folder):
    with subprocess.Popen(
        [*COMMAND, "hash", "--json", str(folder), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_a_name_that_no_file_can_have_costs_only_itself(folder, typed, capsys):
    cat = folder / "cat.jpg"
    typed(b"a\0b\n" + b"x" * 300 + b"\n" + os.fsencode(cat) + b"\n")
    assert main(["hash", "--json", "-"]) == 1
    first, second, third = lines(capsys)
    assert (first["error"], second["error"]) == ("unreadable", "unreadable")
    assert third["path"] == str(cat)


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_done(folder, tmp_path, monkeypatch):
    def walk(top, onerror):
        yield str(top), ["closed", "open"], []
        onerror(PermissionError(13, "Permission denied", str(Path(top, "closed"))))
        yield str(Path(top, "open")), [], ["cat.jpg"]

    (tmp_path / "open").mkdir()
    monkeypatch.setattr("strandline.cli.files.os.walk", walk)
    unread = {}
    found = list(files_under([tmp_path], unread))
    assert found == [tmp_path / "closed", tmp_path / "open" / "cat.jpg"]
    assert list(unread) == [tmp_path / "closed"]
    with pytest.raises(PermissionError):
        list(files_under([tmp_path]))


def test_an_empty_argument_is_not_this_folder(capsys):
    assert main(["hash", ""]) == 2
    assert "A PATH is empty" in capsys.readouterr().err


def test_a_plain_picture_is_said_to_be_too_plain_and_a_cut_one_to_be_cut(folder, tmp_path, capsys):
    whole = (folder / "cat.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    assert main(["hash", str(folder / "plain.png"), str(tmp_path / "cut.jpg")]) == 0
    plain, cut = capsys.readouterr().out.splitlines()
    assert plain.startswith("too plain to fingerprint ")
    assert cut.endswith("cut.jpg  (cut off or damaged: as far as it goes)")


def test_a_name_with_a_line_end_stays_on_its_line(folder, tmp_path, capsys):
    (tmp_path / "x\nforged.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    assert main(["hash", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("x\\nforged.jpg")


def test_going_on_keeps_verdicts_in_mind_and_tries_again_what_may_pass(folder, tmp_path):
    kept, late = tmp_path / "hashes.jsonl", tmp_path / "late.jpg"
    names = [str(folder / "notes.txt"), str(late), "-o", str(kept)]
    assert main(["hash", *names]) == 1
    late.write_bytes((folder / "cat.jpg").read_bytes())
    assert main(["hash", *names]) == 1  # the text is still no picture
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [row["path"] for row in rows] == [names[0], names[1], names[1]]
    assert [row.get("error") for row in rows] == ["undecodable", "unreadable", None]
