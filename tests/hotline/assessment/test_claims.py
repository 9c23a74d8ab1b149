import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from strandline.hotline.accounts.roles import Role
from strandline.hotline.assessment import claims, services
from strandline.hotline.assessment.models import Claim
from strandline.hotline.assessment.words import Act, Stage
from strandline.hotline.errors import ClaimRefused
from strandline.hotline.reports.models import ReportedUrl
from strandline.hotline.reports.states import State

pytestmark = pytest.mark.django_db


def test_the_most_urgent_address_comes_first_whatever_its_stage(
    address, analysts, seen, assess_all, now
):
    urgent, plain = (address(State.CAPTURED, pictures=1) for _ in range(2))
    ReportedUrl.objects.filter(pk=urgent.pk).update(priority=60)
    assess_all(urgent, analysts[0], seen(Act.SADISM))
    first = services.claim_next(analysts[1], now=now)
    assert (first.address_id, first.stage) == (urgent.pk, Stage.SECOND)
    second = services.claim_next(analysts[2], now=now)
    assert (second.address_id, second.stage) == (plain.pk, Stage.FIRST)


def test_asking_again_gives_the_running_claim(address, analysts, now):
    for _ in range(2):
        address(State.CAPTURED, pictures=1)
    held = services.claim_next(analysts[0], now=now)
    assert services.claim_next(analysts[0], now=now) == held
    assert Claim.objects.count() == 1


def test_a_claimed_address_is_refused_to_others_with_a_sentence(address, analysts, now):
    row = address(State.CAPTURED, pictures=1)
    services.claim(row, analysts[0], now=now)
    assert services.claim_next(analysts[1], now=now) is None
    with pytest.raises(ClaimRefused, match="Somebody is at this address"):
        services.claim(row, analysts[1], now=now)


def test_one_address_at_a_time(address, analysts, now):
    one, other = (address(State.CAPTURED, pictures=1) for _ in range(2))
    services.claim(one, analysts[0], now=now)
    with pytest.raises(ClaimRefused, match="still at another"):
        services.claim(other, analysts[0], now=now)


def test_a_claim_nobody_works_on_runs_out_and_the_address_goes_to_another(address, analysts, now):
    address(State.CAPTURED, pictures=1)
    held = services.claim_next(analysts[0], now=now)
    later = now + claims.LASTS
    assert services.claim_next(analysts[1], now=later).address_id == held.address_id
    held.refresh_from_db()
    assert held.ending == Claim.Ending.EXPIRED


def test_nothing_is_recorded_on_a_claim_whose_time_is_up(address, analysts, nothing, now):
    address(State.CAPTURED, pictures=1)
    held = services.claim_next(analysts[0], now=now)
    item = services.remaining(held).get()
    with pytest.raises(ClaimRefused):
        services.assess(held, item, nothing, now=now + claims.LASTS)
    assert not item.assessments.exists()


def test_a_claim_that_ran_out_is_taken_again_at_its_own_stage_only(
    address, analysts, nothing, assess_all, now
):
    row = address(State.CAPTURED, pictures=1)
    held = services.claim_next(analysts[0], now=now)
    assert services.take_again(held, now=now) == held
    later = now + claims.LASTS
    again = services.take_again(held, now=later)
    assert (again.stage, again.until) == (held.stage, later + claims.LASTS)
    assert services.take_again(held, now=later) == again
    services.release(again, skip=False, by="test", now=later)
    with pytest.raises(ClaimRefused, match="over"):
        services.take_again(again, now=later)
    assess_all(row, analysts[1], nothing)
    with pytest.raises(ClaimRefused, match="colleague"):
        services.take_again(held, now=later)
    assert services.running(analysts[0], now=later) is None


def test_what_was_skipped_comes_again_another_day_and_to_others_at_once(address, analysts, now):
    address(State.CAPTURED, pictures=1)
    held = services.claim_next(analysts[0], now=now)
    services.release(held, skip=True, by=analysts[0].actor, now=now)
    assert services.claim_next(analysts[0], now=now) is None
    other = services.claim_next(analysts[1], now=now)
    services.release(other, skip=False, by=analysts[1].actor, now=now)
    assert services.claim_next(analysts[1], now=now) is not None
    assert services.running(analysts[0], now=now) is None


def test_a_skipped_address_is_offered_again_later(address, analysts, now):
    address(State.CAPTURED, pictures=1)
    held = services.claim_next(analysts[0], now=now)
    services.release(held, skip=True, by=analysts[0].actor, now=now)
    tomorrow = now + claims.REST_AFTER_SKIP + timedelta(minutes=1)
    assert services.claim_next(analysts[0], now=tomorrow) is not None


def test_the_search_goes_on_past_a_first_piece_of_the_queue(
    address, analysts, nothing, assess_all, now, monkeypatch
):
    monkeypatch.setattr(claims, "_CHUNK", 2)
    rows = [address(State.CAPTURED, pictures=1) for _ in range(5)]
    for row in rows[:4]:
        assess_all(row, analysts[0], nothing)
    assess_all(rows[4], analysts[1], nothing)
    assert services.claim_next(analysts[0], now=now).address_id == rows[4].pk


@pytest.mark.parametrize("same", ["address", "analyst"])
def test_the_database_itself_holds_one_running_claim(address, analysts, now, same):
    one, other = (address(State.CAPTURED, pictures=1) for _ in range(2))
    services.claim(one, analysts[0], now=now)
    row = {"address": one, "analyst": analysts[1]}
    if same == "analyst":
        row = {"address": other, "analyst": analysts[0]}
    with pytest.raises(IntegrityError), transaction.atomic():
        Claim.objects.create(**row, stage=Stage.FIRST, taken_at=now, until=now)


@pytest.mark.django_db(transaction=True)
def test_analysts_who_claim_at_once_never_get_the_same_address(address, person, now):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time: SQLite queues transactions by itself")
    people = [person(Role.ANALYST) for _ in range(8)]
    rows = [address(State.CAPTURED, pictures=1) for _ in range(6)]
    start = threading.Barrier(len(people))
    got, failed = [], []

    def claim(who):
        try:
            start.wait()
            got.append(services.claim_next(who, now=now))
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    taken = [held.address_id for held in got if held]
    assert sorted(taken) == sorted(row.pk for row in rows)
    assert got.count(None) == 2
