"""What goes wrong in the world: kills, full disks, clocks, thieves, hostile servers and files."""

import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from datetime import timedelta

import pytest

from killing import killed_before
from list_publisher import (
    API_KEY,
    HOUR,
    PublishedList,
    copied,
    fingerprints,
    serve,
    signer,
)
from strandline.errors import ListRefused
from strandline.lists.member import membership, sources
from strandline.lists.state import State
from strandline.lists.trust import ceremony
from strandline.lists.trust.keys import new_key, open_signer
from strandline.lists.trust.policy import Growth
from strandline.lists.trust.roots import Changes, following
from strandline.lists.trust.roots import read as read_root

# The publisher


def test_a_publisher_killed_at_any_step_leaves_members_the_old_edition_or_the_new(
    published, member, tmp_path
):
    published.book.add(10)
    event = published.book.add(11)
    original, seen, step, killed = published.home, set(), 0, True
    copy_of_member = member.directory
    while killed:
        step += 19
        home = copied(original, f"killed-{step}")
        half = PublishedList(home)
        half.now, half.targets = published.now, dict(published.targets)
        half.manifests, half.book = list(published.manifests), published.book
        half.book.entries.pop(10, None)
        killed = killed_before(step, home, lambda half=half: half.publish(event))
        site, stop = serve(half.directory)
        try:
            member.directory = copied(copy_of_member, f"member-{step}")
            half.now += HOUR
            found = membership.sync  # the address of the folder is this site's
            membership.Subscription(site.url).write(member.directory)
            try:
                edition = found(member.directory, api_key=API_KEY, now=half.now).manifest.edition
            except ListRefused as refused:
                assert "Edition 3 is kept" in refused.message  # noqa: PT017 - one of two outcomes
                edition = 3
            assert State.open(member.directory / "store").edition == edition
            seen.add(edition)
            # What was left undone is done by the same call again.
            half.now = published.now
            half.publish(event)
            assert found(member.directory, api_key=API_KEY, now=half.now).manifest.edition == 4
        finally:
            stop()
            shutil.rmtree(home)
    assert seen == {3, 4}


def test_a_malicious_hotline_that_adds_ten_thousand_entries_is_stopped_by_every_member(
    tmp_path,
):
    published = PublishedList(tmp_path / "house", growth=Growth(5000, 10))
    published.publish(*(published.book.add(n) for n in range(1, 30)))
    site, stop = serve(published.directory)
    try:
        directory = tmp_path / "member"
        membership.init(directory, site.url, fingerprint=published.fingerprint, api_key=API_KEY)
        membership.sync(directory, api_key=API_KEY, now=published.now)
        published.publish(*(published.book.add(n) for n in range(100, 10_100)))
        with pytest.raises(ListRefused, match="Alarm") as caught:
            membership.sync(directory, api_key=API_KEY, now=published.now)
        assert caught.value.message == (
            "Alarm: edition 2 changes 10000 entries at once, 10000 of them added, and an edition "
            "of this list may change 5000. It may be flooded, by mistake or by somebody who has "
            "its keys. Ask the publisher. Edition 1 is kept and stays in use."
        )
        assert membership.verify(directory, now=published.now).manifest.entries == 29
    finally:
        stop()


# Keys


def test_the_publishers_stolen_signing_key_alone_brings_nothing_to_a_member(published, member):
    """The thief has the note key and the online keys, and a log of his own; not the witnesses."""
    published.log_signer = signer("thief.example/log")
    manifest = published.write(published.book.add(10))
    published.state("manifest", manifest.text(), published.publisher, manifest.edition)
    published.manifests.append(manifest)
    note = published.log.checkpoint()
    published.log.publish([], checkpoint=note)
    published.prove("editions/000004/manifest")
    published.release()
    member.refuse("witnesses")


def test_a_thief_of_all_the_publishers_keys_still_lacks_a_second_jurisdiction(published, member):
    published.publish(published.book.add(10), certified=False)
    member.refuse("is not certified")


def test_after_a_theft_the_next_root_ends_the_stolen_keys_and_the_list_goes_on(
    published, member, tmp_path
):
    """One online key is stolen: its holder's place is taken by another in root 2."""
    thief = published.repository
    stolen = dict(published.made.online)
    fresh = new_key(tmp_path / "targets-2.key", "targets-2")
    root = (published.directory / "metadata/1.root.json").read_bytes()
    expires = read_root(root).signed.expires
    drafted = following(root, Changes(online={"targets": fresh}), expires=expires)
    signatures = [
        ceremony.sign(drafted, open_signer(place), previous=root)
        for place in list(published.made.holders.values())[:2]
    ]
    ceremony.publish(published.directory, ceremony.gather(drafted, signatures, previous=root))
    published.made = ceremony.Made(
        published.made.fingerprint,
        published.made.holders,
        stolen | {"targets": f"file:{tmp_path / 'targets-2.key'}"},
    )
    published.publish(published.book.add(10))
    assert member.sync().manifest.edition == 4
    with pytest.raises(Exception, match="not the one that root 2 names"):
        thief.release(published.targets, published.now)
    member.verify()


# Clocks


@pytest.mark.parametrize("hours", [-24, 24 * 3])
def test_a_clock_that_is_wrong_by_days_takes_nothing_and_says_what_time_it_is(
    published, member, hours
):
    published.publish(published.book.add(10))
    member.ahead = timedelta(hours=hours)
    said = member.refuse("clock")
    assert f"{member.now:%Y-%m-%d}" in said
    member.ahead = timedelta()
    assert member.sync().manifest.edition == 4


def test_a_replayed_old_state_of_everything_is_refused(published, member, three_editions):
    published.publish(published.book.add(10))
    member.sync()
    shutil.rmtree(published.directory)
    shutil.copytree(three_editions.directory, published.directory)
    member.refuse("older|set back")
    assert member.edition == 4


# Disks


@pytest.mark.parametrize("most", [200, 4000, 9000])
def test_a_full_disk_keeps_the_edition_held_and_says_so(published, member, most):
    published.publish(*(published.book.add(n) for n in range(20, 120)))
    code = (
        "import resource, signal, sys; from datetime import datetime\n"
        "from strandline import lists\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)\n"
        "try:\n"
        "    lists.sync(sys.argv[1], api_key=sys.argv[2],\n"
        "               now=datetime.fromisoformat(sys.argv[4]))\n"
        "except lists.ListRefused as refused:\n"
        "    print(refused.message)\n"
    )
    arguments = [str(member.directory), API_KEY, str(most), member.now.isoformat()]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "Edition 3 is kept and stays in use." in done.stdout
    assert "File too large" in done.stdout or "written" in done.stdout
    assert member.verify().manifest.edition == 3
    assert member.sync().manifest.edition == 4
    assert member.verify().manifest.entries == 108


def test_a_page_that_is_corrupted_on_the_publishers_disk_is_refused(published, member):
    published.publish(published.book.add(10))
    page = next((published.directory / "editions/000004").glob("*/*.sha256"))
    page.write_bytes(page.read_bytes()[:-1] + b"?")
    member.refuse("is not the file that was published")


# Servers


class Hostile:
    """A server that answers each connection with what it is told, and then does what it likes."""

    def __init__(self, answer) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._answer = answer
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while self._open:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65_536)
                    self._answer(connection)
                except OSError:
                    pass

    def close(self) -> None:
        self._open = False
        self._socket.close()


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def slow(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


def too_short(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{}")


def too_long(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{}")


def no_http(connection):
    connection.sendall(b"\0\1\2\3" * 1000)


def bomb(connection):
    import gzip

    data = gzip.compress(bytes(50_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    connection.sendall(head % len(data) + data)


@pytest.mark.parametrize("answer", [endless, slow, too_short, too_long, no_http, bomb])
def test_a_hostile_server_is_left_soon_with_a_sentence(member, monkeypatch, answer):
    monkeypatch.setattr(sources, "TIME_LIMIT", 1)
    hostile = Hostile(answer)
    membership.Subscription(hostile.url).write(member.directory)
    begin = time.monotonic()
    try:
        member.refuse("could not be fetched")
    finally:
        hostile.close()
    assert time.monotonic() - begin < 30
    assert member.verify().manifest.edition == 3


# Members' own files


@pytest.mark.parametrize(
    "name", ["subscription", "trust/timestamp.json", "trust/pinned.root.json", "log/checkpoint"]
)
def test_hostile_files_in_a_copy_are_refused_with_a_sentence(member, name):
    path = member.directory / name
    for content in (b"", b"\xff" * 99, b"[" * 50_000, b"{}", b"null", b"1" * 5000, b"\n\n"):
        path.write_bytes(content)
        with pytest.raises(ListRefused):
            member.verify()
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(ListRefused):
        member.verify()


def test_a_store_made_by_somebody_else_is_not_what_the_signed_files_come_to(member, tmp_path):
    other = PublishedList(tmp_path / "other")
    book = other.book
    other.publish(*(book.add(n, told=fingerprints(f"other {n}")) for n in range(1, 6)))
    site, stop = serve(other.directory)
    try:
        copy = tmp_path / "copy"
        membership.init(copy, site.url, fingerprint=other.fingerprint, api_key=API_KEY)
        membership.sync(copy, api_key=API_KEY, now=other.now)
    finally:
        stop()
    state = State.open(copy / "store")
    state.apply([], edition=3)
    shutil.rmtree(member.directory / "store")
    shutil.copytree(copy / "store", member.directory / "store")
    with pytest.raises(ListRefused, match="not what the signed files come to"):
        member.verify()


@pytest.mark.parametrize(
    "extra", ["more", "editions/000001/more", "trust/more", "log/more", "empty/"]
)
def test_a_file_or_folder_that_does_not_belong_is_found(member, extra):
    path = member.directory / extra
    if extra.endswith("/"):
        path.mkdir()
    else:
        path.write_bytes(b"")
    with pytest.raises(ListRefused, match="does not belong"):
        member.verify()


def test_every_byte_of_every_file_of_a_copy_counts(member):
    """One byte of each file is changed, one is added and one taken away."""
    member.verify()
    files = [path for path in sorted(member.directory.rglob("*")) if path.is_file()]
    assert len(files) > 40
    for number, path in enumerate(files):
        whole = path.read_bytes()
        at = (number * 7919) % len(whole) if whole else 0
        changes = [whole[:at] + bytes(b ^ 1 for b in whole[at : at + 1]) + whole[at + 1 :]]
        if number % 3 == 0:
            changes += [whole + b"\n", whole[:-1], None]
        for changed in changes:
            if changed is None:
                path.unlink()
            elif changed == whole:
                continue
            else:
                path.write_bytes(changed)
            with pytest.raises(ListRefused) as caught:
                member.verify()
            assert caught.value.message.endswith(".")
            path.write_bytes(whole)
    member.verify()


def test_a_hostile_bundle_is_refused(member, tmp_path, published):
    bundle = tmp_path / "out.strandline"
    membership.bundle(member.directory, bundle)
    closed = tmp_path / "closed"
    membership.init(closed, bundle=bundle, fingerprint=published.fingerprint)
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for change in ("deflated", "altered", "missing", "twice"):
        path = tmp_path / change
        kind = zipfile.ZIP_DEFLATED if change == "deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", kind) as archive:
            for name, data in files.items():
                altered = name.endswith(".core") and change == "altered"
                if not (name.endswith(".index") and change == "missing"):
                    archive.writestr(name, data[:-1] + b"?" if altered else data)
            if change == "twice":
                with pytest.warns(UserWarning, match="Duplicate"):
                    archive.writestr("log/checkpoint", b"")
        with pytest.raises(ListRefused) as caught:
            membership.sync(closed, bundle=path, now=published.now)
        assert caught.value.message.endswith((".", "in use."))
        assert not (closed / "store").exists()
    assert membership.sync(closed, bundle=bundle, now=published.now).manifest.edition == 3
