"""Films given as bytes: hashed, and shown as sheets of degraded frames."""

import dataclasses
import io
import os

import numpy as np
import pytest
from PIL import Image

from drawn_films import shots, write
from strandline.hashing import Examiner, digests, hash_film
from strandline.hashing.film import FILM_LIMITS
from strandline.media import Style, TooLarge, Undecodable

pytest.importorskip("av")

#: Luma of each second of a film in steps.
STEPS = (20, 60, 100, 140, 180, 220)


@pytest.fixture(scope="module")
def examiner():
    with Examiner() as examiner:
        yield examiner


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "a.mp4"
    return write(path, shots(12, size=(160, 120)))


def steps(path, codec="libx264"):
    """A film whose seconds are told apart by how light they are."""
    level = [np.full((120, 160, 3), each, np.uint8) for each in STEPS]
    return write(path, [picture for picture in level for _ in range(10)], codec)


def tiles(data, count):
    """The middle of each frame on a sheet, in order."""
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    across = min(3, count)
    wide, high = (sheet.shape[1] - 8) // across, (sheet.shape[0] - 8) // -(-count // across)
    middles = [
        (8 + n // across * high + (high - 32) // 2, 8 + n % across * wide + (wide - 8) // 2)
        for n in range(count)
    ]
    return [int(sheet[y - 4 : y + 4, x - 4 : x + 4].mean()) for y, x in middles]


def test_bytes_are_hashed_as_the_file_is(examiner, film):
    found = examiner.film(film.read_bytes())
    assert found.film == hash_film(film)
    assert found.digests == digests(film.read_bytes())
    assert (found.renditions, found.shown) == ({}, ())


def test_a_sheet_shows_nine_of_the_frames_that_differ(examiner, film):
    found = examiner.film(film.read_bytes(), (Style.BLURRED, Style.EDGES))
    assert set(found.renditions) == {Style.BLURRED, Style.EDGES}
    assert len(found.shown) == 9
    assert set(found.shown) <= {int(frame.start) for frame in found.film.frames}
    assert list(found.shown) == sorted(set(found.shown))
    assert found.renditions[Style.BLURRED].startswith(b"\xff\xd8\xff")
    assert found.renditions[Style.EDGES].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.ts", "libx264")]
)
def test_each_frame_is_the_one_on_screen_at_its_time(name, codec, examiner, tmp_path):
    path = steps(tmp_path / name, codec)
    found = examiner.film(path.read_bytes(), (Style.GREY,))
    assert found.film.too_plain, "then the frames are spread over the time"
    assert found.shown == (0, 1, 2, 3, 4, 5)
    assert tiles(found.renditions[Style.GREY], 6) == pytest.approx(STEPS, abs=4)


def test_nothing_is_written_to_a_disk(examiner, film, monkeypatch):
    if not hasattr(os, "memfd_create"):
        pytest.skip("this system has no files in memory")
    monkeypatch.setattr("tempfile.NamedTemporaryFile", None)
    assert examiner.film(film.read_bytes()).film.frames


def test_a_film_longer_than_the_limit_is_refused(examiner, film):
    limits = dataclasses.replace(FILM_LIMITS, seconds=11.0)
    with pytest.raises(TooLarge, match="longer than"):
        examiner.film(film.read_bytes(), limits=limits)
    assert examiner.film(film.read_bytes(), limits=dataclasses.replace(limits, seconds=13.0))


def test_a_transport_stream_longer_than_the_limit_is_refused_though_it_does_not_say_so(
    examiner, tmp_path
):
    path = write(tmp_path / "a.ts", shots(5, size=(96, 64)))
    with pytest.raises(TooLarge, match="longer than"):
        examiner.film(path.read_bytes(), limits=dataclasses.replace(FILM_LIMITS, seconds=3.0))


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", "empty"), (b"no film" * 300, "no film"), (b"GIF89a" + b"\0" * 90, "no film")],
)
def test_what_is_no_film_says_so(data, told, examiner):
    with pytest.raises(Undecodable, match=told):
        examiner.film(data, (Style.GREY,))
