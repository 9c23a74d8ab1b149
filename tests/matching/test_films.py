"""Films and stills find each other through one index, with ranges of time."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drawn_films import photograph, shots, write
from strandline.hashing import FilmHash, FrameHash, Policy, hash_film, pdq
from strandline.hashing import film as film_hashes
from strandline.hashing.digests import digests
from strandline.matching import Index
from strandline.matching.films import (
    Seconds,
    entries_of,
    find_film,
    find_still,
    joined,
    prefilter,
    split_id,
)


def shade(bits: int) -> str:
    return f"{(1 << bits) - 1:064x}"


def film(*frames: tuple[str, float, float]) -> FilmHash:
    return FilmHash(
        kind="video",
        format="mov",
        codec="h264",
        width=64,
        height=48,
        duration=frames[-1][2],
        digests=digests(b""),
        frames=tuple(FrameHash(hashed, 90, start, end) for hashed, start, end in frames),
        pipeline="film-1+pdq-2",
        policy=Policy.EVERY_SECOND,
        truncated=False,
        samples=len(frames),
    )


LAKE = film((shade(0), 0, 3), (shade(100), 3, 4), (shade(2), 4, 6), (shade(200), 6, 10))


def test_a_film_becomes_entries_that_say_when():
    entries = list(entries_of(LAKE, "lake", ("kept",)))
    assert entries[0] == ("lake#0.000-3.000", shade(0), ("kept",))
    assert [split_id(entry.id) for entry in entries][1] == ("lake", Seconds(3, 4))


def test_an_id_with_a_hash_sign_stays_whole():
    assert split_id("a#b") == ("a#b", None)
    assert split_id("a#b#1.000-2.500") == ("a#b", Seconds(1, 2.5))


def test_a_still_finds_the_film_and_when():
    index = Index.build([*entries_of(LAKE, "lake"), ("still", shade(3))])
    found = find_still(index, shade(1), 10)
    assert [(each.id, each.distance, each.ranges) for each in found] == [
        ("lake", 1, (Seconds(0, 3), Seconds(4, 6))),
        ("still", 2, ()),
    ]
    assert [each.is_film for each in found] == [True, False]


def test_a_film_finds_a_still_and_when():
    index = Index.build([("still", shade(199))])
    (found,) = find_film(index, LAKE)
    assert (found.id, found.ranges, found.query_ranges) == ("still", (), (Seconds(6, 10),))
    assert found.share == pytest.approx(0.4)


def test_a_film_finds_a_film_and_the_share_they_have():
    index = Index.build(entries_of(film((shade(101), 20, 25), (shade(201), 25, 26)), "other"))
    (found,) = find_film(index, LAKE)
    assert found.ranges == (Seconds(20, 26),)
    assert found.query_ranges == (Seconds(3, 4), Seconds(6, 10))
    assert found.share == pytest.approx(0.5)


def test_nothing_near_finds_nothing():
    index = Index.build(entries_of(LAKE, "lake"))
    assert find_still(index, shade(150)) == []
    assert find_film(index, film((shade(150), 0, 1))) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=20))
def test_joined_ranges_cover_the_same_seconds_once(drawn):
    ranges = [Seconds(start, start + length) for start, length in drawn]
    whole = joined(ranges)
    covered = {second for start, end in ranges for second in range(int(start), int(end))}
    counted = [second for start, end in whole for second in range(int(start), int(end))]
    assert sorted(counted) == sorted(covered)
    assert all(one.end < other.start for one, other in itertools.pairwise(whole))


# On films.


@pytest.fixture(scope="module")
def sandbox():
    pytest.importorskip("av")
    return film_hashes._shared_sandbox()  # that of this process


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    pytest.importorskip("av")
    folder = tmp_path_factory.mktemp("films")
    return write(
        folder / "a.mp4", shots(9, size=(160, 120)), options={"g": "30", "sc_threshold": "0"}
    )


def test_stills_of_a_film_find_it_where_they_were_taken(path, sandbox):
    index = Index.build(entries_of(hash_film(path, sandbox), "film"))
    for second, still in enumerate(list(shots(9, size=(160, 120)))[::10]):
        (found,) = find_still(index, pdq(still).hash)
        assert any(start <= second < end for start, end in found.ranges)


def test_a_smaller_and_stronger_compressed_copy_is_found(path, sandbox, tmp_path):
    index = Index.build(entries_of(hash_film(path, sandbox), "film"))
    copy = [
        np.asarray(Image.fromarray(frame).resize((120, 90), Image.Resampling.BOX))
        for frame in shots(9, size=(160, 120))
    ]
    fast = {"deadline": "realtime", "cpu-used": "8", "b": "60000"}
    poor = write(tmp_path / "copy.webm", copy, "libvpx-vp9", options=fast)
    (found,) = find_film(index, hash_film(poor, sandbox))
    assert found.share > 0.8


def test_a_key_frame_that_is_found_is_looked_at_closely(path, sandbox):
    still = next(iter(shots(1, size=(160, 120), names=("coffee.png",))))
    listed = list(shots(9, size=(160, 120)))[31]
    index = Index.build([("still", pdq(listed).hash), ("far", pdq(still).hash[::-1])])
    found, close = prefilter(index, path, sandbox)
    assert [each.id for each in found] == ["still"]
    assert close is not None
    assert close.ranges == ((3, 6),)  # the next key frame is its own
    (seen,) = found[0].query_ranges
    assert seen.start == 3
    assert seen.end <= 6


def test_a_film_without_a_listed_key_frame_is_looked_at_no_closer(path, sandbox):
    other = np.asarray(photograph("camera.png").resize((160, 120)))
    index = Index.build([("other", pdq(other).hash)])
    assert prefilter(index, path, sandbox) == ([], None)
