import io

import numpy as np
import pytest
from PIL import Image

from strandline.media import Style
from strandline.media.renditions import render, render_sheet


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _parts(data: bytes) -> set[str]:
    """Kinds of chunk of a PNG, or of marker of a JPEG up to its pixels."""
    kinds = set()
    if data.startswith(b"\x89PNG"):
        place = 8
        while place < len(data):
            kinds.add(data[place + 4 : place + 8].decode())
            place += 12 + int.from_bytes(data[place : place + 4], "big")
        return kinds
    place = 2
    while data[place + 1] != 0xDA:
        kinds.add(f"{data[place + 1]:02x}")
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return kinds


@pytest.fixture(scope="module")
def labelled(encode) -> bytes:
    """A picture that carries all the metadata a camera writes."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0110] = "a place and a name", "a camera"
    photo = Image.effect_noise((1731, 977), 60).convert("RGB")
    return encode(photo, "JPEG", exif=exif, comment=b"a comment", dpi=(317, 317))


@pytest.mark.parametrize("style", Style)
def test_a_rendition_has_no_metadata_and_not_the_original_size(style, sandbox, labelled):
    facts, made = sandbox.run("picture", labelled, {"styles": [style.value]})
    data = made[style.value]
    # JPEG: JFIF header, tables, frame; PNG: header, pixels, end. No EXIF, comment or profile.
    assert _parts(data) <= {"e0", "db", "c0", "c4", "IHDR", "IDAT", "IEND"}
    assert b"camera" not in data
    assert b"comment" not in data
    rendition = _opened(data)
    assert rendition.info.get("dpi") is None
    assert rendition.mode == "L"
    assert max(rendition.size) <= 640
    for side in (facts["width"], facts["height"]):
        assert side not in rendition.size
        assert side.to_bytes(2, "big") not in data[:600]


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("size", [(5, 4), (60, 200), (639, 640), (3000, 2)])
def test_a_rendition_is_smaller_than_the_original_on_both_sides(style, size):
    made = _opened(render(Image.new("RGB", size, (9, 200, 80)), style))
    assert all(0 < side < whole for side, whole in zip(made.size, size, strict=True))


@pytest.mark.parametrize("style", Style)
def test_one_pixel_can_be_rendered(style):
    assert _opened(render(Image.new("RGB", (1, 1)), style)).size == (1, 1)


def test_blurring_leaves_no_fine_detail():
    fine = (np.indices((600, 600)).sum(0) // 3 % 2 * 255).astype(np.uint8)
    made = np.asarray(_opened(render(Image.fromarray(fine).convert("RGB"), Style.BLURRED)))
    assert made.std() < 5
    softened = np.asarray(_opened(render(Image.fromarray(fine).convert("RGB"), Style.GREY)))
    assert softened.std() > 10


def test_blurring_keeps_large_shapes(drawing):
    made = np.asarray(_opened(render(drawing, Style.BLURRED))).astype(int)
    assert made.std() > 20


def test_edges_show_outlines_on_a_light_ground(drawing):
    made = np.asarray(_opened(render(drawing, Style.EDGES)))
    assert np.median(made) > 240
    assert made.min() < 60


def test_only_the_styles_that_are_asked_for_are_made(sandbox, encode, drawing):
    _, made = sandbox.run("picture", encode(drawing, "PNG"), {"styles": ["edges", "blurred"]})
    assert made.keys() == {"edges", "blurred"}


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(("frames", "across", "down"), [(1, 1, 1), (2, 2, 1), (5, 3, 2), (9, 3, 3)])
def test_a_sheet_has_its_frames_in_rows_of_three(style, frames, across, down):
    picture = Image.effect_noise((160, 120), 60)
    data = render_sheet([(f"0:0{number}", picture) for number in range(frames)], style)
    made = _opened(data)
    assert made.mode == "L"
    assert _parts(data) <= {"e0", "db", "c0", "c4", "IHDR", "IDAT", "IEND"}
    tile = _opened(render(picture, style)).size
    assert abs(made.width - (across * (tile[0] + 8) + 8)) <= 1
    assert abs(made.height - (down * (tile[1] + 24 + 8) + 8)) <= 1


@pytest.mark.parametrize("style", Style)
def test_a_frame_on_a_sheet_is_degraded_as_a_picture_is(style):
    noise = Image.effect_noise((400, 300), 90)
    whole = np.asarray(_opened(render(noise, style)))
    sheet = np.asarray(_opened(render_sheet([("0:00", noise)], style)))
    tile = sheet[8 : 8 + whole.shape[0], 8 : 8 + whole.shape[1]]
    assert np.abs(np.diff(tile.astype(int))).mean() <= np.abs(np.diff(whole.astype(int))).mean() + 6
    assert max(tile.shape) <= 320


def test_the_time_is_written_under_its_frame():
    black = Image.new("L", (160, 120))
    sheet = np.asarray(_opened(render_sheet([("1:02:03", black)], Style.EDGES)))
    under = sheet[-30:]
    assert (under > 200).sum() > 50, "light digits on the ground"
    other = np.asarray(_opened(render_sheet([("0:59", black)], Style.EDGES)))[-30:]
    assert not np.array_equal(under, other)
