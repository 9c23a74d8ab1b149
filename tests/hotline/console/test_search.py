import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from strandline.hotline.accounts.roles import Role
from strandline.hotline.console import search
from strandline.hotline.reports.models import Report, ReportedUrl
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(address, monkeypatch):
    """30 addresses that wait, of mixed priority, on three hosts of one site; 8 to a page."""
    monkeypatch.setattr(search, "PAGE", 8)
    rows = [address(State.CAPTURED, host=f"{'abc'[n % 3]}.example") for n in range(30)]
    for number, row in enumerate(rows):
        row.priority = number * 7 % 5
        row.site = "example"
        row.save()
    return rows


def walk(read):
    after, rows = None, []
    while True:
        page = read(after)
        rows.extend(page.rows)
        if page.after is None:
            return rows
        after = search.read_mark(str(page.after))


def test_walking_the_queue_meets_every_address_once_in_order(waiting):
    rows = walk(lambda after: search.queue(after=after))
    assert len(rows) == 30
    assert rows == sorted(rows, key=lambda row: (-row.priority, row.pk))
    assert len({row.pk for row in rows}) == 30


def test_two_states_are_merged_in_one_order(waiting, address):
    later = address(State.ASSESSED)
    ReportedUrl.objects.filter(pk=later.pk).update(priority=3)
    rows = walk(lambda after: search.queue((State.CAPTURED, State.ASSESSED), after))
    assert rows == sorted(rows, key=lambda row: (-row.priority, row.pk))
    assert later in rows


def test_a_site_and_a_host_are_walked_the_same_way(waiting):
    assert len(walk(lambda after: search.search("example", after=after))) == 30
    assert len(walk(lambda after: search.search("A.example", after=after))) == 10


def test_a_state_narrows_a_search(waiting, address):
    row = address(State.CLOSED, host="a.example")
    assert list(search.search("a.example", (State.CLOSED,)).rows) == [row]


def test_an_address_is_found_whole_in_any_writing_and_comes_first(address):
    wanted, longer = (address(State.CAPTURED, host="host.example") for _ in range(2))
    ReportedUrl.objects.filter(pk=wanted.pk).update(url="http://host.example/a%20b", priority=1)
    ReportedUrl.objects.filter(pk=longer.pk).update(url="http://host.example/a%20bc", priority=9)
    for typed in ("http://HOST.example/a%20b", "http://host.example:80/a%20b"):
        assert search.search(typed).rows[0].pk == wanted.pk
    page = search.search("host.example/a%20b")
    assert [row.pk for row in page.rows] == [wanted.pk, longer.pk]


def test_an_address_is_found_by_its_beginning(address):
    row = address(State.CAPTURED, host="host.example")
    assert list(search.search("http://host.example/").rows) == [row]
    assert list(search.search("host.example/").rows) == [row]
    assert list(search.search("host.example/nowhere").rows) == []


def test_signs_with_a_meaning_in_patterns_are_plain_here(address):
    address(State.CAPTURED, host="host.example")
    assert list(search.search("http://host.example/%").rows) == []
    assert list(search.search("http://host.example/_").rows) == []


def test_a_reference_finds_its_address(address, now):
    row = address(State.CLOSED)
    Report.objects.create(
        reference="R-7K3M-9QXF", return_code_hash="x", received_at=now, address=row
    )
    assert list(search.search(" r-7k3m-9qxf ").rows) == [row]
    assert list(search.search("R-7K3M-9QX2").rows) == []
    assert list(search.search(f"address:{row.pk}").rows) == [row]


@pytest.mark.parametrize(
    "text", ["http://[", "http:///", "//", "::", "%", "\0", "R-", "9" * 40, "ü" * 300, "a/b\0c"]
)
def test_nonsense_finds_nothing_and_breaks_nothing(at_console, text):
    answer = at_console(Role.ANALYST).get("/", {"q": text})
    assert answer.status_code == 200
    assert "Nothing" in answer.content.decode()


@pytest.mark.parametrize("after", ["", "x", "1.", "1.2.3", "-1.5", "1.99999999999999999999"])
def test_a_mark_that_is_none_begins_at_the_first(at_console, waiting, after):
    answer = at_console(Role.ANALYST).get("/", {"after": after})
    assert str(waiting[2].url) in answer.content.decode()


@given(priority=st.integers(0, 10**9 - 1), number=st.integers(0, 10**18 - 1))
def test_a_mark_reads_back(priority, number):
    mark = search.Mark(priority, number)
    assert search.read_mark(str(mark)) == mark


def test_no_page_counts_the_table_or_skips_rows(at_console, waiting):
    client = at_console(Role.ANALYST)
    mark = search.queue().after
    with CaptureQueriesContext(
        connection,
    ) as caught:
        client.get("/", {"after": str(mark)})
        client.get("/", {"q": "example", "after": str(mark)})
    for query in caught.captured_queries:
        sql = query["sql"].upper()
        assert " OFFSET " not in sql
        if "COUNT(*)" in sql and "REPORTEDURL" in sql:
            assert f"LIMIT {search.MOST_COUNTED + 1}" in sql


@pytest.mark.parametrize("text", ["", "example", "a.example"])
def test_a_page_is_read_along_an_index(waiting, text, monkeypatch):
    """The plan of a late page names an index of the queue, and sorts nothing."""
    with CaptureQueriesContext(connection) as caught:
        mark = search.Mark(3, waiting[20].pk)
        search.search(text, after=mark) if text else search.queue(after=mark)
    for query in caught.captured_queries:
        if connection.vendor == "sqlite":
            plan = _plan(query["sql"])
            assert "USING INDEX address_" in plan
            assert "TEMP B-TREE" not in plan


def _plan(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row) for row in cursor.fetchall())


def test_counts_stop_at_the_cap(waiting, monkeypatch):
    monkeypatch.setattr(search, "MOST_COUNTED", 20)
    assert search.count_capped(State.CAPTURED) == 21
    assert search.count_capped(State.ASSESSED) == 0
