"""Films at reported addresses, from the capture to the list, over a real socket."""

import io
import json
import math
import wave

import numpy as np
import pytest
from PIL import Image

from drawn_films import photograph, shots, write
from reported_films import captured, reaching_loopback, served
from strandline.hashing import Examiner, digests, hash_film
from strandline.hotline.reports.models import Film, MediaItem
from strandline.hotline.reports.states import State
from strandline.media import Style
from strandline.vault import Vault

pytest.importorskip("av")
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Bytes of drawn films by name."""
    folder = tmp_path_factory.mktemp("films")
    frames = list(shots(6, size=(320, 240), noise=1))
    smaller = [np.asarray(Image.fromarray(each).resize((240, 180))) for each in frames]
    plain = [np.full((60, 80, 3), 90, np.uint8)] * 20
    paths = {
        "mp4": write(folder / "a.mp4", frames),
        "webm": write(folder / "a.webm", frames[:20], "libvpx", options={"deadline": "realtime"}),
        "copy": write(folder / "copy.mkv", smaller, options={"crf": "28"}),
        "other": write(folder / "other.mp4", shots(3, size=(160, 120), names=("camera.png",))),
        "plain": write(folder / "plain.mp4", plain),
    }
    return {name: path.read_bytes() for name, path in paths.items()}


@pytest.fixture(scope="module")
def examiner():
    with Examiner() as examiner:
        yield examiner


@pytest.fixture
def site(settings, hotline):
    settings.HOTLINE = reaching_loopback(hotline)
    with served() as site:
        yield site


@pytest.fixture
def report(site, now, examiner):
    """``report(url)``: that address, reported and captured; as often as ``times`` says."""
    return lambda url, times=1: captured(url, now, examiner, times)


def last_change(address):
    return address.changes.order_by("-pk")[0]


def sound():
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(
            b"".join(
                round(9000 * math.sin(n / 4)).to_bytes(2, "little", signed=True)
                for n in range(8000)
            )
        )
    return out.getvalue()


def sound_alone(path):
    import av

    with av.open(str(path), "w") as made, av.open(io.BytesIO(sound())) as source:
        stream = made.add_stream("aac", rate=8000)
        for frame in source.decode(audio=0):
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return path.read_bytes()


def test_a_film_is_captured_with_its_frames_and_kept(site, report, films, settings, tmp_path):
    row = report(site.put("/a.mp4", "video/mp4", films["mp4"]))
    assert row.state == State.CAPTURED
    item = MediaItem.objects.get()
    known = digests(films["mp4"])
    assert (item.kind, item.sha256, item.sha1, item.md5) == (
        ("video", known.sha256, known.sha1, known.md5)
    )
    assert (item.width, item.height, item.format, item.size) == (320, 240, "mov", len(films["mp4"]))
    assert item.seconds == pytest.approx(6, abs=0.2)
    assert (item.length, item.refusal, item.pdq, item.truncated) == ("0:06", "", "", False)
    (tmp_path / "a.mp4").write_bytes(films["mp4"])
    expected = hash_film(tmp_path / "a.mp4")
    assert item.pipeline == expected.pipeline
    assert [(frame.ms, frame.quality, frame.pdq) for frame in item.film.frames] == [
        (round(frame.start * 1000), frame.quality, frame.pdq) for frame in expected.frames
    ]
    assert item.film.codec == "h264"
    hotline = settings.HOTLINE
    vault = Vault(hotline.vault, recipients=[hotline.recipient("evidence-identity")])
    original = vault.get(item.evidence_key, hotline.secret("evidence-identity"))
    assert original == films["mp4"]


def test_its_renditions_are_grey_sheets_with_the_times_that_the_record_tells(
    site, report, films, settings
):
    report(site.put("/a.mp4", "video/mp4", films["mp4"]))
    film = Film.objects.get()
    assert len(film.shown) == len(film.frames) <= 9
    assert film.times_shown.startswith("0:00, 0:01")
    hotline = settings.HOTLINE
    vault = Vault(hotline.vault, recipients=[hotline.recipient("rendition-identity")])
    for style in Style:
        key = film.item.rendition_key(style.value)
        made = Image.open(io.BytesIO(vault.get(key, hotline.secret("rendition-identity"))))
        assert (made.mode, made.format) == ("L", "PNG" if style is Style.EDGES else "JPEG")
        assert made.width == 3 * (240 + 8) + 8


def test_a_page_is_captured_with_its_pictures_and_films(site, report, films):
    picture = io.BytesIO()
    photograph("camera.png").save(picture, "PNG")
    site.put("/a.png", "image/png", picture.getvalue())
    site.put("/film.mp4", "video/mp4", films["mp4"])
    site.put("/a.webm", "application/octet-stream", films["webm"])
    site.put("/thread/b.gif", "image/gif", films["copy"])
    page = (
        b'<title>A thread</title><img src="/a.png"><img src="b.gif">'
        b'<video src="/film.mp4"><source src="/a.webm"></video><a href="/gone.mp4">one more</a>'
    )
    row = report(site.put("/thread/1", "text/html", page))
    assert row.state == State.CAPTURED
    kinds = [item.kind for item in MediaItem.objects.order_by("size")]
    assert sorted(kinds) == ["image", "video", "video", "video"]
    seen = row.observations.get()
    assert seen.reason.startswith("4 of 5 pictures and films; missing: status 404 ")
    assert Film.objects.filter(video=b"").count() == 0


def broken(films, _path):
    return films["mp4"][:300]


def noise(_films, _path):
    return b"\0\0\0\x20ftypisom" + np.random.default_rng(3).bytes(3000)


def empty(_films, _path):
    return b""


def no_film(_films, _path):
    return b"no film at all"


@pytest.mark.parametrize(
    ("make", "verdict", "told"),
    [
        (broken, "undecodable", "damaged or cut off"),
        (noise, "undecodable", "undecodable: "),
        (empty, "undecodable", "empty"),
        (no_film, "undecodable", "no film"),
        (lambda _, path: sound_alone(path), "undecodable", "no moving picture"),
    ],
    ids=["broken", "noise", "empty", "no film", "sound alone"],
)
def test_what_cannot_be_read_is_refused_as_a_picture_is_with_the_reason(
    make, verdict, told, site, report, films, tmp_path, settings
):
    data = make(films, tmp_path / "sound.mp4")
    row = report(site.put("/a.mp4", "video/mp4", data))
    assert row.state == State.NEEDS_INFORMATION
    assert told in last_change(row).reason
    item = MediaItem.objects.get()
    assert (item.kind, item.refusal, item.bytes_are) == ("video", verdict, "discarded")
    assert item.sha256 == digests(data).sha256
    assert not Film.objects.exists()
    vault = Vault(settings.HOTLINE.vault, recipients=[])
    assert not vault.exists(item.evidence_key)


def test_an_overlong_film_is_refused_with_the_reason(site, report, films, settings, hotline):
    settings.HOTLINE = reaching_loopback(hotline, film_minutes=0.05)
    row = report(site.put("/a.mp4", "video/mp4", films["mp4"]))
    assert row.state == State.NEEDS_INFORMATION
    assert "too-large: The film is longer than" in last_change(row).reason
    assert MediaItem.objects.get().refusal == "too-large"


def test_a_refused_film_beside_a_picture_is_told_and_does_not_hold_it_up(site, report, films):
    picture = io.BytesIO()
    photograph("camera.png").save(picture, "PNG")
    site.put("/a.png", "image/png", picture.getvalue())
    site.put("/a.mp4", "video/mp4", b"no film at all")
    row = report(site.put("/", "text/html", b'<img src="a.png"><video src="a.mp4"></video>'))
    assert row.state == State.CAPTURED
    assert "undecodable: This is no film" in row.observations.get().reason


def test_a_film_may_be_larger_than_a_picture_and_no_larger_than_its_own_limit(
    site, report, films, settings, hotline
):
    size = len(films["mp4"])
    settings.HOTLINE = reaching_loopback(hotline, max_bytes=size // 2, film_max_bytes=size)
    assert report(site.put("/a.mp4", "video/mp4", films["mp4"])).state == State.CAPTURED
    row = report(site.put("/b.mp4", "video/mp4", films["mp4"] + b"\0"), times=3)
    assert row.state == State.NEEDS_INFORMATION
    assert "too-large" in last_change(row).reason
    row = report(site.put("/c.png", "image/png", films["mp4"]), times=3)
    assert "too-large" in last_change(row).reason, "what is called a picture has a picture's limit"


def test_what_is_not_named_a_film_and_is_none_is_not_looked_at(site, report, films):
    row = report(site.put("/a.zip", "application/octet-stream", b"PK\3\4 something"), times=3)
    assert row.state == State.NEEDS_INFORMATION
    assert "application/octet-stream, which is no film" in last_change(row).reason
    assert not MediaItem.objects.exists()


def test_without_a_film_decoder_nothing_is_said_of_the_film(site, report, films, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "av" else found(name)
    )
    row = report(site.put("/a.mp4", "video/mp4", films["mp4"]))
    assert row.state == State.TRIAGED, "it is looked at again later"
    assert "PyAV" in row.observations.get().reason
    assert not MediaItem.objects.exists()


def test_a_film_too_plain_to_compare_is_shown_and_has_no_frames(site, report, films):
    row = report(site.put("/plain.mp4", "video/mp4", films["plain"]))
    assert row.state == State.CAPTURED
    film = Film.objects.get()
    assert film.frames == ()
    assert film.shown == [0, 1]


def test_evidence_is_not_kept_where_the_hotline_keeps_none(site, report, films, settings, hotline):
    import dataclasses

    settings.HOTLINE = dataclasses.replace(reaching_loopback(hotline), keep_evidence=False)
    report(site.put("/a.mp4", "video/mp4", films["mp4"]))
    item = MediaItem.objects.get()
    assert item.bytes_are == MediaItem.Bytes.DISCARDED
    vault = Vault(settings.HOTLINE.vault, recipients=[])
    assert not vault.exists(item.evidence_key)
    assert vault.exists(item.rendition_key("grey"))


def test_the_same_film_at_two_addresses_is_one_item(site, report, films):
    report(site.put("/a.mp4", "video/mp4", films["mp4"]))
    report(site.put("/b.mp4", "application/octet-stream", films["mp4"]))
    item = MediaItem.objects.get()
    assert item.appearances.count() == 2
    assert json.loads(json.dumps(item.film.shown)) == item.film.shown
