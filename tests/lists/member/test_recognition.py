"""Files against the list that is held."""

import pytest
from PIL import Image
from skimage import data as photographs

import drawn_films
from list_publisher import A, fingerprints
from strandline import lists
from strandline.errors import ListRefused
from strandline.hashing import Examiner, digests_of_file, hash_film, hash_image
from strandline.lists.published.classes import Column
from strandline.lists.published.events import Fingerprints, Frame


@pytest.fixture(scope="module")
def examiner():
    with Examiner() as found:
        yield found


@pytest.fixture
def photograph(tmp_path):
    path = tmp_path / "photograph.png"
    Image.fromarray(photographs.astronaut()).save(path)
    return path


@pytest.fixture
def listing(member, published, photograph):
    """A copy that lists the photograph as entry-20."""
    image = hash_image(photograph)
    known = image.digests
    told = fingerprints(20, sha256=known.sha256, sha1=known.sha1, md5=known.md5, pdq=image.pdq)
    published.publish(published.book.add(20, told=told))
    member.sync()
    return member.directory


def test_five_lines_are_enough(listing, photograph):
    found = [
        (found.path, [hit.name for hit in found.hits])
        for found in lists.match(listing, [photograph])
    ]
    assert found == [(photograph, ["entry-20"])]


def test_the_same_bytes_are_settled_without_decoding(listing, photograph):
    with lists.HashList.open(listing) as hashes:
        found = hashes.recognise(photograph, None)
    [hit] = found.hits
    assert (hit.column, hit.entry_class, found.quality) == (Column.SHA256, A, None)


def test_a_version_of_the_picture_is_found_from_bytes_as_from_a_file(
    listing, photograph, tmp_path, examiner
):
    smaller = tmp_path / "smaller.jpg"
    Image.open(photograph).resize((300, 300)).save(smaller, quality=70)
    with lists.HashList.open(listing) as hashes:
        for source in (smaller, smaller.read_bytes()):
            found = hashes.recognise(source, examiner)
            [hit] = found.hits
            assert (hit.name, hit.column) == ("entry-20", Column.PDQ)
            assert 0 < hit.distance <= 31
            assert found.quality > 50


def test_what_cannot_be_read_says_so_and_costs_only_itself(listing, photograph, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("no picture")
    paths = [text, tmp_path / "missing", tmp_path, photograph]
    found = list(lists.match(listing, paths))
    assert [bool(each.problem) for each in found] == [True, True, True, False]
    assert [each.path for each in found] == paths


def test_an_open_list_answers_from_what_a_later_sync_brings(listing, member, published):
    with lists.HashList.open(listing) as hashes:
        assert hashes.refresh() == 4
        assert hashes.find(md5=fingerprints(30).md5) == []
        published.publish(published.book.add(30))
        member.sync()
        assert [hit.name for hit in hashes.find(md5=fingerprints(30).md5)] == ["entry-30"]
        assert hashes.refresh() == 5


def test_a_film_is_recognised_by_its_frames(member, published, tmp_path, examiner):
    pytest.importorskip("av")
    path = tmp_path / "film.mp4"
    drawn_films.write(path, drawn_films.shots(6, size=(320, 240)))
    hashed = hash_film(path)
    frames = tuple(
        Frame(round(frame.start * 1000), frame.quality, frame.pdq) for frame in hashed.frames
    )
    assert frames
    published.publish(published.book.add(40, told=Fingerprints(md5="0" * 32, video=frames)))
    member.sync()
    with lists.HashList.open(member.directory) as hashes:
        found = hashes.recognise(path, examiner)
    [hit] = found.hits
    assert (hit.name, hit.column) == ("entry-40", Column.VIDEO)
    assert hit.share > 0.9
    assert digests_of_file(path).sha256 == found.sha256


def test_a_copy_that_is_missing_or_altered_is_not_asked(listing, tmp_path, photograph):
    with pytest.raises(ListRefused, match="holds no list yet"):
        lists.match(tmp_path / "none", [photograph])
    arrays = next(listing.glob("store/*/arrays"))
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"\1")
    with pytest.raises(ListRefused, match="not as it was written"):
        lists.match(listing, [photograph])


def test_a_path_may_be_a_text(listing, photograph, tmp_path):
    with lists.HashList.open(listing) as hashes:
        found = hashes.recognise(str(photograph), None)
        missing = hashes.recognise(str(tmp_path / "missing.png"), None)
    assert [hit.name for hit in found.hits] == ["entry-20"]
    assert found.path == photograph
    assert missing.problem == "It is not a file that can be read."
