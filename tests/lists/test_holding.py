"""A member's copy: every byte of every file counts."""

import json
import shutil

import pytest

from strandline.lists import ListRefused, verify
from strandline.lists.files import replace_file
from strandline.lists.holding import TRUST, Trust, load


@pytest.fixture
def copy(publisher, entry, tmp_path):
    """What a sync leaves: the publisher's layout and whom to trust."""
    publisher.publish(1, [entry(1)])
    publisher.publish(2, [entry(1), entry(2, labels=("drawn",))])
    directory = tmp_path / "copy"
    shutil.copytree(publisher.directory, directory)
    shutil.rmtree(directory / "editions/000001")
    trust = Trust(publisher.origin, publisher.signer.vkey)
    replace_file(directory, TRUST, trust.encode())
    shutil.rmtree(directory / "incoming")
    return directory


def refuse(directory, reason="strandline|sync|list"):
    with pytest.raises(ListRefused, match=reason) as caught:
        verify(directory)
    assert caught.value.message.endswith((".", "list sync"))


def test_an_intact_copy_says_what_it_holds(copy):
    assert verify(copy).edition == 2
    assert [entry.id for entry in load(copy)[1]] == ["e1", "e2"]


def test_changing_any_one_byte_of_any_file_is_refused(copy):
    files = [path for path in copy.rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        original = path.read_bytes()
        for place in range(len(original)):
            altered = bytearray(original)
            altered[place] ^= 0x01
            path.write_bytes(altered)
            refuse(copy)
        for data in (b"", original[:-1], original + b"\n", original + original):
            path.write_bytes(data)
            refuse(copy)
        path.write_bytes(original)
    assert verify(copy).edition == 2


def test_a_missing_file_is_refused(copy):
    for path in [path for path in copy.rglob("*") if path.is_file()]:
        original = path.read_bytes()
        path.unlink()
        refuse(copy)
        path.write_bytes(original)


@pytest.mark.parametrize(
    "place", ["extra", ".hidden", "editions/extra", "editions/000002/extra", "editions/000003/x"]
)
def test_a_file_that_does_not_belong_is_refused(copy, place):
    path = copy / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    refuse(copy)


def test_a_link_in_place_of_a_file_is_refused(copy, tmp_path):
    path = copy / "editions/000002/entries.jsonl"
    elsewhere = path.rename(tmp_path / "elsewhere")
    path.symlink_to(elsewhere)
    refuse(copy, "does not belong")


def test_what_an_interrupted_sync_left_is_not_part_of_the_list(copy):
    (copy / "incoming/edition").mkdir(parents=True)
    (copy / "incoming/edition/entries.jsonl").write_bytes(b"half")
    assert verify(copy).edition == 2


def test_a_second_edition_must_be_whole_and_signed_as_well(copy, publisher):
    other = copy / "editions/000001"
    shutil.copytree(publisher.directory / "editions/000001", other)
    assert verify(copy).edition == 2
    (other / "entries.jsonl").write_bytes(b"")
    refuse(copy, "000001")
    shutil.rmtree(other)
    shutil.copytree(publisher.directory / "editions/000001", copy / "editions/000007")
    refuse(copy, "renamed")


def test_an_earlier_manifest_in_place_of_the_latest_is_refused(copy, publisher):
    shutil.copy(publisher.directory / "editions/000001/manifest", copy / "latest")
    refuse(copy, "000001")


def test_an_edition_of_another_list_of_the_same_publisher_is_refused(copy):
    path = copy / TRUST
    trust = json.loads(path.read_bytes()) | {"origin": "other.example"}
    path.write_bytes(Trust(**trust).encode())
    refuse(copy, "other.example")


def test_a_folder_that_never_held_a_list_says_what_to_do(tmp_path):
    refuse(tmp_path, "strandline list sync")
    refuse(tmp_path / "absent", "strandline list sync")


def test_trust_that_is_not_the_expected_json_is_refused(copy):
    for data in (b"[]", b"{}", b'"x"', b'{"origin":1,"vkey":2}', b"\xff", b"[" * 100_000):
        (copy / TRUST).write_bytes(data)
        refuse(copy, "altered")
