import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from strandline.hashing import Orientation, pdq, pdq_dihedral

DIHEDRAL = Path(__file__).parents[3] / "shared/vectors/pdq/dih"
#: Facebook's names for the files of its eight orientations, and ours.
THEIRS = {
    "bridge-1-original": "original",
    "bridge-2-rotate-90": "rotated-90",
    "bridge-3-rotate-180": "rotated-180",
    "bridge-4-rotate-270": "rotated-270",
    "bridge-5-flipx": "flipped",
    "bridge-6-flipy": "mirrored",
    "bridge-7-flip-plus-1": "transposed",
    "bridge-8-flip-minus-1": "anti-transposed",
}


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _same(way: Orientation, pixels: np.ndarray, wanted: np.ndarray) -> bool:
    return np.array_equal(way.of(pixels), wanted)


def test_orientations_are_what_numpy_calls_them():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    assert _same(Orientation.ORIGINAL, pixels, pixels)
    assert _same(Orientation.ROTATED_90, pixels, np.rot90(pixels))
    assert _same(Orientation.ROTATED_180, pixels, np.rot90(pixels, 2))
    assert _same(Orientation.ROTATED_270, pixels, np.rot90(pixels, 3))
    assert _same(Orientation.MIRRORED, pixels, np.fliplr(pixels))
    assert _same(Orientation.FLIPPED, pixels, np.flipud(pixels))
    assert _same(Orientation.TRANSPOSED, pixels, pixels.swapaxes(0, 1))
    assert _same(Orientation.ANTI_TRANSPOSED, pixels, np.rot90(pixels.swapaxes(0, 1), 2))


def test_one_orientation_after_another_is_a_third():
    pixels = np.arange(12).reshape(3, 4)
    for one, other in itertools.product(Orientation, repeat=2):
        both = other.of(one.of(pixels))
        assert sum(_same(way, pixels, both) for way in Orientation) == 1


@pytest.mark.parametrize("way", Orientation)
def test_what_undoes_an_orientation_brings_the_picture_back(way):
    pixels = np.arange(12).reshape(3, 4)
    assert np.array_equal(way.undone.of(way.of(pixels)), pixels)
    assert way.undone.undone is way


def test_eight_hashes_are_those_of_the_picture_really_turned(photographs):
    for name, pixels in photographs.items():
        found = pdq_dihedral(pixels)
        assert list(found) == list(Orientation)
        for way, each in found.items():
            assert each == pdq(np.ascontiguousarray(way.of(pixels))), (name, way)


@given(
    st.tuples(st.integers(5, 140), st.integers(5, 140)),
    st.sampled_from(["noise", "flat", "grey", "gradient"]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_so_are_those_of_tiny_flat_and_noisy_pictures(shape, kind, seed):
    draw = np.random.default_rng(seed)
    pixels = {
        "noise": lambda: draw.integers(0, 256, (*shape, 3), np.uint8),
        "grey": lambda: draw.integers(0, 256, shape, np.uint8),
        "flat": lambda: np.full((*shape, 3), draw.integers(0, 256), np.uint8),
        "gradient": lambda: np.tile(np.linspace(0, 255, shape[1]).astype(np.uint8), (shape[0], 1)),
    }[kind]()
    for way, each in pdq_dihedral(pixels).items():
        assert each.hash == pdq(np.ascontiguousarray(way.of(pixels))).hash


@pytest.mark.skipif(not DIHEDRAL.exists(), reason="the vectors ../shared/vectors/pdq are not here")
def test_the_published_orientations_are_found_under_our_names():
    def pixels(name: str) -> np.ndarray:
        return np.array(Image.open(DIHEDRAL / f"{name}.jpg").convert("RGB"))

    found = pdq_dihedral(pixels("bridge-1-original"))
    for name, ours in THEIRS.items():
        assert distance(found[Orientation(ours)].hash, pdq(pixels(name)).hash) <= 2, name
