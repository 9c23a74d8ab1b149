import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from strandline.hashing import pdq
from strandline.hashing import perceptual as module
from strandline.hashing._reference_order import sampled_block

sides = st.one_of(st.integers(1, 12), st.integers(60, 70), st.integers(127, 140), st.just(300))
noise = st.tuples(sides, sides, st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(0, 256, (*drawn[:2], 3), np.uint8)
)


def _slide(line: list[np.float32], window: int) -> list[np.float32]:
    """The reference's box filter in its own four phases, one float32 step at a time."""
    half = (window + 2) // 2
    total, count, left, right, out = np.float32(0), 0, 0, 0, []
    for _ in range(half - 1):
        total, count, right = total + line[right], count + 1, right + 1
    for _ in range(window - half + 1):
        total, count, right = total + line[right], count + 1, right + 1
        out.append(total / np.float32(count))
    for _ in range(len(line) - window):
        total = total + line[right]
        total = total - line[left]
        left, right = left + 1, right + 1
        out.append(total / np.float32(count))
    for _ in range(half - 1):
        total, count, left = total - line[left], count - 1, left + 1
        out.append(total / np.float32(count))
    return out


def _plain_block(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    luma = [
        [np.float32(int(r) * 0.299 + int(g) * 0.587 + int(b) * 0.114) for r, g, b in row]
        for row in rgb
    ]
    if (height, width) != (64, 64):
        for _ in range(2):
            luma = [_slide(row, (width + 127) // 128) for row in luma]
            columns = [_slide(list(column), (height + 127) // 128) for column in zip(*luma)]  # noqa: B905
            luma = [list(row) for row in zip(*columns)]  # noqa: B905
    return np.array(
        [
            [luma[int((i + 0.5) * height / 64)][int((j + 0.5) * width / 64)] for j in range(64)]
            for i in range(64)
        ],
        np.float32,
    )


@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 9), (5, 7), (63, 65), (64, 64), (129, 20), (30, 257), (1, 400)]
)
def test_the_strict_path_sums_in_the_order_of_the_reference(shape):
    rgb = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    assert np.array_equal(sampled_block(rgb), _plain_block(rgb))


@given(noise)
@settings(max_examples=30, deadline=None)
def test_both_paths_agree_but_for_rounding(rgb):
    assert np.abs(module._fast_block(rgb) - sampled_block(rgb)).max() < 0.01
    fast, strict = (module._dct(path(rgb)) for path in (module._fast_block, sampled_block))
    assert np.abs(fast - strict).max() < module._MARGIN / 2


@given(noise)
@settings(max_examples=30, deadline=None)
def test_the_hash_is_that_of_the_strict_path(rgb):
    assert pdq(rgb).hash == module._hex(module._dct(sampled_block(rgb)))


@given(arrays.arrays(np.uint8, (arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)).map(
    lambda shape: (*shape, 3)
)))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_any_picture_has_a_hash_and_a_quality(rgb):
    found = pdq(rgb)
    assert len(bytes.fromhex(found.hash)) == 32
    assert 0 <= found.quality <= 100


@pytest.mark.parametrize("shape", [(200, 300), (64, 64), (2000, 16)])
@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_plain_picture_has_no_quality(shape, value):
    assert pdq(np.full((*shape, 3), value, np.uint8)).quality == 0


@pytest.mark.parametrize("shape", [(4, 500), (500, 4), (1, 1)])
def test_a_picture_too_small_for_the_reference_has_no_quality_and_no_shared_hash(shape):
    draw = np.random.default_rng(5)
    found = [pdq(draw.integers(0, 256, (*shape, 3), np.uint8)) for _ in range(2)]
    assert [each.quality for each in found] == [0, 0]
    assert all(int(each.hash, 16) for each in found)


def test_noise_has_full_quality():
    rgb = np.random.default_rng(4).integers(0, 256, (64, 64, 3), np.uint8)
    assert pdq(rgb).quality == 100


def test_a_picture_that_is_not_contiguous_hashes_the_same():
    rgb = np.random.default_rng(6).integers(0, 256, (90, 120, 3), np.uint8)
    wider = np.zeros((90, 240, 3), np.uint8)
    wider[:, ::2] = rgb
    assert pdq(wider[:, ::2]) == pdq(rgb)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((64, 0, 3), np.uint8),
    ],
)
def test_what_is_not_an_rgb_picture_is_refused(wrong):
    with pytest.raises(ValueError, match="height, width, 3"):
        pdq(wrong)


def test_weights_of_a_band_add_up_to_one():
    for size, (start, weights) in itertools.chain.from_iterable(
        ((size, band) for band in module._band(size)) for size in (1, 63, 64, 128, 129, 1000, 4001)
    ):
        assert weights.sum() == pytest.approx(1, abs=1e-5)
        assert start >= 0
        assert start + len(weights) <= size
