"""A member's sync against a real web server on loopback."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from killing import killed_before
from strandline.fetching import Fetcher, FetchPolicy
from strandline.lists import ListRefused, sync, verify
from strandline.lists.manifest import digest
from strandline.transparency import Signer

API_KEY = "member-key-1"


@pytest.fixture
def member(site, publisher, tmp_path):
    """Syncs from the site into one folder."""

    class Member:
        directory = tmp_path / "member"

        def sync(self, **changes):
            known = (self.directory / "trust.json").exists()
            arguments = {"vkey": None if known else publisher.signer.vkey, "api_key": API_KEY}
            return sync(site.url, self.directory, **(arguments | changes))

        def refuse(self, reason, **changes):
            """The sync is refused for this reason, and what was held stays in use."""
            held = verify(self.directory) if self.directory.exists() else None
            with pytest.raises(ListRefused, match=reason) as caught:
                self.sync(**changes)
            assert caught.value.message.endswith(".")
            if held is None:
                assert "No list is held yet." in caught.value.message
                assert not self.directory.exists()
            else:
                assert f"Edition {held.edition} is kept" in caught.value.message
                assert verify(self.directory) == held

    return Member()


def test_the_first_sync_takes_the_latest_edition(member, publisher, entry, site):
    publisher.publish(1, [entry(1)])
    publisher.publish(2, [entry(1), entry(2)])
    synced = member.sync()
    assert (synced.manifest.edition, synced.changed) == (2, True)
    assert verify(member.directory) == synced.manifest
    assert site.asked == ["/latest", "/editions/000002/entries.jsonl"]


def test_a_later_sync_remembers_the_key_and_drops_the_earlier_edition(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    publisher.publish(2, [entry(1), entry(2)])
    assert member.sync(vkey=None).manifest.edition == 2
    assert [path.name for path in (member.directory / "editions").iterdir()] == ["000002"]
    assert verify(member.directory).edition == 2


def test_an_edition_that_is_held_is_not_fetched_again(member, publisher, entry, site):
    publisher.publish(1, [entry(1)])
    member.sync()
    site.asked.clear()
    assert not member.sync().changed
    assert site.asked == ["/latest"]


def test_an_empty_edition_is_a_list_too(member, publisher):
    publisher.publish(1, [])
    assert member.sync().manifest.entries == 0
    assert verify(member.directory).entries == 0


def test_a_copy_that_was_damaged_is_fetched_again(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    for name in ("latest", "editions/000001/manifest", "editions/000001/entries.jsonl"):
        (member.directory / name).write_bytes(b"damaged")
        assert member.sync().changed
        assert verify(member.directory).edition == 1


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_the_address_may_say_localhost_and_end_with_a_slash(
    publisher, entry, site, tmp_path, ending
):
    publisher.publish(1, [entry(1)])
    url = site.url.replace("127.0.0.1", "localhost") + ending
    synced = sync(url, tmp_path / "member", vkey=publisher.signer.vkey, api_key=API_KEY)
    assert synced.manifest.edition == 1


def test_without_the_publishers_key_nothing_is_fetched(member, publisher, entry, site):
    publisher.publish(1, [entry(1)])
    member.refuse("needs the publisher's verifier key", vkey=None)
    member.refuse("verifier key", vkey="hotline.example")
    assert site.asked == []


def test_another_publishers_signature_is_refused(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.refuse("No trusted key", vkey=Signer.generate("hotline.example").vkey)


def test_the_key_is_settled_at_the_first_sync(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    member.refuse("another key", vkey=Signer.generate("hotline.example").vkey)
    assert not member.sync(vkey=publisher.signer.vkey).changed


def test_an_unsigned_or_altered_manifest_is_refused(member, publisher, entry, site):
    publisher.publish(1, [entry(1)])
    note = (site.directory / "latest").read_bytes()
    text = note[: note.rfind(b"\n\n") + 1]
    for body in (text, b"", text + b"\n", note.replace(b"entries 1", b"entries 2"), b"\xff" * 99):
        site.answers["/latest"] = (200, {}, body)
        member.refuse("signed note|signature|UTF-8")
    site.answers.clear()
    member.sync()


def test_something_else_the_publisher_signed_is_no_list(member, publisher, site):
    note = publisher.signer.sign("hotline.example/audit\n17\n").encode()
    site.answers["/latest"] = (200, {}, note)
    member.refuse("not the manifest of a list")


def test_an_older_edition_is_refused(member, publisher, entry, site):
    publisher.publish(1, [entry(1)])
    first = (site.directory / "latest").read_bytes()
    publisher.publish(2, [])
    member.sync()
    site.answers["/latest"] = (200, {}, first)
    member.refuse("older than what is held")


def test_an_older_edition_is_refused_even_when_the_local_manifest_was_damaged(
    member, publisher, entry, site
):
    publisher.publish(1, [entry(1)])
    first = (site.directory / "latest").read_bytes()
    publisher.publish(2, [])
    member.sync()
    (member.directory / "latest").write_bytes(b"damaged")
    site.answers["/latest"] = (200, {}, first)
    with pytest.raises(ListRefused, match="older than what is held"):
        member.sync()


def republish(publisher, number, entries, **changes):
    shutil.rmtree(publisher.directory)
    for earlier in range(1, number):
        publisher.publish(earlier, [])
    publisher.publish(number, entries, **changes)


def test_the_same_number_with_other_content_is_refused(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    republish(publisher, 1, [entry(2)])
    member.refuse("two different lists were signed under one number")


def test_an_edition_that_forgets_the_one_held_is_refused(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    republish(publisher, 2, [entry(2)])
    member.refuse("two different histories")


def test_a_list_of_another_origin_under_the_same_key_is_refused(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    publisher.origin = "other.example"
    publisher.publish(2, [entry(1)])
    member.refuse(r"the list other\.example, not of hotline\.example")


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b'"quality":100', b'"quality":101'),
        lambda data: b"",
    ],
    ids=["cut off", "longer", "one digit", "empty"],
)
def test_entries_that_differ_from_what_was_signed_are_refused(
    member, publisher, entry, site, alter
):
    publisher.publish(1, [])
    member.sync()
    publisher.publish(2, [entry(1), entry(2)])
    data = (site.directory / "editions/000002/entries.jsonl").read_bytes()
    site.answers["/editions/000002/entries.jsonl"] = (200, {}, alter(data))
    member.refuse("entries|fetched")


def test_a_manifest_that_miscounts_its_entries_is_refused(member, publisher, entry, site):
    manifest = publisher.publish(1, [entry(1), entry(3)])
    text = manifest.text().replace("entries 2", "entries 3")
    site.answers["/latest"] = (200, {}, publisher.signer.sign(text).encode())
    member.refuse("miscounts")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "may not read"), (404, "no list is published"), (503, "503"), (299, "299")],
)
def test_an_answer_that_is_not_the_file_is_refused(member, publisher, site, status, reason):
    publisher.publish(1, [])
    member.sync()
    site.answers["/latest"] = (status, {}, b"no")
    member.refuse(reason)


def test_a_wrong_or_missing_api_key_is_refused(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.refuse("did not accept the API key", api_key="wrong")
    member.refuse("did not accept the API key", api_key=None)
    member.refuse("characters a key cannot have", api_key="two\r\nlines")


def test_a_redirect_is_not_followed(member, publisher, entry, site):
    publisher.publish(1, [entry(1)])
    site.answers["/latest"] = (302, {"Location": "/elsewhere"}, b"")
    member.refuse("redirects to another address")
    assert "/elsewhere" not in site.asked


def test_a_manifest_of_endless_size_is_refused(member, publisher, site):
    site.answers["/latest"] = (200, {}, b"x" * 1_000_000)
    member.refuse("could not be fetched")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hotline.example",
        "ftp://hotline.example",
        "http://",
        "http://me:pw@hotline.example/",
        "http://hotline.example:99999",
        "http://hotline.example/?key=1",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(url, publisher, tmp_path):
    with pytest.raises(ListRefused, match=r"web address of a list|folder"):
        sync(url, tmp_path / "member", vkey=publisher.signer.vkey)


def test_an_api_key_is_not_sent_in_the_clear_over_the_internet(publisher, tmp_path):
    with pytest.raises(ListRefused, match="without https"):
        sync("http://8.8.8.8/list", tmp_path / "m", vkey=publisher.signer.vkey, api_key="k")


def test_a_server_that_is_not_there_is_a_sentence(publisher, tmp_path):
    with pytest.raises(ListRefused, match="could not be fetched"):
        sync("http://127.0.0.1:9", tmp_path / "member", vkey=publisher.signer.vkey)


def test_a_second_sync_at_the_same_time_is_refused(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    descriptor = os.open(member.directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(ListRefused, match="Another sync"):
            member.sync()
    finally:
        os.close(descriptor)
    assert not member.sync().changed


@pytest.mark.parametrize("failing", range(1, 6))
def test_a_write_that_fails_keeps_the_edition_held(member, publisher, entry, monkeypatch, failing):
    publisher.publish(1, [entry(1)])
    member.sync()
    publisher.publish(2, [entry(1), entry(2)])
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        member.refuse("No space left on device")
    assert member.sync().manifest.edition == 2
    assert verify(member.directory).edition == 2


@pytest.fixture(scope="module")
def fetcher():
    """One for many syncs: making one reads the system's certificates."""
    with Fetcher(FetchPolicy(allow_networks=("127.0.0.0/8",), content_types=("*/*",))) as fetcher:
        yield fetcher


def copied(directory: Path, name: str) -> Path:
    copy = directory.with_name(name)
    if directory.exists():
        shutil.copytree(directory, copy)
    return copy


def test_a_kill_at_any_step_leaves_the_edition_held_or_the_new_one(
    member, publisher, entry, fetcher
):
    publisher.publish(1, [entry(1)])
    member.sync()
    publisher.publish(2, [entry(1), entry(2)])
    earlier, found, step, killed = member.directory, set(), 0, True
    while killed:
        step += 1
        member.directory = copied(earlier, f"killed-{step}")
        killed = killed_before(step, member.directory, lambda: member.sync(fetcher=fetcher))
        found.add(verify(member.directory).edition)
        assert member.sync(fetcher=fetcher).manifest.edition == 2
        assert verify(member.directory).edition == 2
        assert sorted(path.name for path in member.directory.iterdir()) == [
            "editions",
            "latest",
            "trust.json",
        ]
    assert step > 10
    assert found == {1, 2}


def test_a_kill_of_the_first_sync_leaves_no_list_or_the_whole_one(
    member, publisher, entry, fetcher
):
    publisher.publish(1, [entry(1)])
    earlier, found, step, killed = member.directory, set(), 0, True
    while killed:
        step += 1
        member.directory = copied(earlier, f"killed-{step}")
        killed = killed_before(step, member.directory, lambda: member.sync(fetcher=fetcher))
        try:
            found.add(verify(member.directory).edition)
        except ListRefused:
            found.add(0)
        assert member.sync(fetcher=fetcher).manifest.edition == 1
        assert verify(member.directory).edition == 1
    assert step > 10
    assert found == {0, 1}


def test_progress_is_told_for_each_file(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    told = []
    member.sync(progress=lambda *step: told.append(step))
    size = (member.directory / "editions/000001/entries.jsonl").stat().st_size
    assert told[-2:] == [("entries.jsonl", 0, size), ("entries.jsonl", size, size)]
    assert told[0][0] == "latest"


def test_the_copy_names_the_manifest_its_publisher_will_name_next(member, publisher, entry):
    publisher.publish(1, [entry(1)])
    member.sync()
    held = digest((member.directory / "latest").read_bytes())
    assert publisher.publish(2, []).previous == held
