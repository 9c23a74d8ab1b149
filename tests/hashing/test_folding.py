"""Neighbouring frames that look alike become one range."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from strandline.hashing import MIN_QUALITY
from strandline.hashing.folding import FOLD_BITS, FrameHash, fold


def sample(start, bits=0, quality=100, end=None):
    return FrameHash(f"{(1 << bits) - 1:064x}", quality, start, start + 1 if end is None else end)


def test_frames_that_look_alike_are_one_range():
    assert fold([sample(0), sample(1, FOLD_BITS), sample(2, 1)]) == (sample(0, end=3),)


def test_a_slow_change_does_not_fold_away():
    frames = [sample(number, 3 * number) for number in range(12)]
    folded = fold(frames)
    assert [each.start for each in folded] == [0, 3, 6, 9]


def test_a_cut_begins_a_new_range():
    assert len(fold([sample(0), sample(1, FOLD_BITS + 1)])) == 2


def test_plain_frames_are_left_out_and_part_ranges():
    folded = fold([sample(0), sample(1, quality=MIN_QUALITY - 1), sample(2)])
    assert folded == (sample(0), sample(2))


def test_nothing_folds_to_nothing():
    assert fold([]) == ()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(40, 100)), max_size=60))
def test_every_kept_frame_lies_in_one_range_within_the_bits(drawn):
    frames = [sample(n, bits, quality) for n, (bits, quality) in enumerate(drawn)]
    folded = fold(frames)
    for frame in frames:
        inside = [r for r in folded if r.start <= frame.start and frame.end <= r.end]
        if frame.quality < MIN_QUALITY:
            assert not inside
        else:
            (only,) = inside
            assert (int(only.pdq, 16) ^ int(frame.pdq, 16)).bit_count() <= FOLD_BITS
    assert all(one.end <= other.start for one, other in itertools.pairwise(folded))
