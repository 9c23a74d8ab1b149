"""HEIC files, made elsewhere (data/README.md), inside and outside the locked worker."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from strandline.hashing import pdq
from strandline.media import Limits, Sandbox
from strandline.media.decoding import decode

LIMITS = Limits()
_FILES = sorted(path.stem for path in (Path(__file__).parent / "data").glob("*.heic"))


@pytest.fixture(scope="module")
def stored() -> np.ndarray:
    """What the files show, before it was compressed."""
    photo = Image.fromarray(skimage.data.astronaut()).resize((192, 192))
    return np.asarray(photo.crop((0, 16, 192, 144)))


def _bits(one: np.ndarray, other: np.ndarray) -> int:
    return (int(pdq(one).hash, 16) ^ int(pdq(other).hash, 16)).bit_count()


@pytest.mark.parametrize("name", _FILES)
def test_a_heic_decodes_inside_the_locked_worker(name, heic, sandbox):
    facts, _ = sandbox.run("picture", heic(name))
    assert (facts["format"], facts["width"], facts["height"]) == ("HEIF", 192, 128)
    assert not facts["truncated"]
    assert not facts["animated"]


@pytest.mark.parametrize("name", sorted(set(_FILES) - {"grey", "alpha"}))
def test_a_heic_shows_the_picture_upright(name, heic, stored):
    """``turned`` and ``mirrored`` by the container; an EXIF orientation says nothing in HEIF."""
    pixels = decode(heic(name), LIMITS).pixels
    assert np.abs(pixels.astype(int) - stored).mean() < 5
    assert _bits(pixels, stored) <= 10


def test_a_grey_heic_is_grey(heic, stored):
    pixels = decode(heic("grey"), LIMITS).pixels
    assert pixels.ndim == 2
    assert _bits(pixels, stored) <= 10


def test_what_is_transparent_in_a_heic_shows_white(heic, stored):
    pixels = decode(heic("alpha"), LIMITS).pixels.astype(int)
    assert pixels[0].min() > 245
    assert np.abs(pixels[-1] - stored[-1]).mean() < 12


def test_only_the_main_picture_of_a_heic_counts(heic):
    assert decode(heic("two-pictures"), LIMITS).frames == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_is_turned_once(orientation, encode, drawing):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(drawing, "AVIF", exif=exif, quality=90)
    pillow = Image.open(io.BytesIO(data))
    shown = decode(data, LIMITS)
    wanted = drawing.size if orientation < 5 else drawing.size[::-1]
    assert (shown.width, shown.height) == wanted
    assert pillow.size == drawing.size  # the file stores it as it was given


def test_a_worker_that_read_a_heic_reads_nothing_else(heic, encode, drawing):
    with Sandbox() as own:
        own.run("picture", encode(drawing, "PNG"))
        first = own.pid
        own.run("picture", heic("grid"))
        own.run("picture", encode(drawing, "PNG"))
        assert own.pid != first
