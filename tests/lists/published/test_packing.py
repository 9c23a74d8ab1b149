import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.errors import ListRefused
from strandline.lists.published.packing import GROUP, fold, pack, unfold, unpack

small = st.integers(0, 2**54 - 1)


def u64(numbers):
    return np.array(numbers, np.uint64)


@settings(deadline=None)
@given(st.lists(small, max_size=40) | st.lists(st.integers(7, 9), max_size=3 * GROUP))
def test_what_was_packed_is_unpacked(numbers):
    found, rest = unpack(memoryview(pack(u64(numbers)) + b"rest"), len(numbers))

    assert found.tolist() == numbers
    assert bytes(rest) == b"rest"


@pytest.mark.parametrize("width", [1, 7, 8, 9, 31, 53, 54])
def test_every_width_is_packed_in_whole_groups_and_in_the_last(width):
    draw = np.random.default_rng(width)
    numbers = draw.integers(0, 2**width, 2 * GROUP + 3, np.uint64)
    numbers[[0, 1, GROUP, GROUP + 1, -1, -2]] = [0, 2**width - 1] * 3

    data = pack(numbers)

    assert len(data) == 3 * 9 + 2 * GROUP * width // 8 + (3 * width + 7) // 8
    assert np.array_equal(unpack(memoryview(data), len(numbers))[0], numbers)


def test_equal_numbers_take_nine_bytes_a_group():
    assert len(pack(np.full(5 * GROUP, 12345, np.uint64))) == 45


def test_the_order_of_bits_is_the_one_in_the_specification():
    assert pack(u64([5, 6, 8])).hex() == "0500000000000000" + "02" + "34"


@settings(deadline=None)
@given(st.lists(small, min_size=1, max_size=9), st.data())
def test_another_byte_is_refused_or_another_number(numbers, data):
    packed = bytearray(pack(u64(numbers)))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))

    try:
        found, rest = unpack(memoryview(packed), len(numbers))
    except ListRefused:
        return
    assert found.tolist() != numbers
    assert pack(found) + bytes(rest) == packed


@pytest.mark.parametrize(
    "packed",
    [
        "0500000000000000" + "02",  # cut off
        "0500000000000000",
        "0500000000000000" + "03" + "88",  # wider than needed
        "0400000000000000" + "02" + "39",  # a base that is not the least
        "0500000000000000" + "02" + "74",  # padding that is not zero
        "0500000000000000" + "37" + "00" * 21,  # too wide
        "0000000000000080" + "00",  # a base that is too large
    ],
)
def test_numbers_in_another_form_are_refused(packed):
    with pytest.raises(ListRefused, match="one form"):
        unpack(memoryview(bytes.fromhex(packed)), 3)


def test_a_number_too_large_for_a_list_is_refused():
    with pytest.raises(ListRefused, match="too large"):
        pack(u64([2**54]))


@settings(deadline=None)
@given(st.lists(st.integers(-(2**53), 2**53)))
def test_folding_keeps_sign_and_size(numbers):
    folded = fold(np.array(numbers, np.int64))

    assert unfold(folded).tolist() == numbers
    assert all(int(each) <= 2 * abs(number) for each, number in zip(folded, numbers, strict=True))
