"""One hash that very many entries have: it costs a query, or a change, no more than it must."""

import numpy as np
import pytest

from strandline.errors import IndexDamaged
from strandline.matching import Entry, Index
from strandline.matching.base import Base
from strandline.matching.columns import number_of

CROWD, OTHER, COUNT = "0" * 64, "f0" * 32, 3_000


def texts():
    """Ids of different lengths, some not ASCII, in no order."""
    return [f"{'é' * (number % 3)}id-{number * 7919 % 10_007}" for number in range(COUNT)]


def numbers():
    return [str(number * 7919 % 10_007) for number in range(COUNT)]


@pytest.fixture(params=[texts, numbers], ids=["texts", "numbers"])
def ids(request):
    return request.param()


@pytest.fixture
def looked_at(monkeypatch):
    """How many ids were taken out of a base one by one."""
    count, one, several = [0], Base._id_bytes, Base.ids_of

    def id_bytes(self, entry):
        count[0] += 1
        return one(self, entry)

    def ids_of(self, entries):
        count[0] += len(entries)
        return several(self, entries)

    monkeypatch.setattr(Base, "_id_bytes", id_bytes)
    monkeypatch.setattr(Base, "ids_of", ids_of)
    return count


def build(ids, path=None):
    return Index.build([*((name, CROWD) for name in ids), (ids[5], OTHER)], path)


def test_every_entry_of_a_crowded_hash_is_found(ids, tmp_path):
    for index in (build(ids), build(ids, tmp_path / "list")):
        with index:
            assert [match.id for match in index.query(CROWD)] == sorted(ids)
            assert [match.id for match in index.query(OTHER)] == [ids[5]]


def test_an_entry_is_added_to_a_crowd_without_looking_at_all_of_it(ids, looked_at):
    index = build(ids)
    new = "20000" if ids[0].isdecimal() else "new"
    index.add([(new, CROWD)])
    assert looked_at[0] <= 40
    assert len(index) == COUNT + 2


def test_an_entry_of_a_crowd_is_known_again_without_looking_at_all_of_it(ids, looked_at):
    index = build(ids)
    for name in (ids[0], ids[5], ids[-1]):
        index.add([(name, CROWD, ["seen"])])
    assert looked_at[0] <= 120
    assert len(index) == COUNT + 1
    assert {match.id for match in index.query(CROWD, labels=["seen"])} == {
        ids[0], ids[5], ids[-1],
    }  # fmt: skip
    assert index.query(OTHER) == [(ids[5], OTHER, 0, ())]


def test_an_id_of_another_hash_is_new_to_a_crowd(ids):
    index = build(ids)
    index.add([(ids[6], OTHER)])
    assert [match.id for match in index.query(OTHER)] == sorted([ids[5], ids[6]])
    index.add([("no number", CROWD)])
    assert "no number" in {match.id for match in index.query(CROWD)}


def test_an_id_that_very_many_hashes_have_is_found_at_each(looked_at):
    # The crowds meet: one hash has many ids, and one of these ids has many hashes.
    hashes = [f"{number:064x}" for number in range(1, 2_000)]
    index = Index.build(
        [*(("everywhere", each) for each in hashes), *((name, CROWD) for name in texts())]
    )
    index.add([("everywhere", CROWD)])
    index.add([("everywhere", hashes[700])])
    assert looked_at[0] <= 60
    assert len(index) == len(hashes) + COUNT + 1
    assert index.withdraw(["everywhere"]) == len(hashes) + 1


def test_ids_of_a_crowd_are_taken_out_at_once(ids, monkeypatch):
    index = build(ids)
    monkeypatch.setattr(Base, "_id_bytes", None)
    assert {match.id for match in index.query(CROWD)} == set(ids)


@pytest.mark.parametrize("wrong", ["beyond the text", "falling", "inside a letter"])
def test_ids_of_a_crowd_that_contradict_themselves_are_damage(wrong):
    base = build(texts())._version.base
    starts = base._id_starts.copy()
    place = 10 + [name[0] for name in base.ids_of(np.arange(10, 20))].index("é")
    before = int(starts[place])
    starts[place] = {"beyond the text": 2**40, "falling": 1, "inside a letter": before + 1}[wrong]
    base._id_starts = starts
    with pytest.raises(IndexDamaged):
        base.ids_of(np.arange(COUNT))


def test_an_id_of_thousands_of_digits_is_no_entry_of_a_numbered_list():
    index = build(numbers())
    assert index.withdraw(["9" * 5_000, "-1", "007", "٣", "4294967296", "", "1.0"]) == 0
    index.add([("9" * 5_000, CROWD)])
    assert index.withdraw(["9" * 5_000]) == 1


def test_numbers_are_withdrawn_in_one_pass(monkeypatch):
    passes, isin = [], np.isin

    def counted(held, wanted):
        passes.append(len(wanted))
        return isin(held, wanted)

    index, names = build(numbers()), numbers()
    monkeypatch.setattr(np, "isin", counted)
    assert index.withdraw([*names[:2_000], *names[:9], "20000"]) == 2_001
    assert passes == [2_001]
    assert {match.id for match in index.query(CROWD)} == set(names[2_000:])
    assert index.query(OTHER) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("7", 7), ("4294967295", 2**32 - 1), ("4294967296", None), ("00", None),
        ("07", None), ("", None), ("+7", None), ("1_0", None), ("٣", None), ("²", None),
        (" 7", None), ("9" * 5_000, None),
    ],
)  # fmt: skip
def test_only_a_plain_decimal_is_kept_as_a_number(text, number):
    assert number_of(text) == number


def test_a_numbered_list_gives_its_ids_back():
    index = Index.build([Entry(name, CROWD) for name in ("0", "10", "4294967295")])
    assert [match.id for match in index.query(CROWD)] == ["0", "10", "4294967295"]
