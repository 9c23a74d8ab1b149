"""Entries and their lines: one text for one entry, and nothing malformed gets through."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.lists import Entry, ListRefused
from strandline.lists.entries import decode_entries, encode_entries


def hexadecimal(digits):
    return st.binary(min_size=digits // 2, max_size=digits // 2).map(bytes.hex)


words = st.text('aZ09-_ "\\é—字🌊', min_size=1, max_size=20)
entry_values = st.fixed_dictionaries(
    {
        "sequence": st.integers(1, 2**53 - 1),
        "id": words,
        "kind": words,
        "sha256": hexadecimal(64),
        "sha1": hexadecimal(40),
        "md5": hexadecimal(32),
        "pdq": st.none() | hexadecimal(64),
        "quality": st.integers(0, 100),
        "pipeline": words.filter(lambda word: " " not in word),
        "category": words,
        "labels": st.lists(words, max_size=4).map(tuple),
    }
)
lists_of_entries = st.lists(
    entry_values, max_size=3, unique_by=(lambda v: v["sequence"], lambda v: v["id"])
)


@given(values=lists_of_entries, order=st.randoms(use_true_random=False))
def test_entries_survive_being_written_and_read_whatever_their_order(values, order):
    entries = [Entry(**each) for each in values]
    shuffled = list(entries)
    order.shuffle(shuffled)
    data = encode_entries(shuffled)
    assert data == encode_entries(entries)
    assert decode_entries(data) == sorted(entries, key=lambda each: each.sequence)


@settings(max_examples=200)
@given(data=st.data())
def test_other_bytes_are_other_entries_or_refused(data, entry):
    original = encode_entries([entry(1, labels=("é", "a")), entry(2, pdq=None)])
    place = data.draw(st.integers(0, len(original) - 1))
    altered = bytearray(original)
    altered[place] ^= data.draw(st.integers(1, 255))
    try:
        entries = decode_entries(bytes(altered))
    except ListRefused:
        return
    assert encode_entries(entries) == bytes(altered)


@settings(max_examples=200)
@given(junk=st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8")))
def test_arbitrary_bytes_are_refused_with_a_sentence(junk):
    if junk:
        with pytest.raises(ListRefused, match=r"\.$"):
            decode_entries(junk + b"\n")


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 0},
        {"sequence": True},
        {"sequence": "1"},
        {"sequence": 2**53},
        {"id": ""},
        {"id": "a\nb"},
        {"id": "x" * 201},
        {"category": "\ud800"},
        {"sha256": "A" * 64},
        {"sha256": "a" * 63},
        {"sha256": None},
        {"sha1": "a" * 64},
        {"md5": ""},
        {"pdq": ""},
        {"pdq": "g" * 64},
        {"quality": 101},
        {"quality": -1},
        {"pipeline": "two words"},
        {"labels": ("",)},
        {"labels": tuple(f"label {number}" for number in range(51))},
    ],
    ids=repr,
)
def test_a_field_that_does_not_hold_what_the_format_promises_is_refused(entry, change):
    with pytest.raises(ListRefused):
        entry(1, **change)


def test_labels_are_kept_sorted_and_without_repeats(entry):
    assert entry(1, labels=("b", "a", "b")).labels == ("a", "b")


def test_two_entries_never_share_an_id_or_a_sequence_number(entry):
    with pytest.raises(ListRefused, match="share"):
        encode_entries([entry(1), entry(2, id="e1")])
    with pytest.raises(ListRefused, match="share"):
        encode_entries([entry(1), entry(1, id="other")])
    with pytest.raises(ListRefused, match="share"):
        decode_entries((entry(1).line() + entry(2, id="e1").line()).encode())


def refuse(text, reason):
    with pytest.raises(ListRefused, match=reason):
        decode_entries(text.encode())


def test_lines_out_of_order_or_cut_off_are_refused(entry):
    refuse(entry(2).line() + entry(1).line(), "order")
    refuse(entry(1).line()[:-1], "cut off")


def test_fields_too_many_or_too_few_are_refused(entry):
    values = json.loads(entry(1).line())
    refuse(json.dumps(values | {"extra": 1}) + "\n", "newer strandline")
    del values["pdq"]
    refuse(json.dumps(values) + "\n", "newer strandline")


def test_json_that_is_not_canonical_is_refused(entry):
    line = entry(1).line()
    refuse(line.replace(":", ": ", 1), "canonical")
    refuse(line.replace("e1", "\\u0065\\u0031"), "canonical")
    refuse(line.replace('"id":"e1"', '"id":"e9","id":"e1"'), "canonical")


def test_deeply_nested_json_is_refused_without_a_crash():
    refuse("[" * 100_000 + "\n", "not JSON")
