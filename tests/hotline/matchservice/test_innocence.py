"""What looks like an entry and is a known innocent picture matches nothing."""

import pytest

from strandline.hotline.accounts.roles import Role
from strandline.hotline.feedback import innocent

pytestmark = pytest.mark.django_db

PDQ = "0123456789abcdef" * 4
SHA = "ab" * 32


def near(bits, text=PDQ):
    """The hash with its first bits turned."""
    return f"{int(text, 16) ^ (2**bits - 1):064x}"


@pytest.fixture
def logo(monkeypatch, person, now):
    """Twenty bits from entry 17 there is a well-known logo."""
    monkeypatch.setattr(innocent, "_known", innocent._Known())
    made = innocent.propose(
        what="logo", pdq=near(20), reason="A bank's", by=person(Role.MANAGER), now=now
    )
    innocent.accept(made, by=person(Role.SENIOR_ANALYST), now=now)
    return made


@pytest.fixture
def listed(shelf):
    shelf.add(17, sha256=SHA, pdq=PDQ)
    shelf.add(18, film=[near(120), PDQ])
    return shelf


def entries(answer):
    assert answer.status_code == 200, answer.content
    return [
        [(match["entry"], match["column"]) for match in item["matches"]]
        for item in answer.json()["items"]
    ]


def test_a_picture_near_an_innocent_one_matches_nothing_by_likeness(listed, logo, key_of, ask):
    asked = [{"pdq": near(25), "quality": 90}, {"pdq": near(200), "quality": 90}]
    assert entries(ask(key_of("member"), asked)) == [[], []]


def test_the_same_bytes_are_still_the_entry(listed, logo, key_of, ask):
    asked = [{"sha256": SHA, "pdq": near(20), "quality": 90}]
    assert entries(ask(key_of("member"), asked)) == [[("entry-17", "sha256")]]


def test_one_bit_is_no_as_well(listed, logo, key_of, ask):
    answer = ask(key_of("look-up"), [{"pdq": near(25), "quality": 90}]).json()
    assert answer["items"][0]["listed"] is False


def test_an_innocent_frame_of_a_film_does_not_hide_the_others(listed, logo, key_of, ask):
    film = [
        {"ms": 0, "quality": 90, "pdq": near(20)},
        {"ms": 500, "quality": 90, "pdq": near(120)},
    ]
    assert entries(ask(key_of("member"), [{"film": film}])) == [[("entry-18", "video")]]


def test_without_an_innocent_picture_nearby_nothing_changes(listed, key_of, ask):
    (found,) = entries(ask(key_of("member"), [{"pdq": near(25), "quality": 90}]))
    assert sorted(found) == [("entry-17", "pdq"), ("entry-18", "video")]
