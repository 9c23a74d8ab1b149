"""Entries that members can speak of, members who speak, and people who decide."""

import dataclasses
import hashlib
from dataclasses import dataclass
from itertools import count

import pytest

from strandline.hotline.config import Config


@dataclass
class Hands:
    """The part of a worker's tools that signing uses."""

    config: Config


@pytest.fixture(autouse=True)
def _no_index_of_another_test(monkeypatch):
    from strandline.hotline.feedback import entries, innocent
    from strandline.hotline.hashlist import near

    monkeypatch.setattr(entries, "_index", near.NearIndex())
    monkeypatch.setattr(innocent, "_known", innocent._Known())


@pytest.fixture
def hands(hotline):
    return Hands(hotline)


@pytest.fixture
def policy(settings, hotline):
    """``policy(quorum=3)`` changes the rules for this test."""

    def change(**rules):
        settings.HOTLINE = dataclasses.replace(
            settings.HOTLINE, feedback=dataclasses.replace(settings.HOTLINE.feedback, **rules)
        )
        return settings.HOTLINE.feedback

    return change


@pytest.fixture
def listed(db, now, hotline):
    """``listed(3, source="Example Hotline")`` lists three things received; their entries."""
    from strandline.hotline.hashlist.classing import make_class
    from strandline.hotline.hashlist.events import Identity
    from strandline.hotline.hashlist.services import add_received
    from strandline.lists.published.events import Fingerprints

    numbers = count(1)

    def add(many=1, *, source="Example Hotline", category="A", **facts):
        made = []
        for _ in range(many):
            data = f"contested {next(numbers)}".encode()
            prints = {
                "sha256": hashlib.sha256(data).hexdigest(),
                "pdq": hashlib.sha256(b"pdq" + data).hexdigest(),
                "quality": 100,
            } | facts
            what = Identity(
                Fingerprints(**prints),
                make_class(category, labels=["baseline"]),
                pipeline="media-1",
            )
            made.append(add_received(what, source=source, by="test", now=now))
        return made

    return add


@pytest.fixture
def member(db, now):
    """``member("Example Platform", group="One House")``: an organisation that may speak."""
    from strandline.hotline.accounts.services import add_member
    from strandline.hotline.feedback.terms import set_terms
    from strandline.lists.published.classes import Scope

    numbers = count(1)

    def add(name="", *, group="", mailbox="", scope=None):
        made = add_member(name=name or f"Member {next(numbers)}", by="test", now=now)
        if group or mailbox or scope:
            set_terms(made, scope or Scope(), group=group, mailbox=mailbox, by="person:1", now=now)
        return made

    return add


@pytest.fixture
def say(now):
    """``say(member, "dispute", entry, reason="adult")``: what became of it."""
    from strandline.hotline.feedback.giving import Said, give

    usual = {"confirm": "seen", "dispute": "not-illegal", "not-useful": "never-matches"}

    def one(who, what, *entries, reason="", at=now, **more):
        said = [Said(entry.name, what, reason or usual[what], **more) for entry in entries]
        taken = give(who, said, now=at)
        for entry in entries:
            entry.refresh_from_db()
        return taken[0].statement if len(taken) == 1 else [each.statement for each in taken]

    return one


@pytest.fixture
def published(hotline):
    """``published(now)`` publishes an edition of what changed, in the record alone."""
    from django.db import transaction

    from strandline.hotline.hashlist.events import last_sequence
    from strandline.hotline.hashlist.models import Edition, Entry
    from strandline.hotline.hashlist.signals import edition_published

    def publish(at):
        last = Edition.objects.last()
        with transaction.atomic():
            edition = Edition.objects.create(
                number=last.number + 1 if last else 1,
                state=Edition.State.PUBLISHED,
                up_to=last_sequence(),
                published_at=at,
                entries=Entry.objects.filter(state="listed").count(),
            )
            edition_published.send(Edition, edition=edition, now=at)
        return edition

    return publish
