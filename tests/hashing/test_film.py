"""Films and animations as hashes with ranges of time, read in the sandbox."""

import contextlib
import dataclasses
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from drawn_films import shots, write
from strandline.errors import NoFilmDecoder, TimedOut, Undecodable
from strandline.hashing import MIN_QUALITY, Policy, digests, hash_film, pdq
from strandline.hashing import film as films
from strandline.hashing.film import FILM_LIMITS
from strandline.media.containers import is_film

needs_av = pytest.mark.skipif(not importlib.util.find_spec("av"), reason="PyAV is not installed")


@pytest.fixture(scope="module")
def sandbox():
    return films._shared_sandbox()  # that of this process; others need not start their own


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    pytest.importorskip("av")
    path = tmp_path_factory.mktemp("films") / "a.mp4"
    return write(path, shots(12, size=(160, 120)), options={"preset": "medium", "g": "15"})


def bits_apart(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


@needs_av
def test_a_film_is_hashed_once_a_second(film, sandbox):
    found = hash_film(film, sandbox)
    assert (found.kind, found.format, found.codec) == ("video", "mov", "h264")
    assert (found.width, found.height, found.samples) == (160, 120, 12)
    assert found.duration == pytest.approx(12, abs=0.1)
    assert found.digests == digests(film.read_bytes())
    assert found.pipeline == "film-1+pdq-2"
    assert not found.truncated
    drawn = list(shots(12, size=(160, 120)))
    assert found.frames[0].start == 0
    assert found.frames[-1].end == 12
    for frame in found.frames:
        assert bits_apart(frame.pdq, pdq(drawn[int(frame.start) * 10]).hash) <= 12
        assert frame.quality >= MIN_QUALITY


@needs_av
@pytest.mark.parametrize("workers", [2, 3, 8])
def test_however_many_share_a_film_the_answer_is_the_same(workers, film, sandbox):
    assert hash_film(film, sandbox, workers=workers) == hash_film(film, sandbox, workers=1)


@needs_av
def test_a_film_whose_clock_jumps_is_read_by_one(tmp_path, sandbox):
    frames = list(shots(4, size=(96, 64)))
    times = [*(n / 10 for n in range(20)), *(1e6 + n / 10 for n in range(20))]
    path = write(tmp_path / "a.mkv", frames, times=times, options={"g": "5"})
    shared = hash_film(path, sandbox, workers=2)
    assert shared == hash_film(path, sandbox, workers=1)
    assert shared.duration < 10


@needs_av
def test_key_frames_are_a_policy_of_their_own(film, sandbox):
    keys = hash_film(film, sandbox, policy=Policy.KEYFRAMES)
    assert keys.policy is Policy.KEYFRAMES
    assert [frame.end for frame in keys.frames[:-1]] == [frame.start for frame in keys.frames[1:]]
    assert len(keys.frames) >= 4
    assert keys.duration == pytest.approx(12, abs=0.1)


@needs_av
@pytest.mark.parametrize("name", ["b.mp4", "b.ts"])
def test_seconds_asked_for_are_those_of_the_whole_film(name, tmp_path, sandbox):
    path = write(tmp_path / name, shots(9, size=(96, 64)), options={"g": "15"})
    whole = {frame.start: frame.pdq for frame in hash_film(path, sandbox).frames}
    some = hash_film(path, sandbox, ranges=[(1, 3), (7, 8)])
    asked = [frame for frame in some.frames if frame.start in {1, 7}]
    assert [frame.pdq for frame in asked] == [whole[1], whole[7]]
    assert some.ranges == ((1, 3), (7, 8))


@needs_av
def test_an_hour_of_film_is_answered(tmp_path, sandbox):
    stills = [frame for frame in shots(6, rate=1, size=(64, 48), shot=1) for _ in range(600)]
    path = write(tmp_path / "long.mp4", stills, rate=1)
    found = hash_film(path, sandbox)
    assert found.duration == 3600
    assert found.samples == 3600
    assert not found.truncated
    assert 5 <= len(found.frames) <= 12
    assert found.frames[0].end >= 599


@needs_av
def test_a_film_beyond_its_limit_of_frames_is_cut_short_and_says_so(film, sandbox):
    found = hash_film(film, sandbox, limits=dataclasses.replace(FILM_LIMITS, frames=4))
    assert found.truncated
    assert found.samples == 4


@needs_av
@pytest.mark.parametrize("seconds", [1e-6, 0.001, 0.002, 0.003, 0.005])
def test_a_film_that_takes_too_long_is_cut_short_or_timed_out(seconds, film, sandbox):
    with contextlib.suppress(TimedOut):  # and never 'undecodable', which would be for good
        limits = dataclasses.replace(FILM_LIMITS, cpu_seconds=seconds)
        assert hash_film(film, sandbox, limits=limits).truncated


@needs_av
def test_a_black_film_is_too_plain(tmp_path, sandbox):
    found = hash_film(write(tmp_path / "a.mp4", [np.zeros((64, 64, 3), np.uint8)] * 30), sandbox)
    assert found.too_plain
    assert found.samples == 3


def test_what_is_no_film_is_refused_with_a_sentence(tmp_path, sandbox):
    (tmp_path / "a.mp4").write_text("#EXTM3U\nfile:///etc/hostname\n")
    with pytest.raises(Undecodable, match="no film or animation"):
        hash_film(tmp_path / "a.mp4", sandbox)
    (tmp_path / "b.mp4").touch()
    with pytest.raises(Undecodable, match="empty"):
        hash_film(tmp_path / "b.mp4", sandbox)
    with pytest.raises(OSError, match="a"):
        hash_film(tmp_path, sandbox)


@needs_av
def test_a_film_of_noise_behind_a_good_signature_is_refused(tmp_path, sandbox):
    noise = np.random.default_rng(1).bytes(20_000)
    for number, head in enumerate((b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3", b"FLV\x01\x05")):
        path = tmp_path / str(number)
        path.write_bytes(head + noise)
        assert is_film(path.read_bytes())
        with pytest.raises(Undecodable):
            hash_film(path, sandbox)


def test_without_pyav_a_film_says_what_to_install(tmp_path, sandbox, monkeypatch):
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(100))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoFilmDecoder, match=r"strandline\[video\]"):
        hash_film(path, sandbox)


def test_without_pyav_animations_are_still_hashed(tmp_path):
    gif(tmp_path / "a.gif", list(shots(1, size=(64, 48))))
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from strandline.hashing import film_tasks\n"
        "from strandline.media import Limits\n"
        "film_tasks.prepare(Limits())\n"
        f"file = open({str(tmp_path / 'a.gif')!r}, 'rb')\n"
        "print(film_tasks.FILE_TASKS['animation'](file, {}, Limits())[0]['width'])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert told == "64\n"


def test_the_parent_loads_no_decoder():
    code = "import sys, strandline.hashing.film; print('av' in sys.modules, 'numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False False\n"


# Animations.


def gif(path, frames, milliseconds=100, kind="GIF"):
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(path, kind, save_all=True, append_images=rest, duration=milliseconds, loop=0)
    return path


def test_an_animation_is_hashed_frame_by_frame(tmp_path, sandbox):
    drawn = list(shots(3, rate=2, size=(96, 64), shot=1))
    found = hash_film(gif(tmp_path / "a.gif", drawn, 500), sandbox)
    assert (found.kind, found.format, found.samples) == ("animation", "GIF", 6)
    assert found.duration == pytest.approx(3)
    assert 3 <= len(found.frames) <= 6
    assert bits_apart(found.frames[0].pdq, pdq(drawn[0]).hash) <= 31


def test_ten_thousand_frames_of_gif_are_answered(tmp_path, sandbox):
    one = list(shots(2, rate=5, size=(48, 32), shot=0.5))
    path = tmp_path / "a.gif"
    path.write_bytes(repeated(gif(path, one).read_bytes(), 1000))
    found = hash_film(path, sandbox)
    assert found.samples == 10_000
    assert not found.truncated
    assert found.duration == pytest.approx(1000, rel=0.01)


def repeated(data: bytes, times: int) -> bytes:
    """The same GIF with its frames ``times`` over."""
    start = data.index(b"\x21\xf9")
    return data[:start] + data[start:-1] * times + data[-1:]


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_cut_off_animation_is_marked(kind, tmp_path, sandbox):
    path = gif(tmp_path / "a", list(shots(2, size=(96, 64))), kind=kind)
    assert not hash_film(path, sandbox).truncated
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found = hash_film(path, sandbox)
    assert found.truncated
    assert 0 < found.samples < 20


# A worker that was taken over.


class Taken:
    """A sandbox whose worker answers what it likes."""

    def __init__(self, **lies):
        self.facts = {"codec": "x", "width": 1, "height": 1, "end": 1.0, "truncated": False}
        self.facts |= {"irregular": False}
        self.samples = np.zeros(2, films.SAMPLE)
        self.samples["end"] = 1
        self.lies = lies

    def run_file(self, _task, _path, *, params, limits):
        for name, value in self.lies.items():
            if name in self.facts:
                self.facts[name] = value
            else:
                self.samples[name] = value
        return self.facts, {"samples": self.samples.tobytes()}


@pytest.mark.parametrize(
    "lie",
    [
        {"start": np.nan},
        {"end": np.inf},
        {"start": -1.0},
        {"start": 2.0},
        {"end": 1e300},
        {"quality": 101},
        {"width": "many"},
        {"end": -5.0},
    ],
    ids=str,
)
def test_an_answer_that_makes_no_sense_is_not_used(lie, tmp_path):
    path = gif(tmp_path / "a.gif", list(shots(1, size=(64, 48))))
    with pytest.raises(Undecodable, match="no sense"):
        hash_film(path, Taken(**lie))
