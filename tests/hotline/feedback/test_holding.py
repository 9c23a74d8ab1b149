"""Who still holds what was taken off: told by members, or inferred from what they fetched."""

from datetime import timedelta

import pytest

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import FeedbackRefused
from strandline.hotline.feedback import holding
from strandline.hotline.feedback.models import HolderCheck, Holding
from strandline.hotline.feedback.reminding import behind, check
from strandline.hotline.hashlist.classing import make_class
from strandline.hotline.hashlist.events import Identity
from strandline.hotline.hashlist.services import amend, quarantine, restore, withdraw
from strandline.hotline.jobs import due
from strandline.hotline.jobs.models import OutboxMail
from strandline.lists.published.classes import Scope

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def off(entry, now, act=withdraw):
    return act(entry, reason="Test", by="person:1", now=now)


def holders():
    """For each entry that was taken off, who still matches it."""
    return {
        removal.entry.name: [holder.member.name for holder in removal.holders]
        for removal in holding.Removals()
    }


@pytest.fixture
def platform(member):
    return member("Platform", mailbox="abuse@platform.example")


def test_a_withdrawal_is_open_until_the_member_holds_an_edition_without_it(
    listed, platform, published, now
):
    entry, _ = listed(2)
    published(now)
    holding.report(platform, 1, now=now)
    off(entry, now)
    (removal,) = holding.Removals()
    assert removal.edition is None
    assert holders() == {"entry-1": ["Platform"]}
    published(now + DAY)
    assert holding.Removals()[0].edition.number == 2
    assert holders() == {"entry-1": ["Platform"]}
    holding.report(platform, 2, now=now + DAY)
    assert holders() == {"entry-1": []}


def test_a_quarantine_counts_like_a_withdrawal_and_one_that_ended_like_nothing(
    listed, platform, published, now
):
    (entry,) = listed()
    published(now)
    holding.report(platform, 1, now=now)
    off(entry, now, quarantine)
    assert holders() == {"entry-1": ["Platform"]}
    off(entry, now, restore)
    assert holders() == {}


def test_a_member_that_never_had_the_entry_does_not_hold_it(listed, platform, published, now):
    listed()
    published(now)
    holding.report(platform, 1, now=now)
    (late,) = listed()
    published(now)
    off(late, now)
    published(now)
    assert holders() == {"entry-2": []}


def test_a_member_whose_scope_leaves_the_entry_out_does_not_hold_it(listed, member, published, now):
    narrow = member("Narrow", scope=Scope(categories=frozenset({"C"})))
    (entry,) = listed(category="A")
    published(now)
    holding.report(narrow, 1, now=now)
    off(entry, now)
    assert holders() == {"entry-1": []}


def test_an_entry_that_moved_to_another_class_was_not_taken_off(listed, platform, published, now):
    (entry,) = listed()
    published(now)
    holding.report(platform, 1, now=now)
    what = Identity(entry.fingerprint.value, make_class("C"), pipeline="media-1")
    amend(entry, what, reason="Test", by="person:1", now=now)
    assert holders() == {}


def test_a_member_quarantined_and_withdrawn_past_is_counted_once(listed, platform, published, now):
    (entry,) = listed()
    published(now)
    holding.report(platform, 1, now=now)
    off(entry, now, quarantine)
    published(now)
    holding.report(platform, 2, now=now)
    off(entry, now)
    published(now)
    assert holders() == {"entry-1": []}, "it stopped matching with the quarantine"


def test_a_member_that_went_back_to_an_old_copy_holds_it_again(listed, platform, published, now):
    (entry,) = listed()
    published(now)
    off(entry, now)
    published(now)
    holding.report(platform, 1, now=now)
    holding.report(platform, 2, now=now + DAY)
    assert holders() == {"entry-1": []}
    holding.report(platform, 1, now=now + 2 * DAY)
    assert holders() == {"entry-1": ["Platform"]}


def test_what_was_fetched_counts_only_for_members_that_never_say(
    listed, platform, member, published, now
):
    silent = member("Silent")
    (entry,) = listed()
    published(now)
    holding.report(platform, 1, now=now)
    holding.fetched(silent, 1, now=now)
    off(entry, now)
    published(now)
    for each in (platform, silent):
        holding.fetched(each, 2, now=now + DAY)
    assert holders() == {"entry-1": ["Platform"]}, "fetching is not applying"


def test_an_edition_that_does_not_exist_is_not_held(platform, published, now):
    with pytest.raises(FeedbackRefused, match="no edition 7"):
        holding.report(platform, 7, now=now)
    assert not Holding.objects.exists()


def test_saying_the_same_again_renews_the_time_and_writes_no_act(platform, listed, published, now):
    listed()
    published(now)
    for day in range(3):
        holding.report(platform, 1, now=now + day * DAY)
    row = Holding.objects.get()
    assert (row.first_at, row.last_at) == (now, now + 2 * DAY)
    assert AuditEntry.objects.filter(action="feedback.hold").count() == 1


def test_what_is_still_held_comes_before_any_number_of_later_removals(
    listed, platform, published, now
):
    from strandline.hotline.hashlist.models import Entry, Why
    from strandline.hotline.hashlist.services import withdraw_many

    (old,) = listed()
    published(now)
    holding.report(platform, 1, now=now)
    off(old, now)
    withdraw_many(
        Entry.objects.filter(pk__in=[entry.pk for entry in listed(250)]),
        why=Why.OTHER, reason="Test", subject="import:1", by="person:1", now=now + DAY,
    )  # fmt: skip
    published(now + DAY)
    removals = holding.Removals()
    assert (len(removals), removals.held) == (251, 1)
    assert [holder.member for holder in removals[0].holders] == [platform]
    assert removals[0].entry == old
    rest = [removal.entry.pk for removal in removals[1:]]
    assert rest == list(range(251, 1, -1))
    assert not any(removal.holders for removal in removals[1:])


def test_every_entry_that_a_member_still_matches_is_counted(
    listed, platform, published, now, django_assert_max_num_queries
):
    from strandline.hotline.hashlist.models import Entry, Why
    from strandline.hotline.hashlist.services import withdraw_many

    listed(120)
    published(now)
    holding.report(platform, 1, now=now)
    withdraw_many(
        Entry.objects.all(), why=Why.OTHER, reason="Test", subject="x:1", by="person:1", now=now
    )
    published(now)
    with django_assert_max_num_queries(12):
        removals = holding.Removals()
        assert removals.held == len(removals) == 120
        assert len(removals[:100]) == 100
    (row,) = behind()
    assert len(row.entries) == 120


@pytest.fixture
def late(listed, platform, published, now):
    """A member that holds edition 1 while edition 2, of ``now``, took off entries 1 and 2."""
    entries = listed(3)
    published(now - DAY)
    holding.report(platform, 1, now=now - DAY)
    for entry in entries[:2]:
        off(entry, now - DAY)
    published(now)


def remind(hands, now):
    row = due.claim(HolderCheck, worker="w", now=now)
    if row is not None:
        check(row, hands, now)
    return HolderCheck.objects.get().due_at


def test_a_member_that_is_behind_is_reminded_once_after_the_settings_time(
    late, hands, hotline, now
):
    (row,) = behind()
    assert (row.holds, row.entries, row.newest.number) == (1, [1, 2], 2)
    after = hotline.feedback.remind_after
    assert remind(hands, now) == now + after, "it comes back when the time is up"
    assert not OutboxMail.objects.exists()
    assert remind(hands, now + after) is None
    mail = OutboxMail.objects.get()
    assert mail.recipient == "abuse@platform.example"
    assert "edition 1" in mail.body
    assert "entry-1, entry-2\n" in mail.body
    assert AuditEntry.objects.get(action="feedback.remind").detail["entries"] == 2
    HolderCheck.objects.update(due_at=now)
    remind(hands, now + 2 * after)
    assert OutboxMail.objects.count() == 1


def test_a_member_that_caught_up_is_not_reminded(late, platform, hands, hotline, now):
    holding.report(platform, 2, now=now)
    assert remind(hands, now + hotline.feedback.remind_after) is None
    assert not OutboxMail.objects.exists()


def test_a_further_edition_brings_a_further_reminder(
    late, platform, hands, hotline, published, now
):
    from strandline.hotline.hashlist.models import Entry

    after = hotline.feedback.remind_after
    remind(hands, now + after)
    off(Entry.objects.get(pk=3), now + after)
    published(now + after)
    assert remind(hands, now + after) == now + 2 * after
    remind(hands, now + 2 * after)
    assert OutboxMail.objects.count() == 2
    assert "entry-1, entry-2, entry-3" in OutboxMail.objects.last().body


def test_nobody_is_written_to_without_an_address(listed, member, published, hands, now):
    silent = member("Silent")
    (entry,) = listed()
    published(now)
    holding.report(silent, 1, now=now)
    off(entry, now)
    published(now)
    assert remind(hands, now + 30 * DAY) is None
    assert [row.member for row in behind()] == [silent]
