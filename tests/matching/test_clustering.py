"""Clusters of lists whose pairs are too many to be taken one by one."""

import time

import numpy as np
import pytest

from matching.reference import Reference, as_hex, clusters_of, drawn, near
from strandline.matching import Index, clustering
from strandline.matching.base import Base


def crowd(count, flips=12):
    """That many different hashes, any two of them within twice ``flips`` bits."""
    random = np.random.default_rng(count)
    rows = np.zeros((count, 256), np.uint8)
    for number, row in enumerate(rows):
        row[random.choice(240, int(random.integers(flips + 1)), replace=False)] = 1
        row[240:] = np.unpackbits(np.array([number >> 8, number & 255], np.uint8))
    return np.packbits(rows, axis=1)


def chain(count, step):
    """Hashes of which each is ``step`` bits from the one before it, and farther from others."""
    return [as_hex((1 << (step * place)) - 1) for place in range(count)]


def named(hashes, prefix=""):
    return [
        (f"{prefix}{number}", each if isinstance(each, str) else each.tobytes().hex())
        for number, each in enumerate(hashes)
    ]


@pytest.fixture(params=["numpy", "compiled"])
def way(request, monkeypatch):
    """Both ways to compare all pairs of a short list."""
    monkeypatch.setattr(clustering, "_MANY", 10**9 if request.param == "numpy" else 0)
    monkeypatch.setattr(clustering, "_FEW", 7)  # more blocks than one


@pytest.mark.parametrize("radius", [0, 7, 31, 60])
def test_a_short_list_is_clustered_as_its_links_say(way, radius):
    entries = named(drawn(radius, 150, clusters=8, flips=60, twins=3))
    index, slow = Index.build(entries), Reference(entries)
    assert clusters_of(index, radius) == slow.clusters(radius)
    bridges = named([near(np.random.default_rng(n), drawn(radius, 150)[n], 9) for n in range(5)])
    for each in (index, slow):
        each.add([(f"late-{name}", text) for name, text in bridges])
        each.withdraw(["3", "4", "149", "late-1"])
    assert clusters_of(index, radius) == slow.clusters(radius)


def test_a_chain_in_any_order_is_one_cluster(way):
    links = chain(60, 4)
    shuffled = [links[place] for place in np.random.default_rng(1).permutation(60)]
    index = Index.build(named([*shuffled, "f" * 64]))
    assert index.clusters(4).sizes.tolist() == [60]
    assert not index.clusters(3)


def test_what_is_withdrawn_links_nothing(way):
    index = Index.build(named(chain(9, 20)))
    index.withdraw(["4"])
    assert clusters_of(index, 20) == [
        sorted(named(chain(9, 20))[:4]),
        sorted(named(chain(9, 20))[5:]),
    ]


def test_added_hashes_join_clusters_and_each_other(way):
    links = chain(12, 20)
    index = Index.build(named(links[::3]))
    index.add([("a", links[1]), ("b", links[2]), ("b2", links[2]), ("far", "f" * 64)])
    assert clusters_of(index, 20) == [
        sorted([("0", links[0]), ("a", links[1]), ("b", links[2]), ("b2", links[2]),
                ("1", links[3])])
    ]  # fmt: skip


def test_added_hashes_join_what_lies_in_bands(in_bands, monkeypatch):
    monkeypatch.setattr(clustering, "_MATCHES", 8)
    entries = named(drawn(5, 200, clusters=6, flips=60, twins=3))
    added = named(drawn(5, 260, clusters=6, flips=60)[150:], "late-")
    index, slow = Index.build(entries), Reference(entries)
    for each in (index, slow):
        each.withdraw([str(number) for number in range(0, 60, 7)])
        each.add(added)
        each.withdraw(["late-3", "late-80"])
    for radius in (0, 20, 31):
        assert clusters_of(index, radius) == slow.clusters(radius)


def test_a_crowd_of_different_hashes_is_clustered_at_once():
    index = Index.build_array(crowd(3_000))
    start = time.perf_counter()
    assert index.clusters().sizes.tolist() == [3_000]
    # Taken pair by pair in Python it was half a minute; all pairs at once take a tenth of a second.
    assert time.perf_counter() - start < 5


def test_a_crowd_that_was_added_is_clustered_at_once():
    index = Index.build(named(["f" * 64]))
    index.add(named(crowd(3_000), "late-"))
    start = time.perf_counter()
    assert index.clusters().sizes.tolist() == [3_000]
    assert time.perf_counter() - start < 5


@pytest.fixture
def asked(monkeypatch):
    """How many hashes are looked up in a base, call by call."""
    numbers, search_many = [], Base.search_many

    def counted(self, queries, *args):
        numbers.append(len(queries))
        return search_many(self, queries, *args)

    monkeypatch.setattr(Base, "search_many", counted)
    return numbers


def test_a_hash_that_was_added_many_times_is_looked_up_once(in_bands, asked):
    index = Index.build(named(drawn(1, 100)))
    index.add([(f"late-{number}", "ab" * 32) for number in range(1_000)])
    assert index.clusters().sizes.tolist() == [1_000]
    assert asked == [1]


def test_added_hashes_with_many_matches_are_looked_up_a_few_at_a_time(in_bands, asked, monkeypatch):
    monkeypatch.setattr(clustering, "_MATCHES", 900)
    index = Index.build(named(crowd(300)))
    index.add(named(crowd(340)[300:], "late-"))
    assert index.clusters(60).sizes.tolist() == [340]
    assert asked[0] == 16
    assert set(asked[1:]) <= {1, 2}  # 300 matches each, a few more than 900 never
    assert sum(asked) == 40
