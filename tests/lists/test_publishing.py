"""Publishing: the same bytes each time, and a kill leaves the earlier edition served."""

import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from killing import killed_before
from strandline.lists import ListRefused, latest_digest
from strandline.lists.entries import decode_entries
from strandline.lists.manifest import digest, parse_manifest
from strandline.transparency import NoteRefused, Signer, open_note


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def served(publisher) -> tuple[int, list[str]]:
    """What a member reads: the latest manifest, and the entries it stands for."""
    note = (publisher.directory / "latest").read_bytes()
    manifest = parse_manifest(open_note(note, [publisher.signer.verifier]).text)
    folder = publisher.directory / f"editions/{manifest.edition:06d}"
    assert (folder / "manifest").read_bytes() == note
    data = (folder / "entries.jsonl").read_bytes()
    assert len(data) == manifest.size
    return manifest.edition, [entry.id for entry in decode_entries(data)]


def test_an_edition_is_a_manifest_and_its_entries(publisher, entry):
    manifest = publisher.publish(1, [entry(3), entry(1)])
    assert sorted(contents(publisher.directory)) == [
        "editions/000001/entries.jsonl",
        "editions/000001/manifest",
        "latest",
    ]
    assert served(publisher) == (1, ["e1", "e3"])
    assert (manifest.entries, manifest.first, manifest.last) == (2, 1, 3)
    assert manifest.previous is None


def test_the_same_edition_is_the_same_byte_for_byte(publisher, entry, tmp_path):
    publisher.publish(1, [entry(1), entry(2)])
    first = contents(publisher.directory)
    publisher.directory = tmp_path / "again"
    publisher.publish(1, iter([entry(2), entry(1)]))
    assert contents(publisher.directory) == first


def test_an_edition_names_the_one_before_it(publisher, entry):
    publisher.publish(1, [entry(1)])
    before = (publisher.directory / "latest").read_bytes()
    assert publisher.publish(2, [entry(1), entry(2)]).previous == digest(before)
    assert served(publisher) == (2, ["e1", "e2"])
    assert (publisher.directory / "editions/000001/manifest").read_bytes() == before


def test_an_edition_may_be_empty(publisher, entry):
    publisher.publish(1, [entry(1)])
    publisher.publish(2, [])
    assert served(publisher) == (2, [])


def test_publishing_the_same_edition_twice_changes_nothing(publisher, entry):
    publisher.publish(1, [entry(1)])
    before = contents(publisher.directory)
    publisher.publish(1, [entry(1)], previous=None)
    assert contents(publisher.directory) == before


def test_publishing_again_repairs_a_damaged_file(publisher, entry):
    publisher.publish(1, [entry(1)])
    before = contents(publisher.directory)
    (publisher.directory / "editions/000001/entries.jsonl").write_bytes(b"")
    publisher.publish(1, [entry(1)], previous=None)
    assert contents(publisher.directory) == before


def refuse(publisher, number, entries, reason, **changes):
    before = contents(publisher.directory)
    with pytest.raises(ListRefused, match=reason):
        publisher.publish(number, entries, **changes)
    assert contents(publisher.directory) == before


def test_an_edition_is_never_replaced_or_left_out(publisher, entry):
    publisher.publish(1, [entry(1)])
    refuse(publisher, 1, [entry(2)], "already published", previous=None)
    refuse(publisher, 3, [entry(2)], "the next is edition 2")
    publisher.publish(2, [entry(2)])
    refuse(publisher, 1, [entry(1)], "does not name|does not follow")


def test_the_edition_before_must_be_the_one_that_is_served(publisher, entry):
    publisher.publish(1, [entry(1)])
    refuse(publisher, 2, [entry(1)], "does not follow", previous="ab" * 32)
    refuse(publisher, 2, [entry(1)], "does not name", previous=None)


def test_another_key_does_not_publish_over_an_edition(publisher, entry):
    publisher.publish(1, [entry(1)])
    with pytest.raises(NoteRefused):
        publisher.publish(2, [entry(1)], signer=Signer.generate("hotline.example"))
    assert served(publisher) == (1, ["e1"])


def test_times_are_published_in_utc_and_whole_seconds(publisher, entry):
    there = datetime(2026, 3, 1, 1, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    manifest = publisher.publish(1, [entry(1)], published_at=there)
    assert manifest.published == datetime(2026, 2, 28, 23, tzinfo=UTC)
    naive = there.replace(tzinfo=None)
    refuse(publisher, 2, [entry(1)], "time zone", published_at=naive)


def test_nothing_is_published_into_an_empty_folder(tmp_path):
    assert latest_digest(tmp_path) is None


def test_a_kill_at_any_step_leaves_the_earlier_edition_served_or_the_new_one(publisher, entry):
    publisher.publish(1, [entry(1)])
    earlier = publisher.directory
    seen = set()
    steps = 0
    killed = True
    while killed:
        steps += 1
        publisher.directory = earlier.with_name(f"killed-{steps}")
        shutil.copytree(earlier, publisher.directory)
        killed = killed_before(
            steps, publisher.directory, lambda: publisher.publish(2, [entry(1), entry(2)])
        )
        now = served(publisher)
        assert now in [(1, ["e1"]), (2, ["e1", "e2"])]
        seen.add((killed, now[0]))
        previous = digest((publisher.directory / "editions/000001/manifest").read_bytes())
        publisher.publish(2, [entry(1), entry(2)], previous=previous)
        assert served(publisher) == (2, ["e1", "e2"])
        assert not (publisher.directory / "incoming").exists()
    assert steps > 8
    assert {(True, 1), (False, 2)} <= seen
