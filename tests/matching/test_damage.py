"""A damaged index file is refused, naming the section, or answers as before: never wrongly.

STRANDLINE_FUZZ_CASES says how many damaged files are tried; STRANDLINE_FUZZ_SEED which.
"""

import contextlib
import json
import os
import random
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from matching.reference import as_hex, drawn, near
from strandline.errors import IndexDamaged
from strandline.matching import Index
from strandline.matching import pages as pages_module
from strandline.matching.layout import PAGE, SLOTS, Commit, Layout
from strandline.matching.pages import sums_of

CASES = int(os.environ.get("STRANDLINE_FUZZ_CASES", "600"))
SEED = int(os.environ.get("STRANDLINE_FUZZ_SEED", "1"))

HASHES = drawn(5, 400, clusters=8, flips=30, twins=5)
QUERIES = [near(np.random.default_rng(n), HASHES[n * 7], 9).tobytes().hex() for n in range(12)]


def build(path, *, text):
    name = "id-{}".format if text else str
    labels = [(), ("one",), ("one", "two")]
    entries = ((name(n), row.tobytes().hex(), labels[n % 3]) for n, row in enumerate(HASHES))
    with Index.build(entries, path) as index:
        index.add([(name(900 + n), as_hex(n << 90), ("late",)) for n in range(5)])
        index.withdraw([name(3), name(902)])
        index.add([(name(5), HASHES[5].tobytes().hex(), ("more",))])
    return path


def answers(path, *, clusters=True):
    """Everything a file can be asked."""
    with Index.open(path) as index:
        return [
            len(index),
            index.query_many(QUERIES, 31),
            index.query_many(QUERIES[:3], 256),
            index.query(QUERIES[0], 60, labels=["two"]),
            clusters and [list(cluster) for cluster in index.clusters(20)],
        ]


def damage(whole, chance):
    """Change, cut, swap or blank a part of a file."""
    data = bytearray(whole)
    at = chance.choice([chance.randrange(len(data)), chance.randrange(8192), *SLOTS])
    length = chance.choice([1, 2, 4, 8, 64, 512, 4096, PAGE])
    kind = chance.randrange(7)
    if kind == 0:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        data[at : at + length] = chance.randbytes(len(data[at : at + length]))
    elif kind == 2:
        data[at : at + length] = bytes(len(data[at : at + length]))
    elif kind == 3:
        del data[at:]
    elif kind == 4:
        del data[at : at + length]
    elif kind == 5:
        other = chance.randrange(len(data))
        length = min(length, len(data) - max(at, other))
        data[at : at + length], data[other : other + length] = (
            data[other : other + length],
            data[at : at + length],
        )
    else:
        data[at:at] = chance.randbytes(length)
    return bytes(data)


@pytest.mark.parametrize("kind", ["numbers", "text", "bands"])
def test_a_damaged_file_is_refused_or_answers_as_before(tmp_path, kind, request):
    if kind == "bands":
        request.getfixturevalue("in_bands")
    path = build(tmp_path / "list.index", text=kind == "text")
    whole = path.read_bytes()
    expected = {clusters: answers(path, clusters=clusters) for clusters in (False, True)}
    chance, refused = random.Random(f"{SEED} {kind}"), {}
    for case in range(CASES // 3):
        path.unlink()
        path.write_bytes(damage(whole, chance))
        clusters = case % 10 == 0  # they take the longest
        try:
            assert answers(path, clusters=clusters) == expected[clusters]
        except IndexDamaged as error:
            refused[error.section] = refused.get(error.section, 0) + 1
    # Not by refusing everything for one reason.
    assert {"header", "heads", "tail"} <= set(refused)
    assert sum(refused.values()) > CASES // 12


@pytest.mark.parametrize("kind", ["numbers", "text", "bands"])
def test_every_single_byte_of_the_small_parts_counts(tmp_path, kind, request):
    if kind == "bands":
        request.getfixturevalue("in_bands")
    path = build(tmp_path / "list.index", text=kind == "text")
    whole, expected = path.read_bytes(), answers(path)
    layout = Layout.decode(whole, len(whole))
    places = [*range(60), *range(SLOTS[0], SLOTS[0] + 48), *range(SLOTS[1], SLOTS[1] + 48)]
    places += [start for start, _ in layout.sections().values()]
    places += [layout.tail + each for each in range(40)]
    chance, refused = random.Random(SEED), set()
    for place in chance.sample(places, 60):
        path.unlink()
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            assert answers(path) == expected
        except IndexDamaged as error:
            refused.add(error.section)
    assert refused


def test_pages_no_query_needed_are_checked_in_time_and_a_wrong_one_stays_for_its_query(
    tmp_path, in_bands, monkeypatch
):
    path = build(tmp_path / "list.index", text=False)
    whole = bytearray(path.read_bytes())
    start, length = Layout.decode(bytes(whole), len(whole)).sections()["rests"]
    monkeypatch.setattr(pages_module, "_SETTLED_AT_ONCE", 3)
    with Index.open(path) as index:
        pages = index._version.base.pages
        assert pages.checking
        for _ in range(len(pages.seen)):
            pages.settle()
        assert not pages.checking
    whole[start + length // 2] ^= 1
    path.unlink()
    path.write_bytes(whole)
    with Index.open(path) as index:
        pages = index._version.base.pages
        for _ in range(len(pages.seen)):
            pages.settle()
        assert pages.checking
        with pytest.raises(IndexDamaged, match="rests"):
            index.query_many([row.tobytes().hex() for row in HASHES], 0)


def test_one_commit_slot_is_enough(tmp_path):
    path = build(tmp_path / "list.index", text=False)
    whole, expected = path.read_bytes(), answers(path)
    for slot in SLOTS:
        path.unlink()
        path.write_bytes(whole[:slot] + bytes(64) + whole[slot + 64 :])
        assert answers(path) == expected
    both = bytearray(whole)
    for slot in SLOTS:
        both[slot] ^= 1
    path.write_bytes(both)
    with pytest.raises(IndexDamaged, match="neither commit slot") as refused:
        Index.open(path)
    assert refused.value.section == "tail"


def test_a_tail_that_was_cut_is_refused(tmp_path):
    path = build(tmp_path / "list.index", text=False)
    start = Layout.decode(path.read_bytes(), path.stat().st_size).tail
    os.truncate(path, start + 100)
    with pytest.raises(IndexDamaged, match="'tail'"):
        Index.open(path)


def test_a_file_cut_while_it_is_open_is_refused(tmp_path):
    path = build(tmp_path / "list.index", text=False)
    with Index.open(path) as index:
        index.query(QUERIES[0])
        os.truncate(path, PAGE)
        with pytest.raises(IndexDamaged, match="cut short while it was open"):
            index.query(QUERIES[0])


def forged(whole, section, content):
    """A file with other content in a section, and checksums that agree with it."""
    layout = Layout.decode(whole, len(whole))
    sections = layout.sections()
    start, length = sections[section]
    data = bytearray(whole)
    data[start : start + length] = content[:length].ljust(length, b"\0")
    first, size = sections["sums"]
    sums = sums_of(np.frombuffer(bytes(data[:first]), np.uint64), 0, compiled=False)
    data[first : first + size] = sums.tobytes()
    import dataclasses

    layout = dataclasses.replace(layout, sums_crc=zlib.crc32(sums.tobytes()))
    data[:4096] = layout.encode()
    return bytes(data)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("banded", [False, True])
def test_a_file_made_to_deceive_crashes_nothing_and_does_not_verify(
    tmp_path, text, banded, request
):
    """Right checksums over nonsense: positions are compared with the sizes before they are used."""
    if banded:
        request.getfixturevalue("in_bands")
    path = build(tmp_path / "list.index", text=text)
    whole = path.read_bytes()
    sections = Layout.decode(whole, len(whole)).sections()
    chance = random.Random(SEED)
    # Bands are all alike: the first, one more and the last.
    left_out = [f"band {number} " for number in range(3, 32)]
    for section, (_, length) in sections.items():
        if section == "sums" or section.startswith(tuple(left_out)):
            continue
        high = np.full(length // 4 + 1, 0xFFFFFFFF, np.uint32).tobytes()
        for content in (high, bytes(length), chance.randbytes(length)):
            path.unlink()
            path.write_bytes(forged(whole, section, content))
            with contextlib.suppress(IndexDamaged):
                answers(path)
            if section == "numbers" or (section == "labels" and not any(content)):
                continue  # any number is an id, and everything may have no labels
            with Index.open(path) as index, pytest.raises(IndexDamaged) as refused:
                index.verify()
            assert refused.value.section in sections


#: Deeper than anything that reads JSON goes.
DEEP = b"[" * 200_000


@pytest.mark.parametrize("deep", [1, 4000])
def test_a_header_that_says_nonsense_is_refused(tmp_path, deep):
    body = b"[" * deep
    start = struct.pack("<8sIII", b"\x89STRAND\n", 1, len(body), zlib.crc32(body))
    path = tmp_path / "list.index"
    path.write_bytes((start + body).ljust(100_000, b"\0"))
    with pytest.raises(IndexDamaged, match="'header'"):
        Index.open(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bands", {}), ("bands", "8"), ("bands", [8.0] * 32), ("bands", [[]]), ("bands", None),
        ("ids", []), ("ids", {}), ("entries", 1e999), ("entries", True), ("hashes", "1"),
        ("identity", 7), ("identity", "\ud800"), ("labelled", 1), ("sections", []), ("sums", -1),
    ],
)  # fmt: skip
def test_a_header_with_a_value_of_another_kind_is_refused(tmp_path, name, value):
    path = build(tmp_path / "list.index", text=False)
    whole = path.read_bytes()
    length = struct.unpack_from("<I", whole, 12)[0]
    body = json.dumps(json.loads(whole[20 : 20 + length]) | {name: value}).encode()
    start = struct.pack("<8sIII", b"\x89STRAND\n", 1, len(body), zlib.crc32(body))
    path.write_bytes((start + body).ljust(4096, b"\0") + whole[4096:])
    with pytest.raises(IndexDamaged, match="'header'"):
        Index.open(path)


ADDED = f'["a","{"0" * 64}",[],-1]'


@pytest.mark.parametrize(
    "body",
    [
        DEEP, b"", b"7", b"[]", b"null", b"\xff",
        '{"add":[],"withdraw":[],"hide":[1e999]}',
        '{"add":[],"withdraw":[],"hide":[0.0]}',
        '{"add":[],"withdraw":[],"hide":[true]}',
        '{"add":[],"withdraw":[],"hide":[400000]}',
        '{"add":[],"withdraw":[],"hide":[-1]}',
        '{"add":[],"withdraw":[],"hide":"0"}',
        '{"add":[],"withdraw":[],"hide":["0"]}',
        '{"add":[],"withdraw":[],"hide":{"0":0}}',
        '{"add":[],"withdraw":"a","hide":[]}',
        '{"add":[],"withdraw":[1],"hide":[]}',
        '{"add":{},"withdraw":[],"hide":[]}',
        '{"add":["abcd"],"withdraw":[],"hide":[]}',
        '{"add":[[]],"withdraw":[],"hide":[]}',
        '{"withdraw":[],"hide":[]}',
        *(
            f'{{"add":[{ADDED.replace(*change)}],"withdraw":[],"hide":[]}}'
            for change in [
                ('"a"', "7"), ('"a"', '""'), ('"a"', r'"\ud800"'), ("[]", '"text"'), ("[]", "{}"),
                ("[]", "0"), ("[]", "[7]"), ("[]", r'["\ud800"]'), ("[]", "[[]]"), ("-1", "-2"),
                ("-1", "1e999"), ("-1", '"0"'), ("-1", "true"), ("-1", "400000"), ("000", "00x"),
            ]
        ),
    ],
)  # fmt: skip
def test_a_record_that_says_nonsense_is_refused(tmp_path, body):
    body = body if isinstance(body, bytes) else body.encode()
    path = tmp_path / "list.index"
    Index.build([("a", "0" * 64)], path).close()
    data = bytearray(path.read_bytes())
    layout = Layout.decode(bytes(data), len(data))
    for_good = f'{{"add":[{ADDED}],"withdraw":[],"hide":[0]}}'.encode()
    for said, refused in ((for_good, False), (body, True)):
        record = struct.pack("<Q", len(said)) + said
        commit = Commit(layout.identity, 1, len(record), zlib.crc32(record)).encode()
        for slot in SLOTS:
            data[slot : slot + len(commit)] = commit
        path.unlink()
        path.write_bytes(bytes(data[: layout.tail]) + record)
        with pytest.raises(IndexDamaged, match="'tail'") if refused else contextlib.nullcontext():
            Index.open(path).close()


@pytest.mark.parametrize(
    "sets",
    [
        DEEP[:20_000], b"7", b"{}", b"[]", b"null", b"\xff", b'["ab"]', b'[["ab"]]',
        b'[["ab",{"k":1}]]', b'[[],["ab",{"k":1}]]', b'[[],["ab",["k"]]]', b'[[],{"k":1}]',
        rb'[[],["\ud800"]]', b'[[],["\xed\xa0\x80"]]', b"[[],[1]]", b'[[],[""]]', b'[[],"ab"]',
        b'[[],["b","a"]]', b'[[],["a","a"]]', b'{"":1}',
    ],
)  # fmt: skip
def test_label_sets_that_say_nonsense_are_refused(tmp_path, sets):
    path = tmp_path / "list.index"
    room = 20_000
    entries = [("a", "0" * 64), ("b", "1" * 64, ["x" * room])]
    Index.build(entries, path).close()
    whole = path.read_bytes()
    length = Layout.decode(whole, len(whole)).label_sets
    path.unlink()
    path.write_bytes(forged(whole, "label sets", sets.ljust(length)))
    with Index.open(path) as index:
        for ask in (
            index.verify,
            lambda: index.query("0" * 64, 256),
            lambda: index.query_many(["0" * 64], 256, labels=["ab"]),
            lambda: [list(each) for each in index.clusters(256)],
        ):
            with pytest.raises(IndexDamaged, match="'label sets'"):
                ask()
        index.add([("c", "2" * 64)])
        with pytest.raises(IndexDamaged, match="'label sets'"):
            index.merge()


def test_verifying_reads_the_file_once_and_lets_others_ask_meanwhile(tmp_path, monkeypatch):
    path, verified = build(tmp_path / "list.index", text=True), []
    with Index.open(path) as index, ThreadPoolExecutor(1) as other:

        def verify(base):
            verified.append(base)
            other.submit(index.query, QUERIES[0]).result(timeout=20)

        monkeypatch.setattr("strandline.matching.verifying.verify", verify)
        index.verify()
        assert len(verified) == 1
        path.unlink()
        index.verify()  # what is open is still there
    with pytest.raises(ValueError, match="closed"):
        index.verify()


def test_what_is_no_index_is_refused(tmp_path):
    for content in (b"", b"hello", bytes(100_000)):
        path = tmp_path / "list.index"
        path.write_bytes(content)
        with pytest.raises(IndexDamaged, match="not an index file"):
            Index.open(path)
