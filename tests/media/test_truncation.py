"""Files that end too early are decoded as far as they go, and marked."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from media import hostile
from strandline.errors import Undecodable
from strandline.media import Limits, truncation
from strandline.media.decoding import decode

LIMITS = Limits()
_PHOTO = Image.fromarray(skimage.data.chelsea()[:300, :400])

#: What is kept of the rows, in tenths of what the file's share would be, at least. Rows come
#: in the order of the file: interlaced GIF and progressive JPEG have all of them, but coarse;
#: BMP has the last ones first; JPEG 2000 and the first tenth of a lossy file have none exactly.
KINDS = {
    "JPEG": ({"quality": 90}, 7),
    "PNG": ({}, 8),
    "GIF": ({"interlace": 0}, 8),
    "WEBP": ({"quality": 90}, 5),
    "WEBP lossless": ({"lossless": True}, 7),
    "TIFF": ({}, 9),
    "PPM": ({}, 9),
    "AVIF": ({"quality": 90}, 4),
    "JPEG progressive": ({"progressive": True}, 0),
    "GIF interlaced": ({"interlace": 1}, 0),
    "BMP": ({}, 0),
    "JPEG2000": ({}, 0),
}


def _rows_alike(made: np.ndarray, whole: np.ndarray) -> float:
    """The share of rows, from the top, that are as in the whole picture."""
    apart = np.abs(made.astype(int) - whole).reshape(len(whole), -1).mean(axis=1) > 3
    return float(np.argmax(apart)) / len(whole) if apart.any() else 1.0


@pytest.mark.parametrize("share", [10, 30, 50, 70, 95])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_off_file_shows_what_it_has_and_is_marked(kind, share, encode):
    options, tenths = KINDS[kind]
    data = encode(_PHOTO, kind.split()[0], **options)
    whole = decode(data, LIMITS)
    assert not whole.truncated
    cut = decode(data[: len(data) * share // 100], LIMITS)
    assert cut.truncated
    assert cut.pixels.shape == whole.pixels.shape
    if share >= 30:
        assert _rows_alike(cut.pixels, whole.pixels) >= share / 100 * tenths / 10


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_a_cut_off_file_is_no_danger_to_the_worker(kind, sandbox, encode):
    data = encode(_PHOTO, kind)
    for share in range(10, 100, 17):
        facts, _ = sandbox.run("picture", data[: len(data) * share // 100])
        assert facts["truncated"]
        assert (facts["width"], facts["height"]) == _PHOTO.size


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_compressed_tiff_without_its_directory_cannot_be_decoded(encode):
    """Pillow, like most, writes the directory last: without it no one knows where rows are."""
    data = encode(_PHOTO, "TIFF", compression="tiff_lzw")
    with pytest.raises(Undecodable):
        decode(data[: len(data) * 95 // 100], LIMITS)


def test_a_compressed_tiff_with_broken_strips_shows_the_others(encode):
    data = bytearray(encode(_PHOTO, "TIFF", compression="tiff_adobe_deflate", strip_size=40_000))
    whole = decode(bytes(data), LIMITS)
    middle = len(data) // 2
    data[middle : middle + 2_000] = b"\xff" * 2_000
    made = decode(bytes(data), LIMITS).pixels.astype(int)
    apart = np.abs(made - whole.pixels).reshape(len(made), -1).mean(axis=1) > 0
    assert 0 < apart.mean() < 0.2  # libtiff goes on, and says nothing


def test_a_jpeg_that_was_cut_and_closed_again_is_marked(encode):
    data = encode(_PHOTO, "JPEG")
    decoded = decode(data[: len(data) // 2] + b"\xff\xd9", LIMITS)
    assert decoded.truncated
    assert _rows_alike(decoded.pixels, decode(data, LIMITS).pixels) > 0.3


def test_a_jpeg_without_its_last_marker_is_whole(encode):
    data = encode(_PHOTO, "JPEG")
    decoded = decode(data[:-2], LIMITS)
    assert np.array_equal(decoded.pixels, decode(data, LIMITS).pixels)


@pytest.mark.parametrize("name", ["eight-bit", "grid", "alpha", "ten-bit"])
@pytest.mark.parametrize("share", [50, 80, 95])
def test_a_cut_off_heic_is_marked_or_refused(name, share, heic, sandbox):
    data = heic(name)
    decode(data[: len(data) * share // 100], LIMITS)
    facts, _ = sandbox.run("picture", data[: len(data) * share // 100])
    assert facts["truncated"]


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_files_are_filled_up_to_what_they_state_and_no_more(kind, encode):
    data = encode(_PHOTO, kind)
    assert list(truncation.completions(data, LIMITS.bytes)) == [data]
    cut = data[: len(data) // 2]
    first, *others = truncation.completions(cut, LIMITS.bytes)
    assert first == cut + bytes(len(data) - len(cut))
    assert {len(other) for other in others} == {len(data)}
    assert list(truncation.completions(cut, len(data) - 1)) == [cut]


_LENGTHS_THAT_ARE_NONE = (
    b"",
    b"RIFF",
    b"RIFF\xff\xff\xff\xffWEBP",
    bytes(4) + b"ftypavif",
    b"\0\0\0\1ftypheic" + bytes(9),
)


@pytest.mark.parametrize("data", _LENGTHS_THAT_ARE_NONE)
def test_a_length_that_is_no_length_fills_nothing(data):
    assert list(truncation.completions(data, LIMITS.bytes)) == [data]
    assert not truncation.is_cut_off(data)


def test_a_file_that_states_gigabytes_is_not_filled_up():
    data = hostile.webp_that_claims(64, 48)
    liar = data[:4] + (2**31).to_bytes(4, "little") + data[8:]
    assert list(truncation.completions(liar, LIMITS.bytes)) == [liar]
