import csv
import dataclasses
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats_rows import MD5, OPAQUE, PHOTODNA, SHA1, SHA256, rows
from strandline.errors import FormatRefused
from strandline.formats import HashRow, Kind, Limits, Unreadable

ICSE = (
    "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;"
    "Number of submissions;File Available;Media Type;Baseline"
)


def test_interpols_list_is_read_and_what_only_interpol_needs_is_told_of(read):
    line = f"{MD5.upper()};{SHA1};{OPAQUE};77;True;False;;Alpha;3;True;Image;True"
    (row,), losses = read("icse", f"{ICSE}\r\n{line}\r\n")
    assert row == HashRow(
        md5=MD5,
        sha1=SHA1,
        photodna=PHOTODNA.hex(),
        source_id="77",
        kind=Kind.IMAGE,
        labels=("series:Alpha",),
        facts=(("baseline", True), ("distributed", True), ("victim-identified", False)),
    )
    assert {loss.field for loss in losses} == {
        "column 'Number of submissions'",
        "column 'File Available'",
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_seen(read, separator):
    text = separator.join(["md5", "Classification"]) + "\n" + separator.join([MD5, "B"])
    assert read("csv", text)[0] == [HashRow(md5=MD5, category="B")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read_wherever_a_read_cuts_it(read, end):
    lines = ["sha256"] + [f"{number:064x}" for number in range(3000)]
    found, _ = read("csv", end.join(lines))
    assert [row.sha256 for row in found] == lines[1:]


def test_a_bare_list_of_hashes_needs_no_headings(read):
    assert read("csv", f"{MD5}\n{MD5.upper()}\n")[0] == [HashRow(md5=MD5)] * 2
    assert read("csv", f"{SHA1},{SHA256}")[0] == [HashRow(sha1=SHA1, sha256=SHA256)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1"),
        ("name,age\nx,1\n", "line 1"),
        (f"{MD5},hello\n", "line 1"),
        ("md5,MD5\n", "line 1"),
        (f'md5,category\n{MD5},"' + "x" * 200_000, "line"),
        ("md5\n" + "x" * 150_000, "line 2"),
        ("md5" + "," * 10_000, "line 1"),
        (f"md5\n{MD5}\n".encode() + b"\xff\xfe\n", "line 3"),
        (f"md5\n{MD5}\n".encode() + b"\0\n", "line 3"),
    ],
)
def test_what_is_no_list_is_refused_whole_with_the_line(read, text, place):
    with pytest.raises(FormatRefused, match=place):
        read("csv", text)


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"7z\xbc\xaf\x27\x1c"])
@pytest.mark.parametrize("name", ["csv", "vics", "ncmec", "stopncii", "arachnid", "icse"])
def test_an_archive_is_never_opened(read, name, magic):
    with pytest.raises(FormatRefused, match="Unpack it"):
        read(name, magic + b"\0" * 1000)


def test_a_file_larger_than_the_limit_is_refused(read):
    with pytest.raises(FormatRefused, match="larger than"):
        read("csv", f"md5\n{MD5}\n" * 100, limits=Limits(max_bytes=1000))
    with pytest.raises(FormatRefused, match="More than 2 rows"):
        read("csv", "md5\n" + f"{MD5}\n" * 3, limits=Limits(max_rows=2))


def test_a_broken_row_is_named_and_the_others_read(read):
    found, _ = read("csv", f"md5,sha1\n{MD5},\nxyz,\n,\n{MD5},{SHA1},extra\n{MD5},{SHA1}\n")
    assert [type(row) for row in found] == [HashRow, Unreadable, Unreadable, HashRow]
    assert [row.place for row in found] == ["line 2", "line 3", "line 5", "line 6"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'"])
def test_no_cell_written_is_run_by_a_spreadsheet(write, read, start):
    row = HashRow(md5=MD5, category=f"{start}cmd|' /C calc'!A0".strip() or "x", source_id="=1+1")
    data, _ = write("csv", [row])
    cells = next(csv.DictReader(io.StringIO(data.decode())))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells.values())
    assert read("csv", data)[0][0].source_id == "=1+1"


@settings(max_examples=100, deadline=None)
@given(st.lists(rows, max_size=6), st.booleans())
def test_a_written_list_is_read_back_whole(read, write, given_rows, gone):
    given_rows = [dataclasses.replace(row, withdrawn=gone) for row in given_rows]
    data, losses = write("csv", given_rows)
    back, read_losses = read("csv", data)
    assert back == given_rows
    assert not losses.sentences
    assert not read_losses.sentences
