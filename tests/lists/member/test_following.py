"""A member's sync against a real web server on loopback, a real log, witnesses and certificates."""

import fcntl
import os
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from killing import killed_before
from list_publisher import (
    API_KEY,
    HOUR,
    A,
    B,
    PublishedList,
    copied,
    film,
    fingerprints,
    serve,
    signer,
)
from strandline.errors import ListRefused, SourceFailed
from strandline.lists.member import membership
from strandline.lists.published import editions
from strandline.lists.published.blocks import Block
from strandline.lists.published.classes import Column, EntryClass, Scope
from strandline.lists.published.scope_note import ScopeNote
from strandline.lists.state import State

#: Unless every step is asked for, a kill is tried before some of them.
EVERY_KILL = bool(os.environ.get("STRANDLINE_EVERY_KILL"))


def pages(site):
    """Paths of the pages that were asked for."""
    return [path for path in site.asked if path.count("/") == 4 and "/log/" not in path]


def test_the_first_sync_takes_the_newest_edition_and_the_copy_verifies(newcomer):
    synced = newcomer.sync()
    assert (synced.manifest.edition, synced.changed, synced.waiting) == (3, True, None)
    found = newcomer.verify()
    assert (found.manifest.edition, found.classes, found.classes_in_all) == (3, 2, 2)
    assert found.until == newcomer.now + 48 * HOUR
    state = State.open(newcomer.directory / "store")
    assert [held.number for held in state.entries()] == [1, 3, 4, 5, 6, 7, 8, 9]
    assert state.find(sha256=fingerprints(33).sha256)[0].name == "entry-3"


def test_a_later_sync_fetches_the_new_events_and_nothing_else(member, published, list_site):
    published.publish(published.book.add(10))
    synced = member.sync()
    assert synced.manifest.edition == 4
    assert {path.split("/")[2] for path in pages(list_site)} == {"000004"}
    assert synced.fetched == sum(
        (published.directory / path[1:]).stat().st_size for path in pages(list_site)
    )
    assert member.verify().manifest.edition == 4


def test_an_edition_that_is_held_is_not_fetched_again(member, list_site):
    assert not member.sync().changed
    assert pages(list_site) == []
    assert member.verify().manifest.edition == 3


def test_several_editions_that_were_missed_are_checked_one_by_one(member, published):
    book = published.book
    published.publish(book.add(10))
    published.publish(book.add(11), book.quarantine(10))
    published.publish(book.withdraw(11))
    assert member.sync().manifest.edition == 6
    assert member.verify().manifest.edition == 6


def test_a_moved_entry_is_found_in_its_new_class_under_its_name(member, published):
    book = published.book
    published.publish(book.withdraw(1, "moved"), book.add(1, B))
    member.sync()
    [hit] = State.open(member.directory / "store").find(sha256=fingerprints(1).sha256)
    assert (hit.name, hit.entry_class) == ("entry-1", B)
    member.verify()


def test_what_was_fetched_before_a_cut_is_not_fetched_again(newcomer, list_site):
    def cut(handler):
        if len(pages(list_site)) == 6:
            raise ConnectionError

    list_site.before.append(cut)
    with pytest.raises(SourceFailed, match="No list is held yet"):
        newcomer.sync()
    before = set(pages(list_site)[:5])
    list_site.before.clear()
    list_site.asked.clear()
    newcomer.sync()
    assert not before & set(pages(list_site))
    newcomer.verify()


def test_a_kill_at_any_step_leaves_the_edition_held_or_the_new_one_and_the_copy_verifies(
    member, published
):
    published.publish(published.book.add(10), published.book.amend(9, fingerprints(99)))
    original, seen, step, killed = member.directory, set(), 0, True
    while killed:
        step += 1 if EVERY_KILL else 23
        member.directory = copied(original, f"killed-{step}")
        killed = killed_before(step, member.directory, member.sync)
        seen.add(member.verify().manifest.edition)
        assert member.sync().manifest.edition == 4
        assert member.verify().manifest.edition == 4
        assert not (member.directory / "incoming").exists()
        shutil.rmtree(member.directory)
    assert seen == {3, 4}


def test_a_damaged_file_is_fetched_again(member, list_site):
    for name in (
        "editions/000001/c3a7fed4e6ba9c3f/000000.core",
        "editions/000003/c3a7fed4e6ba9c3f.index",
        "editions/000003/manifest.proof",
        "editions/000002/manifest",
        "store/current",
        "log/hashes",
        "held",
    ):
        (member.directory / name).write_bytes(b"damaged")
        with pytest.raises(ListRefused):
            member.verify()
        member.sync()
        assert member.verify().manifest.edition == 3


# Scopes


def scoped(published, member="member:3", issued=None, **rule):
    note = ScopeNote(published.policy.origin, member, issued or published.now, Scope(**rule))
    return published.publisher.sign(note.text()).encode()


def test_a_scoped_copy_holds_its_classes_and_columns_and_shows_that_none_is_missing(
    newcomer, published, list_site
):
    rule = {"columns": frozenset({Column.MD5}), "categories": frozenset({"A"})}
    list_site.answers["/scope"] = (200, {}, scoped(published, **rule))
    newcomer.sync()
    found = newcomer.verify()
    assert (found.classes, found.classes_in_all, found.member) == (1, 2, "member:3")
    state = State.open(newcomer.directory / "store")
    assert {held.entry_class for held in state.entries()} == {A}
    assert state.find(md5=fingerprints(4).md5)[0].weaker
    assert not state.find(sha256=fingerprints(4).sha256)
    assert not any(path.endswith((".sha256", ".pdq")) for path in pages(list_site))
    next(newcomer.directory.glob("editions/*/*/*.md5")).unlink()
    with pytest.raises(ListRefused, match="missing"):
        newcomer.verify()


def test_a_scope_that_was_widened_brings_what_it_now_covers(newcomer, published, list_site):
    rule = {"categories": frozenset({"A"})}
    list_site.answers["/scope"] = (200, {}, scoped(published, **rule))
    newcomer.sync()
    published.now += HOUR
    list_site.answers["/scope"] = (200, {}, scoped(published))
    assert newcomer.sync().changed
    assert newcomer.verify().classes == 2
    list_site.answers["/scope"] = (200, {}, scoped(published, issued=published.now - HOUR, **rule))
    newcomer.refuse("older note of this member's scope")
    list_site.answers["/scope"] = (200, {}, scoped(published, member="member:4"))
    newcomer.refuse("another member's API key")
    del list_site.answers["/scope"]
    newcomer.refuse("no longer says what this member may have")


def test_a_scope_signed_by_somebody_else_is_refused(newcomer, published, list_site):
    note = ScopeNote(published.policy.origin, "member:3", published.now, Scope())
    list_site.answers["/scope"] = (200, {}, signer("thief.example").sign(note.text()).encode())
    newcomer.refuse("scope")


# Snapshots


@pytest.fixture
def early_snapshots(monkeypatch):
    monkeypatch.setattr(editions, "SPARE_ROWS", 3)


def test_a_snapshot_that_follows_from_what_is_held_is_made_here_and_not_fetched(
    member, published, list_site, early_snapshots
):
    published.publish(published.book.amend(4, fingerprints("again")))
    synced = member.sync()
    assert list(published.directory.glob("snapshots/000004/*/*.core"))
    assert not any("snapshots" in path for path in pages(list_site))
    assert synced.changed
    assert list(member.directory.glob("snapshots/000004/*/*.core"))
    assert member.verify().manifest.edition == 4


def test_who_starts_anew_reads_the_snapshot_and_not_the_history(
    newcomer, published, list_site, early_snapshots
):
    book = published.book
    published.publish(*(book.amend(4, fingerprints(f"again {n}")) for n in range(6)))
    published.publish(book.add(20), book.quarantine(4))
    newcomer.sync()
    asked = [path for path in pages(list_site) if "c3a7fed4e6ba9c3f" in path]
    assert {path.split("/")[1] + path.split("/")[2] for path in asked} == {
        "snapshots000004",
        "editions000005",
    }
    state = State.open(newcomer.directory / "store")
    assert state.entry(4).quarantined
    newcomer.verify()


def test_one_who_was_away_for_long_takes_the_snapshot_if_it_agrees_with_what_is_held(
    member, published, list_site, early_snapshots
):
    book = published.book
    for each in range(4):
        published.publish(*(book.amend(4, fingerprints(f"{each} {n}")) for n in range(4)))
    assert member.sync().manifest.edition == 7
    assert any("snapshots" in path for path in pages(list_site))
    assert member.verify().manifest.edition == 7


@pytest.fixture
def forged_snapshots(early_snapshots, monkeypatch):
    """The publisher's snapshots say something else of entry 5 than its events did."""
    real = editions.standing_rows

    def forged(blocks, standing):
        for block in real(blocks, standing):
            rows = list(block.events())
            for place, row in enumerate(rows):
                if row.number == 5:
                    entry = replace(row.entry, fingerprints=fingerprints("slipped in"))
                    rows[place] = replace(row, entry=entry)
            yield Block.of(rows)

    monkeypatch.setattr(editions, "standing_rows", forged)


def test_a_snapshot_that_differs_from_the_history_is_refused(member, published, forged_snapshots):
    published.publish(published.book.amend(4, fingerprints("again")))
    member.refuse("not what the events held here come to")
    assert member.verify().manifest.edition == 3


def test_a_snapshot_that_contradicts_what_was_held_long_ago_is_refused(
    member, published, forged_snapshots
):
    for each in range(4):
        again = (fingerprints(f"{each} {n}") for n in range(4))
        published.publish(*(published.book.amend(4, told) for told in again))
    member.refuse("contradict what is held of the same time")


# Refusals


def test_an_unsigned_or_altered_manifest_is_refused(member, published, list_site):
    published.publish(published.book.add(10))
    path = "/editions/000004/manifest"
    note = published.edit(4, "manifest").read_bytes()
    for body in (note[: note.rfind(b"\n\n") + 1], b"", note.replace(b"added 1", b"added 2")):
        list_site.answers[path] = (200, {}, body)
        member.refuse("not the file that the publisher signed for")


def test_a_manifest_signed_by_one_who_is_not_the_publisher_is_refused(member, published):
    published.publisher = signer("hotline.example.evil")
    published.publish(published.book.add(10))
    member.refuse("manifest of edition 4: No trusted key signed")


def test_an_edition_that_is_not_in_the_log_is_refused(member, published):
    published.publish(published.book.add(10))
    old = published.edit(3, "manifest.proof").read_bytes()
    for proof in (old, b"", b"c2sp.org/tlog-proof@v1\n"):
        published.edit(4, "manifest.proof").write_bytes(proof)
        member.refuse("not shown to be in the transparency log")
    published.edit(4, "manifest.proof").unlink()
    member.refuse("comes without the proof that it is in the transparency log")


def test_an_edition_that_nobody_else_certified_is_refused_until_somebody_does(member, published):
    manifest = published.publish(published.book.add(10), certified=False)
    said = member.refuse("Edition 4 is not certified")
    assert "so far only hotline.example did" in said
    assert not (member.directory / "incoming").exists()
    assert member.verify().manifest.edition == 3
    path = published.certify(manifest, classes=[A])
    published.checkpoint()
    published.prove(path)
    published.release()
    member.refuse("must vouch for its class 'B")


def test_a_certificate_counts_only_when_it_was_logged(member, published):
    manifest = published.publish(published.book.add(10), certified=False)
    path = published.certify(manifest)
    published.release()
    member.refuse("is not certified")
    published.checkpoint()
    published.prove(path)
    assert member.sync().manifest.edition == 4


def test_a_certificate_of_one_hotline_under_the_name_of_another_does_not_count(member, published):
    manifest = published.publish(published.book.add(10), certified=False)
    path = published.certify(manifest, by=signer("third.example"))
    published.targets[path.replace("third", "second")] = published.targets.pop(path)
    published.checkpoint()
    for name in (path, path.replace("third", "second")):
        (published.directory / name).write_bytes((published.directory / path).read_bytes())
        published.prove(name)
    published.release()
    member.refuse("is not certified")


def test_the_newest_edition_that_may_be_applied_is_and_the_newer_one_is_waited_for(
    member, published
):
    published.publish(published.book.add(10))
    published.publish(published.book.add(11), certified=False)
    synced = member.sync()
    assert synced.manifest.edition == 4
    assert "Edition 5 is not certified" in synced.waiting
    member.refuse("Edition 5 is not certified")
    assert member.verify().manifest.edition == 4


def test_a_hotline_that_the_policy_does_not_name_cannot_certify(newcomer):
    shutil.rmtree(newcomer.directory)
    newcomer.init(certifying="other.example")
    newcomer.refuse(r"names no hotline 'other\.example'")


def test_without_the_quorum_of_witnesses_the_log_is_not_believed(member, published):
    published.publish(published.book.add(10))
    note = (published.directory / "log/checkpoint").read_text()
    (published.directory / "log/checkpoint").write_text("".join(note.splitlines(True)[:-1]))
    member.refuse("Only 1 of the 2 witnesses")


def test_what_is_no_longer_fresh_is_refused_and_the_copy_no_longer_current(member, published):
    member.ahead = timedelta(hours=49)
    member.refuse("has expired")
    with pytest.raises(ListRefused, match="not current"):
        member.verify()
    published.now += timedelta(hours=49)
    published.repository.heartbeat(published.now)
    member.ahead = timedelta()
    member.refuse("last cosigned")
    published.heartbeat()
    assert not member.sync().changed
    member.verify()


def test_a_log_that_was_set_back_is_refused(member, published, three_editions):
    published.publish(published.book.add(10))
    member.sync()
    shutil.rmtree(published.directory / "log")
    shutil.copytree(three_editions.directory / "log", published.directory / "log")
    member.refuse("log was set back")


def test_a_log_with_another_history_is_refused(member, published, tmp_path):
    other = PublishedList(tmp_path / "other")
    other.publish(*(other.book.add(n) for n in range(50, 60)))
    for n in range(3):
        other.publish(other.book.add(70 + n))
    other.now = published.now
    other.checkpoint()
    shutil.rmtree(published.directory / "log")
    shutil.copytree(other.directory / "log", published.directory / "log")
    member.refuse("does not go on from what was seen|history was changed")


def test_an_older_edition_is_refused(member, published):
    """The publisher's keys sign that only edition 2 is published."""
    kept = {path: data for path, data in published.targets.items() if "/000002/" in path}
    published.repository.release(kept, published.now)
    member.refuse("offers edition 2, older than edition 3")


def test_a_second_history_under_the_same_numbers_is_refused(member, three_editions, tmp_path):
    """All keys but root's sign another edition 4 that does not follow edition 3."""
    published = member.published
    published.manifests[-1] = published.manifests[-1].__class__(
        **(vars(published.manifests[-1]) | {"published": published.now - timedelta(minutes=1)})
    )
    published.publish(published.book.add(10))
    member.refuse("does not name the edition before it")


def test_an_edition_with_too_many_changes_raises_the_alarm(member, published):
    published.publish(*(published.book.add(n) for n in range(100, 1101)))
    said = member.refuse("Alarm: edition 4 changes 1001 entries at once")
    assert "Ask the publisher" in said
    assert member.verify().manifest.edition == 3


def test_an_edition_that_takes_too_much_away_raises_the_alarm(member, published):
    book = published.book
    published.publish(*(book.quarantine(n) for n in (3, 4, 5, 6, 7)))
    member.refuse("Alarm: edition 4 takes away or replaces 5 of 8 entries")


def test_the_cap_cannot_be_passed_in_steps_that_a_member_missed(member, published):
    published.publish(*(published.book.add(n) for n in range(100, 1101)))
    published.publish(published.book.add(2000))
    member.refuse("Alarm: edition 4")


def test_a_page_that_differs_is_refused(member, published, list_site):
    published.publish(published.book.add(10))
    path = "/editions/000004/c3a7fed4e6ba9c3f/000000.sha256"
    data = (published.directory / path[1:]).read_bytes()
    for body in (data[:-1], data + b"\0", data[:-1] + bytes([data[-1] ^ 1]), b""):
        list_site.answers[path] = (200, {}, body)
        member.refuse("sha256")
    list_site.answers[path] = (404, {}, b"")
    member.refuse("would not be complete")
    list_site.answers.clear()
    assert member.sync().manifest.edition == 4


def test_an_index_that_differs_or_is_missing_is_refused(member, published, list_site):
    published.publish(published.book.add(10))
    path = "/editions/000004/c3a7fed4e6ba9c3f.index"
    data = (published.directory / path[1:]).read_bytes()
    lines = data.splitlines(True)
    for body in (b"".join(lines[:-1]), data.replace(b"files", b"file"), b"\xff", lines[0]):
        list_site.answers[path] = (200, {}, body)
        member.refuse("index|form")
    list_site.answers[path] = (404, {}, b"")
    member.refuse("within the scope, is not there")


# The way there


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "may not read"), (401, "did not accept"), (503, "503"), (299, "299")],
)
def test_an_answer_that_is_not_the_file_is_refused(member, list_site, status, reason):
    list_site.answers["/metadata/timestamp.json"] = (status, {}, b"no")
    member.refuse(reason)


def test_a_redirect_is_not_followed(member, list_site):
    list_site.answers["/metadata/timestamp.json"] = (302, {"Location": "/elsewhere"}, b"")
    member.refuse("redirects to another address")
    assert "/elsewhere" not in list_site.asked


def test_a_wrong_or_missing_api_key_is_refused(member):
    member.refuse("did not accept the API key", api_key="wrong")
    with pytest.raises(ListRefused, match="characters a key cannot have"):
        member.sync(api_key="two\r\nlines")


def test_the_key_is_read_from_the_file_that_the_folder_remembers(
    tmp_path, published, list_site, newcomer
):
    key = tmp_path / "key"
    key.write_text(f"{API_KEY}\n")
    directory = tmp_path / "other"
    membership.init(
        directory,
        list_site.url,
        fingerprint=published.fingerprint,
        api_key=API_KEY,
        api_key_file=key,
    )
    assert membership.sync(directory, now=published.now).changed
    assert API_KEY not in (directory / "subscription").read_text()
    key.unlink()
    with pytest.raises(ListRefused, match=r"API key in .* cannot be read"):
        membership.sync(directory, now=published.now)


def test_a_server_that_is_not_there_is_a_sentence(member, list_site):
    membership.init(
        member.directory.with_name("other"),
        "http://127.0.0.1:9",
        root=member.directory / "trust/pinned.root.json",
    )
    member.directory = member.directory.with_name("other")
    member.refuse("could not be fetched")


def test_a_second_sync_at_the_same_time_is_refused(member):
    descriptor = os.open(member.directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(ListRefused, match="Another sync"):
            member.sync()
    finally:
        os.close(descriptor)
    assert not member.sync().changed


def test_progress_is_told_in_bytes(newcomer):
    told = []
    synced = newcomer.sync(progress=lambda *step: told.append(step))
    assert told[-1] == ("pages", synced.fetched, synced.fetched)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


# Beginning


def test_the_fingerprint_settles_which_root_is_trusted(tmp_path, published, list_site):
    with pytest.raises(ListRefused, match="another fingerprint"):
        membership.init(tmp_path / "m", list_site.url, fingerprint="0" * 64, api_key=API_KEY)
    assert not (tmp_path / "m").exists()
    with pytest.raises(ListRefused, match="give the fingerprint"):
        membership.init(tmp_path / "m", list_site.url)


def test_a_folder_that_is_not_subscribed_says_so(tmp_path):
    for call in (membership.sync, membership.verify):
        with pytest.raises(ListRefused, match=r"strandline list (init|sync)"):
            call(tmp_path)


def test_an_empty_list_is_a_list_too(tmp_path):
    published = PublishedList(tmp_path / "house")
    published.publish()
    site, stop = serve(published.directory)
    try:
        directory = tmp_path / "m"
        membership.init(directory, site.url, fingerprint=published.fingerprint, api_key=API_KEY)
        synced = membership.sync(directory, api_key=API_KEY, now=published.now)
        assert synced.manifest.entries == 0
        assert membership.verify(directory, now=published.now).files == 0
    finally:
        stop()


def test_a_new_class_and_a_film_come_with_a_later_edition(member, published):
    new = EntryClass("C", "ai-generated", "gb")
    published.publish(published.book.add(20, new, film(20)))
    member.sync()
    [hit] = State.open(member.directory / "store").find(pdq=film(20).video[1].pdq)
    assert (hit.number, hit.column, hit.entry_class) == (20, Column.VIDEO, new)
    assert member.verify().classes == 3
