"""``strandline compare``: what a distance means, in a sentence."""

import contextlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from strandline import hashing
from strandline.cli import main
from strandline.hashing import Orientation, pdq

CAT = "5feb5321f01da156898e2bf629a5d3438412cdbd23f48942464526315db33ffd"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    top = tmp_path_factory.mktemp("pictures")
    cat = photographs.chelsea()
    Image.fromarray(cat).save(top / "cat.png")
    Image.fromarray(cat).save(top / "again.png")
    Image.fromarray(cat).resize((902, 600)).save(top / "cat.jpg", quality=80)
    for way in Orientation:
        turned = np.ascontiguousarray(way.of(cat))
        Image.fromarray(turned).save(top / f"{way}.jpg", quality=92)
    framed = np.full((500, 451, 3), 255, np.uint8)
    framed[100:400] = cat
    Image.fromarray(framed).save(top / "framed.jpg", quality=85)
    Image.fromarray(np.fliplr(framed)).save(top / "framed-mirrored.jpg", quality=85)
    Image.fromarray(photographs.coffee()).save(top / "cup.jpg")
    Image.new("RGB", (300, 200), "white").save(top / "white.png")
    Image.new("RGB", (300, 200), "black").save(top / "black.png")
    (top / "notes.txt").write_text("no picture")
    return top


@pytest.fixture(scope="module")
def shared():
    with hashing.Examiner() as examiner:
        yield examiner


@pytest.fixture(autouse=True)
def one_sandbox(monkeypatch, shared):
    """Keep one sandbox for all commands: starting one takes a second."""
    monkeypatch.setattr(hashing, "Examiner", lambda: contextlib.nullcontext(shared))


@pytest.fixture
def told(folder, capsys):
    """Compare two files of the folder, or hashes; return the object that is printed."""

    def compare(one, other):
        named = [str(folder / name) if "." in name else name for name in (one, other)]
        assert main(["compare", "--json", *named]) == 0
        return json.loads(capsys.readouterr().out)

    return compare


def test_a_smaller_copy_is_a_version_of_the_same_picture(told):
    found = told("cat.png", "cat.jpg")
    assert found["verdict"] == "same-picture"
    assert found["distance"] <= 8
    assert found["orientation"] == "original"
    assert (found["a"]["trimmed"], found["b"]["trimmed"]) == (False, False)
    assert found["meaning"] == (
        f"These are versions of the same picture: {found['distance']} of 256 bits differ "
        "(31 or fewer count as the same)."
    )


def test_the_same_bytes_are_the_same_file(told):
    found = told("cat.png", "again.png")
    assert (found["verdict"], found["distance"]) == ("same-file", 0)
    assert found["meaning"] == "These are the same file: every byte is the same."


@pytest.mark.parametrize("way", Orientation)
def test_the_orientation_is_what_makes_the_second_of_the_first(told, way):
    found = told("cat.png", f"{way}.jpg")
    assert (found["verdict"], found["orientation"]) == ("same-picture", way)
    assert found["distance"] <= 10
    back = told(f"{way}.jpg", "cat.png")
    assert (back["verdict"], back["orientation"]) == ("same-picture", way.undone)


@pytest.mark.parametrize("way", Orientation)
def test_a_hash_is_compared_with_a_turned_picture_from_either_side(told, folder, way):
    assert told(CAT, f"{way}.jpg")["orientation"] == way
    assert told(f"{way}.jpg", CAT.upper())["orientation"] == way.undone


def test_how_the_pictures_were_turned_is_told_in_words(told):
    meaning = told("cat.png", "rotated-90.jpg")["meaning"]
    assert "picture, the second turned a quarter to the left: " in meaning


def test_borders_are_left_out(told):
    found = told("framed.jpg", "cat.png")
    assert found["verdict"] == "same-picture"
    assert (found["a"]["trimmed"], found["b"]["trimmed"]) == (True, False)
    assert ", without the borders of the first: " in found["meaning"]
    found = told("cat.png", "framed-mirrored.jpg")
    assert (found["verdict"], found["orientation"]) == ("same-picture", "mirrored")
    assert ", the second mirrored, without the borders of the second: " in found["meaning"]


def test_another_picture_is_not_a_version(told):
    found = told("cat.png", "cup.jpg")
    assert found["verdict"] == "different"
    assert found["distance"] > 60
    assert found["meaning"].startswith("These do not look like versions of the same picture: ")
    assert found["meaning"].endswith(", however they are turned or trimmed.")


def test_two_hashes_are_compared_as_they_are(told):
    nearly = f"{int(CAT, 16) ^ 1:064x}"
    found = told(CAT, nearly)
    assert (found["verdict"], found["distance"]) == ("same-picture", 1)
    assert "1 of 256 bits differs" in found["meaning"]
    assert found["a"] == {"pdq": CAT, "quality": None, "sha256": None, "trimmed": False}
    opposite = f"{int(CAT, 16) ^ (1 << 256) - 1:064x}"
    assert "turned" not in told(CAT, opposite)["meaning"]


def test_what_is_too_plain_is_not_judged_by_its_hash(told):
    found = told("white.png", "cat.png")
    assert found["verdict"] == "too-plain"
    assert found["meaning"] == (
        "The first (quality 0 of 100) is too plain to fingerprint; 50 is needed. Whether these "
        "are versions of the same picture cannot be told."
    )
    both = told("white.png", "black.png")["meaning"]
    assert both.startswith("The first (quality 0 of 100) and the second (quality 0 of 100) are too")
    assert told("white.png", "white.png")["verdict"] == "same-file"


def test_the_command_starts_its_own_sandbox_and_ends_it(folder):
    command = [
        sys.executable,
        "-c",
        "import sys; from strandline.cli import main; sys.exit(main())",
    ]
    paths = [str(folder / "cat.png"), str(folder / "cat.jpg")]
    done = subprocess.run([*command, "compare", *paths], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("These are versions of the same picture: ")
    assert done.stderr == ""


def test_for_a_person_the_sentence_comes_first(folder, capsys):
    path = folder / "cat.png"
    assert main(["compare", str(path), CAT]) == 0
    lines = capsys.readouterr().out.splitlines()
    own = pdq(photographs.chelsea()).hash
    assert own == CAT
    assert lines[0].startswith("These are versions of the same picture: 0 of 256 bits differ (31 ")
    assert lines[1:] == [f"  {CAT}  quality 100  {path}"]


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("notes.txt", "This is not a picture that can be decoded"),
        ("absent", "is neither a file nor a hash of 64 hex digits. Nothing was compared."),
        ("pipe", "It is not a file."),
        ("", "It is not a file."),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_sentence(folder, capsys, named, sentence):
    if named == "pipe" and not (folder / named).exists():
        os.mkfifo(folder / named)
    assert main(["compare", str(folder / named), CAT]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Error: ")
    assert str(folder / named) in told.err
    assert sentence in told.err
