"""Publishing: killed anywhere and run again, the same edition comes out, once."""

import dataclasses
import shutil
from datetime import timedelta

import pytest

from strandline.errors import ListRefused
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.hashlist import publishing, releasing, services
from strandline.hotline.hashlist.models import Edition, Entry, Publication, Release
from strandline.hotline.hashlist.publishing import write
from strandline.lists.published import editions, placing
from strandline.lists.published.index_file import parse_index
from strandline.lists.published.manifests import parse_manifest
from strandline.lists.published.reading import read_blocks
from strandline.lists.trust import metadata, repository
from strandline.lists.trust.updating import fingerprint, init_trust, update
from strandline.transparency import (
    Log,
    Verifier,
    log,
    open_checkpoint,
    open_note,
    open_proof,
    tree_files,
)

pytestmark = pytest.mark.django_db
LATER = timedelta(days=1)


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing of ours runs afterwards."""


@pytest.fixture
def key(hotline):
    """``key("list-signer")``: the public half of a key."""
    return lambda name: Verifier.from_vkey(
        (hotline.home / "keys" / f"{name}.vkey").read_text().strip()
    )


@pytest.fixture
def told(trusted, key):
    """``told(number)``: manifest and events of an edition, believed as a member believes them."""

    def read(number):
        folder = trusted.published / f"editions/{number:06d}"
        manifest = parse_manifest(
            open_note((folder / "manifest").read_bytes(), [key("list-signer")]).text
        )
        events = []
        for entry_class, state in manifest.classes:
            index = parse_index((folder / f"{entry_class.id}.index").read_text())
            assert index.root() == state.root
            files = [file for file in index.files if file.edition == number]
            for block in read_blocks(lambda path: (trusted.published / path).read_bytes(), files):
                events.extend(block.events())
        return manifest, sorted(events, key=lambda event: event.sequence)

    return read


def withdrawn(number, now):
    entry = Entry.objects.get(pk=number)
    services.withdraw(entry, reason="A mistake", by="test", now=now)


def test_an_edition_brings_every_event_as_members_receive_it(listed, publish, now, told):
    first, second = listed(2)
    withdrawn(2, now)
    edition = publish(now)
    assert (edition.number, edition.state, edition.entries) == (1, "published", 1)
    manifest, events = told(1)
    assert [(event.sequence, event.action, event.number) for event in events] == [
        (1, "add", 1), (2, "add", 2), (3, "withdraw", 2),
    ]  # fmt: skip
    assert events[0].entry.fingerprints.sha256 == first.item.sha256
    assert events[1].entry.fingerprints.pdq == second.item.pdq
    assert events[2].reason == "other"
    assert manifest.digest() == edition.manifest_sha256
    (act,) = AuditEntry.objects.filter(action="hashlist.publish_edition")
    assert act.detail["manifest_sha256"] == edition.manifest_sha256


def test_members_are_told_of_it_by_trust_log_and_proof(
    listed, publish, trusted, now, key, tmp_path
):
    listed(1)
    publish(now)

    def read(path, limit):
        return (trusted.published / path).read_bytes()

    root = (trusted.published / "metadata/1.root.json").read_bytes()
    member = tmp_path / "member"
    member.mkdir()
    init_trust(member, root, fingerprint(root))
    believed = update(read, member, now=now)
    assert list(believed.targets) == ["editions/000001/manifest"]
    manifest = believed.targets["editions/000001/manifest"]
    opened = open_proof(read("editions/000001/manifest.proof", 0), manifest, key("log-signer"))
    checkpoint = open_checkpoint(read("log/checkpoint", 0), key("log-signer")).checkpoint
    assert opened.opened.checkpoint == checkpoint
    assert checkpoint.size == Release.objects.get().size == 1


def test_nothing_is_published_when_nothing_changed(listed, publish, work, now):
    listed(1)
    publish(now)
    work(now + LATER)
    assert Edition.objects.count() == 1
    assert Publication.objects.get().due_at is None


def test_a_list_may_become_empty_and_each_edition_follows_the_last(listed, publish, now, told):
    listed(1)
    publish(now)
    withdrawn(1, now)
    assert publish(now + LATER).entries == 0
    manifest, events = told(2)
    assert [event.action for event in events] == ["withdraw"]
    assert manifest.previous == told(1)[0].digest()


def test_the_files_can_be_written_again_from_the_record_byte_for_byte(
    listed, publish, trusted, published, now
):
    listed(3)
    publish(now)
    withdrawn(2, now)
    listed(2)
    services.quarantine(Entry.objects.get(pk=1), reason="Doubt", by="test", now=now)
    publish(now + LATER)
    before = {path: data for path, data in published().items() if is_content(path)}
    for name in ("editions", "snapshots"):
        shutil.rmtree(trusted.published / name, ignore_errors=True)
    for edition in Edition.objects.all():
        write(trusted, edition)
    assert {path: data for path, data in published().items() if is_content(path)} == before


def is_content(path):
    return path.startswith(("editions/", "snapshots/")) and not path.endswith(".proof")


STEPS = {
    "before the files are written": (publishing, "write_edition", "before"),
    "after the files are written": (publishing, "write_edition", "after"),
    "before a page is put in place": (editions, "place", "before"),
    "after a page was put in place": (editions, "place", "after"),
    "while what was written is read back": (publishing, "_read_back", "before"),
    "before the manifest is put in place": (publishing, "place", "before"),
    "after the manifest was put in place": (publishing, "place", "after"),
    "before the record says it is written": (publishing, "_mark", "before"),
    "before the manifest is logged": (log.Log, "append", "before"),
    "while the log's tiles are written": (tree_files, "write_file", "after"),
    "before the log's new size counts": (tree_files.TreeFiles, "_write_tiles", "after"),
    "after the manifest was logged": (log.Log, "append", "after"),
    "before the checkpoint is published": (log.Log, "publish", "before"),
    "after the checkpoint was published": (log.Log, "publish", "after"),
    "before the proofs are written": (releasing, "make_proof", "before"),
    "before members are told": (repository.Repository, "release", "before"),
    "between two files of trust": (metadata, "write", "after"),
    "after members were told": (repository.Repository, "release", "after"),
    "before the record tells": (releasing, "_mark", "before"),
    "after the chain tells": (releasing, "schedule", "before"),
}


@pytest.fixture
def kill(monkeypatch):
    """``kill("…")``: the next call of that step dies, once."""

    def arm(step):
        module, name, moment = STEPS[step]
        real = getattr(module, name)
        fuse = [True]

        def fatal(*args, **kwargs):
            if fuse and moment == "before":
                fuse.clear()
                raise Killed(step)
            answer = real(*args, **kwargs)
            if fuse:
                fuse.clear()
                raise Killed(step)
            return answer

        monkeypatch.setattr(module, name, fatal)

    return arm


@pytest.mark.parametrize(
    ("step", "number"),
    [
        *((step, 2) for step in STEPS),
        ("after the files are written", 1),
        ("before members are told", 1),
    ],
)
def test_killed_at_any_step_the_same_edition_comes_out_once(
    step, number, listed, item, publish, work, trusted, now, told, kill
):
    listed(3)
    at = now
    if number == 2:
        publish(now)
        at = now + LATER
        listed(2)
        withdrawn(2, at)
    last = 3 if number == 1 else 6
    kill(step)
    with pytest.raises(Killed):
        publish(at)
    assert Edition.objects.get(number=number).state != Edition.State.PUBLISHED

    # What happens between the kill and the next try belongs to the next edition.
    services.add_entry(item(), category="A", by="test", now=at + LATER)
    withdrawn(1, at + LATER)

    work(at + 2 * LATER)
    edition = Edition.objects.get(number=number)
    manifest, events = told(number)
    assert edition.state == Edition.State.PUBLISHED
    assert edition.published_at == at, "the time is the one that was decided first"
    assert events[-1].sequence == manifest.sequence == last
    acts = AuditEntry.objects.filter(action="hashlist.publish_edition", subject=f"edition:{number}")
    assert acts.count() == 1

    work(at + 3 * LATER)
    following = Edition.objects.last()
    assert (following.number, following.state) == (number + 1, "published")
    assert following.previous == edition.manifest_sha256
    assert [event.action for event in told(number + 1)[1]] == ["add", "withdraw"]
    assert Log(trusted.published / "log", releasing.open_log(trusted)._signer).size == number + 1
    left = [path.name for path in trusted.published.rglob("*.part")]
    assert left == [], "nothing is left lying about"


def test_a_number_that_was_served_never_gets_other_content(
    listed, publish, trusted, now, published
):
    """Even when the record forgets: a restored backup, say."""
    listed(2)
    publish(now)
    served = published()
    Edition.objects.get().classes.all().delete()
    Edition.objects.all().delete()
    listed(1)
    publish(now + LATER)
    assert "already published with other content" in Publication.objects.get().last_error
    assert "brought back from an older copy" in Release.objects.get().last_error
    assert published() == served


def test_damaged_files_are_noticed_before_members_are_told(
    listed, publish, work, trusted, now, monkeypatch
):
    listed(2)
    real = publishing.write_edition

    def damaging(directory, *args, **values):
        manifest = real(directory, *args, **values)
        path = next(directory.glob("editions/000001/*/*.pdq"))
        path.write_bytes(path.read_bytes() + b"x")
        return manifest

    monkeypatch.setattr(publishing, "write_edition", damaging)
    publish(now)
    assert "reading it back gave something else" in Publication.objects.get().last_error
    assert Edition.objects.get().state == Edition.State.PREPARED
    assert not (trusted.published / "editions/000001/manifest").exists()
    monkeypatch.undo()
    work(now + LATER)
    assert Edition.objects.get().state == Edition.State.PUBLISHED, "the next try repaired it"


def test_a_full_disk_keeps_the_last_edition_and_is_said_on_the_page_of_due_work(
    listed, publish, work, now, monkeypatch, published
):
    from strandline.hotline.jobs import due

    listed(1)
    publish(now)
    before = published()
    listed(1)

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing.os, "fsync", full)
    publish(now + LATER)
    work(now + LATER + timedelta(minutes=5))
    assert {path: data for path, data in published().items() if path in before} == before
    assert Edition.objects.last().state == Edition.State.PREPARED
    said = [row.last_error for row in due.failing()]
    assert said
    assert all("No space left on device" in error for error in said)
    monkeypatch.undo()
    work(now + 2 * LATER)
    assert Edition.objects.last().state == Edition.State.PUBLISHED


@pytest.mark.parametrize("name", ["list-signer", "log-signer", "list-salt", "list/targets.key"])
def test_without_a_key_nothing_is_told_and_the_reason_is_shown(
    name, listed, publish, work, trusted, now, settings
):
    from strandline.hotline.jobs import due

    keys = trusted.home / "keys"
    own = trusted.home / "own-keys"
    shutil.copytree(keys, own, symlinks=False)
    keys.unlink()
    own.rename(keys)
    settings.HOTLINE = dataclasses.replace(
        trusted,
        list_keys={
            role: f"file:{keys / 'list' / role}.key"
            for role in ("targets", "snapshot", "timestamp")
        },
    )
    (keys / name).rename(keys / "away")
    listed(1)
    publish(now)
    assert Edition.objects.get().state != Edition.State.PUBLISHED
    assert not (trusted.published / "metadata/timestamp.json").exists()
    work(now + timedelta(minutes=3))
    (row,) = due.failing()
    assert name.rpartition("/")[2] in row.last_error
    (keys / "away").rename(keys / name)
    work(now + LATER)
    assert Edition.objects.get().state == Edition.State.PUBLISHED


def test_without_a_root_of_trust_nothing_is_published_and_the_page_says_so(listed, hotline, now):
    from strandline.hotline.errors import NotConfigured

    listed(1)
    with pytest.raises(NotConfigured, match="no root of trust"):
        publishing.write_next(hotline, now=now)
    assert not Edition.objects.exists()


def test_the_worker_publishes_when_due_and_then_rests(listed, work, trusted, now):
    listed(2)
    moment = now + trusted.publish_every
    work(moment - timedelta(seconds=1))
    assert not Edition.objects.exists()
    work(moment)
    assert Edition.objects.get().state == Edition.State.PUBLISHED
    assert Publication.objects.get().due_at is None


def test_an_entry_that_came_while_publishing_waits_its_own_time(
    listed, item, publish, trusted, now, monkeypatch
):
    listed(1)
    came = now + timedelta(minutes=3)
    real = publishing.write

    def slowly(config, edition):
        services.add_entry(item(), category="A", by="test", now=came)
        return real(config, edition)

    monkeypatch.setattr(publishing, "write", slowly)
    assert publish(now).entries == 1
    assert Publication.objects.get().due_at == came + trusted.publish_every


def test_members_are_told_anew_that_nothing_changed_before_they_doubt_it(
    listed, publish, work, trusted, now, published
):
    listed(1)
    publish(now)
    row = Release.objects.get()
    assert now < row.due_at < row.expires_at
    before = published()
    while Release.objects.get().due_at < now + timedelta(days=60):
        work(Release.objects.get().due_at)
    row = Release.objects.get()
    assert row.expires_at > now + timedelta(days=60)
    assert row.due_at < row.expires_at
    after = published()
    assert after["metadata/timestamp.json"] != before["metadata/timestamp.json"]
    assert Edition.objects.count() == 1
    assert Log(trusted.published / "log", releasing.open_log(trusted)._signer).size == 1


def test_two_histories_in_the_folder_and_the_record_are_noticed(listed, publish, trusted, now):
    listed(1)
    publish(now)
    Edition.objects.update(manifest_sha256="0" * 64)
    with pytest.raises(ListRefused, match="not the manifest that the record knows"):
        publishing.manifest_of(trusted, Edition.objects.get())
