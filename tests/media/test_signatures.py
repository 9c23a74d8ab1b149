"""What begins like a picture or a film is told from everything else, before anything is opened."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import drawn_films
from strandline.media.opening import FORMATS
from strandline.media.signatures import PICTURES, begins_like_media


def saved(form, **options):
    out = io.BytesIO()
    pixels = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def test_every_format_that_is_opened_has_a_signature():
    assert PICTURES.keys() == set(FORMATS)


@pytest.mark.parametrize(
    ("form", "written"),
    [(form, "TIFF" if form == "DEEPTIFF" else form) for form in FORMATS if form != "HEIF"],
)
def test_a_picture_of_each_format_fits_its_signature(form, written):
    assert PICTURES[form](saved(written))
    assert begins_like_media(saved(written))


def test_further_ways_of_writing_a_format_fit_as_well():
    assert begins_like_media(saved("TIFF", big_tiff=True))
    assert begins_like_media(saved("JPEG2000", no_jp2=True))
    assert begins_like_media(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert begins_like_media(b"\0\0\0\x18ftyphevm\0\0\0\0mif1hevc")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(set(FORMATS))), st.binary(min_size=1, max_size=40))
def test_nothing_that_pillow_would_begin_to_open_is_missed(form, rest):
    """Whatever a decoder's own first look accepts and can be opened fits."""
    data = saved("TIFF" if form in {"DEEPTIFF", "HEIF"} else form)
    changed = data[: len(data) - len(rest)] + rest
    for head in (rest + data[len(rest) :], changed):
        try:
            Image.open(io.BytesIO(head), formats=FORMATS).close()
        except Exception:  # noqa: BLE001 - not opened: nothing to miss
            continue
        assert begins_like_media(head)


def test_films_fit(tmp_path):
    frames = [np.full((64, 64, 3), 40 * n, np.uint8) for n in range(3)]
    film = drawn_films.write(tmp_path / "film.mp4", frames)
    assert begins_like_media(film.read_bytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"%PDF-1.7\n",
        b'{"a": 1}',
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"BMW and other cars",
        b"Plain words",
        b"P5-codes",
        b"GIF is a format",
        b"--boundary\r\n",
        b"RIFF\0\0\0\0WAVE",
    ],
)
def test_other_things_do_not(data):
    assert not begins_like_media(data)
