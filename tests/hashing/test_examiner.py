import io
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from strandline.hashing import (
    MIN_QUALITY,
    PIPELINE,
    Examiner,
    Mode,
    Orientation,
    digests,
    hash_image,
    open_sandbox,
    pdq,
    pdq_dihedral,
    pipeline,
)
from strandline.media import Limits, Sandbox, Style, TimedOut, TooLarge, Undecodable


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.fixture(scope="module")
def astronaut(photograph) -> Image.Image:
    return Image.open(io.BytesIO(photograph("astronaut.png"))).convert("RGB")


def encode(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=92)


@pytest.mark.parametrize(
    "stored",
    [
        lambda image: encode(image.quantize(256), "PNG"),
        lambda image: encode(image.convert("CMYK"), "JPEG", quality=92),
        _turned,
        lambda image: encode(image, "WEBP"),
        lambda image: encode(image, "AVIF"),
        lambda image: encode(image.convert("RGBA"), "PNG"),
        lambda image: encode(ImageOps.grayscale(image), "PNG"),
        lambda image: encode(image.resize((300, 300)), "JPEG"),
    ],
    ids=["palette", "cmyk", "exif-turned", "webp", "avif", "alpha", "grey", "smaller"],
)
def test_however_a_picture_is_stored_its_hash_stays_near(stored, examiner, astronaut, photograph):
    wanted = examiner.picture(photograph("astronaut.png")).image.pdq
    found = examiner.picture(stored(astronaut)).image
    assert distance(found.pdq, wanted) <= 12
    assert found.quality >= MIN_QUALITY


def test_everything_the_record_keeps_is_told_at_once(examiner, photograph):
    data = photograph("rocket.jpg")
    facts = examiner.picture(data, [Style.BLURRED, Style.EDGES])
    image = facts.image
    assert (image.format, image.width, image.height) == ("JPEG", 640, 427)
    assert image.truncated is False
    assert image.digests == digests(data)
    assert image.pipeline == PIPELINE
    assert facts.renditions.keys() == {Style.BLURRED, Style.EDGES}
    assert Image.open(io.BytesIO(facts.renditions[Style.BLURRED])).format == "JPEG"


def test_a_truncated_picture_is_hashed_and_marked(examiner, photograph):
    image = examiner.picture(photograph("rocket.jpg")[:60_000]).image
    assert image.truncated
    assert image.quality > 0


def test_a_plain_picture_is_too_plain_to_fingerprint(examiner):
    image = examiner.picture(encode(Image.new("RGB", (500, 400), "white"), "PNG")).image
    assert image.quality < MIN_QUALITY
    assert image.too_plain
    assert len(image.pdq) == 64


def test_a_photograph_is_not_too_plain(examiner, photograph):
    assert not examiner.picture(photograph("rocket.jpg")).image.too_plain


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "image",
    [
        Image.effect_noise((300, 200), 60),
        Image.effect_noise((70, 900), 60).convert("RGB"),
        Image.new("RGB", (64, 64), "grey"),
        Image.new("L", (3000, 2000), 80),
        Image.new("RGB", (3, 2000)),
        Image.new("RGB", (1, 1)),
        Image.linear_gradient("L"),
    ],
    ids=["grey noise", "noise", "64 px", "large and flat", "narrow", "one pixel", "gradient"],
)
def test_every_kind_of_picture_is_hashed_where_no_file_can_be_opened(examiner, image, mode):
    """The kernels were loaded before; both summing orders, grey and colour."""
    data = encode(image, "JPEG", quality=95)
    found = examiner.picture(data, mode=mode, variants=True)
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    wanted = pdq(pixels)
    assert found.image.pdq == wanted.hash or (mode is Mode.FAST and wanted.quality == 0)
    assert found.image.quality == wanted.quality
    assert found.variants[0].pdq == wanted.hash
    assert "memory-limit" in examiner.protections


def test_fast_mode_says_so_and_drifts_by_8_bits_at_most(examiner, photographs):
    for name, pixels in photographs.items():
        for size in ((1024, 1023), (2047, 1530), (640, 2100)):
            large = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
            data = encode(large, "JPEG", quality=85)
            exact = hash_image(data, examiner.sandbox)
            fast = hash_image(data, examiner.sandbox, mode=Mode.FAST)
            assert distance(fast.pdq, exact.pdq) <= 8, (name, size)
            assert fast.pipeline == pipeline(Mode.FAST) == f"{PIPELINE}-fast"
            assert exact.pipeline == PIPELINE
            assert (fast.mode, exact.mode) == (Mode.FAST, Mode.EXACT)
            same = replace(fast, pdq=exact.pdq, pipeline=PIPELINE, mode=Mode.EXACT)
            assert replace(same, quality=exact.quality) == exact
            assert abs(fast.quality - exact.quality) <= 2


@pytest.mark.parametrize("turn", range(1, 9))
def test_fast_mode_turns_a_picture_as_exif_says(examiner, photographs, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    large = Image.fromarray(photographs["chelsea.png"]).resize((1091, 1027))
    data = encode(large, "JPEG", quality=90, exif=exif)
    exact, fast = (hash_image(data, examiner.sandbox, mode=mode) for mode in Mode)
    assert distance(fast.pdq, exact.pdq) <= 8
    assert (fast.width, fast.height) == (exact.width, exact.height)


def test_fast_mode_hashes_what_has_no_short_cut_as_exact_mode_does(examiner, photograph):
    exact, fast = (hash_image(photograph("coffee.png"), examiner.sandbox, mode=m) for m in Mode)
    assert fast.pdq == exact.pdq
    assert fast.pipeline == pipeline(Mode.FAST)


def test_fast_mode_renders_the_whole_picture_all_the_same(examiner, photograph):
    data = photograph("rocket.jpg")
    fast = examiner.picture(data, [Style.EDGES], mode=Mode.FAST)
    assert fast.renditions == examiner.picture(data, [Style.EDGES]).renditions


def test_variants_are_the_picture_turned_and_without_bars(examiner, photographs):
    pixels = photographs["chelsea.png"]
    framed = np.zeros((pixels.shape[0] + 100, *pixels.shape[1:]), np.uint8)
    framed[50:-50] = pixels
    found = examiner.picture(encode(Image.fromarray(framed), "PNG"), variants=True).variants
    assert [each.trimmed for each in found] == [False] * 8 + [True] * 8
    assert [each.orientation for each in found] == [*Orientation] * 2
    turned = {each.orientation: each.pdq for each in found if each.trimmed}
    for way, each in pdq_dihedral(pixels).items():
        assert turned[way] == each.hash


def test_variants_are_only_made_when_asked_for(examiner, photograph):
    assert examiner.picture(photograph("rocket.jpg")).variants == ()


def test_an_animation_is_told_from_a_picture(examiner):
    frames = [Image.effect_noise((90, 90), 50).convert("P") for _ in range(3)]
    moving = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert examiner.picture(moving).image.kind == "animation"
    assert examiner.picture(encode(frames[0], "GIF")).image.kind == "image"
    pages = encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert examiner.picture(pages).image.kind == "image"


def test_a_file_can_be_hashed_by_its_path(tmp_path, examiner, photograph):
    path = tmp_path / "picture"
    path.write_bytes(photograph("coffee.png"))
    by_bytes = hash_image(photograph("coffee.png"), examiner.sandbox)
    assert hash_image(path, examiner.sandbox) == by_bytes == hash_image(path)


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "picture"
    with path.open("wb") as large:
        large.truncate(2**40)
    with open_sandbox() as own, pytest.raises(TooLarge, match="1,099,511,627,776"):
        hash_image(path, own)


def test_what_is_no_file_is_refused_at_once(tmp_path, examiner):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a file"):
            hash_image(path, examiner.sandbox)


def test_junk_has_a_verdict_and_no_hash(examiner):
    with pytest.raises(Undecodable):
        examiner.picture(b"junk")


def test_the_limits_reach_the_worker():
    picture = encode(Image.new("RGB", (100, 100)), "PNG")
    with Examiner(Limits(pixels=9_999)) as small, pytest.raises(TooLarge):
        small.picture(picture)
    with Examiner(Limits(wall_seconds=0.000_001)) as hasty, pytest.raises(TimedOut):
        hasty.picture(picture)


def test_a_sandbox_that_only_decodes_cannot_hash(photograph):
    with Sandbox() as plain, pytest.raises(ValueError, match="fingerprint"):
        hash_image(photograph("coffee.png"), plain)


def test_a_picture_at_the_pixel_limit_fits_the_memory_limit():
    """With alpha, to be turned, rendered, hashed by the strict path; a quarter of both limits."""
    usual = Limits()
    room = (usual.memory - 256 * 2**20) // 4 + 256 * 2**20
    exif = Image.Exif()
    exif[0x0112] = 6
    largest = Image.new("RGBA", (4470, 4470), (10, 20, 30, 200))
    data = encode(largest, "PNG", exif=exif, compress_level=1)
    with Examiner(Limits(pixels=usual.pixels // 4, memory=room)) as own:
        image = own.picture(data, list(Style)).image
    assert image.width * image.height > 0.99 * usual.pixels / 4
    assert image.quality == 0


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"pdq": "zz", "quality": 3},
        {"pdq": "", "quality": 3},
        {"pdq": None, "quality": 3},
        {"pdq": "00" * 32, "quality": True, "variants": [["upside", False, "00" * 32, 100]]},
        {"pdq": "00" * 32, "quality": 101, "width": 1, "height": 1, "format": "", "truncated": 0},
        {"pdq": "00" * 31, "quality": 1, "width": 1, "height": 1, "format": "", "truncated": 0},
        {"pdq": "00" * 32, "quality": [], "width": 1, "height": 1, "format": "", "truncated": 0},
    ],
)
def test_an_answer_that_makes_no_sense_is_not_believed(monkeypatch, facts):
    own = Examiner()
    monkeypatch.setattr(own.sandbox, "run", lambda *_: (facts, {}))
    with pytest.raises(Undecodable, match="no sense"):
        own.picture(b"")


def test_a_page_is_read_in_the_sandbox(examiner):
    page = examiner.page(
        "<title>Größe</title><p>Text<img src=/a.png>".encode("cp1252"), "http://e.example/x/"
    )
    assert page.title == "Größe"
    assert page.text == "Text"
    assert page.pictures == ("http://e.example/a.png",)
    assert page.refresh is None


def test_the_protections_are_told(examiner):
    assert "no-new-descriptors" in examiner.protections


def test_importing_the_room_loads_no_decoder():
    program = (
        "import sys, strandline.hashing\n"
        "assert not {name for name in sys.modules if name.split('.')[0] in ('PIL', 'selectolax')}"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_hashing_pixels_and_hashing_a_file_agree(examiner, photograph, astronaut):
    image = examiner.picture(photograph("astronaut.png")).image
    found = pdq(np.asarray(astronaut))
    assert (image.pdq, image.quality) == (found.hash, found.quality)
