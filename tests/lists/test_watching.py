"""What a log's leaves say of a list, to one who holds nothing of it."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from strandline.lists.certificate import Certificate
from strandline.lists.classes import EntryClass
from strandline.lists.manifests import ClassState, Manifest
from strandline.lists.watching import Account, Expected
from strandline.transparency import Signer

PUBLISHER = Signer.from_seed("hotline.example", bytes(32))
OTHER = Signer.from_seed("other.example", bytes([1]) * 32)
CAMERA = EntryClass("C", "camera", "gb")
DRAWN = EntryClass("C", "drawn", "gb")


def edition(number, before=None, *, added=10, withdrawn=0, root="a"):
    """The next manifest: ``added`` more camera pictures, ``withdrawn`` fewer."""
    held = before.states()[CAMERA].entries if before else 0
    sequence = before.sequence if before else 1
    return Manifest(
        origin="hotline.example",
        edition=number,
        published=datetime(2026, 3, number, tzinfo=UTC),
        added=added if before else added + 1,
        amended=0,
        withdrawn=withdrawn,
        quarantined_now=0,
        restored=0,
        previous=before.digest() if before else None,
        pipeline=("media-1+pdq-1",),
        classes=tuple(
            sorted(
                (
                    (
                        CAMERA,
                        ClassState(
                            held + added - withdrawn, 0, sequence + added + withdrawn, root * 64
                        ),
                    ),
                    (DRAWN, ClassState(1, 0, 1, "b" * 64)),
                ),
                key=lambda pair: pair[0].id,
            )
        ),
    )


def chain(*steps):
    editions = []
    for number, step in enumerate(steps, 1):
        editions.append(edition(number, editions[-1] if editions else None, **step))
    return editions


def signed(statement, signer=PUBLISHER):
    return signer.sign(statement.text()).encode()


def certified(manifest, classes=(CAMERA, DRAWN)):
    return signed(Certificate.of(manifest, OTHER.name, classes), OTHER)


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
