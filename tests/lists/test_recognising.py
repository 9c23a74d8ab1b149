"""Matching files: re-encoded copies are found, others are not, and bad files stop nothing."""

import hashlib
import io
import os

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from strandline.hashing import Examiner, hash_image
from strandline.lists import HashList, ListRefused, match
from strandline.lists.files import replace_file
from strandline.lists.holding import TRUST, Trust


def encode(picture, form, **options):
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def pictures():
    """Harmless photographs that come with scikit-image."""
    return {
        name: Image.fromarray(getattr(photographs, name)()).convert("RGB")
        for name in ("astronaut", "chelsea", "coffee")
    }


@pytest.fixture(scope="module")
def examiner():
    with Examiner() as examiner:
        yield examiner


@pytest.fixture
def held(publisher, entry, pictures, examiner):
    """A copy of a list of one photograph, as a sync leaves it."""
    original = encode(pictures["astronaut"], "PNG")
    image = hash_image(original, examiner.sandbox)
    assert image.pdq is not None
    listed = entry(
        1,
        id="astronaut",
        pdq=image.pdq,
        quality=image.quality,
        sha256=image.digests.sha256,
        pipeline=image.pipeline,
    )
    publisher.publish(1, [listed])
    trust = Trust(publisher.origin, publisher.signer.vkey)
    replace_file(publisher.directory, TRUST, trust.encode())
    return publisher.directory


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_the_same_bytes_match_by_digest(held, pictures, examiner, write):
    path = write("same.bin", encode(pictures["astronaut"], "PNG"))
    (found,) = match(held, [path], examiner=examiner)
    (hit,) = found.hits
    assert (hit.entry.id, hit.algorithm, hit.distance, hit.edition) == ("astronaut", "sha256", 0, 1)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF"])
def test_a_smaller_copy_in_another_format_matches_by_its_look(
    held, pictures, examiner, write, form
):
    picture = pictures["astronaut"].resize((300, 300))
    (found,) = match(held, [write("copy", encode(picture, form))], examiner=examiner)
    (hit,) = found.hits
    assert (hit.entry.id, hit.algorithm, hit.radius) == ("astronaut", "pdq", 31)
    assert hit.distance <= 31
    assert found.quality >= 50


def test_a_narrower_radius_finds_fewer(held, pictures, examiner, write):
    picture = pictures["astronaut"].resize((100, 100))
    path = write("small.jpg", encode(picture, "JPEG", quality=30))
    ((hit,),) = [found.hits for found in match(held, [path], examiner=examiner)]
    assert hit.distance > 0
    closer = match(held, [path], radius=hit.distance - 1, examiner=examiner)
    assert [found.hits for found in closer] == [()]


def test_other_pictures_do_not_match(held, pictures, examiner, write):
    paths = [write(f"{name}.jpg", encode(pictures[name], "JPEG")) for name in ("chelsea", "coffee")]
    for found in match(held, paths, examiner=examiner):
        assert (found.hits, found.problem, found.too_plain) == ((), None, False)


def test_what_cannot_be_read_is_reported_and_the_rest_is_done(
    held, pictures, examiner, write, tmp_path
):
    os.mkfifo(tmp_path / "pipe")
    paths = [
        write("notes.txt", b"not a picture"),
        tmp_path / "absent.jpg",
        tmp_path / "pipe",
        tmp_path,
        write("good.jpg", encode(pictures["astronaut"], "JPEG")),
    ]
    answers = list(match(held, paths, examiner=examiner))
    assert [found.path for found in answers] == paths
    assert all(found.problem and not found.hits for found in answers[:4])
    assert [hit.entry.id for hit in answers[4].hits] == ["astronaut"]
    assert answers[4].problem is None


def test_an_undecodable_file_still_matches_by_digest(publisher, entry, write):
    junk = b"not a picture, but listed"
    publisher.publish(1, [entry(1, sha256=hashlib.sha256(junk).hexdigest())])
    trust = Trust(publisher.origin, publisher.signer.vkey)
    replace_file(publisher.directory, TRUST, trust.encode())
    (found,) = match(publisher.directory, [write("junk", junk)])
    assert [hit.algorithm for hit in found.hits] == ["sha256"]
    assert found.problem is None


def test_a_plain_picture_is_compared_by_its_bytes_only(held, examiner, write):
    path = write("plain.png", encode(Image.new("RGB", (200, 200), "white"), "PNG"))
    (found,) = match(held, [path], examiner=examiner)
    assert (found.hits, found.problem, found.too_plain) == ((), None, True)


def test_an_entry_that_is_too_plain_is_not_matched_by_its_look(publisher, entry):
    publisher.publish(1, [entry(1, quality=49, pdq="0" * 64), entry(2, quality=50, pdq="f" * 64)])
    trust = Trust(publisher.origin, publisher.signer.vkey)
    replace_file(publisher.directory, TRUST, trust.encode())
    hashes = HashList.open(publisher.directory)
    assert len(hashes) == 2
    assert hashes.similar("0" * 64, quality=100) == ()
    assert [hit.entry.id for hit in hashes.similar("f" * 64, quality=100)] == ["e2"]
    assert hashes.similar("f" * 64, quality=49) == ()


def test_the_radius_is_the_last_distance_that_matches(publisher, entry):
    base = np.random.default_rng(7).integers(0, 256, 32, dtype=np.uint8)
    publisher.publish(1, [entry(1, pdq=base.tobytes().hex())])
    trust = Trust(publisher.origin, publisher.signer.vkey)
    replace_file(publisher.directory, TRUST, trust.encode())
    hashes = HashList.open(publisher.directory)
    for bits in (31, 32):
        mask = np.packbits(np.arange(256) < bits)
        hits = hashes.similar((base ^ mask).tobytes().hex(), quality=100)
        assert [hit.distance for hit in hits] == ([31] if bits == 31 else [])


def test_a_copy_that_was_altered_is_not_used_at_all(held, write):
    path = held / "editions/000001/entries.jsonl"
    path.write_bytes(path.read_bytes().replace(b"confirmed", b"Confirmed"))
    with pytest.raises(ListRefused, match="not as it was signed"):
        match(held, [write("x", b"x")])
