"""Each figure against a small record whose numbers are known."""

import statistics
from datetime import timedelta

import pytest

from strandline.hotline.hashlist.services import add_entry, withdraw
from strandline.hotline.reports.models import Availability, MediaItem, Observation
from strandline.hotline.reports.services import change_state, take_report
from strandline.hotline.reports.states import State
from strandline.hotline.statistics.counting import Counts
from strandline.hotline.statistics.figures import by_country, figures
from strandline.hotline.statistics.median import days_to_removal
from strandline.hotline.takedown.models import Hosting

pytestmark = pytest.mark.django_db


def values():
    return {figure.key: figure.value for figure in figures()}


def test_an_empty_record_has_zeros_and_no_median():
    found = values()
    assert found.pop("time-to-removal") is None
    assert set(found.values()) == {0}


def test_every_figure_says_what_it_counts_and_how():
    for figure in figures():
        assert isinstance(figure.counts, Counts)
        assert figure.note.endswith(".")
    keys = [figure.key for figure in figures()]
    assert len(keys) == len(set(keys))


def test_reports_and_addresses_are_counted_apart(hotline, now):
    for _ in range(3):
        take_report(address="https://images.example.com/a", now=now)
    take_report(address="https://images.example.com/b", now=now)
    assert (values()["received"], values()["addresses"]) == (4, 2)


def test_an_address_is_counted_once_however_often_it_came_back(address, usual, now):
    row = usual(State.REMOVED)
    for _ in range(3):
        change_state(row, State.REOPENED, by="test", now=now)
        change_state(row, State.NOTICED, by="test", now=now)
        change_state(row, State.MONITORED, by="test", now=now)
        change_state(row, State.REMOVED, by="test", now=now)
    usual(State.MONITORED)
    address(State.CAPTURED)
    found = values()
    assert found["confirmed"] == 2
    assert found["noticed"] == 2
    assert found["removed"] == 1
    assert found["reopened"] == 1


def test_listed_counts_what_members_receive(address, now, hotline):
    address(State.CAPTURED, pictures=3)
    entries = [
        add_entry(item, category="A", by="test", now=now) for item in MediaItem.objects.all()
    ]
    withdraw(entries[0], reason="A mistake", by="test", now=now)
    assert (values()["captured"], values()["listed"]) == (3, 2)


def test_an_inconclusive_look_counts_as_nothing_else(address, now):
    row = address(State.MONITORED)
    for _ in range(3):
        Observation.objects.create(
            address=row, at=now, availability=Availability.INCONCLUSIVE, reason="status 503"
        )
    found = values()
    assert (found["inconclusive"], found["removed"]) == (1, 0)


@pytest.mark.parametrize(
    "days",
    [[2.0], [1.0, 4.0], [9.0, 0.5, 2.25], [1.0, 1.0, 3.0, 8.0], [0.0, 0.001, 30.0, 7.5, 2.0]],
)
def test_the_median_is_the_one_of_mathematics(days, address, now):
    for took in days:
        row = address(State.MONITORED, at=now)
        change_state(row, State.REMOVED, by="test", now=now + timedelta(days=took))
    address(State.MONITORED)
    assert days_to_removal() == pytest.approx(statistics.median(days), abs=1e-6)


def test_the_median_ends_at_the_first_removal(address, now):
    row = address(State.MONITORED)
    change_state(row, State.REMOVED, by="test", now=now + timedelta(days=2))
    for to in (State.REOPENED, State.NOTICED, State.MONITORED, State.REMOVED):
        change_state(row, to, by="test", now=now + timedelta(days=40))
    assert days_to_removal() == pytest.approx(2, abs=1e-6)


def test_confirmed_addresses_are_counted_where_they_were_hosted_last(address, usual, now):
    def hosted(row, *countries):
        for country in countries:
            Hosting.objects.create(address=row, at=now, country=country, method="t", by="test")

    hosted(usual(State.NOTICED), "DE", "NL")
    hosted(usual(State.REMOVED), "NL")
    hosted(usual(State.TRACED), "US")
    hosted(address(State.CAPTURED), "FR")
    usual(State.SECOND_ASSESSED)
    found = [(figure.label, figure.value) for figure in by_country()]
    assert found[0] == ("NL", 2)
    assert sorted(found[1:]) == [("Not known", 1), ("US", 1)]
    assert sum(by_country()).value == values()["confirmed"]
