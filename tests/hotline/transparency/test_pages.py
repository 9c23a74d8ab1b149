"""The public's pages about the list: what they say, and what they never say."""

import csv
import io
import re

import pytest

from strandline.hotline.hashlist import services
from strandline.hotline.hashlist.models import Entry, Why
from strandline.hotline.transparency import withdrawals
from strandline.lists.published import events
from strandline.lists.published.classes import Action, EntryClass
from strandline.lists.trust.keys import ungrouped
from strandline.lists.trust.pinning import fingerprint

pytestmark = pytest.mark.django_db

PAGES = (
    "/transparency/",
    "/transparency/log/",
    "/transparency/editions/2/",
    "/transparency/withdrawals/",
    "/transparency/members/",
)


@pytest.fixture
def visitor(wear):
    wear("public")
    from django.test import Client

    return Client()


def text(answer):
    assert answer.status_code == 200
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", plain)


def table(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_before_the_first_edition_every_page_says_so(visitor, hotline):
    assert "No edition has been published yet" in text(visitor.get("/transparency/"))
    assert "Nothing yet" in text(visitor.get("/transparency/log/"))
    assert "Nothing was ever taken off" in text(visitor.get("/transparency/withdrawals/"))
    assert "No organisation receives the list yet" in text(visitor.get("/transparency/members/"))
    assert visitor.get("/transparency/editions/1/").status_code == 404


def test_the_overview_tells_the_latest_edition_and_how_the_list_grew(visitor, log):
    page = text(visitor.get("/transparency/"))
    assert "4 entries in edition 3" in page
    assert "1 of them set aside" in page
    assert "4 statements in the public log" in page
    assert "1 withdrawn" in page
    assert "2 independent witnesses, of whom 2 must agree" in page
    assert "hotline.example (GB) publishes and signs" in page
    assert "other.example (DE) looks at what is on it" in page
    answer = visitor.get("/transparency/")
    root = visitor.get("/lists/metadata/1.root.json")
    assert fingerprint(b"".join(root)) == ungrouped(
        re.search(r"<code>([0-9a-f \n]{79})</code>", answer.content.decode())[1]
    )
    assert "--root 1.root.json" in page
    assert answer.content.count(b"<path") == 2, "the chart's line and area"


def test_what_was_signed_is_for_everybody_and_what_tells_hashes_is_not(visitor, log, hotline):
    files = [path.relative_to(hotline.published) for path in hotline.published.rglob("*")]
    for path in (each for each in files if (hotline.published / each).is_file()):
        answer = visitor.get(f"/lists/{path}")
        public = path.parts[0] == "metadata" or path.name.startswith(("manifest", "certificate"))
        assert answer.status_code == (200 if public else 404), path
        if public:
            assert b"".join(answer) == (hotline.published / path).read_bytes()
    for path in ("../keys/django-secret", "metadata/../../x", "metadata/", "log/checkpoint"):
        assert visitor.get(f"/lists/{path}").status_code == 404
    assert visitor.post("/lists/metadata/1.root.json").status_code in {403, 405, 415}


def test_the_log_is_told_in_plain_words_the_latest_first(visitor, log):
    page = text(visitor.get("/transparency/log/"))
    third = page.index("Edition 3 was published with 4 entries")
    vouched = page.index(
        "other.example vouched for 1 class of edition 2 , after looking at a random sample"
    )
    assert third < vouched < page.index("Edition 1 was published with 3 entries")
    assert "Leaf 2, signed by other.example" in page


def test_an_edition_says_who_vouched_for_which_class(visitor, log):
    page = text(visitor.get("/transparency/editions/2/"))
    assert re.search(r"A camera GB series 3 other\.example \(DE\), sampled", page)
    assert re.search(r"C drawn GB 2 nobody else yet", page)


def test_a_leaf_of_an_unknown_form_is_told_as_such(visitor, log):
    log.append([b"something new"])
    log.publish()
    assert "A statement in a form that this page does not know" in text(
        visitor.get("/transparency/log/")
    )


def test_leaves_beyond_the_published_checkpoint_are_not_told(visitor, log, manifests):
    log.append([b"not published yet"])
    assert "4 statements" in text(visitor.get("/transparency/"))
    assert "does not know" not in text(visitor.get("/transparency/log/"))


def test_open_data_holds_the_same_editions_and_classes(visitor, log, manifests):
    editions = table(visitor.get("/transparency/data/editions.csv"))
    assert [row["entries"] for row in editions] == ["3", "5", "4"]
    assert [row["log_index"] for row in editions] == ["0", "1", "3"]
    assert editions[1]["certified_by"] == "other.example"
    assert editions[2]["manifest_sha256"] == manifests[2].digest()
    classes = table(visitor.get("/transparency/data/classes.csv"))
    vouched = [row for row in classes if row["certified_by"]]
    assert [(row["edition"], row["class"]) for row in vouched] == [("2", "A camera gb none series")]
    assert visitor.get("/transparency/data/secrets.csv").status_code == 404


def test_withdrawals_are_told_with_the_reason_members_were_told(
    visitor, published_withdrawals, now
):
    page = text(visitor.get("/transparency/withdrawals/"))
    assert re.search(r"Disputed by members 0 1", page)
    assert re.search(r"A mistake 1 0", page)
    assert "the analyst's own words" not in page
    rows = table(visitor.get("/transparency/data/withdrawals.csv"))
    assert [(row["entry"], row["action"]) for row in rows] == [
        ("entry-2", "quarantine"),
        ("entry-1", "withdraw"),
    ]
    assert {row["edition"] for row in rows} == {"1"}


def test_what_another_source_contradicts_is_not_told_as_members_dispute(
    visitor, received, published, now
):
    entry = received(1)
    services.quarantine(
        entry, why=Why.CONTRADICTED, reason="Two says otherwise", by="test", now=now
    )
    published()
    page = text(visitor.get("/transparency/withdrawals/"))
    assert re.search(r"Another source contradicts it 0 1", page)
    assert "isputed" not in page
    [row] = table(visitor.get("/transparency/data/withdrawals.csv"))
    assert (row["action"], row["why"]) == ("quarantine", "Another source contradicts it")
    assert "Two says" not in page


def test_every_word_that_members_are_told_is_one_of_the_format():
    for number, why in enumerate(Why, 1):
        entry_class = EntryClass("A", "camera", "gb")
        told = events.Event(number, Action.QUARANTINE, 7, entry_class, reason=why.value)
        assert told.reason == why.value


def test_what_no_edition_holds_yet_is_not_told(visitor, published_withdrawals, now):
    services.withdraw(Entry.objects.get(pk=3), reason="later", by="test", now=now)
    assert withdrawals.taken_out().count() == 2


def test_a_member_is_told_apart_from_its_own_word(visitor, member, now):
    from strandline.hotline.accountability.services import state_figures

    page = text(visitor.get("/transparency/members/"))
    assert "it has stated nothing" in page
    month = f"{now:%Y-%m}"
    state_figures(member, month, compared=1000, matched=3, reported=2, now=now)
    page = text(visitor.get("/transparency/members/"))
    assert "1,000 files compared, 3 matched, 2 reported" in page
    [row] = table(visitor.get("/transparency/data/members.csv"))
    assert (row["stated_compared"], row["stated_reported"]) == ("1000", "2")
    assert row["holds_edition"] == ""


def test_a_name_that_looks_like_a_formula_is_text_in_the_file(visitor, hotline, now):
    from strandline.hotline.accounts.services import add_member

    add_member(name="=SUM(A1)", by="test", now=now)
    [row] = table(visitor.get("/transparency/data/members.csv"))
    assert row["member"] == "'=SUM(A1)"


@pytest.fixture
def member(hotline, now):
    from strandline.hotline.accounts.services import add_member

    return add_member(name="Example Forum", by="test", now=now)


def test_no_page_shows_a_fingerprint(visitor, log, published_withdrawals, member):
    for path in PAGES:
        page = visitor.get(path).content.decode()
        for number in (1, 2, 3):
            assert f"{number:064x}" not in page
            assert f"{number:064x}"[-40:] not in page


@pytest.mark.parametrize("path", PAGES)
def test_pages_exist_on_the_public_face_alone(wear, log, path):
    from django.test import Client

    wear("partners")
    assert Client().get(path).status_code in {401, 404}


@pytest.mark.parametrize("number", ["0", "-1", "999", "x"])
def test_a_page_number_beyond_the_ends_is_answered(visitor, log, number):
    assert visitor.get(f"/transparency/log/?page={number}").status_code == 200


def test_what_was_set_aside_and_came_back_is_told_as_such(visitor, published_withdrawals, now):
    assert "still set aside" in text(visitor.get("/transparency/withdrawals/"))
    services.restore(published_withdrawals[1], reason="cleared", by="test", now=now)
    page = text(visitor.get("/transparency/withdrawals/"))
    assert "listed again" in page
    assert "still set aside" not in page


def test_the_printed_command_follows_the_log_by_the_root_that_the_page_hands_out(visitor, log):
    import html
    import shlex

    page = html.unescape(visitor.get("/transparency/").content.decode())
    [line] = re.findall(r"strandline monitor [^\n<]+", page)
    words = shlex.split(line)
    assert words[2].endswith("/log")
    assert words[3:] == ["--root", "1.root.json"]
    [link] = re.findall(r"curl -O [^\n<]+", page)
    assert b"".join(visitor.get("/" + link.split("/", 3)[3])).startswith(b"{")
