"""Audits: drawn by public randomness, by anyone the same way, and bounded honestly."""

import hashlib
import hmac
from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strandline.errors import ListRefused
from strandline.lists.auditing import Beacon, Protocol, draw, most_bad, parse_protocol

BEACON = Beacon("drand-quicknet", "4711", "8f14e45fceea167a5a36dedd4bea2543")
MANIFEST = "ab" * 32


def protocol(**changes):
    numbers = range(1, 1001)
    found = dict.fromkeys(draw(BEACON, MANIFEST, numbers, 30), "ok")
    values = {
        "origin": "hotline.example", "edition": 12, "manifest": MANIFEST,
        "hotline": "other.example", "beacon": BEACON, "entries": 1000, "found": found,
    }  # fmt: skip
    return Protocol(**(values | changes))


@given(st.integers(1, 400), st.integers(1, 500), st.integers(0, 10**6))
def test_a_sample_is_of_different_entries_and_always_the_same(size, entries, seed):
    numbers = [3 * number for number in range(1, entries + 1)]
    beacon = Beacon("test", str(seed), "0123456789abcdef")
    drawn = draw(beacon, MANIFEST, numbers, size)
    assert drawn == draw(beacon, MANIFEST, numbers, size)
    assert drawn == sorted(set(drawn))
    assert len(drawn) == min(size, entries)
    assert set(drawn) <= set(numbers)


def test_the_sample_is_the_one_that_the_specification_gives():
    assert draw(BEACON, MANIFEST, range(1, 1_000_001), 5) == SPECIFIED


SPECIFIED = [241708, 413716, 496046, 764736, 793689]


def test_the_steps_of_the_specification_taken_one_by_one_draw_the_same():
    numbers, blocks = list(range(1, 1001)), count()
    key = hashlib.sha256(
        f"strandline audit 1\n{MANIFEST}\n{BEACON.name} {BEACON.round} {BEACON.value}\n".encode()
    ).digest()

    def below(n):
        while True:
            block = hmac.digest(key, next(blocks).to_bytes(8, "big"), "sha256")
            number = int.from_bytes(block[:8], "big")
            if number < 2**64 - 2**64 % n:
                return number % n

    for k in range(300):
        other = k + below(1000 - k)
        numbers[k], numbers[other] = numbers[other], numbers[k]
    assert draw(BEACON, MANIFEST, range(1, 1001)) == sorted(numbers[:300])


def test_every_entry_has_the_same_chance():
    counted = Counter(
        number
        for value in range(2000)
        for number in draw(Beacon("test", str(value), "0123456789abcdef"), MANIFEST, range(20), 5)
    )
    assert all(abs(counted[number] - 500) < 100 for number in range(20))  # 5 standard deviations


def test_another_value_edition_or_round_draws_another_sample():
    numbers = range(10_000)
    samples = [
        draw(BEACON, MANIFEST, numbers, 50),
        draw(BEACON, "cd" * 32, numbers, 50),
        draw(Beacon(BEACON.name, "4712", BEACON.value), MANIFEST, numbers, 50),
        draw(Beacon(BEACON.name, BEACON.round, "0" * 32), MANIFEST, numbers, 50),
    ]
    assert len({tuple(sample) for sample in samples}) == 4


@pytest.mark.parametrize(
    ("sample", "bad", "share"),
    [(300, 0, 0.00994), (299, 0, 0.00997), (300, 1, 0.0157), (10, 10, 1.0), (59, 0, 0.0495)],
)
def test_the_bound_is_the_exact_one(sample, bad, share):
    assert most_bad(sample, bad) == pytest.approx(share, rel=0.01)


def test_none_bad_in_300_means_at_most_one_in_a_hundred():
    assert most_bad(300, 0) < 0.01 < most_bad(298, 0)


def test_a_protocol_is_read_back_as_it_was_written():
    first = next(iter(protocol().found))
    made = protocol(found=protocol().found | {first: "wrong-category"})
    assert parse_protocol(made.text()) == made
    assert made.bad == 1
    assert made.most_bad > 1 / 30


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("bad 0", "bad 1"),
        lambda text: text.replace("sample 30", "sample 31"),
        lambda text: text.replace("format 1", "format 2"),
        lambda text: text + "x",
        lambda text: text.replace(" ok\n", " ok \n", 1),
        lambda text: text.replace("/audit", "/list"),
        lambda text: "",
    ],
)
def test_a_protocol_in_any_other_form_is_refused(change):
    with pytest.raises(ListRefused):
        parse_protocol(change(protocol().text()))


def test_entries_that_somebody_chose_are_noticed():
    protocol().check(range(1, 1001))
    chosen = dict(list(protocol().found.items())[:-1]) | {1000: "ok"}
    with pytest.raises(ListRefused, match="they were chosen"):
        protocol(found=chosen).check(range(1, 1001))
    with pytest.raises(ListRefused, match="another edition"):
        protocol().check(range(1, 1002))


@pytest.mark.parametrize("text", ["", "a:b", "a:b:short", "a b:1:0123456789abcdef", "a:b:c:d"])
def test_what_is_no_beacon_is_refused(text):
    with pytest.raises(ListRefused):
        Beacon.parse(text)
