"""A bundle is written of a whole copy alone, and tells the closed side what the web would tell."""

import fcntl
import os
import zipfile

import pytest

from list_publisher import Member
from strandline.errors import ListRefused
from strandline.lists.member import membership
from strandline.lists.published.innocent_note import InnocentNote


def refuse(copy, target, reason):
    with pytest.raises(ListRefused, match=reason):
        membership.bundle(copy.directory, target)
    assert list(target.parent.glob("*.strandline")) == []
    assert list(target.parent.glob(".bundle*")) == []


@pytest.mark.parametrize(
    "kind", ["*.pdq", "*.core", "*.index", "manifest", "certificate.*", "*.proof"]
)
def test_no_damaged_file_of_a_copy_is_packed(member, tmp_path, kind):
    for path in sorted(member.directory.glob(f"editions/**/{kind}")):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + b"?" + whole[-1:])
        refuse(member, tmp_path / "out.strandline", ".")
        path.unlink()
        refuse(member, tmp_path / "out.strandline", ".")
        path.write_bytes(whole)
    membership.bundle(member.directory, tmp_path / "out.strandline")


@pytest.mark.parametrize("name", ["held", "log/checkpoint", "trust/targets.json", "store/current"])
def test_no_bundle_is_made_of_a_copy_whose_own_notes_are_damaged(member, tmp_path, name):
    path = member.directory / name
    path.write_bytes(path.read_bytes()[:-3] + b"???")
    refuse(member, tmp_path / "out.strandline", ".")


def test_a_note_of_innocent_pictures_that_was_put_there_is_not_packed(member, published, tmp_path):
    note = InnocentNote.of(published.policy.origin, 1, published.now, [])
    (member.directory / "innocent").write_text(published.publisher.sign(note.text()))
    refuse(member, tmp_path / "out.strandline", "innocent is not as it was published")


def test_no_sync_changes_a_copy_while_it_is_packed(member, tmp_path):
    lock = os.open(member.directory, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    refuse(member, tmp_path / "out.strandline", "or a bundle of it, is at work")
    os.close(lock)
    membership.bundle(member.directory, tmp_path / "out.strandline")


def test_two_bundles_of_one_name_do_not_share_a_file_while_they_are_written(member, tmp_path):
    other = tmp_path / ".out.strandline.part"
    other.write_bytes(b"of another")
    membership.bundle(member.directory, tmp_path / "out.strandline")
    assert other.read_bytes() == b"of another"


def test_no_folder_is_made_where_there_is_no_copy(tmp_path):
    with pytest.raises(ListRefused, match="holds no list yet"):
        membership.bundle(tmp_path / "none", tmp_path / "out.strandline")
    assert not (tmp_path / "none").exists()


@pytest.fixture
def closed(published, member, tmp_path):
    """A copy behind a bundle."""
    found = Member(tmp_path / "closed", published, member.site)
    membership.bundle(member.directory, tmp_path / "first.strandline")
    found.init(bundle=tmp_path / "first.strandline")
    found.sync(bundle=tmp_path / "first.strandline")
    return found


def test_the_closed_side_is_told_that_an_edition_waits_for_its_certificate(
    published, member, closed, tmp_path
):
    published.publish(published.book.add(10), certified=False)
    member.refuse("Edition 4 is not certified")
    bundle = tmp_path / "second.strandline"
    membership.bundle(member.directory, bundle)
    closed.refuse("Edition 4 is not certified: hotlines in 2", bundle=bundle)
    published.publish(published.book.add(11))
    member.sync()
    membership.bundle(member.directory, tmp_path / "third.strandline")
    assert closed.sync(bundle=tmp_path / "third.strandline").manifest.edition == 5
    closed.verify()


def test_a_proof_that_a_bundle_lacks_does_not_read_like_a_forgery(
    published, member, closed, tmp_path
):
    published.publish(published.book.add(10))
    member.sync()
    membership.bundle(member.directory, tmp_path / "whole.strandline")
    lacking = tmp_path / "lacking.strandline"
    with (
        zipfile.ZipFile(tmp_path / "whole.strandline") as archive,
        zipfile.ZipFile(lacking, "w") as made,
    ):
        for name in archive.namelist():
            if name != "editions/000004/manifest.proof":
                made.writestr(name, archive.read(name))
    said = closed.refuse("comes without the proof that it is in", bundle=lacking)
    assert "it holds what the copy held that it was made of" in said
