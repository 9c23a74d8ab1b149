"""Whoever turns bit after bit of a picture sees no edge, and ordinary pictures are found."""

from itertools import pairwise

import numpy as np
import pytest

from strandline.hotline.matchservice.probing import Asked, Watch
from strandline.hotline.matchservice.steadiness import LEAST

WINDOW = 86_400
RADIUS = 31


class Oracle:
    """One bit for each hash, as a look-up key is told it; no alarm ever stops it."""

    def __init__(self, folder, random, edition=b"7"):
        self.random, self.watch, self.edition = random, Watch(folder, "secret", WINDOW), edition
        self.target = random.integers(0, 2, 256, dtype=np.uint8)
        self.key, self.moment = 3, 1e6

    def variant(self, bits):
        turned = self.target.copy()
        turned[self.random.choice(256, bits, replace=False)] ^= 1
        return turned

    def asked(self, bits, group=0):
        distance = int((bits != self.target).sum())
        found = distance <= RADIUS
        return Asked(np.packbits(bits).tobytes(), 5 if found else None, distance * found, group)

    def ask(self, many, *, at_once=True):
        if not at_once:
            return [answer for one in many for answer in self.ask([one])]
        self.moment += 1
        call = [self.asked(bits, group) for group, bits in enumerate(many)]
        return self.watch.steady(self.key, call, self.edition, self.moment)


def flips(bits):
    return list(bits ^ np.eye(256, dtype=np.uint8))


def walk(bits, order):
    """From ``bits`` on, each with one bit more turned."""
    found = []
    for bit in order:
        bits = bits.copy()
        bits[bit] ^= 1
        found.append(bits)
    return found


def advantage(guess, start, oracle):
    """How much better a guess at the target is than the picture the attacker began with."""
    return int((start != oracle.target).sum()) - int((guess != oracle.target).sum())


@pytest.mark.parametrize("at_once", [True, False], ids=["in one call", "in single calls"])
@pytest.mark.parametrize("away", [14, 20, 28])
@pytest.mark.parametrize("seed", range(5))
def test_a_walk_to_the_edge_and_all_flips_there_tell_nothing(away, seed, at_once, tmp_path):
    """The attack that read an entry's hash in two calls while answers were the list's own."""
    oracle = Oracle(tmp_path, np.random.default_rng(seed))
    start = oracle.variant(away)
    assert oracle.ask([start]) == [True]
    steps = walk(start, oracle.random.permutation(256)[:81])
    answers = oracle.ask(steps, at_once=at_once)
    edge = steps[answers.index(False) - 1] if False in answers else steps[17]
    told = oracle.ask(flips(edge), at_once=at_once)
    # Whichever answer is taken for 'this bit was right': at most a bit or two of the start's.
    for sign in (True, False):
        guess = edge ^ (np.array(told) == sign).astype(np.uint8)
        assert advantage(guess, start, oracle) <= 2


@pytest.mark.parametrize("at_once", [True, False], ids=["in one call", "in single calls"])
@pytest.mark.parametrize("seed", range(5))
def test_flips_from_outside_tell_of_one_bit_at_most(seed, at_once, tmp_path):
    """Nothing listed was asked before: the first 'listed' is the last that is learned."""
    oracle = Oracle(tmp_path, np.random.default_rng(seed))
    outside = oracle.variant(RADIUS + 1)
    assert oracle.ask([outside]) == [False]
    told = oracle.ask(flips(outside), at_once=at_once)
    changes = sum(a != b for a, b in pairwise(told))
    assert changes <= 1


def test_frames_of_films_are_no_way_around(tmp_path, random):
    oracle = Oracle(tmp_path, random)
    start = oracle.variant(RADIUS)
    assert oracle.ask([start]) == [True]
    film = [oracle.asked(bits, 0) for bits in flips(start)]
    assert all(oracle.watch.steady(3, film, b"7", 1e6 + 9))


def test_a_copy_is_found_though_an_altered_one_was_asked_before(tmp_path, random):
    """Nobody hides a picture from a platform by uploading an edited one first."""
    for number in range(40):
        oracle = Oracle(tmp_path, random)
        order = random.permutation(256)
        altered, copy = oracle.target.copy(), oracle.target.copy()
        altered[order[:33]] ^= 1
        copy[order[: number % (LEAST + 1)]] ^= 1
        assert oracle.ask([altered, copy]) == [False, True]


def test_a_flood_does_not_wash_away_what_was_told_to_be_listed(tmp_path, random):
    oracle = Oracle(tmp_path, random)
    start = oracle.variant(28)
    assert oracle.ask([start]) == [True]
    for _ in range(40):
        raws = random.bytes(32 * 2_000)
        flood = [Asked(raws[n : n + 32], None, 0, n) for n in range(0, len(raws), 32)]
        assert not any(oracle.watch.steady(3, flood, b"7", 1e6 + 2))
    assert all(oracle.ask(flips(start)))


def test_what_answers_rest_on_changes_and_all_is_told_anew(tmp_path, random):
    """A withdrawn entry matches nothing from that edition on, whatever was told before."""
    oracle = Oracle(tmp_path, random)
    near = Asked(np.packbits(oracle.variant(5)).tobytes(), None, 0, 0)
    assert oracle.ask([oracle.target]) == [True]
    assert oracle.watch.steady(3, [near], b"7", 1e6 + 2) == [True]
    assert oracle.watch.steady(3, [near], b"8", 1e6 + 3) == [False]
    assert oracle.watch.steady(4, [near], b"7", 1e6 + 3) == [False], "another key is another's"


def test_the_same_hash_has_the_same_answer_in_every_process(tmp_path, random):
    oracle = Oracle(tmp_path, random)
    others = [Watch(tmp_path, "secret", WINDOW) for _ in range(3)]
    variants = [oracle.variant(int(bits)) for bits in random.integers(20, 44, 100)]
    first = oracle.ask(variants)
    settled = oracle.ask(variants)
    assert [a or not b for a, b in zip(settled, first, strict=True)] == [True] * 100
    for watch in others:
        oracle.watch = watch
        assert oracle.ask(variants) == settled


@pytest.mark.parametrize("seed", range(2))
def test_ordinary_uploads_are_answered_as_the_list_would(seed, tmp_path):
    """What differs is like a picture that was listed already, and somewhat further off."""
    from tests.hotline.matchservice.test_probing import uploads

    random = np.random.default_rng(seed)
    watch = Watch(tmp_path, "secret", WINDOW)
    call, missed, more, listed = [], 0, 0, 0
    for raw, entry, distance in uploads(random, 20_000, pictures=7_000, listed=100):
        call.append(Asked(raw, entry, distance, len(call)))
        if len(call) == 500:
            told = watch.steady(7, call, b"7", 1e6)
            listed += sum(each.entry is not None for each in call)
            for each, answer in zip(call, told, strict=True):
                missed += each.entry is not None and not answer
                more += each.entry is None and answer
            call = []
    assert listed > 100
    assert missed == 0
    assert more <= listed // 50
