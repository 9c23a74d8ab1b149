import io

import numpy as np
import pytest
from PIL import Image

from strandline.demo import hosts, pictures

SEEDS = sorted(
    {picture.seed for page in hosts.pages() for picture in (*page.pictures, *page.decoy)}
)


@pytest.mark.parametrize("name", pictures.FORMATS)
def test_a_seed_always_gives_the_same_bytes(name):
    first = pictures.encode(pictures.draw(7, 200, 150), name)
    assert pictures.encode(pictures.draw(7, 200, 150), name) == first
    assert pictures.encode(pictures.draw(8, 200, 150), name) != first


@pytest.mark.parametrize("name", pictures.FORMATS)
def test_a_file_is_of_the_format_and_size_asked_for(name):
    data = pictures.copy_of(3, format=name, scale=0.5, width=320, height=200)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == name.upper()
        assert image.size == (160, 100)


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="tiff"):
        pictures.encode(pictures.draw(1, 32, 32), "tiff")


@pytest.mark.parametrize("seed", range(5))
def test_undecodable_bytes_look_like_a_jpeg_and_give_no_picture(seed):
    data = pictures.undecodable(seed)
    assert data.startswith(b"\xff\xd8\xff")
    with pytest.raises(OSError), Image.open(io.BytesIO(data)) as image:  # noqa: PT011
        image.load()


@pytest.fixture(scope="module")
def pdq():
    hashing = pytest.importorskip("strandline.hashing", reason="the hashing room is missing")

    def of(image):
        found = hashing.pdq(np.asarray(image.convert("RGB")))
        return int(found.hash, 16), found.quality

    return of


@pytest.fixture(scope="module")
def originals(pdq):
    return {seed: pdq(pictures.draw(seed)) for seed in SEEDS}


def test_every_picture_is_rich_enough_for_a_perceptual_hash(originals):
    assert min(quality for _, quality in originals.values()) >= 80


def test_different_seeds_are_far_apart(originals):
    hashes = [value for value, _ in originals.values()]
    nearest = min((a ^ b).bit_count() for number, a in enumerate(hashes) for b in hashes[:number])
    assert nearest > 60


def test_every_copy_on_the_web_is_near_its_original(pdq, originals):
    for page in hosts.pages():
        for picture in page.pictures:
            if picture.broken:
                continue
            with Image.open(io.BytesIO(picture.data())) as image:
                copied, quality = pdq(image)
            assert (copied ^ originals[picture.seed][0]).bit_count() <= 20, (page.key, picture)
            assert quality >= 80
