import io
import itertools

import numpy as np
import pytest
from PIL import Image

from strandline.hashing import Box, pdq, trim

COLOURS = {"black": (0, 0, 0), "white": (255,) * 3, "grey": (128,) * 3, "blue": (20, 60, 160)}


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def framed(pixels: np.ndarray, colour: object, above: int, beside: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    whole = np.empty((height + 2 * above, width + 2 * beside, *pixels.shape[2:]), np.uint8)
    whole[:] = colour
    whole[above : above + height, beside : beside + width] = pixels
    return whole


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return np.array(Image.open(out))


def inner(above: int, beside: int, pixels: np.ndarray) -> Box:
    height, width = pixels.shape[:2]
    return Box(beside, above, beside + width, above + height)


@pytest.mark.parametrize(("above", "beside"), [(40, 0), (0, 25), (13, 60)])
@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
def test_bars_are_found_to_the_pixel_where_nothing_was_compressed(
    photographs, colour, above, beside
):
    for name in ("astronaut.png", "chelsea.png", "coffee.png"):
        pixels = photographs[name]
        assert trim(framed(pixels, colour, above, beside)) == inner(above, beside, pixels), name


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize("quality", [40, 75, 95])
def test_without_its_bars_a_compressed_picture_is_a_version_of_the_original(
    photographs, colour, quality
):
    for (name, pixels), share in zip(
        photographs.items(), itertools.cycle([0.05, 0.12, 0.3]), strict=False
    ):
        height, width = pixels.shape[:2]
        for above, beside in ((share, 0), (0, share), (share, share)):
            found = jpeg(framed(pixels, colour, int(above * height), int(beside * width)), quality)
            box = trim(found)
            assert box is not None, name
            assert distance(pdq(box.of(found)).hash, pdq(pixels).hash) <= 31, (name, share)


def test_bars_of_two_colours_are_both_found(photographs):
    pixels = photographs["astronaut.png"]
    whole = framed(pixels, 0, 50, 0)
    whole[-50:] = 255
    assert trim(whole) == inner(50, 0, pixels)


def test_a_grey_picture_has_bars_too(photographs):
    grey = photographs["coffee.png"][..., 1]
    assert trim(framed(grey, 30, 20, 40)) == inner(20, 40, grey)


def test_specks_on_a_bar_do_not_hide_it(photographs):
    whole = framed(photographs["astronaut.png"], 0, 40, 0)
    whole[10, 3] = whole[33, 400] = 255
    assert trim(whole) == inner(40, 0, photographs["astronaut.png"])


def test_writing_on_a_bar_belongs_to_the_picture(photographs):
    whole = framed(photographs["astronaut.png"], 0, 40, 0)
    whole[20:26, 100:200] = 255
    box = trim(whole)
    assert box is not None
    assert box.top == 20


def test_most_photographs_have_no_border(photographs):
    assert {name for name, pixels in photographs.items() if trim(pixels)} == set()


def test_a_dark_edge_loses_only_what_is_uniform(photograph):
    for name in ("retina.jpg", "camera.png", "moon.png"):
        pixels = np.array(Image.open(io.BytesIO(photograph(name))).convert("L"))
        box = trim(pixels) or inner(0, 0, pixels)
        cut = pixels[: box.top], pixels[box.bottom :][::-1]
        across = pixels[box.top : box.bottom]
        cut += across[:, : box.left].T, across[:, box.right :][:, ::-1].T
        for lines in cut:
            for line in lines:
                off = np.abs(line.astype(int) - np.median(lines[0]))
                assert off.mean() < 12, name
            assert sum((abs(line - np.median(lines[0])) > 8).mean() > 0.01 for line in lines) <= 7


def test_a_gradient_is_no_border():
    ramp = np.tile(np.linspace(0, 255, 600).astype(np.uint8)[:, None], (1, 300))
    box = trim(ramp)
    assert box is None or box.bottom - box.top > 540


@pytest.mark.parametrize("shape", [(200, 300, 3), (40, 40), (1, 1), (5, 900, 3)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_that_is_all_border_has_nothing_within(shape, value):
    assert trim(np.full(shape, value, np.uint8)) is None


def test_a_frame_around_next_to_nothing_is_no_frame():
    page = np.full((400, 400, 3), 255, np.uint8)
    page[200:210, 200:215] = np.arange(15, dtype=np.uint8)[None, :, None] * 10
    assert trim(page) is None
