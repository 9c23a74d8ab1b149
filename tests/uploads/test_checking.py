"""Files are compared with the list that a member holds, the newest edition of it."""

import io

import pytest

from list_publisher import fingerprints
from listed_photograph import jpeg
from strandline.hashing import hash_image
from strandline.lists.published.innocent_note import InnocentNote, InnocentPicture
from strandline.uploads import HeldList, Unavailable


@pytest.fixture
def held(holding):
    made = HeldList(holding.directory)
    yield made
    made.close()


def check(held, data):
    return held.check(io.BytesIO(data))


def test_a_listed_photograph_is_found_also_when_it_was_made_smaller(held, photographs):
    listed, other = photographs
    assert check(held, jpeg(listed)).entries == ("entry-50",)
    smaller = listed.resize((300, 300))
    found = check(held, jpeg(smaller, 60))
    assert found.listed
    assert found.entries == ("entry-50",)
    assert not check(held, jpeg(other)).listed


def test_what_is_no_picture_is_told_and_not_listed(held):
    found = check(held, b"just words")
    assert not found.listed
    assert found.problem
    assert len(found.sha256) == 64


def test_a_newer_edition_is_used_without_a_restart(held, holding, photographs):
    data = b"not a picture, but listed by its bytes"
    assert not check(held, data).listed
    from strandline.hashing import digests

    known = digests(data)
    told = fingerprints(51, sha256=known.sha256, sha1=known.sha1, md5=known.md5, pdq=None)
    holding.published.publish(holding.published.book.add(51, told=told))
    holding.sync()
    assert check(held, data).entries == ("entry-51",)


def test_what_looks_like_a_known_innocent_picture_is_not_listed_but_by_its_bytes(
    held, holding, list_site, photographs
):
    listed, _ = photographs
    smaller = jpeg(listed.resize((300, 300)), 60)
    assert check(held, smaller).listed
    pdq, own = (int(hash_image(each).pdq, 16) for each in (smaller, jpeg(listed)))
    # As far from the entry as it takes, and so near to the smaller picture.
    same = [1 << bit for bit in range(256) if not (pdq ^ own) >> bit & 1]
    logo = f"{pdq ^ sum(same[: 32 - (pdq ^ own).bit_count()]):064x}"
    origin, now = holding.published.policy.origin, holding.published.now
    note = InnocentNote.of(origin, 1, now, [InnocentPicture("logo", None, logo)])
    signed = holding.published.publisher.sign(note.text()).encode()
    list_site.answers["/innocent"] = (200, {}, signed)
    holding.sync()
    assert not check(held, smaller).listed
    assert check(held, jpeg(listed)).entries == ("entry-50",)


def test_without_a_copy_nothing_can_be_checked(tmp_path):
    with pytest.raises(Unavailable, match="strandline list"):
        check(HeldList(tmp_path / "nothing"), b"x")
