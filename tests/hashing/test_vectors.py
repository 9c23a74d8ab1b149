"""Bit identity with the reference implementation, on pictures everyone has."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from strandline.hashing import Pdq, hash_image, pdq

VECTORS = Path(__file__).parents[3] / "shared/vectors/pdq/expected.json"

#: Hash and quality by the C++ reference (pdqhash 0.2.8) of scikit-image's pictures, as RGB.
FACTS = {
    "astronaut.png": ("2d6b1af3a956c529e79ca3d2526fa834d4196c81cedd04de0a26b855fc99b724", 100),
    "coffee.png": ("8c629e779a663698b9a33866c026726c21a679f61eb6e1f8c79ba7e23c8299e0", 100),
    "chelsea.png": ("5feb5321f01da156898e2bf629a5d3438412cdbd23f48942464526315db33ffd", 100),
    "rocket.jpg": ("8792786c87937064bf1bc0e43f1fc0e03f1cc2e33da4c2537cec821b2ce4f376", 100),
    "camera.png": ("dc9c9d3b746978f888f40ce6e5c3f70f7266623e8d989cb99f21f2010841e1c7", 100),
    "motorcycle_left.png": (
        "e0c9cfdb78d358d68a58ec54e94ba55937525b67508a0b87ad64fc6b4631c470",
        100,
    ),
    "retina.jpg": ("83d22b5802d238191b87b1f8bf1ad487fc0f55f8405adc011fafa8f4ebfc2a59", 100),
    "page.png": ("965b26d62ed3636b192ccdddcc91d88c3925812979849815e37b1cce4732a6fb", 100),
}


#: These carry a colour profile other than sRGB, which the reference ignores and we apply.
PROFILED = {"rocket.jpg": "Adobe RGB", "page.png": "Dot Gain 20%"}


@pytest.mark.parametrize("name", FACTS)
def test_pixels_hash_as_the_reference_hashes_them(name, photograph):
    pixels = np.asarray(Image.open(io.BytesIO(photograph(name))).convert("RGB"))
    assert pdq(pixels) == Pdq(*FACTS[name])


@pytest.mark.parametrize("name", sorted(FACTS.keys() - PROFILED.keys()))
def test_files_hash_as_the_reference_hashes_them(name, examiner, photograph):
    image = examiner.picture(photograph(name)).image
    assert (image.pdq, image.quality) == FACTS[name]


@pytest.mark.parametrize("name", PROFILED)
def test_a_colour_profile_moves_the_hash_a_little(name, examiner, photograph):
    found = examiner.picture(photograph(name)).image.pdq
    distance = (int(found, 16) ^ int(FACTS[name][0], 16)).bit_count()
    assert 0 < distance <= 31


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.astype(np.uint8)[:, :, None], 3, axis=2)


def _drawn() -> dict[str, np.ndarray]:
    """Pictures whose bits the reference's own rounding decides."""
    ramp = np.arange(400) * 255 // 399
    return {
        "black": np.zeros((300, 200, 3), np.uint8),
        "white": np.full((300, 200, 3), 255, np.uint8),
        "one colour": np.full((77, 913, 3), (3, 90, 200), np.uint8),
        "64 by 64, one colour": np.full((64, 64, 3), (9, 8, 7), np.uint8),
        "from dark to light": _grey(np.tile(ramp, (500, 1))),
        "from light to dark, down": _grey(np.tile((255 - ramp)[:, None], 500)),
        "a board of 8 pixels": _grey(np.indices((512, 512)).sum(0) // 8 % 2 * 255),
        "a board of single pixels": _grey(np.indices((100, 130)).sum(0) % 2 * 255),
        "rings": _grey(np.hypot(*(np.indices((700, 900)) - 350)).astype(int) % 256),
        "a strip, 2000 by 16": _grey(np.indices((2000, 16)).prod(0) % 251),
        "a strip, 16 by 2000": _grey(np.indices((16, 2000)).prod(0) % 251),
        "5 by 5": _grey(np.indices((5, 5)).prod(0) * 15),
    }


#: The same reference's hash and quality of what is drawn above.
DRAWN = {
    "black": (
        "0000000000000000000000000000000000000000000000000000000000000000",
        0,
    ),
    "white": (
        "00001134000011342c4b00002c4b1134000000002c4b2c4b00002c4b8200554b",
        0,
    ),
    "one colour": (
        "00001134554b11342c4b2c4b2c4b2c4b11342c4b82002c4b82002c4b554bcc53",
        0,
    ),
    "64 by 64, one colour": (
        "00002c4b2c4b11342c4b2c4b2c4b00002c4b82001134000011342c4bcc53bd0b",
        0,
    ),
    "from dark to light": (
        "b71455b5d1d9715a635ef25d9d5c45acb495c594daa2a55535552955430ad586",
        44,
    ),
    "from light to dark, down": (
        "40bbb20f4548208485d96b222a9a22ec90238814e181f90399a6cc3f00454743",
        44,
    ),
    "a board of 8 pixels": (
        "0015555500155555005555550055555f00555fff0055ffff0155ffff0155ffff",
        100,
    ),
    "a board of single pixels": (
        "5555aaaaaaaaaaaa55555555aaaaaaaa5555aaaaaaaaaaaa55555555aaaa5555",
        32,
    ),
    "rings": (
        "07463a39373ed8b9b939c8c9d9b906c645c91e0616cdea365a262bd02ab7ff48",
        100,
    ),
    "a strip, 2000 by 16": (
        "4c367fe026647fe026647fe026647fe006647ff006647ff046647fec64c46cc8",
        100,
    ),
    "a strip, 16 by 2000": (
        "0000d55f7f575554d555ffff7ffc555455577ffffffc80500005aaae80000000",
        100,
    ),
    "5 by 5": (
        "94257c1f695a7c1f294af69f695a2b4a92a481e096a5d6b596a554176c5b5635",
        63,
    ),
}

#: And of crops of coffee.png: top, left, height, width.
CROPS = {
    (0, 0, 5, 5): (
        "94a5318c6b5ace73cb729b2696a564d964d9318c94a5398c6b5ace739b269b26",
        0,
    ),
    (10, 20, 5, 300): (
        "d24292cb2dbd6d2695345a4e9536a5b16acb9299d2429acb2dbd6d6695345a4e",
        86,
    ),
    (50, 60, 63, 65): (
        "caa711be27cc4d08d2bc75a313576407b21b44aae35f56b7cb3e7ee8e5186204",
        100,
    ),
    (50, 60, 64, 64): (
        "caa713b827c44918f6bc7da3034670079a1be4aac35f56b78b3e7ee8a53ae204",
        100,
    ),
    (100, 100, 65, 127): (
        "481b9f307f7bfe955fc8f4177b229380400b86f4436b2e979b4864a5325a996d",
        100,
    ),
    (0, 300, 128, 129): (
        "dd406af0747032f89b3d499eec8f56cfda474d62f4b184d84a6c85646a960d6b",
        100,
    ),
    (7, 9, 333, 6): (
        "da6d2592b91bce6c64c6ad1ada6d249231c3ec4e2592c62cb14b13b1ec4ef94f",
        100,
    ),
    (100, 200, 200, 300): (
        "47f10276dc8cbb137771227c400e9991bb31bffe24ce049f6c90493649dcdb65",
        100,
    ),
    (1, 1, 399, 599): (
        "88629e779a663698f9833866c126727c21a779f61eb6e1f8c799a7e23c0299e0",
        100,
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_plain_and_regular_pictures_hash_as_the_reference_hashes_them(name):
    assert pdq(_drawn()[name]) == Pdq(*DRAWN[name])


@pytest.mark.parametrize("place", CROPS)
def test_crops_hash_as_the_reference_hashes_them(place, photograph):
    whole = np.asarray(Image.open(io.BytesIO(photograph("coffee.png"))).convert("RGB"))
    top, left, height, width = place
    assert pdq(whole[top : top + height, left : left + width]) == Pdq(*CROPS[place])


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors ../shared/vectors/pdq are not here")
def test_the_published_vectors_hash_as_expected(examiner):
    expected = json.loads(VECTORS.read_text())
    assert len(expected) == 20
    for name, facts in expected.items():
        image = hash_image(VECTORS.parent / name, examiner.sandbox)
        assert (image.pdq, image.quality) == (facts["pdq"], facts["quality"]), name
        assert [image.width, image.height] == facts["size"]


def test_crops_hash_as_pdqhash_hashes_them(photograph, tmp_path):
    peer = pytest.importorskip("pdqhash", reason="pdqhash is not installed")
    path = tmp_path / "photograph.png"
    path.write_bytes(photograph("coffee.png"))
    whole = np.asarray(Image.open(path).convert("RGB"))
    draw = np.random.default_rng(8)
    for _ in range(200):
        height, width = draw.integers(5, 400, 2)
        top, left = draw.integers(0, 400 - height), draw.integers(0, 600 - width)
        crop = np.ascontiguousarray(whole[top : top + height, left : left + width])
        bits, _ = peer.compute(crop)
        assert pdq(crop).hash == np.packbits(bits.astype(np.uint8)).tobytes().hex()
