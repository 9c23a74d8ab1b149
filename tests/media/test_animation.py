"""Frames as a browser shows them, counted and decoded within bounds."""

import itertools
import time

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from media import hostile
from strandline.errors import TooLarge, Undecodable
from strandline.media import Limits, animation
from strandline.media.decoding import Frame, decode, frames_of

LIMITS = Limits()
LOSSLESS = {
    "GIF": {},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},  # but for its colours
}


def _frames(data: bytes, limits: Limits = LIMITS) -> list[Frame]:
    return list(frames_of(data, limits))


def _pictures(count: int) -> list[Image.Image]:
    """A ball that moves, in three colours: exact in a palette."""
    made = []
    for number in range(count):
        picture = Image.new("RGB", (96, 64), (250, 240, 220))
        pen = ImageDraw.Draw(picture)
        pen.ellipse((8 * number, 10, 8 * number + 30, 40), fill=(20, 90, 180))
        pen.rectangle((0, 50, 4 + 9 * number, 60), fill=(200, 30, 40))
        made.append(picture)
    return made


def _animated(kind: str, pictures: list[Image.Image], encode, **options) -> bytes:
    return encode(
        pictures[0], kind, save_all=True, append_images=pictures[1:], **LOSSLESS[kind], **options
    )


@pytest.mark.parametrize("kind", LOSSLESS)
def test_every_frame_is_what_was_drawn_at_its_time(kind, encode):
    pictures = _pictures(5)
    data = _animated(kind, pictures, encode, duration=[100, 200, 300, 400, 500])
    assert decode(data, LIMITS).frames == 5
    frames = _frames(data)
    assert len(frames) == 5
    for frame, picture in zip(frames, pictures, strict=True):
        most = 3 if kind == "AVIF" else 0
        assert np.abs(frame.pixels.astype(int) - np.asarray(picture)).max() <= most
        assert frame.pixels.flags.c_contiguous
    assert [round(frame.seconds_start, 3) for frame in frames] == [0, 0.1, 0.3, 0.6, 1.0]
    assert frames[-1].seconds_end == pytest.approx(1.5)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_the_first_frame_is_what_decoding_gives(kind, encode):
    data = _animated(kind, _pictures(3), encode)
    assert np.array_equal(decode(data, LIMITS).pixels, _frames(data)[0].pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "ICO"])
def test_a_still_picture_is_one_frame(kind, encode, drawing):
    data = encode(drawing.resize((64, 64)), kind)
    decoded, frames = decode(data, LIMITS), _frames(data)
    assert decoded.frames == len(frames) == 1
    shown = frames[0].pixels
    assert np.array_equal(decoded.pixels, shown)


def test_pages_and_icons_are_no_animation(encode, drawing):
    pages = encode(drawing, "TIFF", save_all=True, append_images=[drawing.rotate(90)])
    icon = encode(drawing.resize((64, 64)), "ICO", sizes=[(16, 16), (64, 64)])
    for data in (pages, icon):
        assert decode(data, LIMITS).frames == len(_frames(data)) == 1


@pytest.mark.parametrize("kind", LOSSLESS)
def test_animations_decode_inside_the_locked_worker(kind, sandbox, encode):
    facts, _ = sandbox.run("picture", _animated(kind, _pictures(3), encode))
    assert facts["animated"]
    assert (facts["width"], facts["height"]) == (96, 64)


@pytest.mark.parametrize(("stored", "shown"), [(0, 0.1), (10, 0.1), (20, 0.02), (100, 0.1)])
def test_a_frame_for_no_time_is_shown_for_a_tenth_of_a_second(stored, shown, encode):
    data = _animated("GIF", _pictures(3), encode, duration=stored)
    assert [frame.seconds_end for frame in _frames(data)] == pytest.approx(
        [shown, 2 * shown, 3 * shown]
    )


def test_transparent_frames_lie_over_white(encode):
    pictures = [picture.convert("RGBA") for picture in _pictures(3)]
    for picture in pictures:
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = encode(
        pictures[0], "WEBP", save_all=True, append_images=pictures[1:], lossless=True, exact=True
    )
    for frame, picture in zip(_frames(data), pictures, strict=True):
        page = Image.new("RGBA", picture.size, "white")
        wanted = np.asarray(Image.alpha_composite(page, picture).convert("RGB")).astype(int)
        assert np.abs(frame.pixels - wanted).max() <= 2


# GIF, where Pillow and browsers differ

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
RED, GREEN = (200, 10, 30), (10, 200, 30)


def _two(first: bytes, second: bytes) -> bytes:
    """Put the frames of two GIFs with the same head into one."""
    return first[:-1] + second[25:]


def test_what_a_small_first_frame_leaves_free_is_white():
    data = hostile.gif((8, 8), 2, frame=(3, 3), at=(2, 2))
    for pixels in (decode(data, LIMITS).pixels, _frames(data)[0].pixels):
        assert tuple(pixels[0, 0]) == WHITE
        assert tuple(pixels[3, 3]) == BLACK


@pytest.mark.parametrize(("disposal", "seen"), [(0, BLACK), (1, BLACK), (2, WHITE), (3, WHITE)])
def test_a_frame_is_disposed_of_as_it_says(disposal, seen):
    first = hostile.gif((8, 8), 1, frame=(3, 3), disposal=disposal)
    second = hostile.gif((8, 8), 1, frame=(3, 3), at=(5, 5))
    frames = _frames(_two(first, second))
    assert tuple(frames[0].pixels[1, 1]) == BLACK
    assert tuple(frames[1].pixels[1, 1]) == seen
    assert tuple(frames[1].pixels[6, 6]) == BLACK


def test_restoring_shows_what_was_there_before():
    ground = hostile.gif((8, 8), 1, frame=(8, 8))
    shape = hostile.gif((8, 8), 2, frame=(3, 3), disposal=3)
    frames = _frames(_two(ground, shape))
    assert tuple(frames[2].pixels[1, 1]) == RED  # the second of the shapes
    last = _frames(_two(_two(ground, shape), hostile.gif((8, 8), 1, at=(7, 7))))[-1]
    assert tuple(last.pixels[1, 1]) == BLACK


def test_an_interlaced_frame_with_its_own_palette_is_read(encode):
    ramp = Image.fromarray(np.tile(np.arange(64, dtype=np.uint8)[:, None] * 4, (1, 40)))
    pictures = [ramp.convert("RGB"), ImageChops.invert(ramp).convert("RGB")]
    data = _animated("GIF", pictures, encode, interlace=1)
    for frame, picture in zip(_frames(data), pictures, strict=True):
        assert np.array_equal(frame.pixels, np.asarray(picture))


def test_a_frame_beyond_the_canvas_is_cut():
    data = _two(hostile.gif((8, 8)), hostile.gif((8, 8), frame=(6, 6), at=(5, 5)))
    frames = _frames(data)
    assert [frame.pixels.shape for frame in frames] == [(8, 8, 3)] * 2
    assert len(_frames(hostile.gif_whose_second_frame_lies_outside())) == 2


# PNG


def test_a_picture_for_those_who_cannot_show_animations_is_not_a_frame(encode):
    still, *pictures = _pictures(4)
    data = _animated("PNG", [still, *pictures], encode, default_image=True)
    decoded, frames = decode(data, LIMITS), _frames(data)
    assert np.array_equal(decoded.pixels, np.asarray(still))
    assert decoded.frames == len(frames) == 3
    assert np.array_equal(frames[0].pixels, np.asarray(pictures[0]))


def test_declared_frames_that_are_not_there_do_not_count():
    assert decode(hostile.png_that_says_it_has_billions_of_frames(), LIMITS).frames == 1


# Bounds


@pytest.mark.parametrize("kind", LOSSLESS)
def test_frames_beyond_the_limit_are_neither_counted_nor_decoded(kind, encode):
    data, limits = _animated(kind, _pictures(6), encode), Limits(frames=4)
    assert decode(data, limits).frames == 4
    assert len(_frames(data, limits)) == 4


def test_ten_thousand_frames_are_answered_in_seconds():
    data = hostile.gif((64, 64), 10_000)
    before = time.process_time()
    assert decode(data, LIMITS).frames == 1_000
    frames = sum(1 for _ in frames_of(data, LIMITS))
    assert frames == 1_000
    assert time.process_time() - before < 5


def test_frames_are_bounded_by_their_pixels_in_all():
    limits = Limits(pixels=100 * 100)
    data = hostile.gif((100, 100), 20)
    assert decode(data, limits).frames == 20
    assert len(_frames(data, limits)) == animation.PICTURES_IN_ALL


def test_one_frame_is_made_at_a_time():
    data = hostile.gif((2_000, 2_000), 1_000)
    first, second = itertools.islice(frames_of(data, LIMITS), 2)
    assert first.seconds_end == second.seconds_start


def test_a_canvas_that_is_too_large_is_refused():
    with pytest.raises(TooLarge):
        _frames(hostile.gif((65_535, 65_535), 3))


def test_junk_has_no_frames():
    with pytest.raises(Undecodable):
        _frames(b"GIF89a" + b"\xff" * 100)


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("share", [40, 70, 95])
def test_a_cut_off_animation_gives_the_frames_it_has(kind, share, encode):
    pictures = _pictures(8)
    data = _animated(kind, pictures, encode)
    cut = data[: len(data) * share // 100]
    try:
        frames = _frames(cut)
    except Undecodable:
        frames = []  # WebP and AVIF are read as a whole or not
        assert kind in {"WEBP", "AVIF"}
    assert len(frames) < 8
    for frame, picture in zip(frames[:-1], pictures, strict=False):
        assert np.abs(frame.pixels.astype(int) - np.asarray(picture)).max() <= 3
