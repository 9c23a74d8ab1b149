"""Thousands of altered files of trust, fed to a member: none is accepted, and none does harm.

``STRANDLINE_TEST_MUTANTS`` sets how many; 20,000 were run when this was written.
"""

import json
import os
import random

import pytest

from list_trust import FILES, MORE, Member, set_table, stranger
from strandline.errors import ListRefused, NotPublished
from strandline.lists.trust import ceremony
from strandline.lists.trust.keys import open_signer
from strandline.lists.trust.metadata import parse
from strandline.lists.trust.roots import Changes
from strandline.lists.trust.updating import update

MUTANTS = int(os.environ.get("STRANDLINE_TEST_MUTANTS", "300"))
SERVED = (
    "metadata/2.root.json",
    "metadata/timestamp.json",
    "metadata/2.snapshot.json",
    "metadata/2.targets.json",
    "editions/000002/manifest",
)
LEAVES = [None, True, 0, 1, 2, -1, 1.5, 2**53, 10**400, "", "x", "0" * 64, [], {}, [[]], "\ud800"]


@pytest.fixture
def table(tmp_path):
    return set_table(tmp_path)


@pytest.fixture
def member(tmp_path, table, monkeypatch):
    """One who holds the first state, while the second, under another root, is published."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    table.release()
    found = Member(tmp_path / "trust", table)
    found.pin()
    assert found.update().targets == FILES
    both = table.holder("root-1"), table.holder("root-2")
    ceremony.publish(table.published, table.next_root(2, Changes(), *both))
    table.release(MORE)
    return found


def bytes_changed(data, others, chance):
    """Flipped, cut, doubled, inserted, moved or borrowed bytes."""
    place = chance.randrange(len(data))
    end = min(len(data), place + chance.choice([1, 1, 2, 8, 64]))
    other = chance.choice(others)
    start = chance.randrange(len(other))
    return chance.choice(
        [
            data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :],
            data[:place] + data[end:],
            data[:place],
            data[:end] + data[place:],
            data[:place] + bytes([chance.randrange(256)]) + data[place:],
            data[:place] + chance.choice([b" ", b"\n", b"\x00", b"\xef\xbb\xbf"]) + data[place:],
            data[:place] + other[start : start + end - place] + data[end:],
            data + chance.choice([b"\n", b" ", b"{}", data]),
            other,
            b"",
        ]
    )


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))
        else:
            yield (*path, key)


def json_changed(data, others, chance):
    """A value, a field, a signature or the writing of the JSON changed, often well-formed still."""
    value = json.loads(data)
    path = chance.choice([path for path in places(value) if path])
    held = value
    for key in path[:-1]:
        held = held[key]
    key = path[-1]
    what = chance.randrange(7)
    if what == 0:
        held[key] = chance.choice(LEAVES)
    elif what == 1:
        del held[key]
    elif what == 2 and isinstance(held, dict):
        held[chance.choice(["x", "_type", "version", "custom", "delegations"])] = held[key]
    elif what == 3 and isinstance(held[key], int):
        held[key] += chance.choice([-1, 1, 1000])
    elif what == 3 and isinstance(held[key], str):
        held[key] = chance.choice([held[key].upper(), held[key] + "0", held[key][::-1]])
    elif what == 4:
        other = json.loads(chance.choice(others))
        part = chance.choice(["signatures", "signed"])
        value[part] = other[part]
    elif what == 5:
        signatures = value["signatures"]
        signatures.append(dict(chance.choice(signatures)))
        if chance.random() < 0.5:
            signatures[-1]["keyid"] = chance.choice(["0" * 64, signatures[0]["keyid"].upper()])
    else:
        return json.dumps(value, indent=chance.choice([None, 1])).encode()
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def test_no_altered_file_is_accepted(table, member):
    chance = random.Random(20_000)
    genuine = {path: (table.published / path).read_bytes() for path in SERVED}
    refused = 0
    for path, data in genuine.items():
        others = [other for other in genuine.values() if other.startswith(b"{")]
        others += [parse_free(table, name) for name in ("1.root", "1.snapshot", "1.targets")]
        while refused < MUTANTS * (1 + SERVED.index(path)) // len(SERVED):
            signed = path.endswith(".json") and chance.random() < 0.6
            mutant = (json_changed if signed else bytes_changed)(data, others, chance)
            if mutant == data:
                continue
            member.served = {path: mutant}
            with pytest.raises(ListRefused) as raised:
                member.update()
            assert raised.value.message.endswith("What was trusted before is kept.")
            refused += 1
        member.served = {}
    assert refused == MUTANTS
    assert dict(member.update().targets) == MORE, "what was refused did the copy no harm"


def parse_free(table, name):
    return (table.published / f"metadata/{name}.json").read_bytes()


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("thief", ["a stranger", "root-1", "timestamp", "snapshot", "targets"])
def test_no_file_signed_anew_by_the_wrong_key_is_accepted(table, member, role, thief):
    name = "timestamp.json" if role == "timestamp" else f"2.{role}.json"
    keys = dict(table.made.online) | dict(table.made.holders)
    if thief == role:
        return
    signer = stranger() if thief == "a stranger" else open_signer(keys[thief])
    for append in (False, True):
        metadata = parse((table.published / f"metadata/{name}").read_bytes(), role)
        metadata.sign(signer, append=append)
        member.served = {f"metadata/{name}": metadata.to_bytes()}
        with pytest.raises(ListRefused):
            member.update()
    member.served = {}
    assert dict(member.update().targets) == MORE


def state_of(table):
    """Everything that is published now."""
    files = (file for file in table.published.rglob("*") if file.is_file())
    return {str(file.relative_to(table.published)): file.read_bytes() for file in files}


@pytest.mark.parametrize("seed", range(2))
def test_whatever_old_files_are_mixed_a_member_holds_one_true_state_and_never_goes_back(
    tmp_path, table, monkeypatch, seed
):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    chance = random.Random(seed)
    files = {f"editions/{number:06d}/manifest": b"%d\n" % number for number in range(1, 9)}
    states, truths = [], []
    for number in range(1, len(files) + 1):
        if number in {3, 6}:
            both = table.holder("root-1"), table.holder("root-2")
            version = 1 + number // 3
            ceremony.publish(table.published, table.next_root(version, Changes(), *both))
        truth = dict(list(files.items())[:number])
        table.release(truth)
        states.append(state_of(table))
        truths.append(truth)
    member = Member(tmp_path / "trust", table)
    member.pin()
    newest, accepted = -1, 0
    for _ in range(60):
        # Somebody on the way has every file that ever was, and serves each from any time.
        low = chance.randrange(len(states))
        serve = [chance.choice(states[low:]) if chance.random() < 0.3 else None for _ in range(99)]

        def read(path, most, serve=serve, low=low):
            state = serve.pop() or states[low]
            if path not in state:
                raise NotPublished(f"There is no {path}.")
            return state[path]

        try:
            found = dict(update(read, member.directory, now=table.now).targets)
        except ListRefused:
            continue
        assert found in truths
        assert truths.index(found) >= newest
        newest = truths.index(found)
        accepted += 1
    assert accepted > 2
    assert dict(member.update().targets) == truths[-1]
