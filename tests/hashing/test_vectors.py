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
