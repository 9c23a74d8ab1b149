import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from strandline.hashing import pdq, pdq_dihedral, pdq_scaled
from strandline.hashing import perceptual as module

sides = st.one_of(st.integers(1, 12), st.integers(60, 70), st.integers(127, 140), st.just(300))


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def folded(pixels: np.ndarray) -> np.ndarray:
    return module._folded(pixels, 1)[0]


def ordered(pixels: np.ndarray) -> np.ndarray:
    return module._in_reference_order(pixels)


def transformed(block: np.ndarray) -> np.ndarray:
    return module._transformed(block)[0]


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
    assert np.array_equal(ordered(rgb), _plain_block(rgb))


@given(noise)
@settings(max_examples=30, deadline=None)
def test_both_paths_agree_but_for_rounding(rgb):
    assert np.abs(folded(rgb) - ordered(rgb)).max() < 0.01
    fast, strict = transformed(folded(rgb)), transformed(ordered(rgb))
    assert np.abs(fast - strict).max() < module._MARGIN / 2


@given(noise)
@settings(max_examples=30, deadline=None)
def test_the_hash_is_that_of_the_strict_path(rgb):
    assert pdq(rgb).hash == module._hex(transformed(ordered(rgb)))


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
        np.zeros(64, np.uint8),
        np.zeros((64, 64, 1), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((64, 0, 3), np.uint8),
    ],
)
def test_what_is_not_a_picture_of_bytes_is_refused(wrong):
    with pytest.raises(ValueError, match="height, width, 3"):
        pdq(wrong)


@pytest.mark.parametrize("size", [1, 5, 63, 64, 65, 128, 129, 1000, 4001, 65_535])
def test_a_plain_line_is_as_bright_as_its_pixels_however_long_it_is(size):
    for pixels in (np.full((size, 7), 200, np.uint8), np.full((7, size, 3), 200, np.uint8)):
        assert folded(pixels) == pytest.approx(200, abs=1e-2)


@given(noise)
@settings(max_examples=20, deadline=None)
def test_a_grey_picture_hashes_as_the_same_picture_in_rgb(rgb):
    grey = np.ascontiguousarray(rgb[..., 1])
    assert np.array_equal(ordered(grey), ordered(np.repeat(grey[..., None], 3, axis=2)))
    assert pdq(grey) == pdq(np.repeat(grey[..., None], 3, axis=2))


def test_every_colour_has_the_luma_of_double_precision_rounded_once():
    red, green, blue = np.meshgrid(*[np.arange(0, 256, 3, np.uint8)] * 3, indexing="ij")
    colours = np.stack([each.ravel() for each in (red, green, blue)], axis=1)
    for start in range(0, len(colours) - 4096, 4096):  # 64 by 64 pixels are not filtered
        rgb = colours[start : start + 4096].reshape(64, 64, 3)
        luma = rgb[..., 0] * 0.299 + rgb[..., 1] * 0.587 + rgb[..., 2] * 0.114
        assert np.array_equal(ordered(rgb), luma.astype(np.float32))


def test_read_only_pixels_are_hashed_too():
    rgb = np.random.default_rng(8).integers(0, 256, (90, 120, 3), np.uint8)
    wanted = pdq(rgb)
    rgb.flags.writeable = False
    assert pdq(rgb) == wanted


def test_the_gate_lets_no_near_bit_pass(monkeypatch):
    """Where the margin is small the strict path decides; where it is large both agree."""
    used = []
    kernels = module._reference_order()
    strict = kernels.ordered_block
    monkeypatch.setattr(kernels, "ordered_block", lambda *given: used.append(1) or strict(*given))
    draw = np.random.default_rng(11)
    for _ in range(200):
        rgb = draw.integers(0, 256, (*draw.integers(5, 140, 2), 3), np.uint8)
        near = module._gap(transformed(folded(rgb))) < module._MARGIN
        used.clear()
        found = pdq(rgb)
        assert bool(used) == near
        assert found.hash == module._hex(transformed(ordered(rgb)))


def test_a_picture_decoded_whole_hashes_as_in_exact_mode(photographs):
    for rgb in photographs.values():
        grey = np.ascontiguousarray(rgb[..., 1])
        height, width = grey.shape
        assert pdq_scaled(grey, width=width, height=height, factor=1).hash == pdq(grey).hash


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_block_means_of_a_large_picture_drift_by_at_most_8_bits(photographs, factor):
    for name, rgb in photographs.items():
        side = 512 * factor - factor + 1  # odd, and the last block is cut
        large = Image.fromarray(rgb[..., 1]).resize((side + 2, side), Image.Resampling.BICUBIC)
        exact = np.asarray(large)
        padded = np.pad(exact, ((0, -side % factor), (0, -(side + 2) % factor)), "edge")
        rows, columns = padded.shape[0] // factor, padded.shape[1] // factor
        means = padded.reshape(rows, factor, columns, factor).mean(axis=(1, 3)).round()
        found = pdq_scaled(means.astype(np.uint8), width=side + 2, height=side, factor=factor)
        assert distance(found.hash, pdq(exact).hash) <= 8, name
        assert abs(found.quality - pdq(exact).quality) <= 2


def test_short_blocks_may_come_first_as_in_a_turned_picture(photographs):
    pixels = np.ascontiguousarray(photographs["chelsea.png"][:297, :449, 1])
    padded = np.pad(pixels, ((0, 7), (0, 7)), "edge")
    means = padded.reshape(38, 8, 57, 8).mean(axis=(1, 3)).round().astype(np.uint8)
    upright = pdq_scaled(means, width=449, height=297, factor=8)
    turned = pdq_scaled(
        np.ascontiguousarray(means[::-1, ::-1]), width=449, height=297, factor=8, top=7, left=7
    )
    exact = pdq_dihedral(pixels)
    # So small a picture drifts; turned it drifts no further, as it would by half a block.
    for way, found in (("original", upright), ("rotated-180", turned)):
        assert distance(found.hash, exact[way].hash) <= 12


def test_a_scaled_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"\(50, 75\)"):
        pdq_scaled(np.zeros((50, 74), np.uint8), width=600, height=400, factor=8)


def test_importing_the_room_compiles_nothing():
    program = (
        "import sys, strandline.hashing\n"
        "assert not {'numba', 'llvmlite', 'PIL', 'selectolax'} & "
        "{name.partition('.')[0] for name in sys.modules}"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
