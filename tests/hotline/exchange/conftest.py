"""Sources, deliveries, and a worker that does what is due."""

import pytest

from exchanged import digests, listed


@pytest.fixture(autouse=True)
def _only_this_room_checks(monkeypatch):
    """What other rooms registered to look at entries is tested where it is."""
    from strandline.hotline.hashlist import checks

    monkeypatch.setattr(checks, "CHECKS", [])
    monkeypatch.setattr(checks, "INNOCENT", [])


@pytest.fixture
def source(db, now):
    """``source("Peer")``: trusted, and its word 'Theirs' means A."""
    from strandline.hotline.exchange.models import Source
    from strandline.hotline.exchange.services import Terms, add_source

    def add(name="Peer", *, trust=Source.Trust.TRUSTED, meanings=None, **more):
        terms = Terms(
            name=name,
            trust=trust,
            jurisdiction="nl",
            meanings={"Theirs": "A camera"} if meanings is None else meanings,
            **more,
        )
        return add_source(terms, by="person:1", now=now)

    return add


@pytest.fixture
def work(hotline, now):
    """``work()`` does every delivery and fetch that is due; fails loudly."""
    from strandline.hotline.exchange.handling import handle
    from strandline.hotline.exchange.models import Delivery, Source
    from strandline.hotline.exchange.peers import fetch
    from strandline.hotline.jobs import due
    from strandline.hotline.jobs.tools import Tools

    def do(at=now):
        with Tools(hotline) as tools:
            for model, act in ((Source, fetch), (Delivery, handle)):
                while (row := due.claim(model, worker="test", now=at)) is not None:
                    act(row, tools, at)

    return do


@pytest.fixture
def give(hotline, now, work):
    """``give(source, row, row)``: a delivery that was read."""
    from strandline.hotline.exchange import services

    def deliver(source, *rows, data=None, format_name="csv", name="list.csv"):
        delivery = services.receive(
            source,
            [listed(*rows) if data is None else data],
            name=name,
            format_name=format_name,
            by="person:1",
            now=now,
        )
        work()
        delivery.refresh_from_db()
        return delivery

    return deliver


@pytest.fixture
def take(now, work):
    """``take(delivery)`` takes it in."""
    from strandline.hotline.exchange import services

    def decide(delivery, contested="keep"):
        services.take(delivery, contested=contested, by="person:1", now=now)
        work()
        delivery.refresh_from_db()
        return delivery

    return decide


@pytest.fixture
def take_back(now, work):
    """``take_back(delivery)`` takes it back."""
    from strandline.hotline.exchange import services

    def decide(delivery, reason="wrong list"):
        services.take_back(delivery, reason=reason, by="person:1", now=now)
        work()
        delivery.refresh_from_db()
        return delivery

    return decide


@pytest.fixture
def states(db):
    """``states("a", "b")``: where the entries of these invented files stand."""
    from strandline.hotline.hashlist.models import Entry

    def of(*names):
        found = []
        for name in names:
            entry = Entry.objects.filter(fingerprint__md5=digests(name)["md5"]).first()
            found.append(entry.state if entry else None)
        return found

    return of
