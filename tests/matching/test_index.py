from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.matching import BITS, Index, Match

VECTORS = Path(__file__).parents[3] / "shared/vectors/pdq"

hashes = st.integers(0, 2**BITS - 1)
#: Hashes near one of few centres, so that some lie within any radius and some just outside.
near = st.tuples(
    st.sampled_from([0, 2**BITS - 1, 0x5A << 77]), st.sets(st.integers(0, BITS - 1), max_size=64)
).map(lambda drawn: drawn[0] ^ sum(1 << bit for bit in drawn[1]))
lists = st.lists(st.tuples(st.sampled_from("abcdefgh"), near | hashes), max_size=40)


def as_hex(value: int) -> str:
    return f"{value:064x}"


def brute_force(entries: list[tuple[str, int]], wanted: int, radius: int) -> list[Match]:
    found = [
        (distance, name, as_hex(value))
        for name, value in set(entries)
        if (distance := (value ^ wanted).bit_count()) <= radius
    ]
    return [Match(name, text, distance) for distance, name, text in sorted(found)]


def build(entries: list[tuple[str, int]]) -> Index:
    return Index.build((name, as_hex(value)) for name, value in entries)


@given(lists, near | hashes, st.integers(0, 63))
@settings(deadline=None)
def test_every_hash_within_the_radius_is_found_and_no_other(entries, wanted, radius):
    found = build(entries).query(as_hex(wanted), radius)
    assert found == brute_force(entries, wanted, radius)


@given(lists, near, st.integers(0, 63))
@settings(deadline=None)
def test_the_order_of_a_list_changes_nothing(entries, wanted, radius):
    forwards, backwards = build(entries), build(entries[::-1])
    assert forwards.query(as_hex(wanted), radius) == backwards.query(as_hex(wanted), radius)


@pytest.mark.parametrize("count", [0, 1, 2, 4, 8])
@pytest.mark.parametrize("radius", [0, 31, 63])
def test_identical_hashes_in_tiny_lists_all_match(count, radius):
    text = "0f" * 32
    index = Index.build((f"entry-{number}", text) for number in range(count))
    assert len(index) == count
    assert index.query(text, radius) == [
        Match(f"entry-{number}", text, 0) for number in range(count)
    ]


@pytest.mark.parametrize("radius", range(64))
def test_the_radius_is_a_bound_that_counts(radius):
    index = build([("at", (1 << radius) - 1), ("beyond", (1 << (radius + 1)) - 1)])
    assert [match.id for match in index.query(as_hex(0), radius)] == ["at"]


def test_opposites_are_as_far_apart_as_can_be():
    index = build([("ones", 2**BITS - 1)])
    assert index.query(as_hex(0), 255) == []
    assert index.query(as_hex(0), 256) == [Match("ones", "f" * 64, 256)]


def test_the_usual_radius_is_31():
    index = build([("near", (1 << 31) - 1), ("far", (1 << 32) - 1)])
    assert [match.id for match in index.query(as_hex(0))] == ["near"]


def test_a_corrupt_hash_is_told_and_keeps_nothing_else_out():
    wrong = [("a", ""), ("b", "12"), ("c", "g" * 64), ("d", "0" * 65), ("e", "0" * 63 + "\n")]
    index = Index.build([*wrong, ("good", "0" * 64)])
    assert [(each.number, each.text) for each in index.refused] == [
        (number, text[:80]) for number, (_, text) in enumerate(wrong, 1)
    ]
    assert [match.id for match in index.query("0" * 64)] == ["good"]


@pytest.mark.parametrize(
    "labels", [["\ud800"], [1, "a"], [["x"]], "text", 7, [""], [None], {"a": 1, 2: "b"}, [b"a"]]
)
def test_a_label_that_is_none_is_told_and_keeps_nothing_else_out(labels):
    index = Index.build([("bad", "0" * 64, labels), ("good", "0" * 64, ["fine"])])
    assert [each.number for each in index.refused] == [1]
    assert "label" in index.refused[0].reason
    assert index.query("0" * 64) == [Match("good", "0" * 64, 0, ("fine",))]
    with pytest.raises(ValueError, match=r"item 1: .*label"):
        index.add([("bad", "0" * 64, labels)])
    assert len(index) == 1


@pytest.mark.parametrize("wrong", ["", "\ud800", 2, None, b"a"])
@pytest.mark.parametrize("place", [0, 70_000])
def test_an_array_takes_no_id_that_is_none(wrong, place):
    ids = [f"id-{number}" for number in range(place + 2)]
    ids[place] = wrong
    with pytest.raises(ValueError, match=rf"^row {place}: an id is"):
        Index.build_array(np.zeros((len(ids), 32), np.uint8), ids)


def test_an_array_takes_ids_of_any_script():
    hashes, ids = np.zeros((3, 32), np.uint8), ["ü", "\U0001f30a", "7"]
    for some in (ids, tuple(ids), np.array(ids)):
        index = Index.build_array(hashes, some)
        assert [match.id for match in index.query("0" * 64)] == sorted(ids)


def test_what_cannot_be_an_id_is_not_there_to_be_withdrawn(tmp_path):
    with Index.build([("a", "0" * 64)], tmp_path / "list.index") as index:
        assert index.withdraw(["\ud800"]) == 0
        assert index.withdraw(["\ud800", "a"]) == 1
        with pytest.raises(TypeError, match="texts"):
            index.withdraw([1])
    with Index.open(tmp_path / "list.index") as index:
        assert len(index) == 0


@pytest.mark.parametrize("radius", [30.5, 31.0, "31", None, float("nan")])
def test_a_radius_is_a_whole_number(radius):
    index = Index.build([("a", "0" * 64)])
    for ask in (
        lambda: index.query("0" * 64, radius),
        lambda: index.query_many(["0" * 64], radius),
        lambda: index.clusters(radius),
    ):
        with pytest.raises(ValueError, match="whole number"):
            ask()
    assert index.query("0" * 64, np.int64(3)) == index.query("0" * 64, 3)


def test_upper_case_is_the_same_hash():
    index = Index.build([("a", "AB" * 32)])
    assert index.query("aB" * 32, 0) == [Match("a", "ab" * 32, 0)]


def test_an_entry_given_twice_counts_once():
    assert len(Index.build([("a", "0" * 64)] * 3)) == 1


@pytest.mark.parametrize(("text", "radius"), [("12", 31), ("0" * 64, -1), ("0" * 64, 257)])
def test_a_question_that_makes_no_sense_is_refused(text, radius):
    with pytest.raises(ValueError, match=r"bits|hex digits"):
        Index.build([]).query(text, radius)


def test_many_questions_are_answered_in_order():
    index = build([("zero", 0), ("one", 2**BITS - 1)])
    answers = index.query_many([as_hex(2**BITS - 1), as_hex(0), as_hex(0x5A5A << 100)], 3)
    assert [[match.id for match in found] for found in answers] == [["one"], ["zero"], []]


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors ../shared/vectors/pdq are not here")
@pytest.mark.parametrize(("radius", "pairs"), [(0, 50), (15, 151), (31, 250), (47, 287), (63, 352)])
def test_the_published_needles_are_found_in_their_haystack(radius, pairs):
    haystack = (VECTORS / "haystack.txt").read_text().split()
    needles = (VECTORS / "needles.txt").read_text().split()
    index = Index.build((str(number), text) for number, text in enumerate(haystack))
    assert sum(map(len, index.query_many(needles, radius))) == pairs
