"""A member against everybody on the way: what is refused, with which sentence, and what is kept."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from killing import killed_before
from list_trust import DAY, FILES, HOUR, MORE, NOW, Member, changed, set_table, stranger
from strandline.errors import ListRefused, SourceFailed
from strandline.lists.trust import ceremony
from strandline.lists.trust.keys import grouped, open_signer
from strandline.lists.trust.metadata import LIMITS
from strandline.lists.trust.policy import FIELD
from strandline.lists.trust.roots import Changes
from strandline.lists.trust.updating import fingerprint, held, init_trust, update

KEPT = "What was trusted before is kept."
METADATA = "metadata/timestamp.json", "metadata/1.snapshot.json", "metadata/1.targets.json"


@pytest.fixture
def table(tmp_path):
    made = set_table(tmp_path)
    made.release()
    return made


@pytest.fixture
def member(tmp_path, table):
    """One who has updated once."""
    found = Member(tmp_path / "trust", table)
    found.pin()
    found.update()
    return found


@pytest.fixture
def newcomer(tmp_path, table):
    found = Member(tmp_path / "newcomer", table)
    found.pin()
    return found


def refused(member, said, now=None):
    """The update is refused with this sentence, and the folder stays as it was."""
    before = content(member.directory)
    with pytest.raises(ListRefused, match=said) as raised:
        member.update(now)
    assert raised.value.message.endswith(KEPT)
    assert content(member.directory) == before
    return raised.value.message


def content(folder):
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def signer(table, role):
    return open_signer(table.made.online[role])


def published(table, name):
    return (table.published / f"metadata/{name}").read_bytes()


# What a member is told and finds


def test_a_member_learns_the_policy_and_what_is_published(member, table):
    found = member.update()
    assert found.policy == table.policy
    assert found.targets == FILES
    assert found.expires == NOW + timedelta(hours=table.policy.fresh_hours)


def test_what_is_held_already_is_not_read_again_but_checked_alike(member, table):
    table.release(MORE)
    member.asked.clear()
    update(member.read, member.directory, now=table.now, held_file=FILES.get)
    assert "editions/000001/manifest" not in member.asked
    assert "editions/000002/manifest" in member.asked
    other = {"editions/000001/manifest": b"damaged here\n"}
    found = update(member.read, member.directory, now=table.now, held_file=other.get)
    assert found.targets == MORE


def test_a_copy_shows_what_it_trusts_without_any_connection(member, table):
    kept = held(member.directory)
    assert kept.policy == table.policy
    assert kept.fingerprint == table.made.fingerprint
    manifest = FILES["editions/000001/manifest"]
    assert kept.targets == {"editions/000001/manifest": (len(manifest), fingerprint(manifest))}


def test_before_the_first_update_nothing_is_said_of_what_is_published(newcomer):
    kept = held(newcomer.directory)
    assert (kept.targets, kept.expires, kept.root) == ({}, None, 1)


# Pinning


def test_the_fingerprint_may_be_typed_in_groups(tmp_path, table):
    kept = init_trust(tmp_path / "a", table.root(1), grouped(table.made.fingerprint).upper())
    assert kept.root == 1


@pytest.mark.parametrize("given", ["0" * 64, "12ab", "", "z" * 64])
def test_another_fingerprint_trusts_nothing(tmp_path, table, given):
    with pytest.raises(ListRefused, match="Nothing was trusted"):
        init_trust(tmp_path / "a", table.root(1), given)
    assert not (tmp_path / "a").exists()


def test_a_folder_is_pinned_once(tmp_path, table, newcomer):
    newcomer.pin()
    other = set_table(tmp_path / "other")
    with pytest.raises(ListRefused, match="pinned to another root"):
        init_trust(newcomer.directory, other.root(1), other.made.fingerprint)
    assert newcomer.update().targets == FILES


def test_a_root_below_its_own_threshold_cannot_be_pinned(tmp_path, table):
    alone = changed(table.root(1), "root", table.holder("root-1"), lambda root: None)
    with pytest.raises(ListRefused, match="as many of its keys"):
        init_trust(tmp_path / "a", alone, fingerprint(alone))


def test_without_a_pinned_root_nothing_is_fetched(tmp_path, table):
    stray = Member(tmp_path / "stray", table)
    with pytest.raises(ListRefused, match="no root of trust yet"):
        stray.update()
    assert stray.asked == []


def test_a_later_root_can_be_pinned_after_the_first_was_given_up(tmp_path, table):
    signers = table.holder("root-1"), table.holder("root-2")
    ceremony.publish(table.published, table.next_root(2, Changes(), *signers))
    late = tmp_path / "late"
    init_trust(late, table.root(2), fingerprint(table.root(2)))
    assert update(Member(late, table).read, late, now=NOW).root == 2


# Attacks of the TUF specification, section 1.5.2


def test_rollback_an_older_state_is_refused(tmp_path, table, member):
    shutil.copytree(table.published, tmp_path / "old")
    table.release(MORE)
    member.update()
    member.serve(tmp_path / "old")
    said = refused(member, "older timestamp than was seen before")
    assert "hide what changed" in said


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_rollback_signed_with_a_stolen_key_is_refused(tmp_path, table, member, role):
    shutil.copytree(table.published, tmp_path / "old")
    table.release(MORE)
    member.update()
    thief = signer(table, role)

    def newer(signed):
        signed.version = 50
        signed.expires = table.now + HOUR

    if role == "timestamp":  # the thief signs a newer one that names the old snapshot
        old = (tmp_path / "old/metadata/timestamp.json").read_bytes()
        member.served["metadata/timestamp.json"] = changed(old, role, thief, newer)
        refused(member, "older snapshot")
    else:
        table.release(MORE | {"editions/000003/manifest": b"the third\n"})
        old = (tmp_path / "old/metadata/1.snapshot.json").read_bytes()
        member.served["metadata/3.snapshot.json"] = changed(old, role, thief, newer)
        with pytest.raises(ListRefused, match=r"belong together|than the file that names it"):
            member.update()


def test_freeze_an_expired_statement_is_refused(table, member):
    said = refused(member, "expired", now=NOW + 3 * DAY)
    assert "holds back what is newer" in said
    assert "2026-03-04" in said


def test_freeze_a_member_who_waits_is_told_although_nothing_changed(member):
    for hours in range(0, 48, 6):
        member.update(NOW + hours * HOUR)
    refused(member, "expired", now=NOW + 48 * HOUR)


def test_mix_and_match_two_states_do_not_make_one(tmp_path, table, member):
    shutil.copytree(table.published, tmp_path / "old")
    table.release(MORE)
    old = (tmp_path / "old/metadata/1.targets.json").read_bytes()
    member.served["metadata/2.targets.json"] = old
    with pytest.raises(ListRefused, match="do not belong together"):
        member.update()
    member.served.clear()
    assert member.update().targets == MORE


def test_mix_and_match_an_old_file_under_a_new_name_is_refused(table, member):
    table.release(MORE)
    member.served["editions/000002/manifest"] = FILES["editions/000001/manifest"]
    with pytest.raises(ListRefused, match="not the file that the publisher signed for"):
        member.update()


@pytest.mark.parametrize(
    "path", ["metadata/2.root.json", "metadata/timestamp.json", "metadata/2.targets.json"]
)
def test_endless_data_is_not_read_to_its_end(table, member, path):
    table.release(MORE)
    role = path.removesuffix(".json").rpartition(".")[2].rpartition("/")[2]
    member.served[path] = b" " * (LIMITS[role] + 1)
    with pytest.raises(ListRefused, match="longer than it may be"):
        member.update()


def test_a_reader_is_told_how_much_to_read(table, member):
    asked = {}

    def read(path, most):
        asked[path] = most
        return member.read(path, most)

    update(read, member.directory, now=NOW)
    assert asked["metadata/timestamp.json"] == LIMITS["timestamp"]
    assert asked["editions/000001/manifest"] == len(FILES["editions/000001/manifest"])


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_strangers_signature_is_refused(table, newcomer, role):
    name = "timestamp.json" if role == "timestamp" else f"1.{role}.json"
    forged = changed(published(table, name), role, stranger(), lambda signed: None)
    newcomer.served[f"metadata/{name}"] = forged
    with pytest.raises(ListRefused, match=r"does not name|belong together|longer"):
        newcomer.update()


def test_one_role_cannot_sign_for_another(table, newcomer):
    thief = signer(table, "snapshot")
    forged = changed(published(table, "timestamp.json"), "timestamp", thief, lambda signed: None)
    newcomer.served["metadata/timestamp.json"] = forged
    refused(newcomer, "does not name")


@pytest.mark.parametrize("holders", [(), ("root-1",)])
def test_wrong_threshold_a_root_of_too_few_holders_is_refused(table, member, holders):
    gathered = table.next_root(2, Changes(threshold=1), *map(table.holder, holders))
    member.served["metadata/2.root.json"] = gathered.data
    said = refused(member, "not signed by enough")
    assert "root.json" in said


def test_a_root_that_skips_a_version_is_refused(table, member):
    both = table.holder("root-1"), table.holder("root-2")
    ceremony.publish(table.published, table.next_root(2, Changes(), *both))
    third = table.next_root(3, Changes(), *both).data
    (table.published / "metadata/2.root.json").unlink()
    member.served["metadata/2.root.json"] = third
    refused(member, "older root|version")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_an_unknown_field_is_refused_although_it_is_signed(table, newcomer, role):
    def change(signed):
        signed.unrecognized_fields["x-allow-anyway"] = True

    name = "timestamp.json" if role == "timestamp" else f"1.{role}.json"
    data = changed(published(table, name), role, signer(table, role), change)
    newcomer.served[f"metadata/{name}"] = data
    with pytest.raises(ListRefused, match=r"x-allow-anyway|longer than"):
        newcomer.update()


def test_an_unknown_rule_of_the_policy_is_refused_even_when_holders_signed_it(table, member):
    both = table.holder("root-1"), table.holder("root-2")
    value = table.policy.to_json() | {"sundays": False}

    def change(root):
        root.version = 2
        root.unrecognized_fields[FIELD] = value

    import copy

    from strandline.lists.trust.metadata import parse

    metadata = copy.deepcopy(parse(table.root(1), "root"))
    change(metadata.signed)
    metadata.signatures.clear()
    for holder in both:
        metadata.sign(holder, append=True)
    member.served["metadata/2.root.json"] = metadata.to_bytes()
    with pytest.raises(ListRefused, match=r"sundays.*newer strandline"):
        member.update()


def test_a_list_of_another_name_is_refused_even_when_holders_signed_it(table, member):
    import copy

    from strandline.lists.trust.metadata import parse

    metadata = copy.deepcopy(parse(table.root(1), "root"))
    metadata.signed.version = 2
    metadata.signed.unrecognized_fields[FIELD]["origin"] = "other.example"
    metadata.signatures.clear()
    for name in ("root-1", "root-2"):
        metadata.sign(table.holder(name), append=True)
    member.served["metadata/2.root.json"] = metadata.to_bytes()
    with pytest.raises(ListRefused, match=r"for another list, other.example"):
        member.update()


# Clocks


@pytest.mark.parametrize("hours", [0, 1, 24, 47])
def test_a_clock_a_little_ahead_is_no_matter(member, hours):
    assert member.update(NOW + hours * HOUR).targets == FILES


def test_a_clock_minutes_behind_is_no_matter(member):
    assert member.update(NOW - timedelta(minutes=59)).targets == FILES


def test_a_clock_behind_by_a_day_is_named(member):
    said = refused(member, "this clock is behind", now=NOW - DAY)
    assert "2026-02-28 12:00 UTC" in said


def test_a_clock_ahead_by_a_day_is_named_when_the_statement_is_a_day_old(table, member):
    table.now += DAY
    refused(member, "computer's clock", now=table.now + DAY + HOUR)


def test_a_publisher_whose_clock_is_a_day_ahead_is_believed_once_it_is_set_right(table, member):
    table.now = NOW + DAY
    table.release(MORE)
    refused(member, "publisher's ahead", now=NOW)
    table.now = NOW
    table.heartbeat()
    assert member.update().targets == MORE


def test_a_publisher_whose_clock_is_a_day_behind_is_believed_for_a_day_less(table, member):
    table.now = NOW - DAY
    table.release(MORE)
    assert member.update(NOW).targets == MORE
    refused(member, "expired", now=NOW + DAY)


def test_the_thief_of_the_timestamps_key_cannot_sign_for_years(table, member):
    thief = signer(table, "timestamp")

    def long(signed):
        signed.version += 1
        signed.expires = NOW + 3650 * DAY

    data = changed(published(table, "timestamp.json"), "timestamp", thief, long)
    member.served["metadata/timestamp.json"] = data
    refused(member, "dated ahead")


def test_an_expired_root_is_refused_with_a_sentence_of_its_own(table, member):
    refused(member, "root of trust has expired", now=NOW + 400 * DAY)


# Faults


@pytest.mark.parametrize("path", [*METADATA, "editions/000001/manifest"])
def test_a_missing_file_is_named(table, newcomer, path):
    (table.published / path).unlink()
    with pytest.raises(ListRefused, match=r"missing|not there") as raised:
        newcomer.update()
    assert path.rpartition("/")[2] in raised.value.message


def test_what_the_reader_refuses_is_told_in_its_own_words(newcomer):
    newcomer.served["metadata/timestamp.json"] = ListRefused("The cable is cut.")
    said = refused(newcomer, "The cable is cut")
    assert said == f"The cable is cut. {KEPT}"


@pytest.mark.parametrize("path", ["metadata/timestamp.json", "editions/000002/manifest"])
def test_a_source_that_broke_off_is_told_apart_from_one_that_lies(table, member, path):
    table.release(MORE)
    member.served[path] = SourceFailed("It broke off.")
    with pytest.raises(SourceFailed) as raised:
        member.update()
    assert raised.value.message == f"It broke off. {KEPT}"


def test_a_server_that_fails_on_the_next_root_is_not_taken_to_have_none(member):
    member.served["metadata/2.root.json"] = ListRefused("It answered with status 500.")
    refused(member, "status 500")


def test_a_full_disk_leaves_what_was_trusted(table, member, monkeypatch):
    from strandline.lists.trust import updating

    table.release(MORE)

    def full(path, data):
        raise OSError(28, "No space left on device")

    before = content(member.directory)
    with monkeypatch.context() as patch:
        patch.setattr(updating.trust, "write", full)
        with pytest.raises(ListRefused, match="No space left"):
            member.update()
    assert content(member.directory) == before
    assert member.update().targets == MORE


@pytest.mark.parametrize(
    "name", ["pinned.root.json", "timestamp.json", "snapshot.json", "targets.json"]
)
def test_a_damaged_file_of_the_copy_is_not_passed_over(member, name):
    path = member.directory / name
    data = path.read_bytes()
    path.write_bytes(data.replace(b"2", b"3", 1))
    for look in (lambda: held(member.directory), member.update):
        with pytest.raises(ListRefused, match="not as it was when it was trusted"):
            look()


def test_killed_at_any_step_the_copy_holds_the_old_or_the_new_trust(
    tmp_path, table, member, monkeypatch
):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    both = table.holder("root-1"), table.holder("root-2")
    ceremony.publish(table.published, table.next_root(2, Changes(), *both))
    table.release(MORE)
    killed = 0
    while True:
        copy = Member(tmp_path / f"copy-{killed}", table)
        shutil.copytree(member.directory, copy.directory)
        stopped = killed_before(killed + 1, copy.directory, copy.update)
        kept = held(copy.directory)
        assert set(kept.targets) in (set(FILES), set(MORE))
        assert kept.policy == table.policy
        assert copy.update().targets == MORE
        assert held(copy.directory).root == 2
        if not stopped:
            break
        killed += 1
    assert killed > 10


def test_a_file_system_that_fails_is_told_as_such(newcomer):
    newcomer.served["metadata/timestamp.json"] = PermissionError(13, "Permission denied")
    refused(newcomer, r"metadata/timestamp.json could not be read: Permission denied")
    newcomer.served = {"editions/000001/manifest": PermissionError(13, "Permission denied")}
    with pytest.raises(ListRefused, match="manifest could not be read: Permission denied"):
        newcomer.update()


def test_the_client_that_others_maintain_reads_what_we_publish(tmp_path, table):
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

    class Files(FetcherInterface):
        def _fetch(self, url):
            try:
                return iter([(table.published / url.removeprefix("list/")).read_bytes()])
            except FileNotFoundError:
                raise DownloadHTTPError(url, 404) from None

    table.now = datetime.now(UTC)  # it has no other clock
    table.release(MORE)
    updater = Updater(
        str(tmp_path / "theirs"),
        "list/metadata/",
        target_base_url="list/",
        fetcher=Files(),
        config=UpdaterConfig(prefix_targets_with_hash=False),
        bootstrap=table.root(1),
    )
    for path, data in MORE.items():
        found = updater.get_targetinfo(path)
        got = updater.download_target(found, str(tmp_path / "got"))
        assert Path(got).read_bytes() == data
