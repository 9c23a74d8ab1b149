"""The derived list follows published editions, and heals; no process is started again for it."""

import hashlib
from itertools import count

import pytest

from strandline.hotline.hashlist import services
from strandline.hotline.hashlist.models import Edition, Entry
from strandline.hotline.hashlist.signals import edition_published
from strandline.hotline.jobs import due
from strandline.hotline.matchservice import following, service
from strandline.hotline.matchservice.allowance import Allowances
from strandline.hotline.matchservice.derived import FOLDER, open_list
from strandline.hotline.matchservice.lookup import Current
from strandline.hotline.matchservice.models import Following
from strandline.hotline.matchservice.standing import Scopes
from strandline.hotline.reports.models import MediaItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def listed(db, now, hotline):
    """``listed()`` lists an item; its sha256 and pdq."""
    numbers = count(1)

    def add():
        data = f"followed item {next(numbers)}".encode()
        item = MediaItem.objects.create(
            sha256=hashlib.sha256(data).hexdigest(),
            sha1=hashlib.sha1(data).hexdigest(),
            md5=hashlib.md5(data).hexdigest(),
            pdq=hashlib.sha256(b"pdq" + data).hexdigest(),
            quality=100,
            pipeline="media-1",
            size=10,
            bytes_are=MediaItem.Bytes.DISCARDED,
            first_seen_at=now,
        )
        services.add_entry(item, category="A", by="test", now=now)
        return item.sha256, item.pdq

    return add


@pytest.fixture
def publish(hotline, now):
    """``publish()`` marks what is there as the next edition, as releasing does."""
    from strandline.hotline.hashlist.events import last_sequence

    def do(*, follow=True):
        number = Edition.objects.count() + 1
        edition = Edition.objects.create(
            number=number, state=Edition.State.PUBLISHED, up_to=last_sequence(), published_at=now
        )
        edition_published.send(Edition, edition=edition, now=now)
        if follow:
            row = due.claim(Following, worker="w", now=now)
            following.follow(row, _Hands(hotline), now)
        return number

    return do


class _Hands:
    def __init__(self, config):
        self.config = config


@pytest.fixture
def told(monkeypatch, ask, key_of):
    """``told(sha256, pdq)``: entry and edition for each, by one key of an entitled member."""
    monkeypatch.setattr(service, "current", Current(open_list))
    monkeypatch.setattr(service, "allowances", Allowances())
    monkeypatch.setattr(service, "_watches", {})
    monkeypatch.setattr(service, "scopes", Scopes())
    key = key_of("member")

    def call(sha256, pdq):
        answer = ask(key, [{"sha256": sha256}, {"pdq": pdq, "quality": 100}])
        if answer.status_code != 200:
            return answer.status_code
        return [
            [(match["entry"], match["column"], match["edition"]) for match in item["matches"]]
            for item in answer.json()["items"]
        ]

    return call


def test_before_the_first_edition_there_is_nothing_to_ask(told, hotline):
    assert told("00" * 32, "11" * 32) == 503
    assert following.bring_up(hotline) == 0


def test_an_edition_is_found_once_it_is_published_and_followed(told, listed, publish):
    first = listed()
    publish()
    assert told(*first) == [[("entry-1", "sha256", 1)], [("entry-1", "pdq", 1)]]
    second = listed()
    assert told(*second) == [[], []], "not published yet"
    publish()
    assert told(*second) == [[("entry-2", "sha256", 2)], [("entry-2", "pdq", 2)]]
    assert told(*first) == [[("entry-1", "sha256", 1)], [("entry-1", "pdq", 1)]]


@pytest.mark.parametrize("act", ["withdraw", "quarantine"])
def test_what_is_withdrawn_or_quarantined_matches_no_more(act, told, listed, publish, now):
    first = listed()
    publish()
    entry = Entry.objects.get(pk=1)
    getattr(services, act)(entry, reason="A mistake", by="test", now=now)
    publish()
    assert told(*first) == [[], []]
    if act == "quarantine":
        services.restore(Entry.objects.get(pk=1), reason="Looked at", by="test", now=now)
        publish()
        assert told(*first)[0] == [("entry-1", "sha256", 1)]


def test_publishing_makes_following_due_in_the_same_commit(listed, publish, now):
    listed()
    publish(follow=False)
    row = Following.objects.get()
    assert row.due_at == now
    following.follow(due.claim(Following, worker="w", now=now), _Hands(_config()), now)
    row.refresh_from_db()
    assert row.due_at is None


def _config():
    from django.conf import settings

    return settings.HOTLINE


@pytest.mark.parametrize("harm", ["gone", "cut", "rubbish"])
def test_a_derived_list_that_is_damaged_is_made_anew(harm, told, listed, publish, hotline):
    first = listed()
    publish()
    folder = hotline.home / FOLDER
    current = folder / "current"
    if harm == "gone":
        import shutil

        shutil.rmtree(folder)
    elif harm == "cut":
        current.write_bytes(current.read_bytes()[:-10])
    else:
        current.write_bytes(b"rubbish")
    assert told(*first) == 503
    assert following.bring_up(hotline) == 1
    assert told(*first) == [[("entry-1", "sha256", 1)], [("entry-1", "pdq", 1)]]


def test_another_record_s_list_is_replaced(told, listed, publish, hotline):
    """A home that was copied: what is derived is ahead of what this record published."""
    first = listed()
    publish()
    listed()
    publish()
    Edition.objects.filter(number=2).delete()
    assert following.bring_up(hotline) == 1
    assert told(*first) == [[("entry-1", "sha256", 1)], [("entry-1", "pdq", 1)]]


def test_following_again_changes_nothing(listed, publish, hotline):
    listed()
    publish()
    before = (hotline.home / FOLDER / "current").read_bytes()
    assert following.bring_up(hotline) == 1
    assert (hotline.home / FOLDER / "current").read_bytes() == before
