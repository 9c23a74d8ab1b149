"""Holders at a table: drafts, signatures, thresholds; keys lost and stolen, and the way back."""

import json
import os
from datetime import timedelta

import pytest

from killing import killed_before
from list_trust import (
    DAY,
    FILES,
    HOUR,
    MORE,
    NOW,
    Member,
    changed,
    make_policy,
    set_table,
    stranger,
)
from strandline.errors import KeyRefused, ListRefused
from strandline.lists.trust import ceremony
from strandline.lists.trust.ceremony import gather, make_all, publish, sign
from strandline.lists.trust.keys import new_key, open_signer
from strandline.lists.trust.metadata import parse
from strandline.lists.trust.pinning import fingerprint, held
from strandline.lists.trust.policy import Growth
from strandline.lists.trust.roots import Changes, Plan, draft, following, statement
from strandline.lists.trust.transcript import describe, transcript


@pytest.fixture
def table(tmp_path):
    made = set_table(tmp_path)
    made.release()
    return made


@pytest.fixture
def member(tmp_path, table):
    found = Member(tmp_path / "trust", table)
    found.pin()
    found.update()
    return found


@pytest.fixture
def people(tmp_path):
    """Three holders and the three online keys, by name."""
    names = ("anna", "ben", "carla", "targets", "snapshot", "timestamp")
    (tmp_path / "machines").mkdir()
    return {name: new_key(tmp_path / f"machines/{name}.key", name) for name in names}


@pytest.fixture
def drafted(people):
    return draft(plan_of(people))


@pytest.fixture
def key(tmp_path, people):
    return lambda name: open_signer(f"file:{tmp_path}/machines/{name}.key")


def plan_of(people, **changes):
    values = {
        "policy": make_policy(),
        "holders": tuple(people[name] for name in ("anna", "ben", "carla")),
        "threshold": 2,
        "online": {role: people[role] for role in ("targets", "snapshot", "timestamp")},
        "expires": NOW + timedelta(days=365),
    }
    return Plan(**(values | changes))


def file_names(folder):
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


# The first root


def test_two_of_three_holders_make_a_root(drafted, key, tmp_path):
    signatures = [sign(drafted, key("anna")), sign(drafted, key("carla"))]
    gathered = gather(drafted, signatures)
    assert gathered.enough
    assert (gathered.signed, gathered.unsigned) == (("anna", "carla"), ("ben",))
    path = publish(tmp_path / "published", gathered)
    assert path.name == "1.root.json"
    assert statement(path.read_bytes()) == statement(drafted)


@pytest.mark.parametrize("signers", [[], ["ben"]])
def test_below_the_threshold_nothing_is_published(drafted, key, tmp_path, signers):
    gathered = gather(drafted, [sign(drafted, key(name)) for name in signers])
    missing = 2 - len(signers)
    with pytest.raises(KeyRefused, match=f"not published: {missing} more") as raised:
        publish(tmp_path / "published", gathered)
    assert "carla" in raised.value.message
    assert "previous root" not in raised.value.message
    assert not (tmp_path / "published").exists()


def test_one_holder_who_signs_twice_counts_once(drafted, key):
    gathered = gather(drafted, [sign(drafted, key("ben")), sign(drafted, key("ben"))])
    assert not gathered.enough


def test_a_signature_of_another_draft_is_refused_by_name(people, drafted, key):
    other = draft(plan_of(people, threshold=1))
    with pytest.raises(KeyRefused, match="signature of ben is for another draft"):
        gather(drafted, [sign(other, key("ben"))])


@pytest.mark.parametrize("sig", [lambda sig: sig[::-1], lambda sig: "zz", lambda sig: ""])
def test_a_forged_signature_is_refused_by_name(drafted, key, sig):
    said = json.loads(sign(drafted, key("ben")))
    said["sig"] = sig(said["sig"])
    with pytest.raises(KeyRefused, match="signature of ben is not good"):
        gather(drafted, [json.dumps(said).encode()])


@pytest.mark.parametrize("name", ["timestamp", "targets"])
def test_an_online_key_cannot_sign_a_root(drafted, key, name):
    with pytest.raises(KeyRefused, match="not one of the holders'"):
        sign(drafted, key(name))


def test_a_strangers_key_cannot_sign_a_root(drafted):
    with pytest.raises(KeyRefused, match="not one of the holders'"):
        sign(drafted, stranger())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"holder":1}', b"[" * 9999])
def test_what_is_no_signature_is_refused_with_a_sentence(drafted, data):
    with pytest.raises(KeyRefused, match="no signature of a root"):
        gather(drafted, [data])


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff"])
def test_what_is_no_draft_is_not_signed(key, data):
    with pytest.raises(KeyRefused, match="no root of trust"):
        sign(data, key("anna"))


def test_the_digest_is_the_same_before_and_after_signing(drafted, key):
    signed = gather(drafted, [sign(drafted, key("anna"))]).data
    assert statement(signed) == statement(drafted)
    assert signed != drafted


def test_the_same_signatures_in_any_order_make_the_same_file(drafted, key):
    signatures = [sign(drafted, key(name)) for name in ("anna", "ben", "carla")]
    assert gather(drafted, signatures).data == gather(drafted, signatures[::-1]).data


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threshold": 4}, "4 of 3 holders"),
        ({"threshold": 0}, "0 of 3 holders"),
        ({"holders": ()}, "2 of 0 holders"),
        ({"online": {}}, "needs a key for targets"),
    ],
)
def test_a_plan_that_could_not_work_is_refused(people, changes, said):
    with pytest.raises(KeyRefused, match=said):
        plan_of(people, **changes)


def test_no_key_serves_two_ends(people):
    online = dict.fromkeys(("targets", "snapshot", "timestamp"), people["targets"])
    with pytest.raises(KeyRefused, match="used twice"):
        plan_of(people, online=online)
    twice = (people["anna"], people["anna"], people["ben"])
    with pytest.raises(KeyRefused, match="used twice"):
        plan_of(people, holders=twice)


def test_a_published_root_is_never_replaced(drafted, key, tmp_path, people):
    everyone = [key(name) for name in ("anna", "ben")]
    publish(tmp_path / "p", gather(drafted, [sign(drafted, one) for one in everyone]))
    publish(tmp_path / "p", gather(drafted, [sign(drafted, one) for one in everyone]))
    other = draft(plan_of(people, threshold=1))
    with pytest.raises(KeyRefused, match="there and was kept"):
        publish(tmp_path / "p", gather(other, [sign(other, one) for one in everyone]))


def test_a_root_is_published_after_the_one_it_follows(table, tmp_path):
    gathered = table.next_root(2, Changes(), table.holder("root-1"), table.holder("root-2"))
    with pytest.raises(KeyRefused, match="lacks root 1"):
        publish(tmp_path / "elsewhere", gathered)


# What people read


def test_a_draft_in_words_names_every_key_and_rule(drafted, people):
    said = describe(drafted)
    assert "Root 1 of the list hotline.example" in said
    assert "2 of these 3 must sign together" in said
    squeezed = "".join(said.split())
    for public in people.values():
        assert public.holder in said
        assert public.keyid in squeezed
    assert statement(drafted) in squeezed
    policy = make_policy()
    keys = [*(h.vkey for h in policy.signers), policy.log, *policy.witnesses]
    assert all(vkey in said for vkey in keys)


def test_what_a_draft_changes_is_said_in_sentences(table, people):
    new = {"timestamp": people["timestamp"]}
    policy = make_policy(growth=Growth(99, 1))
    changes = Changes((people["anna"],), ("root-1",), 3, new, policy)
    drafted = following(table.root(1), changes, expires=NOW + DAY)
    said = describe(drafted, previous=table.root(1)).partition("Changed since root 1")[2]
    assert "holder root-1 no longer counts" in said
    assert "holder anna is new" in said
    assert "3 holders must sign; it was 2" in said
    assert "the key of timestamp is now timestamp's" in said
    assert "now 'an edition may bring 99 events, or 1 percent of what was held if more'" in said


def test_a_renewal_changes_nothing_but_the_date(table):
    drafted = following(table.root(1), Changes(), expires=NOW + 2 * DAY)
    assert describe(drafted, previous=table.root(1)).endswith("nothing but the date\n")


def test_a_transcript_says_who_signed_and_what_members_pin(drafted, key):
    gathered = gather(drafted, [sign(drafted, key("anna")), sign(drafted, key("ben"))])
    said = transcript(gathered, previous=None, now=NOW)
    assert "Ceremony of 2026-03-01 12:00 UTC" in said
    assert "Signed by\n  anna\n  ben\nNot signed by\n  carla\n" in said
    assert "".join(said.split()).endswith(fingerprint(gathered.data))


# Everything at once, for demonstrations


def test_the_whole_ceremony_at_once_leaves_keys_and_a_root_to_pin(table, member):
    assert set(table.made.holders) == {"root-1", "root-2", "root-3"}
    assert set(table.made.online) == {"targets", "snapshot", "timestamp"}
    assert table.made.fingerprint == fingerprint(table.root(1))
    assert held(member.directory).policy == table.policy


def test_the_whole_ceremony_again_changes_nothing(table):
    before = {path: path.read_bytes() for path in table.folder.rglob("*") if path.is_file()}
    again = make_all(table.keys, table.published, table.policy, now=NOW + DAY)
    assert again == table.made
    assert before == {path: path.read_bytes() for path in table.folder.rglob("*") if path.is_file()}


def test_the_whole_ceremony_killed_at_any_step_is_finished_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    step = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        stopped = killed_before(step, folder, lambda folder=folder: set_table(folder))
        table = set_table(folder)
        table.release()
        member = Member(folder / "trust", table)
        member.pin()
        assert member.update().targets == FILES
        if not stopped:
            break
    assert step > 8


# Keys lost and stolen


def replace_holder(table, lost, new, *signers):
    changes = Changes(added=(new,), dropped=(lost,))
    return table.next_root(2, changes, *(table.holder(name) for name in signers))


def test_a_lost_root_key_is_replaced_by_the_others(table, member, people):
    gathered = replace_holder(table, "root-2", people["anna"], "root-1", "root-3")
    publish(table.published, gathered)
    table.heartbeat()
    found = member.update()
    assert (found.root, found.targets) == (2, FILES)
    assert "holder root-2 no longer counts" in describe(table.root(2), previous=table.root(1))


def test_a_stolen_root_key_alone_changes_nothing(table, member, people):
    gathered = replace_holder(table, "root-2", people["anna"], "root-1")
    with pytest.raises(KeyRefused, match="more of the previous root's holders"):
        publish(table.published, gathered)
    member.served["metadata/2.root.json"] = gathered.data
    with pytest.raises(ListRefused, match="not signed by enough"):
        member.update()
    member.served.clear()
    assert member.update().root == 1


def test_the_thief_of_a_revoked_root_key_has_no_part_in_the_next_root(table, member, people, key):
    publish(table.published, replace_holder(table, "root-1", people["anna"], "root-2", "root-3"))
    table.heartbeat()
    member.update()
    thief = table.holder("root-1")
    drafted = following(table.root(2), Changes(), expires=NOW + DAY)
    with pytest.raises(KeyRefused, match="not one of the holders'"):
        sign(drafted, thief, previous=table.root(2))
    # Together with one honest holder who was tricked it is still one signature too few.
    metadata = parse(drafted, "root")
    for signer in (thief, table.holder("root-2")):
        metadata.sign(signer, append=True)
    member.served["metadata/3.root.json"] = metadata.to_bytes()
    with pytest.raises(ListRefused, match="does not name"):
        member.update()


def test_a_new_threshold_binds_the_next_root(table, member):
    both = table.holder("root-1"), table.holder("root-2")
    higher = Changes(threshold=3)
    gathered = table.next_root(2, higher, *both)
    assert (gathered.missing, gathered.missing_of_previous) == (1, 0)
    with pytest.raises(KeyRefused, match="1 more of its own holders"):
        publish(table.published, gathered)
    publish(table.published, table.next_root(2, higher, *both, table.holder("root-3")))
    table.heartbeat()
    assert member.update().root == 2


def steal_online(table, *roles):
    return {role: open_signer(table.made.online[role]) for role in roles}


def forged_state(table, thieves, version=1000):
    """What the thief of these keys can serve: everything he can sign, far ahead of the truth."""
    from tuf.api.metadata import MetaFile, TargetFile

    served = {}
    names = {"targets": "1.targets.json", "snapshot": "1.snapshot.json"}
    data = {r: (table.published / "metadata" / n).read_bytes() for r, n in names.items()}
    data["timestamp"] = (table.published / "metadata/timestamp.json").read_bytes()

    def targets(signed):
        signed.version = version
        bad = TargetFile.from_data("editions/000009/manifest", b"forged\n", ["sha256"])
        signed.targets = {"editions/000009/manifest": bad}

    def snapshot(signed):
        signed.version = version
        if "targets" in thieves:
            signed.meta["targets.json"] = MetaFile.from_data(version, data["targets"], ["sha256"])

    def timestamp(signed):
        signed.version = version
        if "snapshot" in thieves:
            made = MetaFile.from_data(version, data["snapshot"], ["sha256"])
            signed.snapshot_meta = made

    for role, change in (("targets", targets), ("snapshot", snapshot), ("timestamp", timestamp)):
        if role in thieves:
            data[role] = changed(data[role], role, thieves[role], change)
            name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
            served[f"metadata/{name}"] = data[role]
    served["editions/000009/manifest"] = b"forged\n"
    return served


def recover(table, *roles):
    """The way back: a root with new keys for the roles whose keys were stolen."""
    (table.folder / "new").mkdir()
    new = {role: new_key(table.folder / f"new/{role}.key", f"{role}-new") for role in roles}
    both = table.holder("root-1"), table.holder("root-2")
    publish(table.published, table.next_root(2, Changes(online=new), *both))
    return {role: f"file:{table.folder}/new/{role}.key" for role in roles}


@pytest.mark.parametrize(
    "stolen",
    [("targets",), ("snapshot",), ("targets", "snapshot")],
    ids="+".join,
)
def test_without_the_timestamps_key_a_thief_cannot_be_heard(table, member, stolen):
    member.served = forged_state(table, steal_online(table, *stolen))
    assert member.update().targets == FILES


@pytest.mark.parametrize("stolen", [("timestamp",), ("snapshot", "timestamp")], ids="+".join)
def test_without_the_key_of_targets_a_thief_cannot_name_a_file(table, member, stolen):
    thieves = steal_online(table, *stolen)
    member.served = forged_state(table, thieves)
    assert member.update().targets == FILES
    # Nor when he signs for targets with a key of his own, and names that in his snapshot.
    member.served = forged_state(table, thieves | {"targets": stranger()}, version=2000)
    if "snapshot" in stolen:
        with pytest.raises(ListRefused, match="does not name"):
            member.update()
    else:
        assert member.update().targets == FILES
    assert "editions/000009/manifest" not in held(member.directory).targets
    member.served = {}
    places = recover(table, *stolen)
    table.heartbeat(**places)
    assert member.update().targets == FILES


@pytest.mark.parametrize(
    "stolen",
    [("timestamp",), ("snapshot", "timestamp"), ("targets", "snapshot", "timestamp")],
    ids="+".join,
)
def test_fast_forward_a_thiefs_high_versions_are_forgotten_with_his_keys(table, member, stolen):
    member.served = forged_state(table, steal_online(table, *stolen), version=2**40)
    member.update()
    member.served = {}
    table.now += HOUR
    table.heartbeat()
    with pytest.raises(ListRefused, match="older timestamp"):
        member.update()
    places = recover(table, *stolen)
    table.release(MORE, **places)
    found = member.update()
    assert found.root == 2
    assert found.targets == MORE


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_a_stolen_online_key_is_worthless_after_the_next_root(table, member, role):
    thieves = steal_online(table, "targets", "snapshot", "timestamp")
    places = recover(table, role)
    table.heartbeat(**places)
    member.update()
    before = held(member.directory)
    member.served = forged_state(table, {role: thieves[role]})
    if role == "timestamp":
        with pytest.raises(ListRefused, match="does not name"):
            member.update()
    else:
        assert member.update().targets == FILES
    assert held(member.directory) == before


def test_the_policy_survives_a_rotation_and_changes_only_with_the_holders(table, member):
    both = table.holder("root-1"), table.holder("root-3")
    publish(table.published, table.next_root(2, Changes(), *both))
    table.heartbeat()
    assert member.update().policy == table.policy
    stricter = make_policy(growth=Growth(5, 1))
    publish(table.published, table.next_root(3, Changes(policy=stricter), *both))
    table.heartbeat()
    assert member.update().policy == stricter


def test_a_change_for_another_list_is_no_change_of_this_one(table):
    with pytest.raises(KeyRefused, match="for another list"):
        table.next_root(2, Changes(policy=make_policy(origin="other.example")))


def test_a_holder_who_is_not_there_cannot_leave(table):
    with pytest.raises(KeyRefused, match="No holder of root 1 is called nobody"):
        table.next_root(2, Changes(dropped=("nobody",)))


def test_a_leaving_holder_signs_with_the_root_before_at_hand(table, people, key):
    gathered = replace_holder(table, "root-1", people["anna"], "root-1", "root-2")
    assert (gathered.missing_of_previous, gathered.missing) == (0, 1)
    drafted = following(
        table.root(1), Changes((people["anna"],), ("root-1",)), expires=NOW + 365 * DAY
    )
    signers = [table.holder("root-1"), table.holder("root-2"), key("anna")]
    signed = [sign(drafted, signer, previous=table.root(1)) for signer in signers]
    assert gather(drafted, signed, previous=table.root(1)).enough


def test_many_rotations_are_followed_one_by_one(table, member):
    both = table.holder("root-1"), table.holder("root-2")
    for version in range(2, 12):
        publish(table.published, table.next_root(version, Changes(), *both))
    table.heartbeat()
    assert member.update().root == 11
    names = file_names(member.directory / "root_history")
    assert names == sorted(f"{version}.root.json" for version in range(2, 12))


def test_the_keys_of_one_machine_are_its_owners_alone(table):
    assert all(path.stat().st_mode & 0o077 == 0 for path in table.keys.glob("*.key"))
    assert ceremony.DAYS == 365
