"""Publishing: killed anywhere and run again, the same edition comes out, once."""

from datetime import timedelta

import pytest

from strandline import lists
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.hashlist import publishing
from strandline.hotline.hashlist.models import Edition, Entry, Publication
from strandline.hotline.hashlist.publishing import contents, publish, publish_edition
from strandline.hotline.hashlist.services import add_entry, publish_now, withdraw
from strandline.hotline.jobs import due
from strandline.lists.entries import decode_entries

pytestmark = pytest.mark.django_db
LATER = timedelta(days=1)


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing of ours runs afterwards."""


def entries_of(files, number):
    return decode_entries(files[f"editions/{number:06d}/entries.jsonl"])


def test_an_edition_holds_every_entry_as_members_receive_it(listed, hotline, now, published):
    first, second = listed(2)
    edition = publish_edition(hotline, by="worker", now=now)
    assert (edition.number, edition.state, edition.entries) == (1, "published", 2)
    found = entries_of(published(), 1)
    assert [entry.sequence for entry in found] == [1, 2]
    assert found[0].id == "entry-1"
    assert found[0].sha256 == first.item.sha256
    assert found[0].pdq == first.item.pdq
    assert found[1].category == second.listed_class.category == "A"
    (act,) = AuditEntry.objects.filter(action="hashlist.publish_edition")
    assert act.detail == {"entries": 2, "manifest_sha256": edition.manifest_sha256}


@pytest.mark.parametrize(
    "facts",
    [{"quality": 49}, {"pdq": "", "quality": 0, "refusal": "undecodable"}, {"pdq": ""}],
    ids=["too plain", "undecodable", "without"],
)
def test_what_has_no_good_fingerprint_is_listed_by_its_digests_only(
    facts, listed, hotline, now, published
):
    (entry,) = listed(1, **facts)
    publish_edition(hotline, by="worker", now=now)
    (found,) = entries_of(published(), 1)
    assert found.pdq is None
    assert (found.md5, found.sha1) == (entry.item.md5, entry.item.sha1)


def test_nothing_is_published_when_nothing_changed(listed, hotline, now, published):
    assert publish_edition(hotline, by="worker", now=now) is None
    listed(1)
    publish_edition(hotline, by="worker", now=now)
    before = published()
    assert publish_edition(hotline, by="worker", now=now + LATER) is None
    assert published() == before
    assert Edition.objects.count() == 1


def test_a_withdrawn_entry_is_gone_from_the_next_edition_and_stays_in_the_last(
    listed, hotline, now, published
):
    entries = listed(3)
    publish_edition(hotline, by="worker", now=now)
    first = published()["editions/000001/entries.jsonl"]
    withdraw(entries[1], reason="A mistake", by="test", now=now)
    edition = publish_edition(hotline, by="worker", now=now + LATER)
    files = published()
    assert (edition.number, edition.entries) == (2, 2)
    assert [entry.sequence for entry in entries_of(files, 2)] == [1, 3]
    assert files["editions/000001/entries.jsonl"] == first
    assert [entry.number for entry in contents(Edition.objects.get(number=1))] == [1, 2, 3]


def test_an_entry_withdrawn_before_any_edition_is_in_none(listed, hotline, now, published):
    entries = listed(2)
    withdraw(entries[0], reason="A mistake", by="test", now=now)
    publish_edition(hotline, by="worker", now=now)
    assert [entry.sequence for entry in entries_of(published(), 1)] == [2]


def test_a_list_may_become_empty(listed, hotline, now, published):
    (entry,) = listed(1)
    publish_edition(hotline, by="worker", now=now)
    withdraw(entry, reason="A mistake", by="test", now=now)
    assert publish_edition(hotline, by="worker", now=now + LATER).entries == 0
    assert entries_of(published(), 2) == []


STEPS = {
    "before the files are written": (publishing.lists, "write_edition", "before"),
    "after the files are written": (publishing.lists, "write_edition", "after"),
    "while the edition's folder is written": (lists.files, "_write", "before"),
    "before the folder is put in place": (lists.files, "_flush_folder", "before"),
    "before latest is switched": (lists.files, "replace_file", "before"),
    "after latest was switched": (lists.files, "replace_file", "after"),
    "before it is read back": (publishing, "read_manifest", "before"),
    "after it was read back": (publishing, "check_entries", "after"),
    "before the record tells": (publishing, "_mark", "before"),
    "before the chain tells": (publishing.chain, "record", "before"),
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


def without_leavings(files):
    return {name: data for name, data in files.items() if not name.startswith("incoming/")}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", [1, 2])
def test_killed_at_any_step_the_same_edition_comes_out_once(
    step, number, listed, item, hotline, now, published, kill
):
    listed(3)
    at = now
    if number == 2:
        publish_edition(hotline, by="worker", now=now)
        at = now + LATER
        listed(2)
        withdraw(Entry.objects.get(pk=2), reason="A mistake", by="test", now=at)
    served_before = published().get("latest")
    kill(step)
    with pytest.raises(Killed):
        publish_edition(hotline, by="worker", now=at)
    served_between = published().get("latest")
    assert Edition.objects.get(number=number).state == Edition.State.PREPARED

    # What happens between the kill and the next try belongs to the next edition.
    add_entry(item(), category="A", by="test", now=at + LATER)
    withdraw(Entry.objects.get(pk=1), reason="A mistake", by="test", now=at + LATER)

    edition = publish_edition(hotline, by="worker", now=at + 2 * LATER)
    files = published()
    assert (edition.number, edition.state) == (number, "published")
    assert edition.published_at == at, "the time is the one that was decided first"
    assert [entry.sequence for entry in entries_of(files, number)] == (
        [1, 2, 3] if number == 1 else [1, 3, 4, 5]
    )
    assert served_between in {served_before, files["latest"]}, "never a third, half-done state"
    assert files["latest"] == files[f"editions/{number:06d}/manifest"]
    acts = AuditEntry.objects.filter(action="hashlist.publish_edition", subject=f"edition:{number}")
    assert acts.count() == 1

    following = publish_edition(hotline, by="worker", now=at + 3 * LATER)
    assert following.number == number + 1
    assert following.previous == edition.manifest_sha256
    assert 1 not in {entry.sequence for entry in entries_of(published(), number + 1)}
    assert without_leavings(published()) == published(), "nothing is left lying about"


def test_a_number_that_was_served_never_gets_other_content(listed, hotline, now, published):
    """Even when the record forgets: a restored backup, say."""
    listed(2)
    publish_edition(hotline, by="worker", now=now)
    served = published()
    Edition.objects.all().delete()
    listed(1)
    with pytest.raises(lists.ListRefused, match="already published with other content"):
        publish_edition(hotline, by="worker", now=now + LATER)
    assert without_leavings(published()) == served


def test_damaged_files_are_noticed_before_members_are_told(
    listed, hotline, now, monkeypatch, published
):
    listed(2)
    real = publishing.lists.write_edition

    def damaging(directory, **values):
        manifest = real(directory, **values)
        path = directory / "editions" / "000001" / "entries.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"quality":100', b'"quality":101', 1))
        return manifest

    monkeypatch.setattr(publishing.lists, "write_edition", damaging)
    with pytest.raises(lists.ListRefused):
        publish_edition(hotline, by="worker", now=now)
    assert Edition.objects.get().state == Edition.State.PREPARED
    monkeypatch.undo()
    publish_edition(hotline, by="worker", now=now)
    assert len(entries_of(published(), 1)) == 2, "the next try repaired it"


def test_the_worker_publishes_when_due_and_then_rests(listed, hands, now):
    listed(2)
    moment = now + hands.config.publish_every
    assert due.claim(Publication, worker="w", now=moment - timedelta(seconds=1)) is None
    row = due.claim(Publication, worker="w", now=moment)
    publish(row, hands, moment)
    assert Edition.objects.get().state == Edition.State.PUBLISHED
    assert Publication.objects.get().due_at is None


def test_an_entry_that_came_while_publishing_waits_its_own_time(
    listed, item, hands, now, monkeypatch
):
    listed(1)
    publish_now(by="test", now=now)
    row = due.claim(Publication, worker="w", now=now)
    came = now + timedelta(minutes=3)
    real = publishing._write

    def slowly(edition, config):
        add_entry(item(), category="A", by="test", now=came)
        return real(edition, config)

    monkeypatch.setattr(publishing, "_write", slowly)
    publish(row, hands, now)
    assert Edition.objects.get().entries == 1
    assert Publication.objects.get().due_at == came + hands.config.publish_every
