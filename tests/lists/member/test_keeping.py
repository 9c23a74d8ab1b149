"""What a member holds is missed when it is missing, and no edition takes it away unnoticed."""

import os
import shutil
import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from list_publisher import (
    HOUR,
    A,
    B,
    Member,
    PublishedList,
    fingerprints,
    serve,
    signer,
)
from strandline.errors import ListRefused
from strandline.lists.member import following, membership
from strandline.lists.member.holdings import last_seen
from strandline.lists.member.layout import Layout
from strandline.lists.published.classes import Scope
from strandline.lists.published.manifests import Manifest
from strandline.lists.published.scope_note import ScopeNote
from strandline.lists.trust.updating import held


def scope_note(published, **rule):
    note = ScopeNote(published.policy.origin, "member:3", published.now, Scope(**rule))
    return (200, {}, published.publisher.sign(note.text()).encode())


@pytest.fixture
def house(tmp_path):
    """A publisher with little patience, and one who has everything of it."""
    made = []

    def make(events, scope=None, **policy):
        published = PublishedList(tmp_path / "lean", **policy)
        published.publish(*events(published.book))
        site, stop = serve(published.directory)
        made.append(stop)
        found = Member(tmp_path / "lean-member", published, site)
        if scope:
            site.answers["/scope"] = scope_note(published, **scope)
        found.init()
        found.sync()
        return published, found

    yield make
    for stop in made:
        stop()


# Missing files


@pytest.mark.parametrize("rule", [{}, {"categories": frozenset({"A"})}])
def test_every_file_of_a_scoped_copy_is_missed_when_it_is_missing(
    newcomer, published, list_site, rule
):
    list_site.answers["/scope"] = scope_note(published, **rule)
    newcomer.sync()
    newcomer.verify()
    # Of the store's tail, which is derived, none says what an empty one says.
    files = [
        path for path in newcomer.directory.rglob("*") if path.is_file() and path.stat().st_size
    ]
    assert newcomer.directory / "scope" in files
    assert newcomer.directory / "trust/snapshot.json" in files
    for path in files:
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(ListRefused) as caught:
            newcomer.verify()
        assert "never" not in caught.value.message
        path.write_bytes(whole)
    assert newcomer.verify().member == "member:3"


def test_the_listing_names_scope_and_trust(newcomer, published, list_site):
    list_site.answers["/scope"] = scope_note(published)
    newcomer.sync()
    listed = (newcomer.directory / "held").read_text().splitlines()
    assert {"scope", "log/checkpoint", "trust/pinned.root.json", "trust/timestamp.json"} <= {
        *listed
    }


def test_a_scope_that_got_lost_is_not_taken_for_everything(newcomer, published, list_site):
    list_site.answers["/scope"] = scope_note(published)
    newcomer.sync()
    (newcomer.directory / "scope").unlink()
    answer = list_site.answers.pop("/scope")
    newcomer.refuse("no longer says what this member may have")
    list_site.answers["/scope"] = answer
    newcomer.sync()
    assert newcomer.verify().member == "member:3"


# What belongs


def test_a_copy_stays_whole_while_newer_editions_are_refused(member, published, monkeypatch):
    """The witnesses' clocks are ahead, so that trust moves on and the log cannot be believed."""
    for number in (10, 11, 12, 13, 14):
        clock = published.now + HOUR + timedelta(minutes=50)
        for each in published.witnesses:
            monkeypatch.setattr(each, "_now", lambda clock=clock: clock)
        published.publish(published.book.add(number))
        member.refuse("Edition 3 is kept")
        assert member.verify().manifest.edition == 3
    member.ahead = timedelta(minutes=51)
    assert member.sync().manifest.edition == 8
    assert member.verify().manifest.edition == 8


def test_what_belongs_follows_from_what_was_settled(member, published, list_site):
    """Trust names edition 4 and no longer edition 1; the log's state cannot be had."""
    note = (published.directory / "log/checkpoint").read_bytes()
    for number in (10, 11, 12, 13):
        published.publish(published.book.add(number))
        list_site.answers["/log/checkpoint"] = (200, {}, b"\n".join(note.split(b"\n")[:-2]))
        member.refuse("cannot be believed")
        assert member.verify().manifest.edition == 3
    list_site.answers.clear()
    assert member.sync().manifest.edition == 7
    assert member.verify().manifest.edition == 7


def test_a_damaged_older_statement_is_found_though_trust_no_longer_names_it(
    member, published, list_site
):
    path = member.directory / "editions/000001/manifest"
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + b"\n")
    with pytest.raises(ListRefused, match="not as it was published"):
        member.verify()


# What one edition may take away


def hundred_and(book):
    return [*(book.add(n) for n in range(1, 101)), book.add(101, B), book.add(102, B)]


def test_a_member_with_a_part_of_the_list_is_not_to_lose_all_of_it_unnoticed(house):
    published, found = house(hundred_and, scope={"categories": frozenset({"B"})})
    published.publish(published.book.withdraw(101), published.book.withdraw(102))
    found.refuse("Alarm: edition 2 takes away 2 of the 2 entries that this member may have")


def test_a_single_mistake_in_a_small_part_can_be_withdrawn(house):
    published, found = house(hundred_and, scope={"categories": frozenset({"B"})})
    published.publish(published.book.withdraw(101))
    assert found.sync().manifest.edition == 2


def test_amending_everything_is_taking_it_away(house):
    published, found = house(hundred_and, shrink_percent=20)
    book = published.book
    published.publish(*(book.amend(n, fingerprints(f"other {n}")) for n in range(1, 102)))
    said = found.refuse("Alarm: edition 2 takes away or replaces 101 of 102 entries")
    assert "101 amended" in said


def test_amendments_withdrawals_and_quarantines_count_together(house):
    published, found = house(hundred_and, shrink_percent=20)
    book = published.book
    told = [book.amend(n, fingerprints(f"other {n}")) for n in range(1, 8)]
    told += [book.withdraw(n) for n in range(10, 17)] + [book.quarantine(n) for n in range(20, 26)]
    published.publish(*told)
    assert found.sync().manifest.edition == 2
    told = [book.amend(n, fingerprints(f"more {n}")) for n in range(1, 8)]
    told += [book.withdraw(n) for n in range(30, 36)] + [book.quarantine(n) for n in range(40, 46)]
    published.publish(*told)
    found.refuse("Alarm: edition 3 takes away or replaces 19 of 89")


# Dates


def test_an_edition_dated_ahead_of_the_clock_is_refused(member, published):
    published.now += 2 * HOUR
    manifest = published.write(published.book.add(10))
    published.now -= 2 * HOUR
    paths = [published.state("manifest", manifest.text(), published.publisher, 4)]
    published.manifests.append(manifest)
    paths.append(published.certify(manifest))
    published.checkpoint()
    published.prove(*paths)
    published.release()
    member.refuse("Edition 4 is dated .* ahead of this computer's clock")
    published.now += HOUR
    published.heartbeat()
    assert member.sync().manifest.edition == 4


def test_an_edition_dated_before_the_one_before_it_does_not_follow(published):
    before = published.manifests[-1]
    after = Manifest(
        **vars(before)
        | {"edition": 4, "previous": before.digest(), "added": 0, "restored": 0}
        | {"published": before.published - timedelta(seconds=1)}
    )
    assert after.follows(before) == "is dated before the edition before it"
    assert replace(after, published=before.published).follows(before) is None


# Never as if new


def test_an_edition_held_that_the_log_does_not_know_is_not_passed_over(
    member, published, tmp_path, monkeypatch
):
    """The log was begun anew, and what was seen of the old one is lost."""
    other = PublishedList(tmp_path / "other")
    other.publish(*(other.book.add(n) for n in range(50, 60)))
    for n in range(3):
        other.publish(other.book.add(70 + n))
    shutil.rmtree(published.directory)
    shutil.copytree(other.directory, published.directory)
    (member.directory / "log/hashes").unlink()
    trusted = held(member.directory / "trust")
    monkeypatch.setattr(
        following.updating,
        "update",
        lambda *_, **__: following.updating.Trusted(
            trusted.policy, 1, dict(other.targets), trusted.expires
        ),
    )
    published.now = other.now
    member.refuse("edition 3, which is held, is not in the transparency log")


def test_what_was_seen_of_the_log_counts_after_its_key_was_replaced(member, published):
    layout = Layout(member.directory)
    renewed = replace(published.policy, log=signer(f"{published.policy.origin}/log-2").vkey)
    seen = last_seen(layout, renewed)
    assert seen is not None
    assert seen.checkpoint.size == 6
    assert A in published.manifests[-1].states()


# Bundles


def test_a_bundle_can_be_read_by_its_owner_alone(member, tmp_path):
    before = os.umask(0o022)
    try:
        membership.bundle(member.directory, tmp_path / "out.strandline")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.strandline").stat().st_mode) == 0o600
