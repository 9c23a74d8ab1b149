"""What is told, and to whom: one bit to those who may not hold the list, entries to the others."""

import pytest

from strandline.hotline.hashlist import scopes
from strandline.lists.published.classes import Column, EntryClass, Scope

pytestmark = pytest.mark.django_db

PDQ = "0123456789abcdef" * 4
SHA = "ab" * 32
SHAPE = {"id", "listed", "too_plain", "error", "matches"}
NOTHING = {"listed": False, "too_plain": False, "error": None, "matches": []}


def near(bits, text=PDQ):
    """The hash with its first bits turned."""
    return f"{int(text, 16) ^ (2**bits - 1):064x}"


@pytest.fixture
def listed(shelf):
    shelf.add(17, sha256=SHA, sha1="cd" * 20, md5="ef" * 16, pdq=PDQ)
    return shelf


def told(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_look_up_key_is_told_one_bit_and_nothing_else(listed, key_of, ask):
    items = [
        {"id": "same", "sha256": SHA},
        {"id": "near", "pdq": near(9), "quality": 90},
        {"id": "other", "pdq": near(200), "quality": 90},
    ]
    assert told(ask(key_of("look-up"), items)) == {
        "edition": None,
        "items": [
            {**NOTHING, "id": "same", "listed": True},
            {**NOTHING, "id": "near", "listed": True},
            {**NOTHING, "id": "other"},
        ],
    }


def test_an_entitled_key_is_told_the_entry(listed, key_of, ask):
    answer = told(ask(key_of("member"), [{"pdq": near(9), "quality": 90}]))
    assert answer["edition"] == 7
    assert answer["items"][0]["matches"] == [
        {
            "entry": "entry-17",
            "category": "A",
            "provenance": "camera",
            "jurisdiction": "gb",
            "survivor": "none",
            "labels": ["baseline"],
            "column": "pdq",
            "distance": 9,
            "edition": 3,
            "frames": [],
        }
    ]


@pytest.mark.parametrize("column", ["sha256", "sha1", "md5"])
def test_the_same_bytes_are_found_by_each_digest(column, listed, key_of, ask):
    digest = {"sha256": SHA, "sha1": "cd" * 20, "md5": "ef" * 16}[column]
    for written in (digest, digest.upper()):
        match = told(ask(key_of("member"), [{column: written}]))["items"][0]["matches"][0]
        assert (match["column"], match["distance"]) == (column, 0)


def test_an_entry_is_told_once_by_its_nearest_hash(listed, key_of, ask):
    item = {"sha256": SHA, "md5": "ef" * 16, "pdq": near(9), "quality": 90}
    matches = told(ask(key_of("member"), [item]))["items"][0]["matches"]
    assert [(match["entry"], match["column"]) for match in matches] == [("entry-17", "sha256")]


@pytest.mark.parametrize("role", ["look-up", "member"])
def test_the_edge_is_where_the_list_says(role, listed, key_of, ask):
    # Of a key each: one that is told one bit is told the same of what is alike.
    items = [{"pdq": near(bits), "quality": 50} for bits in (0, 31, 32)]
    answers = [told(ask(key_of(role), [item]))["items"][0] for item in items]
    assert [answer["listed"] for answer in answers] == [True, True, False]


@pytest.mark.parametrize("role", ["look-up", "member"])
def test_too_plain_a_picture_is_answered_as_such(role, listed, key_of, ask):
    plain, with_digest, other = told(
        ask(
            key_of(role),
            [
                {"pdq": PDQ, "quality": 49},
                {"pdq": PDQ, "quality": 49, "sha256": SHA},
                {"pdq": PDQ, "quality": 0, "sha256": "00" * 32},
            ],
        )
    )["items"]
    assert (plain["listed"], plain["too_plain"], plain["matches"]) == (None, True, [])
    assert (with_digest["listed"], with_digest["too_plain"]) == (True, True)
    assert (other["listed"], other["too_plain"]) == (False, True)


def test_a_film_is_one_item_and_says_where_it_matched(listed, key_of, ask):
    film = [
        {"ms": 0, "quality": 90, "pdq": near(200)},
        {"ms": 2000, "quality": 90, "pdq": near(4)},
        {"ms": 1000, "quality": 90, "pdq": near(5)},
        {"ms": 3000, "quality": 10, "pdq": PDQ},
    ]
    item = told(ask(key_of("member"), [{"id": "film", "film": film}]))["items"][0]
    assert (item["listed"], item["too_plain"]) == (True, False)
    match = item["matches"][0]
    assert (match["column"], match["distance"], match["frames"]) == ("pdq", 4, [1000, 2000])
    plain = [{**frame, "quality": 3} for frame in film]
    item = told(ask(key_of("look-up"), [{"film": plain}]))["items"][0]
    assert (item["listed"], item["too_plain"]) == (None, True)


def test_a_frame_of_a_listed_film_is_found_by_a_still(shelf, key_of, ask):
    shelf.add(4, film=[PDQ, near(128)])
    match = told(ask(key_of("member"), [{"pdq": near(3), "quality": 90}]))["items"][0]["matches"][0]
    assert (match["entry"], match["column"], match["distance"]) == ("entry-4", "video", 3)


@pytest.mark.parametrize("role", ["look-up", "member"])
def test_single_batch_and_film_have_one_shape(role, listed, key_of, ask):
    still = {"pdq": near(1), "quality": 90}
    film = {"film": [{"ms": 0, "quality": 90, "pdq": near(1)}]}
    wrong = {"pdq": "xx"}
    for items in ([still], [still] * 1000, [film], [wrong], [{"sha256": "00" * 32}]):
        answer = told(ask(key_of(role), items))
        assert set(answer) == {"edition", "items"}
        assert len(answer["items"]) == len(items)
        assert all(set(item) == SHAPE for item in answer["items"])


def test_answers_come_in_the_order_of_what_was_asked(listed, key_of, ask):
    names = [f"item {n}" for n in range(50)]
    items = [{"id": name, "pdq": near(n % 2 * 200), "quality": 90} for n, name in enumerate(names)]
    answers = told(ask(key_of("look-up"), items))["items"]
    assert [answer["id"] for answer in answers] == names
    assert [answer["listed"] for answer in answers] == [True, False] * 25


class TestScope:
    """What is outside of a member's scope does not exist for it, whatever its key."""

    @pytest.fixture
    def narrowed(self, monkeypatch, shelf):
        def narrow(**rule):
            monkeypatch.setattr(scopes, "PROVIDERS", [lambda _: Scope(**rule)])

        shelf.add(1, entry_class=EntryClass("A", "camera", "gb"), sha256=SHA, pdq=PDQ)
        shelf.add(2, entry_class=EntryClass("C", "drawn", "gb"), sha256=SHA)
        return narrow

    @pytest.mark.parametrize("role", ["look-up", "member"])
    def test_by_class(self, role, narrowed, key_of, ask):
        narrowed(categories=frozenset({"C"}))
        exact, near_one = told(ask(key_of(role), [{"sha256": SHA}, {"pdq": PDQ, "quality": 90}]))[
            "items"
        ]
        assert (exact["listed"], near_one["listed"]) == (True, False)
        wanted = ["entry-2"] if role == "member" else []
        assert [match["entry"] for match in exact["matches"]] == wanted

    @pytest.mark.parametrize("role", ["look-up", "member"])
    def test_by_column(self, role, narrowed, key_of, ask):
        narrowed(columns=frozenset({Column.PDQ}))
        exact, near_one = told(ask(key_of(role), [{"sha256": SHA}, {"pdq": PDQ, "quality": 90}]))[
            "items"
        ]
        assert (exact["listed"], near_one["listed"]) == (False, True)


def test_an_entitled_member_is_told_of_one_crowd_what_fits_a_page(shelf, key_of, ask):
    for number in range(1, 81):
        shelf.add(number, sha256=SHA)
    matches = told(ask(key_of("member"), [{"sha256": SHA}]))["items"][0]["matches"]
    assert [match["entry"] for match in matches] == [f"entry-{n}" for n in range(1, 51)]
