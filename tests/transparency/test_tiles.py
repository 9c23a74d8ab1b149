"""Tiles: paths, bundles, and a reader that gives nothing but what a checkpoint vouches for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_tree as naive
from log_cast import LOG, reading
from strandline.transparency import Log, LogDamaged, ProofRefused, TileReader
from strandline.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from strandline.transparency.tiles import (
    VerifiedTiles,
    bundle_path,
    decode_bundle,
    decode_tile,
    encode_bundle,
    tile_path,
    tile_widths,
)

SIZES = (1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_793)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A log that grew through the sizes at which tiles begin and end, with parts kept at each."""
    directory = tmp_path_factory.mktemp("log")
    log = Log(directory, LOG)
    for size in SIZES:
        log.append(naive.leaves(size - log.size, log.size))
    return log


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "tile/0/000"),
        (999, "tile/0/999"),
        (1000, "tile/0/x001/000"),
        (1234067, "tile/0/x001/x234/067"),
    ],
)
def test_numbers_are_written_in_groups_of_three(number, path):
    assert tile_path(0, number) == path


def test_a_part_bears_its_width_and_entries_lie_beside_tiles():
    assert tile_path(2, 0, 17) == "tile/2/000.p/17"
    assert bundle_path(1000, 1) == "tile/entries/x001/000.p/1"


def test_the_example_of_the_specification_has_its_tiles():
    assert len(list(tile_widths(0, 70_000))) == 274
    assert list(tile_widths(0, 70_000))[-1] == (273, 112)
    assert list(tile_widths(1, 70_000)) == [(0, 256), (1, 17)]
    assert list(tile_widths(2, 70_000)) == [(0, 1)]
    assert list(tile_widths(0, 256)) == [(0, 256)]
    assert list(tile_widths(1, 256)) == [(0, 1)]


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_gives_its_entries_back(entries):
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=9), st.data())
def test_a_bundle_with_a_byte_too_few_or_too_many_is_refused(entries, data):
    whole = encode_bundle(entries)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for bad in (whole[:cut], whole + b"\x00", whole + b"\x00\x00"):
        with pytest.raises(LogDamaged):
            decode_bundle(bad, len(entries))


def test_an_entry_may_have_65535_bytes_and_no_more():
    longest = bytes(65_535)
    assert decode_bundle(encode_bundle([longest]), 1) == [longest]
    with pytest.raises(ValueError, match="65535"):
        encode_bundle([bytes(65_536)])


def test_a_tile_of_another_width_is_refused():
    for data in (b"", bytes(31), bytes(33), bytes(64)):
        with pytest.raises(LogDamaged):
            decode_tile(data, 1)


@pytest.mark.parametrize("size", SIZES[:8])
def test_roots_of_every_size_are_those_of_the_recursive_definition(grown, size):
    assert grown.reader().root(size) == naive.mth(naive.leaves(size))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_proofs_from_tiles_hold(grown, data):
    newer = data.draw(st.sampled_from(SIZES))
    older = data.draw(st.sampled_from([size for size in SIZES if size <= newer]))
    index = data.draw(st.integers(0, newer - 1))
    reader = grown.reader()
    root = reader.root(newer)
    leaf = reader.leaf(index, newer)
    assert leaf == b"leaf %d" % index
    assert reader.leaf_hash(index, newer) == leaf_hash(leaf)
    verify_inclusion(leaf_hash(leaf), index, newer, reader.inclusion(index, newer), root)
    verify_consistency(older, reader.root(older), newer, root, reader.consistency(older, newer))


def test_leaves_are_read_from_any_place_to_any_other(grown):
    for start, end in ((0, 1), (0, 256), (255, 257), (3, 700), (256, 256)):
        assert list(grown.reader().leaves(start, end)) == naive.leaves(end - start, start)


def test_a_leaf_beyond_the_end_is_refused(grown):
    with pytest.raises(ProofRefused):
        grown.reader().leaf(grown.size, grown.size)


def test_a_part_that_has_gone_is_read_from_the_whole_tile(grown):
    asked = []

    def read(path):
        asked.append(path)
        return (grown.directory / path).read_bytes()

    assert TileReader(read).bundle(0, 7) == naive.leaves(7)
    assert asked == ["tile/entries/000.p/7", "tile/entries/000"]


def test_a_missing_file_is_named(grown):
    with pytest.raises(LogDamaged, match="tile/0/x999/999"):
        grown.reader().tile(0, 999_999, 256)


@pytest.mark.parametrize("size", [1, 255, 256, 700, 65_793])
def test_what_hashes_to_the_checkpoint_is_given(grown, size):
    tiles = VerifiedTiles(reading(grown.directory), size, grown.reader().root(size))
    assert list(tiles.leaves(max(0, size - 300), size)) == naive.leaves(
        min(300, size), max(0, size - 300)
    )
    assert tiles.consistency(1, size) == grown.reader().consistency(1, size)


@settings(deadline=None, max_examples=120)
@given(st.data())
def test_a_changed_bit_in_any_file_is_never_given(grown, data):
    size = data.draw(st.sampled_from([1, 257, 700, 65_793]))
    victims = []
    for level in range(3):
        victims += [tile_path(level, *each) for each in list(tile_widths(level, size))[-3:]]
    victims += [bundle_path(*each) for each in list(tile_widths(0, size))[-3:]]
    victim = data.draw(st.sampled_from(victims))
    place = data.draw(st.integers(0, 10**6))
    changed = []

    def read(path):
        content = bytearray((grown.directory / path).read_bytes())
        if path == victim:
            changed.append(path)
            content[place % len(content)] ^= 1 << place % 8
        return bytes(content)

    start = max(0, size - 600)
    try:
        tiles = VerifiedTiles(read, size, grown.reader().root(size))
        got = list(tiles.leaves(start, size))
    except LogDamaged:
        assert changed
    else:
        assert got == naive.leaves(size - start, start)
        assert not changed
