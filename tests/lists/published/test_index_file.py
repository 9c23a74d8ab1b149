import dataclasses
import hashlib
import hmac

import pytest

from list_histories import CAMERA, DRAWN
from strandline.errors import ListRefused
from strandline.lists.published.classes import Column
from strandline.lists.published.index_file import Index, PageFile, parse_index, salt_of


def page_file(path, rows=3, **changes):
    path = path.replace("CLASS", CAMERA.id)
    known = PageFile(path, 100, rows, hashlib.sha256(path.encode()).hexdigest(), "ab" * 16)
    return dataclasses.replace(known, **changes)


def pages_of(folder, *columns, page=0, rows=3):
    return [page_file(f"{folder}/CLASS/{page:06d}.{column}", rows) for column in columns]


FILES = (
    *pages_of("editions/000004", "core", "sha256"),
    *pages_of("editions/000006", "core", "pdq", "sha256"),
    *pages_of("snapshots/000005", "core", "md5", "sha256", rows=9),
)
INDEX = Index("hotline.example", CAMERA, 5, 3, FILES)


def test_an_index_is_read_back_from_its_text():
    assert parse_index(INDEX.text()) == INDEX


def test_the_text_is_the_one_in_the_specification():
    lines = INDEX.text().split("\n")

    assert lines[:6] == [
        "hotline.example/index",
        "format 2",
        "class C camera gb none -",
        "snapshot 5",
        "since 3",
        "files 8",
    ]
    assert lines[6].split(" ")[:3] == [f"editions/000004/{CAMERA.id}/000000.core", "100", "3"]


def test_who_starts_anew_reads_the_snapshot_and_then_the_events_after_it():
    found = [file.path.replace(CAMERA.id, "") for file in INDEX.current([Column.SHA256])]

    assert found == [
        "snapshots/000005//000000.core",
        "snapshots/000005//000000.sha256",
        "editions/000006//000000.core",
        "editions/000006//000000.sha256",
    ]


def test_who_holds_an_edition_reads_the_events_after_it():
    assert {file.edition for file in INDEX.after(3)} == {4, 6}
    assert {file.edition for file in INDEX.after(4)} == {6}
    assert INDEX.after(6) == ()
    with pytest.raises(ListRefused, match="Start from the snapshot"):
        INDEX.after(2)


def test_a_new_snapshot_takes_the_place_of_the_one_before():
    more = pages_of("editions/000007", "core")
    snapshot = pages_of("snapshots/000007", "core", "sha256")

    grown = INDEX.with_files(more, (7, snapshot))

    assert (grown.snapshot, grown.since) == (7, 5)
    assert {file.path.partition("/")[0] + str(file.edition) for file in grown.files} == {
        "editions6",
        "editions7",
        "snapshots7",
    }
    assert parse_index(grown.text()) == grown


def test_the_root_changes_with_everything_in_it():
    others = [
        dataclasses.replace(FILES[1], **change)
        for change in ({"size": 99}, {"sha256": "cd" * 32}, {"salt": "cd" * 16})
    ]
    roots = {
        dataclasses.replace(INDEX, files=(FILES[0], each, *FILES[2:])).root() for each in others
    }

    assert len({INDEX.root(), INDEX.with_files([], (7, [])).root(), *roots}) == 5


def test_the_root_covers_what_the_head_says_of_files_that_are_not_listed():
    later = dataclasses.replace(INDEX, since=2)

    assert later.files == INDEX.files
    assert later.root() != INDEX.root()


def test_a_leaf_tells_neither_digest_nor_salt():
    leaf = FILES[0].leaf.decode()

    commitment = hashlib.sha256(bytes.fromhex(FILES[0].salt + FILES[0].sha256)).hexdigest()
    assert leaf == f"{FILES[0].path} 100 3 {commitment}"


def test_the_salt_is_the_one_in_the_specification():
    assert salt_of(b"key", "a/path") == hmac.new(b"key", b"a/path", hashlib.sha256).digest()[:16]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (FILES[1:], "without its core"),
        (FILES[::-1], "not sorted"),
        ((FILES[0], *FILES), "not sorted"),
        ((FILES[0], dataclasses.replace(FILES[1], rows=4)), "several lengths"),
        (pages_of("editions/000004", "core", page=1), "lacks a page"),
        (pages_of("editions/000003", "core"), "does not belong"),
        (pages_of("snapshots/000004", "core"), "does not belong"),
        ([dataclasses.replace(FILES[0], size=0)], "size"),
        ([dataclasses.replace(FILES[0], rows=65537)], "size"),
        ([dataclasses.replace(FILES[0], sha256="AB" * 32)], "sha256"),
        ([dataclasses.replace(FILES[0], salt="ab")], "salt"),
        ([page_file(f"editions/000004/{DRAWN.id}/000000.core")], "no page of this class"),
        ([page_file("editions/000004/CLASS/../000000.core")], "no page of this class"),
        ([page_file("/editions/000004/CLASS/000000.core")], "no page of this class"),
        ([page_file("editions/000004/CLASS/000000.exe")], "no page of this class"),
    ],
)
def test_an_index_of_files_that_cannot_be_is_refused(files, why):
    with pytest.raises(ListRefused, match=why):
        dataclasses.replace(INDEX, files=tuple(files))


@pytest.mark.parametrize(("snapshot", "since"), [(5, 5), (3, 4), (0, 1), (5, -1)])
def test_a_snapshot_comes_after_the_one_before(snapshot, since):
    with pytest.raises(ListRefused, match="snapshot that cannot be"):
        Index("hotline.example", CAMERA, snapshot, since, ())


@pytest.mark.parametrize(
    "change",
    [
        ("\n", "\r\n"),
        ("format 2", "format 3"),
        ("files 8", "files 7"),
        ("files 8", "files 08"),
        ("snapshot 5", "snapshot five"),
        (" 100 3 ", " 100  3 "),
        ("hotline.example/index", "hotline.example/list"),
        ("class C camera", "class  C camera"),
        ("since 3\n", ""),
    ],
)
def test_an_index_in_another_form_is_refused(change):
    with pytest.raises(ListRefused):
        parse_index(INDEX.text().replace(*change))


def test_an_index_without_its_last_line_end_is_refused():
    with pytest.raises(ListRefused):
        parse_index(INDEX.text()[:-1])
