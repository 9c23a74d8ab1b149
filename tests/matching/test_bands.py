"""Lists long enough for bands: the compiled loops against plain comparison of everything."""

import sys

import numpy as np
import pytest

from matching.reference import Reference, as_hex, clusters_of, drawn, near, rows_within
from strandline.matching import Entry, Index, planning
from strandline.matching.planning import bands_for, masks_within, thresholds_for

LISTS = {
    "random": drawn(1, 25_000),
    "clustered": drawn(2, 25_000, clusters=5),
    "skewed": drawn(3, 30_000, clusters=1, flips=20, twins=6_000),
    "in one corner": np.pad(drawn(4, 22_000)[:, :13], ((0, 0), (19, 0))),
}
RADII = [0, 1, 3, 15, 16, 30, 31, 32, 40, 47, 63]


@pytest.fixture(scope="module", params=LISTS)
def listed(request):
    return LISTS[request.param], Index.build_array(LISTS[request.param])


def found(matches):
    return sorted((match.distance, match.id) for match in matches)


@pytest.mark.parametrize("radius", RADII)
def test_bands_find_what_comparing_everything_finds(listed, radius):
    hashes, index = listed
    assert index.info().bands
    random = np.random.default_rng(radius)
    for row in (0, len(hashes) // 2, len(hashes) - 1):
        wanted = near(random, hashes[row], int(random.integers(0, radius + 2)))
        assert found(index.query(wanted.tobytes().hex(), radius)) == rows_within(
            hashes, wanted, radius
        )


@pytest.mark.parametrize("radius", [70, 256])
def test_a_radius_that_no_band_can_serve_is_scanned(listed, radius):
    hashes, index = listed
    wanted = near(np.random.default_rng(radius), hashes[5], 20)
    assert found(index.query(wanted.tobytes().hex(), radius)) == sorted(
        rows_within(hashes, wanted, radius)
    )


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("radius", [31, 64])
def test_a_batch_gives_the_answers_of_its_queries(listed, threads, radius):
    hashes, index = listed
    random = np.random.default_rng(7)
    wanted = [near(random, hashes[row], 9).tobytes().hex() for row in range(999, 20_000, 6_000)]
    assert index.query_many(wanted, radius, threads=threads) == [
        index.query(each, radius) for each in wanted
    ]


def test_more_matches_than_there_was_room_for_are_all_there():
    hashes = drawn(8, 40_000, clusters=1, flips=4)
    index = Index.build_array(hashes)
    answer = index.query(hashes[0].tobytes().hex(), 31)
    assert len(answer) == len(rows_within(hashes, hashes[0], 31)) > 15_000
    assert index.query_many([hashes[0].tobytes().hex()] * 2, 31) == [answer] * 2


def test_hashes_are_told_as_they_were_given():
    hashes = LISTS["random"]
    index = Index.build_array(hashes)
    for row in (0, 7, 24_999):
        text = hashes[row].tobytes().hex()
        assert index.query(text, 0) == [(str(row), text, 0, ())]


def test_long_and_short_lists_answer_alike(in_bands):
    entries = [
        (f"id-{n}", as_hex(n * n * 0x1234567 << (n % 200)), ("odd",) * (n % 2)) for n in range(60)
    ]
    index, slow = Index.build(entries), Reference(entries)
    assert index.info().bands
    for radius in range(64):
        assert index.query(as_hex(0x5A5A), radius) == slow.query(as_hex(0x5A5A), radius)
        assert index.query(as_hex(0), radius, labels=["odd"]) == slow.query(
            as_hex(0), radius, ["odd"]
        )


@pytest.mark.parametrize("radius", [0, 8, 31, 40])
def test_clusters_are_what_the_links_say(in_bands, radius):
    hashes = drawn(radius, 300, clusters=12, flips=60, twins=3)
    entries = [(f"id-{n}", row.tobytes().hex()) for n, row in enumerate(hashes)]
    index, slow = Index.build(entries), Reference(entries)
    assert clusters_of(index, radius) == slow.clusters(radius)
    bridge = near(np.random.default_rng(1), hashes[0], 5).tobytes().hex()
    for each in (index, slow):
        each.withdraw(["id-3", "id-4", "id-299"])
        each.add([Entry("late", bridge), Entry("later", bridge), Entry("alone", "0" * 64)])
    assert clusters_of(index, radius) == slow.clusters(radius)


def test_a_crowd_and_those_beside_it_are_told_apart():
    hashes = drawn(11, 21_000, clusters=2, flips=30)
    index = Index.build_array(hashes)
    clusters = index.clusters(31)
    by_scan = index_without_bands(hashes).clusters(31)
    assert len(clusters) == len(by_scan) >= 2
    assert [{e.id for e in c} for c in clusters[:2]] == [{e.id for e in c} for c in by_scan[:2]]
    assert clusters.sizes.tolist() == by_scan.sizes.tolist()


def index_without_bands(hashes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("strandline.matching.building.SCANNED", len(hashes) + 1)
        return Index.build_array(hashes)


def test_when_the_bands_cost_too_much_each_is_compared_with_each(monkeypatch):
    monkeypatch.setattr("strandline.matching.clustering.SCAN", 1e-9)
    hashes = drawn(12, 21_000, clusters=30, flips=30)
    index = Index.build_array(hashes)
    assert (
        index.clusters(31).sizes.tolist() == index_without_bands(hashes).clusters(31).sizes.tolist()
    )


@pytest.mark.parametrize("count", [20_000, 100_000, 10**6, 10**7, 10**8, 10**9])
def test_a_plan_covers_all_bits_and_every_radius(count):
    widths = bands_for(count)
    assert sum(widths) == 256
    for radius in (0, 1, 7, 30, 31, 32, 63, 64, 128, 256):
        thresholds = thresholds_for(widths, radius, count)
        assert sum(threshold + 1 for threshold in thresholds) == radius + 1


@pytest.mark.parametrize(("count", "most"), [(10**7, 160), (10**8, 110)])
def test_an_index_takes_few_bytes_for_each_hash(count, most):
    offsets = sum(4 * (2**width + 1) for width in bands_for(count))
    # Two halves, a number, and a row in all bands but the first.
    assert 32 + 4 + 4 * (len(bands_for(count)) - 1) + offsets / count <= most


@pytest.mark.parametrize("width", [1, 5, 12])
@pytest.mark.parametrize("threshold", [-1, 0, 1, 2, 3])
def test_masks_are_all_keys_with_few_bits(width, threshold):
    masks = masks_within(width, min(threshold, width)).tolist()
    assert sorted(masks) == [key for key in range(2**width) if key.bit_count() <= threshold]


def test_a_short_list_never_waits_for_the_compiler():
    import subprocess

    code = (
        "import sys; from strandline.matching import Index;"
        "index = Index.build((str(n), f'{n:064x}') for n in range(2_000));"
        "index.add([('a', 'f' * 64)]); index.query('0' * 64); index.query_many(['0' * 64] * 3);"
        "index.withdraw(['a']); index.merge(); index.clusters(3); index.verify();"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert planning.SCANNED > 2_000
