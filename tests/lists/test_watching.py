"""What a log's leaves say of a list, to one who holds nothing of it."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from list_statements import CAMERA, DRAWN, OTHER, PUBLISHER, certified, chain, signed
from strandline.lists.published.certificate import Certificate
from strandline.lists.watching import Account, Expected


@pytest.fixture
def account():
    return Account(Expected(PUBLISHER.verifier, [OTHER.verifier], most_events=100))


def kinds(account, *leaves):
    return [f.kind for index, leaf in enumerate(leaves) for f in account.take(index, leaf)]


def test_editions_that_follow_each_other_are_read_in_silence(account):
    one, two = chain({}, {"added": 5})
    assert kinds(account, signed(one), certified(one), signed(two)) == []
    assert account.manifest == two
    assert account.certified == {1: {"other.example": 2}, 2: {}}


def test_who_certified_and_how_much_is_told(account):
    (one,) = chain({})
    assert kinds(account, signed(one), certified(one, [DRAWN])) == []
    assert account.certified[1] == {"other.example": 1}


def test_a_manifest_appended_twice_by_an_interrupted_publisher_is_no_matter(account):
    one, two = chain({}, {})
    assert kinds(account, signed(one), signed(one), signed(two), signed(one)) == []


def test_two_manifests_of_one_edition_are_reported(account):
    one, two = chain({}, {})
    other = dataclasses.replace(two, published=datetime(2026, 3, 9, tzinfo=UTC))
    assert kinds(account, signed(one), signed(two), signed(other)) == ["two-manifests"]
    assert account.manifest == two


def test_an_edition_that_does_not_follow_is_reported(account):
    one, two, three = chain({}, {}, {})
    assert kinds(account, signed(one), signed(three)) == ["broken-chain"]
    fresh = Account(account.expected)
    assert kinds(fresh, signed(two)) == ["broken-chain"]
    foreign = dataclasses.replace(two, origin="elsewhere.example")
    fresh = Account(account.expected)
    assert kinds(fresh, signed(one), signed(foreign)) == ["broken-chain"]


def test_abnormal_growth_is_reported_and_the_first_edition_is_not_measured(account):
    one, two, three = chain({"added": 500}, {"added": 100}, {"added": 101})
    assert kinds(account, signed(one), signed(two), signed(three)) == ["growth"]


def test_a_share_of_a_large_list_may_be_more_than_the_number(account):
    one, two, three = chain({"added": 5000}, {"added": 500}, {"added": 600})
    assert kinds(account, signed(one), signed(two), signed(three)) == ["growth"]


def test_a_list_that_loses_much_is_reported(account):
    one, two, three = chain(
        {"added": 99}, {"added": 0, "withdrawn": 20}, {"added": 0, "withdrawn": 17}
    )
    assert kinds(account, signed(one), signed(two), signed(three)) == ["shrunken"]


def test_a_certificate_of_what_the_log_does_not_hold_is_reported(account):
    one, two = chain({}, {})
    assert kinds(account, certified(one), signed(one), certified(two)) == ["certificate"] * 2
    assert account.certified == {1: {}}


def test_statements_under_the_wrong_key_are_reported(account):
    (one,) = chain({})
    assert kinds(account, signed(one, OTHER)) == ["unreadable"]
    assert kinds(account, signed(Certificate.of(one, OTHER.name, [CAMERA]))) == ["unreadable"]
    assert account.manifest is None


def test_without_keys_statements_are_read_unchecked():
    (one,) = chain({})
    account = Account(Expected())
    assert kinds(account, signed(one, OTHER)) == []
    assert account.manifest == one


def test_leaves_that_are_no_statements_are_reported(account):
    assert kinds(account, b"", b"\xff", PUBLISHER.sign("hello\n").encode()) == [
        "unreadable",
        "unreadable",
        "foreign",
    ]
    broken = PUBLISHER.sign("hotline.example/list\nformat 9\n").encode()
    assert kinds(account, broken) == ["unreadable"]


def test_it_goes_on_from_what_it_remembered(account):
    one, two = chain({}, {"added": 500})
    kinds(account, signed(one), certified(one))
    again = Account.from_json(json.loads(json.dumps(account.to_json())), account.expected)
    assert again == account
    assert kinds(again, signed(one), signed(two)) == ["growth"]


def test_only_the_newest_editions_are_remembered(account):
    editions = chain(*({"added": 1} for _ in range(25)))
    assert kinds(account, *map(signed, editions), certified(editions[0])) == []
    assert sorted(account.digests) == list(range(6, 26))
