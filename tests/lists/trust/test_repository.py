"""What the publisher writes, in which order, and what is left when it is killed in between."""

import os
import shutil
from datetime import timedelta

import pytest

from killing import killed_before
from list_trust import DAY, FILES, HOUR, MORE, NOW, Member, set_table, stranger
from strandline.errors import KeyRefused
from strandline.lists.trust import ceremony
from strandline.lists.trust.keys import new_key
from strandline.lists.trust.metadata import parse
from strandline.lists.trust.repository import OnlineKeys, Repository
from strandline.lists.trust.roots import Changes


@pytest.fixture
def table(tmp_path):
    return set_table(tmp_path)


@pytest.fixture
def member(tmp_path, table):
    found = Member(tmp_path / "trust", table)
    found.pin()
    return found


def versions(table):
    return sorted(file.name for file in (table.published / "metadata").iterdir())


def test_a_release_is_what_members_find(table, member):
    table.release(MORE)
    assert member.update().targets == MORE


def test_every_file_has_its_version_and_only_the_timestamp_is_replaced(table):
    table.release()
    table.release(MORE)
    names = ["1.root", "1.snapshot", "1.targets", "2.snapshot", "2.targets", "timestamp"]
    assert versions(table) == [f"{name}.json" for name in names]


def test_what_is_named_is_written_before_what_names_it(table, monkeypatch):
    from strandline.lists.trust import repository

    written = []
    write = repository.trust.write

    def noted(path, data):
        written.append(str(path.relative_to(table.published)))
        write(path, data)

    monkeypatch.setattr(repository.trust, "write", noted)
    table.release(MORE)
    assert written == [
        *MORE,
        "metadata/1.targets.json",
        "metadata/1.snapshot.json",
        "metadata/timestamp.json",
    ]


def test_the_same_release_again_is_a_heartbeat(table):
    first = table.release()
    table.now += HOUR
    again = table.release()
    assert (again.targets, again.snapshot) == (first.targets, first.snapshot)
    assert again.timestamp == first.timestamp + 1
    assert again.expires == first.expires + HOUR


def test_a_heartbeat_keeps_members_going_for_as_long_as_it_beats(table, member):
    table.release()
    for _ in range(60):
        table.now += DAY
        table.heartbeat()
    assert member.update().targets == FILES


def test_a_heartbeat_before_the_first_release_says_that_nothing_is_published(table, member):
    table.heartbeat()
    assert member.update().targets == {}


def test_a_timestamp_is_good_for_as_long_as_the_policy_says(table):
    assert table.release().expires == NOW + timedelta(hours=table.policy.fresh_hours)


def test_what_was_released_never_changes(table, member):
    table.release()
    with pytest.raises(KeyRefused, match="released with other content"):
        table.release({"editions/000001/manifest": b"another first edition\n"})
    assert member.update().targets == FILES


@pytest.mark.parametrize(
    "path",
    ["metadata/1.root.json", "../outside", "/etc/passwd", "a//b", "a/./b", "", ".hidden", "a b"],
)
def test_only_plain_paths_below_the_folder_are_named(table, path):
    with pytest.raises(Exception, match=r"path of a published|signed files"):
        table.release({path: b""})


def test_a_release_needs_a_root_first(tmp_path, table):
    repository = Repository(tmp_path / "elsewhere", table.online())
    with pytest.raises(KeyRefused, match="ceremony"):
        repository.heartbeat(NOW)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_a_key_that_root_does_not_name_publishes_nothing(table, role):
    table.release()
    before = versions(table)
    keys = table.online()
    keys = OnlineKeys(
        **{name: keys.of(name) for name in ("targets", "snapshot", "timestamp")}
        | {role: stranger()}
    )
    with pytest.raises(KeyRefused, match=f"key given for {role}"):
        Repository(table.published, keys).release(MORE, NOW)
    assert versions(table) == before


def test_nothing_is_published_under_an_expired_root(table):
    table.now += 366 * DAY
    with pytest.raises(KeyRefused, match="root of trust expired"):
        table.release()


def test_after_a_rotation_the_heartbeat_signs_everything_with_the_new_keys(table, member, tmp_path):
    table.release()
    member.update()
    new = {role: new_key(table.keys / f"{role}-2.key", f"{role}-2") for role in table.made.online}
    places = {role: f"file:{table.keys / role}-2.key" for role in new}
    signers = (table.holder("root-1"), table.holder("root-3"))
    gathered = table.next_root(2, Changes(online=new), *signers)
    ceremony.publish(table.published, gathered)
    with pytest.raises(KeyRefused, match="not the one that root 2 names"):
        table.heartbeat()
    table.heartbeat(**places)
    assert member.update().root == 2
    fresh = Member(tmp_path / "fresh", table)
    fresh.pin()
    assert fresh.update().targets == FILES


@pytest.mark.parametrize("name", ["timestamp", "1.snapshot", "1.targets"])
def test_a_damaged_folder_is_not_built_upon(table, name):
    table.release()
    path = table.published / f"metadata/{name}.json"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(KeyRefused, match="not as it was written"):
        table.release(MORE)
    path.unlink()
    if name != "timestamp":
        with pytest.raises(KeyRefused, match="cannot be read"):
            table.heartbeat()


def test_a_version_is_never_used_twice_even_when_the_timestamp_was_lost(table):
    table.release()
    before = (table.published / "metadata/timestamp.json").read_bytes()
    second = table.release(MORE)
    (table.published / "metadata/timestamp.json").write_bytes(before)  # as after a power cut
    third = table.release(MORE)
    assert (third.targets, third.snapshot) == (second.targets + 1, second.snapshot + 1)


def test_killed_at_any_step_members_find_a_whole_state_and_a_repeat_finishes(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    table = set_table(tmp_path)
    table.release()
    killed = 0
    while True:
        folder = tmp_path / f"run-{killed}"
        shutil.copytree(table.published, folder / "published")
        shutil.copytree(table.keys, folder / "keys")
        run = set_table(folder)
        assert run.made.fingerprint == table.made.fingerprint
        stopped = killed_before(killed + 1, run.published, lambda run=run: run.release(MORE))
        member = Member(folder / "trust", run)
        member.pin()
        found = dict(member.update().targets)
        assert found in (FILES, MORE)
        assert stopped or found == MORE
        run.release(MORE)
        assert dict(member.update().targets) == MORE
        if not stopped:
            break
        killed += 1
    assert killed > 10


def test_two_publishers_at_once_leave_a_whole_state(table, member):
    from concurrent.futures import ThreadPoolExecutor

    table.release()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: table.heartbeat(), range(12)))
    assert parse((table.published / "metadata/timestamp.json").read_bytes(), "timestamp")
    assert member.update().targets == FILES


def trouble(table):
    """What kept a release from being made, if anything."""
    try:
        table.release(MORE)
    except KeyRefused as error:
        return error.message
    return None


def test_a_full_disk_leaves_a_whole_state_and_a_repeat_finishes(table, member, monkeypatch):
    table.release()
    real = os.fsync
    for left in range(40):
        room = iter(range(left))

        def fsync(descriptor, room=room):
            if next(room, None) is None:
                raise OSError(28, "No space left on device")
            real(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            said = trouble(table)
        if said is None:
            break
        assert "No space left on device" in said
        assert member.update().targets in (FILES, MORE)
        assert not list(table.published.rglob("*.incoming"))
    assert left > 5
    assert member.update().targets == MORE
