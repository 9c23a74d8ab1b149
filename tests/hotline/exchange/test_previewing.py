"""What a delivery would bring is said before anything is done."""

import json

import pytest

from exchanged import digests, listed, row
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import ExchangeRefused, LeaseLost
from strandline.hotline.exchange import files, services
from strandline.hotline.exchange.handling import handle
from strandline.hotline.exchange.models import Delivery
from strandline.hotline.hashlist import checks
from strandline.hotline.hashlist.models import Entry, Event
from strandline.hotline.hashlist.services import withdraw
from strandline.hotline.jobs import due
from strandline.hotline.jobs.tools import Tools

pytestmark = pytest.mark.django_db


def test_a_preview_counts_and_changes_nothing(source, give, take):
    peer = source()
    take(give(peer, row("known"), row("other")))
    before = (Entry.objects.count(), Event.objects.count())
    seen = give(
        peer,
        row("known"),
        row("new"),
        row("new"),
        row("unnamed", category="Riddle"),
        row("without", category=""),
        row("gone", withdrawn=True),
    )
    assert seen.state == Delivery.State.PREVIEWED
    assert seen.counts == {
        "known": 1,
        "new": 1,
        "repeated": 1,
        "category not named": 2,
        "withdrawn by the source": 1,
    }
    assert seen.unknown_words == {"Riddle": 1, "(none)": 1}
    assert (Entry.objects.count(), Event.objects.count()) == before


def test_digests_that_only_begin_alike_are_not_repeated(source, give, take):
    bare = {"sha1": None, "md5": None}
    rows = [row("x", sha256=f"{'ab' * 8}{number:048x}", **bare) for number in range(200)]
    seen = give(source(), *rows, rows[7])
    assert seen.counts == {"new": 200, "repeated": 1}
    take(seen)
    assert Entry.objects.count() == 200


def test_a_row_repeated_far_below_is_still_counted_as_one(source, give):
    rows = [row(str(number)) for number in range(2500)]
    assert give(source(), *rows, rows[0], rows[2499]).counts == {"new": 2500, "repeated": 2}


def test_a_digest_paired_otherwise_or_graded_otherwise_contradicts(source, give, take):
    peer = source(meanings={"Theirs": "A camera", "Less": "C camera"})
    take(give(peer, row("one"), row("two")))
    seen = give(
        peer,
        row("one", category="Less"),
        row("two", md5=digests("else")["md5"]),
        row("one", sha1=digests("two")["sha1"], sha256=None),
    )
    assert seen.counts == {"contradicting": 3}
    whys = [sample["why"] for sample in seen.samples]
    assert whys[0] == "entry-1 is Category A here, not Category C."
    assert whys[1] == "entry-2 has one of its hashes, but another md5."
    assert "different files" in whys[2]


def test_two_rows_of_one_delivery_may_contradict_each_other(source, give):
    peer = source(meanings={"Theirs": "A camera", "Less": "C camera"})
    seen = give(peer, row("one"), row("one", category="Less"))
    assert seen.counts == {"new": 1, "contradicting": 1}


def test_a_perceptual_hash_alone_decides_only_for_a_row_that_has_nothing_else(source, give, take):
    peer = source()
    likeness = {"pdq": "ab" * 32, "quality": 90}
    take(give(peer, row("one", **likeness)))
    bare = {"sha256": None, "sha1": None, "md5": None}
    seen = give(peer, row("two", **likeness), row("x", **bare, **likeness))
    assert seen.counts == {"new": 1, "known": 1}


def test_what_was_withdrawn_here_does_not_come_back_by_a_list(source, give, take, now):
    peer = source()
    take(give(peer, row("one")))
    withdraw(Entry.objects.get(), reason="a mistake", by="person:1", now=now)
    assert give(peer, row("one")).counts == {"withdrawn here": 1}


def test_innocent_pictures_are_told_apart(source, give, monkeypatch):
    innocent = digests("logo")["sha256"]
    monkeypatch.setattr(
        checks, "INNOCENT", [lambda pictures: [sha256 == innocent for sha256, _ in pictures]]
    )
    assert give(source(), row("logo"), row("one")).counts == {"new": 1, "innocent": 1}


def test_samples_shorten_every_hash_and_losses_are_sentences(source, give):
    seen = give(source(), row("one", labels=("x",), size=7), data=None)
    (sample,) = seen.samples
    assert sample["hash"] == f"sha256 {digests('one')['sha256'][:8]}…"
    text = json.dumps([seen.samples, seen.losses, seen.counts])
    assert not any(digest in text for digest in digests("one").values())
    assert any(sentence.startswith("labels are not kept") for sentence in seen.losses)


def test_a_file_that_cannot_be_read_is_refused_whole_and_not_kept(source, give):
    data = listed(row("one")) + b"\xff\xfe\n"
    seen = give(source(), data=data)
    assert seen.state == Delivery.State.REFUSED
    assert seen.refusal.startswith("line 3: ")
    assert not files.path_of(seen.pk).exists()
    assert (seen.rows, seen.counts, Entry.objects.count()) == (0, {}, 0)


def test_a_bomb_is_refused_and_not_an_outage(source, give):
    seen = give(source(), data=b'{"value":' + b"[" * 2_000_000, format_name="vics")
    assert seen.state == Delivery.State.REFUSED
    assert "deep" in seen.refusal


def test_unreadable_rows_are_counted_and_shown_by_place(source, give):
    seen = give(source(), data=listed(row("one")) + b"x,image,xyz\r\n")
    assert seen.counts == {"new": 1, "unreadable": 1}
    assert ("line 3", "unreadable") in [(s["place"], s["standing"]) for s in seen.samples]


def test_words_get_a_meaning_and_what_waits_is_read_again(source, give, work, now):
    peer = source(meanings={})
    seen = give(peer, row("one"))
    assert seen.counts == {"category not named": 1}
    terms = services.Terms("Peer", "trusted", "nl", {"Theirs": "B drawn"})
    services.change_source(peer, terms, by="person:1", now=now)
    work()
    seen.refresh_from_db()
    assert (seen.state, seen.counts, seen.unknown_words) == ("previewed", {"new": 1}, {})


def test_a_hotlines_own_table_says_what_vics_numbers_mean(source, give, hotline):
    (hotline.home / "vics-categories.json").write_text('{"UK": {"7": "Theirs"}}')
    context = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#Media"
    data = json.dumps(
        {
            "@odata.context": context,
            "value": [{"MediaID": 1, "Category": 7, "MD5": digests("a")["md5"]}],
        }
    )
    assert give(source(), data=data.encode(), format_name="vics").counts == {"new": 1}
    (hotline.home / "vics-categories.json").write_text("[")
    seen = give(source("Second"), data=data.encode(), format_name="vics")
    assert "vics-categories.json cannot be read" in seen.refusal


def test_a_file_changed_on_disk_is_noticed(source, give, take):
    seen = give(source(), row("one"))
    files.path_of(seen.pk).write_bytes(listed(row("another")))
    with pytest.raises(ExchangeRefused, match="changed on disk"):
        take(seen)
    assert Entry.objects.count() == 0


def test_a_file_that_is_too_large_or_empty_leaves_nothing(source, now, settings):
    import dataclasses

    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, import_max_bytes=10)
    peer = source()
    for pieces in ([b"12345", b"678901"], [], [b""]):
        with pytest.raises(ExchangeRefused):
            services.receive(peer, pieces, name="x", format_name="csv", by="p", now=now)
    assert list(files.folder().iterdir()) == []
    assert Delivery.objects.count() == 0


def test_delivered_files_are_nobody_elses_to_read(source, give):
    seen = give(source(), row("one"))
    assert files.path_of(seen.pk).stat().st_mode & 0o077 == 0
    assert files.folder().stat().st_mode & 0o077 == 0


def test_a_worker_that_was_overtaken_writes_nothing(source, hotline, now):
    delivery = services.receive(
        source(), [listed(row("one"))], name="x", format_name="csv", by="p", now=now
    )
    claimed = due.claim(Delivery, worker="slow", now=now)
    Delivery.objects.filter(pk=delivery.pk).update(attempt=claimed.attempt + 1)
    with Tools(hotline) as tools, pytest.raises(LeaseLost):
        handle(claimed, tools, now)
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.READING


def test_receiving_and_reading_are_in_the_audit_chain(source, give):
    give(source(), row("one"))
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert actions == ["exchange.add_source", "exchange.receive", "exchange.preview"]


def test_what_a_killed_process_left_half_written_goes_after_a_day(source, give):
    import os
    import time

    old, new = files.folder() / "a.part", files.folder() / "b.upload"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    give(source(), row("one"))
    assert (old.exists(), new.exists()) == (False, True)


def test_a_name_with_a_path_is_only_a_name(source, give):
    assert give(source(), row("one"), name="C:\\x\\..\\a\u202eb\n.csv").name == "a b .csv"
