import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media import hostile
from strandline.media import Limits
from strandline.media.decoding import decode
from strandline.media.orientation import displayed_size, orientation_of, upright

#: How a viewer turns what is stored, by EXIF orientation (CIPA DC-008, tag 0x0112).
_TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _noise(width: int, height: int, channels: int) -> np.ndarray:
    shape = (height, width, 3) if channels == 3 else (height, width)
    return np.random.default_rng(width).integers(0, 256, shape, np.uint8)


@given(
    st.sampled_from(sorted(_TURNS)),
    st.sampled_from([1, 3]),
    st.one_of(st.integers(1, 40), st.integers(500, 530)),
    st.one_of(st.integers(1, 40), st.integers(500, 530)),
)
def test_pixels_are_turned_as_a_viewer_turns_them(orientation, channels, width, height):
    pixels = _noise(width, height, channels)
    made = upright(pixels, orientation)
    turn = _TURNS[orientation]
    wanted = Image.fromarray(pixels)
    if turn is not None:
        wanted = wanted.transpose(turn)
    assert np.array_equal(made, np.asarray(wanted))
    assert made.flags.c_contiguous
    assert displayed_size(width, height, orientation) == wanted.size


@pytest.mark.parametrize("said", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_leaves_it_as_stored(said, encode, drawing):
    exif = Image.Exif()
    exif[0x0112] = said
    data = encode(drawing, "PNG", exif=exif)
    assert np.array_equal(decode(data, Limits()).pixels, np.asarray(drawing))


def test_an_orientation_that_is_text_leaves_it_as_stored(encode, drawing):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x02" + b"6\0\0\0" + bytes(4)
    data = encode(drawing, "JPEG", exif=exif)
    assert decode(data, Limits()).width == drawing.width


def test_exif_after_the_pixels_of_a_png_counts(encode, drawing):
    exif = Image.Exif()
    exif[0x0112] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    whole = encode(drawing, "PNG")
    data = whole[:-12] + hostile.chunk(b"eXIf", body) + whole[-12:]
    assert (decode(data, Limits()).width, decode(data, Limits()).height) == drawing.size[::-1]


def test_without_exif_xmp_is_asked(encode, drawing):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    data = encode(drawing, "JPEG", quality=95, xmp=xmp)
    turned = np.asarray(drawing.rotate(180)).astype(int)
    assert np.abs(decode(data, Limits()).pixels - turned).mean() < 3


def test_a_picture_without_any_is_upright(drawing):
    assert orientation_of(drawing) == 1
