"""No path at all writes a change of state that the table does not list."""

import re
from contextlib import suppress

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Value
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import StateMoved, StateRefused
from strandline.hotline.reports.models import ReportedUrl, StateChange
from strandline.hotline.reports.services import change_state, change_states
from strandline.hotline.reports.states import CHANGES, FIRST, State, pairs

pytestmark = pytest.mark.django_db

STATES = st.sampled_from(State)


def raw(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def by_service(row, to):
    change_state(ReportedUrl.objects.get(pk=row.pk), to, by="test", now=row.first_reported_at)


def by_save(row, to):
    fresh = ReportedUrl.objects.get(pk=row.pk)
    fresh.state = to
    fresh.save()


def by_save_of_one_field(row, to):
    fresh = ReportedUrl.objects.get(pk=row.pk)
    fresh.state = to
    fresh.save(update_fields=["state"])


def by_queryset(row, to):
    ReportedUrl.objects.filter(pk=row.pk).update(state=to)


def by_expression(row, to):
    ReportedUrl.objects.filter(pk=row.pk).update(priority=F("priority") + 1, state=Value(to.value))


def by_bulk_update(row, to):
    fresh = ReportedUrl.objects.get(pk=row.pk)
    fresh.state = to
    ReportedUrl.objects.bulk_update([fresh], ["state"])


def by_upsert(row, to):
    fresh = ReportedUrl.objects.get(pk=row.pk)
    fresh.state = to
    ReportedUrl.objects.bulk_create(
        [fresh], update_conflicts=True, unique_fields=["id"], update_fields=["state"]
    )


def by_update_or_create(row, to):
    ReportedUrl.objects.update_or_create(url=row.url, defaults={"state": to})


def by_sql(row, to):
    raw("UPDATE reports_reportedurl SET state = %s WHERE id = %s", to.value, row.pk)


def by_sql_over_all_rows(row, to):
    raw("UPDATE reports_reportedurl SET priority = 1, state = %s", to.value)


WAYS = [
    by_service,
    by_save,
    by_save_of_one_field,
    by_queryset,
    by_expression,
    by_bulk_update,
    by_upsert,
    by_update_or_create,
    by_sql,
    by_sql_over_all_rows,
]


def attempt(way, row, to):
    """Whether the database took the change."""
    try:
        with transaction.atomic():
            way(row, to)
    except (DatabaseError, StateRefused):
        return False
    return True


class AnyPath(RuleBasedStateMachine):
    """One address, changed by whatever means in whatever order."""

    now = None

    def __init__(self):
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.row = ReportedUrl.objects.create(
            url="http://host.example.com/1", host="h", site="s", first_reported_at=self.now
        )
        self.state = State(FIRST)

    def teardown(self):
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @rule(way=st.sampled_from(WAYS), to=STATES)
    def change_to_any_state(self, way, to):
        allowed = to in CHANGES.get(self.state, frozenset())
        took = attempt(way, self.row, to)
        if to == self.state:
            return  # writing what stands there already is no change
        if way is by_upsert and not took:
            return  # refusing more than it must is no unlisted change
        assert took == allowed, f"{way.__name__}: {self.state} to {to}"
        if took:
            self.state = to

    @precondition(lambda self: CHANGES.get(self.state))
    @rule(data=st.data(), way=st.sampled_from(WAYS))
    def change_to_a_listed_state(self, data, way):
        """So that every part of the table is reached."""
        self.change_to_any_state(way, data.draw(st.sampled_from(sorted(CHANGES[self.state]))))

    @rule(to=STATES)
    def insert_in_any_state(self, to):
        def insert(row, to):
            ReportedUrl.objects.create(
                url=f"http://host.example.com/{to}/{ReportedUrl.objects.count()}",
                host="h",
                site="s",
                state=to,
                first_reported_at=self.now,
            )

        with transaction.atomic():
            assert attempt(insert, self.row, to) == (to == FIRST)
            transaction.set_rollback(True)

    @precondition(lambda self: connection.vendor == "sqlite")
    @rule(to=STATES, key=st.sampled_from(["id", "url"]))
    def replace_the_row(self, to, key):
        """SQLite removes a row and inserts it anew in one statement, and it could begin again."""

        def replace(row, to):
            columns = "url, host, site, network, referrer, priority, reports_count"
            values = "url" if key == "url" else "url || 'x'"
            number = "id" if key == "id" else "id + 1000"
            raw(
                f"REPLACE INTO reports_reportedurl (id, state, first_reported_at, {columns}) "
                f"SELECT {number}, %s, first_reported_at, {values}{columns[3:]} "
                "FROM reports_reportedurl WHERE id = %s",
                to.value,
                row.pk,
            )

        assert not attempt(replace, self.row, to)

    @invariant()
    def the_state_is_the_one_that_was_reached_by_listed_changes(self):
        assert ReportedUrl.objects.get(pk=self.row.pk).state == self.state


def test_no_path_writes_an_unlisted_change(now):
    AnyPath.now = now
    run(
        AnyPath,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_refuses_every_unlisted_change_from_the_first_state(way, now):
    row = ReportedUrl.objects.create(
        url="http://host.example.com/1", host="h", site="s", first_reported_at=now
    )
    for to in State:
        if to != FIRST and to not in CHANGES[State(FIRST)]:
            assert not attempt(way, row, to), to
    assert ReportedUrl.objects.get().state == FIRST


def test_the_installed_guard_lists_the_same_changes_as_the_table():
    """Read from the database itself, so that a forgotten migration shows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'reports_state_guard'")
            (text,) = cursor.fetchone()
            cursor.execute(
                "SELECT tgenabled, pg_get_triggerdef(oid) FROM pg_trigger"
                " WHERE tgname = 'reports_state_guard' AND NOT tgisinternal"
            )
            ((enabled, definition),) = cursor.fetchall()
            assert enabled == "O"
            assert "BEFORE INSERT OR UPDATE OF state" in definition
            assert "FOR EACH ROW" in definition
        else:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master"
                " WHERE type = 'trigger' AND tbl_name = 'reports_reportedurl'"
            )
            triggers = dict(cursor.fetchall())
            assert set(triggers) == {
                "reports_address_stays",
                "reports_state_guard_insert",
                "reports_state_guard_replace",
                "reports_state_guard_update",
            }
            assert f"<> '{FIRST}'" in triggers["reports_state_guard_insert"]
            text = triggers["reports_state_guard_update"]
    installed = sorted(re.findall(r"'([a-z-]+)>([a-z-]+)'", text))
    assert installed == pairs()


def test_every_state_can_be_reached_and_the_table_names_only_states():
    reached = {State(FIRST)} | {to for after in CHANGES.values() for to in after}
    assert reached == set(State)
    assert State.DUPLICATE not in CHANGES, "a duplicate is final"
    assert all(state not in after for state, after in CHANGES.items())


def test_a_change_leaves_its_history_and_its_audit_entry(address, now):
    row = address(State.TRIAGED)
    change_state(row, State.NOT_FOUND, by="person:7", now=now, reason="status 404")
    change = StateChange.objects.last()
    assert (change.before, change.after, change.by) == ("triaged", "not-found", "person:7")
    entry = AuditEntry.objects.last()
    assert entry.subject == row.subject
    assert entry.detail == {"from": "triaged", "to": "not-found", "reason": "status 404"}


def test_a_refused_change_leaves_nothing(address, now):
    row = address(State.TRIAGED)
    before = (StateChange.objects.count(), AuditEntry.objects.count())
    with pytest.raises(StateRefused, match="cannot go from 'Waiting for capture' to 'Removed'"):
        change_state(row, State.REMOVED, by="test", now=now)
    assert (StateChange.objects.count(), AuditEntry.objects.count()) == before
    assert row.state == State.TRIAGED


def test_whoever_comes_second_changes_nothing(address, now):
    row = address(State.TRIAGED)
    stale = ReportedUrl.objects.get(pk=row.pk)
    change_state(row, State.NOT_FOUND, by="first", now=now)
    with pytest.raises(StateMoved, match="Somebody else"):
        change_state(stale, State.CAPTURED, by="second", now=now)
    assert StateChange.objects.last().by == "first"


def test_several_changes_are_made_all_or_none(address, now):
    row = address(State.TRIAGED)
    before = StateChange.objects.count()
    with suppress(StateRefused):
        path = (State.CAPTURED, State.ASSESSED, State.REMOVED)
        change_states(row, path, by="test", now=now)
    assert ReportedUrl.objects.get(pk=row.pk).state == State.TRIAGED
    assert StateChange.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reports_reportedurl",
        "DELETE FROM reports_statechange",
        "UPDATE reports_statechange SET after = 'removed'",
    ],
)
def test_an_address_and_its_history_stay_whoever_asks(address, statement):
    address(State.TRIAGED)
    with (
        pytest.raises(IntegrityError, match="stay"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
