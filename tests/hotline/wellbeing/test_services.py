import dataclasses
from datetime import timedelta

import pytest
from django.db import transaction

from strandline.hotline.accounts.roles import Role
from strandline.hotline.errors import TooFewPeople
from strandline.hotline.reports.states import State
from strandline.hotline.wellbeing import services
from strandline.hotline.wellbeing.models import Exposure

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(address):
    return address(State.CAPTURED, pictures=1).appearances.get().item


@pytest.fixture
def see(item, hotline):
    def open_one(who, at, style="blurred", **others):
        with transaction.atomic():
            return services.record_exposure(who, item, style=style, now=at, **others)

    return open_one


@pytest.mark.django_db(transaction=True)
def test_an_exposure_needs_the_transaction_it_belongs_to(person, item, now):
    with pytest.raises(transaction.TransactionManagementError):
        services.record_exposure(person(Role.ANALYST), item, style="grey", now=now)
    assert not Exposure.objects.exists()


def test_more_detail_weighs_more_and_more_than_a_rendition_most(person, see, now):
    who = person(Role.ANALYST)
    weights = [see(who, now, style).weight for style in ("blurred", "edges", "grey")]
    weights.append(see(who, now, kind=Exposure.Kind.REVEALED).weight)
    assert weights == [1, 1, 2, 4]


def test_ones_figures_count_from_a_moment_and_only_ones_own(person, see, now):
    who, other = person(Role.ANALYST), person(Role.ANALYST)
    see(who, now - timedelta(days=2))
    see(who, now)
    see(who, now, "grey")
    see(other, now)
    assert services.own_exposure(who, now - timedelta(days=1)) == services.OwnExposure(2, 1, 3)
    assert services.own_exposure(who, now - timedelta(days=3)) == services.OwnExposure(3, 1, 4)


def test_severity_weighs_once_however_often_it_is_told(person, see, item, now):
    who = person(Role.ANALYST)
    see(who, now, "grey")
    for _ in range(3):
        services.weigh(who, item, times=3, since=now - timedelta(hours=1))
    assert services.own_exposure(who, now - timedelta(days=1)).weighted == 6


def test_a_shift_is_over_when_its_budget_is_used_and_begins_anew(person, see, now, settings):
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, shift_budget=3)
    who = person(Role.ANALYST)
    see(who, now, "grey")
    assert not services.shift(who, now).over
    see(who, now)
    assert services.shift(who, now).over
    assert not services.shift(who, now + services.SHIFT).over


def test_a_break_is_suggested_after_an_hour_without_one(person, see, now):
    who = person(Role.ANALYST)
    for minute in range(0, 61, 5):
        see(who, now + timedelta(minutes=minute))
    assert services.shift(who, now + timedelta(minutes=60)).wants_break
    assert not services.shift(who, now + timedelta(minutes=55)).wants_break


def test_a_pause_starts_the_hour_anew(person, see, now):
    who = person(Role.ANALYST)
    for minute in (*range(0, 51, 5), *range(65, 101, 5)):
        see(who, now + timedelta(minutes=minute))
    shift = services.shift(who, now + timedelta(minutes=100))
    assert shift.at_work_since == now + timedelta(minutes=65)
    assert not shift.wants_break
    assert services.shift(who, now + timedelta(hours=3)).at_work_since is None


def test_sums_are_told_over_five_people_or_more(person, see, now):
    people = [person(Role.ANALYST) for _ in range(5)]
    for who in people[:4]:
        see(who, now)
    with pytest.raises(TooFewPeople):
        services.team_exposure(people, now - timedelta(days=1))
    see(people[4], now)
    assert services.team_exposure(people, now - timedelta(days=1)).openings == 5
