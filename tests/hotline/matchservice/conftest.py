"""A list to look up in, keys that ask, and pictures as bits."""

import json
from itertools import count

import numpy as np
import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import add_key, add_member
from strandline.hotline.matchservice import service
from strandline.hotline.matchservice.allowance import Allowances
from strandline.hotline.matchservice.lookup import Current, Hit
from strandline.hotline.matchservice.standing import Scopes
from strandline.lists.published.classes import Column, EntryClass
from strandline.matching import Index

CLASS = EntryClass("A", "camera", "gb", labels=("baseline",))
RADIUS = 31


class Shelf:
    """A small list in memory: what :class:`lookup.Lookup` asks for."""

    edition = 7

    def __init__(self):
        self.digests, self.classes, self.hashes = {}, {}, []
        self.index = None

    def add(self, number, *, entry_class=CLASS, pdq=None, film=(), **digests):
        self.classes[number] = entry_class
        for column, value in digests.items():
            self.digests.setdefault((Column(column), bytes.fromhex(value)), []).append(number)
        if pdq:
            self.hashes.append((f"{number} pdq", pdq))
        self.hashes += [(f"{number} video", frame) for frame in film]
        self.index = Index.build(self.hashes)
        return number

    def find(self, items, columns):
        answers = []
        for item in items:
            hits = [
                Hit(number, self.classes[number], column, 0, 3, None)
                for column, raw in item.digests
                for number in self.digests.get((column, raw), [])
            ]
            for each in item.hashes:
                for match in self.index.query(each.raw.hex(), RADIUS) if self.index else []:
                    number, column = match.id.split()
                    entry_class = self.classes[int(number)]
                    hits.append(
                        Hit(int(number), entry_class, Column(column), match.distance, 3, each.ms)
                    )
            answers.append(hits)
        return answers


@pytest.fixture
def shelf(monkeypatch, hotline):
    """The list that is asked, and a service that remembers nothing of other tests."""
    held = Shelf()
    monkeypatch.setattr(service, "current", Current(lambda _: held))
    monkeypatch.setattr(service, "allowances", Allowances())
    monkeypatch.setattr(service, "_watches", {})
    monkeypatch.setattr(service, "scopes", Scopes())
    return held


@pytest.fixture
def key_of(db, now):
    """``key_of("look-up")`` is a new key of a new member."""
    numbers = count(1)

    def make(role, member=None):
        member = member or add_member(name=f"Platform {next(numbers)}", by="test", now=now)
        return add_key(member, role=Role(role), by="test", now=now)

    return make


@pytest.fixture
def ask(face):
    """``ask(key, items)`` calls the service; the response."""

    def call(key, items, **more):
        body = json.dumps({"items": items}) if isinstance(items, list) else items
        kind = more.pop("kind", "application/json")
        return face("partners").generic(
            "POST",
            "/api/v1/match",
            body,
            content_type=kind,
            headers={"Authorization": f"Bearer {key}"},
            # Django's client says what kind only of a body that is not empty.
            **{"CONTENT_TYPE": kind, **more},
        )

    return call


@pytest.fixture
def random():
    return np.random.default_rng(1)


def flipped(text, bits, random):
    """The hash with so many bits turned."""
    raw = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    raw[random.choice(256, bits, replace=False)] ^= 1
    return np.packbits(raw).tobytes().hex()
