"""An alarm: a manager is told, the key slowed, and all of it in the chain."""

import dataclasses

import numpy as np
import pytest

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.accounts.roles import Role
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.config import Probing
from strandline.hotline.errors import MatchChangeRefused
from strandline.hotline.matchservice import alarms
from strandline.hotline.matchservice.models import Alarm, Plan, Standing, Usage
from strandline.hotline.matchservice.probing import Suspicion
from strandline.hotline.matchservice.standing import caller_of

pytestmark = pytest.mark.django_db

PDQ = "0123456789abcdef" * 4
EDGE = Suspicion(Alarm.Kind.EDGE, 9, 7, 17)
VARIANTS = Suspicion(Alarm.Kind.VARIANTS, 0, 120)


def variants(count, random):
    """Variants of the listed picture about as far away as the edge is."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(PDQ), np.uint8))
    for _ in range(count):
        turned = bits.copy()
        turned[random.choice(256, int(random.integers(24, 40)), replace=False)] ^= 1
        yield {"pdq": np.packbits(turned).tobytes().hex(), "quality": 90}


@pytest.fixture
def probe(shelf, ask, random):
    """``probe(key)`` feels for the edge of entry 17; the statuses of its calls."""
    shelf.add(17, pdq=PDQ)

    def run(key, count=60):
        return [ask(key, [item]).status_code for item in variants(count, random)]

    return run


@pytest.fixture
def manager(face, person, sign_in):
    return lambda: sign_in(face("console"), person(Role.MANAGER))


def policy(settings, probing):
    matching = dataclasses.replace(settings.HOTLINE.matching, probing=probing)
    settings.HOTLINE = dataclasses.replace(settings.HOTLINE, matching=matching)


def test_probing_by_a_look_up_key_raises_one_alarm_and_slows_it(probe, key_of, now):
    key = key_of("look-up")
    probe(key)
    alarm = Alarm.objects.get()
    assert (alarm.measure, alarm.settled_at) == ("slowed", None)
    assert alarm.listed + alarm.unlisted >= 12
    assert caller_of(key).state == Standing.State.SLOWED
    assert caller_of(key).limits.burst == 500
    act = AuditEntry.objects.get(action="matchservice.raise_alarm")
    assert (act.actor, act.subject) == ("match-service", f"match-alarm:{alarm.pk}")
    assert act.detail["measure"] == "slowed"
    assert PDQ not in str(act.detail) + str(list(Alarm.objects.values()))


def test_an_alarm_stops_the_rest_of_the_very_call(shelf, ask, key_of, random):
    shelf.add(17, pdq=PDQ)
    answer = ask(key_of("look-up"), list(variants(300, random)))
    assert answer.status_code == 200
    errors = [item["error"] for item in answer.json()["items"]]
    first = next(place for place, error in enumerate(errors) if error)
    assert 10 <= first <= 60
    assert not any(errors[:first])
    assert all(errors[first:])
    assert {item["listed"] for item in answer.json()["items"][first:]} == {None}
    assert int(answer["Retry-After"]) >= 1
    assert Alarm.objects.get().measure == "slowed"


def test_a_setting_suspends_it_and_the_next_call_is_refused(probe, key_of, settings, ask):
    policy(settings, Probing.SUSPEND)
    key = key_of("look-up")
    statuses = probe(key)
    assert set(statuses) == {200, 403}
    assert statuses == sorted(statuses), "from the call that raised the alarm on, nothing is told"
    assert "suspended" in ask(key, [{"sha256": "00" * 32}]).json()["detail"]


def test_a_setting_only_tells(probe, key_of, settings):
    policy(settings, Probing.ALARM)
    key = key_of("look-up")
    assert set(probe(key)) == {200}
    assert Alarm.objects.get().measure == "good"
    assert caller_of(key).state == Standing.State.GOOD


def test_a_key_that_may_hold_the_list_is_told_of_and_left_alone(probe, key_of):
    key = key_of("member")
    assert set(probe(key)) == {200}
    assert Alarm.objects.get().measure == "good"


def test_very_many_variants_are_told_of_and_the_key_left_alone(key_of, now):
    alarms.raise_alarm(caller_of(key_of("look-up")), VARIANTS, now=now)
    assert Alarm.objects.get().measure == "good"


def test_ordinary_calls_raise_nothing(shelf, key_of, ask, random):
    shelf.add(17, pdq=PDQ)
    key = key_of("look-up")
    for _ in range(5):
        items = [{"pdq": random.bytes(32).hex(), "quality": 90} for _ in range(200)]
        assert ask(key, [*items, {"pdq": PDQ, "quality": 90}]).status_code == 200
    assert not Alarm.objects.exists()


@pytest.mark.parametrize(
    ("outcome", "state"), [("harmless", "good"), ("slowed", "slowed"), ("suspended", "suspended")]
)
def test_a_manager_decides(outcome, state, key_of, now):
    key = key_of("look-up")
    alarm = alarms.raise_alarm(caller_of(key), EDGE, now=now)
    alarms.settle_alarm(alarm, outcome, by="person:1", now=now)
    assert caller_of(key).state == state
    act = AuditEntry.objects.get(action="matchservice.settle_alarm")
    assert (act.actor, act.detail["outcome"]) == ("person:1", outcome)
    with pytest.raises(MatchChangeRefused, match="already"):
        alarms.settle_alarm(alarm, "harmless", by="person:2", now=now)
    assert caller_of(key).state == state


def test_what_a_manager_looked_at_raises_no_second_alarm(probe, key_of, now):
    key = key_of("look-up")
    probe(key)
    alarms.settle_alarm(Alarm.objects.get(), "harmless", by="person:1", now=now)
    Standing.objects.update(quiet_until="2100-01-01T00:00Z")
    probe(key, 20)
    assert Alarm.objects.count() == 1


def test_the_page_shows_alarms_and_each_member_s_use(manager, probe, key_of):
    probe(key_of("look-up"))
    key = ApiKey.objects.get()
    Usage.objects.update_or_create(
        key=key, day="2026-11-01", defaults={"calls": 3, "look_ups": 400, "listed": 2}
    )
    page = manager().get("/matches/").content.decode()
    for words in ("Platform 1", "Slowed to a tenth", "entry-17", "slowed to a tenth at once"):
        assert words in page
    assert PDQ not in page


def test_an_alarm_is_settled_and_a_key_restored_on_the_page(manager, key_of, now):
    key = key_of("look-up")
    alarm = alarms.raise_alarm(caller_of(key), EDGE, now=now)
    client, row = manager(), ApiKey.objects.get()
    refused = client.post(f"/matches/keys/{row.pk}/restore")
    assert (refused.status_code, "open alarm" in refused.content.decode()) == (422, True)
    assert client.post(f"/matches/alarms/{alarm.pk}", {"outcome": "x"}).status_code == 422
    assert client.post(f"/matches/alarms/{alarm.pk}", {"outcome": "suspended"}).status_code == 302
    assert caller_of(key).state == Standing.State.SUSPENDED
    assert client.post(f"/matches/keys/{row.pk}/restore").status_code == 302
    assert caller_of(key).state == Standing.State.GOOD
    assert AuditEntry.objects.last().action == "matchservice.restore_key"
    assert "Suspended" not in client.get("/matches/").content.decode().split("Settled alarms")[0]
    for path in ("/matches/alarms/99", "/matches/keys/99/restore", "/matches/members/99"):
        assert client.post(path).status_code == 404


def test_limits_are_agreed_on_the_page(manager, key_of):
    key = key_of("look-up")
    client, member = manager(), Member.objects.get()
    typed = {"per_second": "50", "burst": "2,000", "per_day": "10000", "per_month": "100000"}
    assert client.post(f"/matches/members/{member.pk}", typed).status_code == 302
    assert caller_of(key).limits == alarms.Limits(50, 2000, 10_000, 100_000)
    assert AuditEntry.objects.last().detail == {
        "per_second": 50,
        "burst": 2000,
        "per_day": 10_000,
        "per_month": 100_000,
    }
    for wrong in ("", "0", "-1", "x", "1e9", "９", "9" * 40):
        answer = client.post(f"/matches/members/{member.pk}", {**typed, "per_day": wrong})
        assert answer.status_code == 422
        assert "whole number" in answer.content.decode()
    assert Plan.objects.get().per_day == 10_000


@pytest.mark.parametrize("role", [role for role in Role if role != Role.MANAGER])
def test_the_page_is_the_managers(role, face, person, sign_in):
    client = sign_in(face("console"), person(role))
    assert client.get("/matches/").status_code == 403
    for path in ("/matches/alarms/1", "/matches/keys/1/restore", "/matches/members/1"):
        assert client.post(path).status_code == 403
