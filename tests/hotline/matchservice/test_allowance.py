"""How much may be asked: a bucket and two quotas, whatever several processes do at once."""

import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from strandline.hotline.accounts.models import ApiKey, Member
from strandline.hotline.matchservice import alarms, service, standing
from strandline.hotline.matchservice.allowance import Allowances, TooMuch, left_of
from strandline.hotline.matchservice.models import Bucket, Usage
from strandline.hotline.matchservice.standing import Limits, caller_of

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 30, 22, 0, tzinfo=UTC)
ITEM = {"sha256": "00" * 32}


@pytest.fixture
def caller(key_of, now):
    """``caller(per_second=…)`` is somebody with these limits."""

    def make(role="look-up", **limits):
        key = key_of(role)
        agreed = Limits(
            **{"per_second": 10, "burst": 100, "per_day": 10**6, "per_month": 10**7, **limits}
        )
        alarms.agree(member_of_key(key), agreed, by="test", now=now)
        return caller_of(key)

    return make


def member_of_key(key):
    return Member.objects.get(pk=caller_of(key).member)


def spend_all(allowances, caller, moment, cost=1):
    """How often ``cost`` can be asked at one moment."""
    times = 0
    while True:
        try:
            allowances.spend(caller, cost, moment)
        except TooMuch:
            return times
        times += 1


def test_after_the_burst_only_the_rate_is_left(caller):
    who, allowances = caller(per_second=10, burst=100), Allowances()
    assert spend_all(allowances, who, START) == 100
    assert spend_all(allowances, who, START + timedelta(seconds=3)) == 30
    assert spend_all(allowances, who, START + timedelta(hours=1)) == 100


def test_a_refusal_says_how_long_to_wait_and_is_right(caller):
    who, allowances = caller(per_second=10, burst=100), Allowances()
    spend_all(allowances, who, START)
    with pytest.raises(TooMuch) as refused:
        allowances.spend(who, 50, START)
    assert refused.value.seconds == 5
    with pytest.raises(TooMuch):
        allowances.spend(who, 50, START + timedelta(seconds=4))
    allowances.spend(who, 50, START + timedelta(seconds=5))


def test_a_large_call_that_is_refused_does_not_keep_small_ones_out(caller):
    who, allowances = caller(per_second=10, burst=100), Allowances()
    allowances.spend(who, 60, START)
    with pytest.raises(TooMuch):
        allowances.spend(who, 90, START)
    allowances.spend(who, 5, START)


def test_a_call_larger_than_the_burst_is_never_worth_repeating(caller):
    with pytest.raises(TooMuch) as refused:
        Allowances().spend(caller(burst=100), 101, START)
    assert refused.value.seconds is None


@pytest.mark.parametrize(
    ("quota", "wait"),
    [("per_day", timedelta(hours=2)), ("per_month", timedelta(days=1, hours=2))],
)
def test_a_quota_is_for_a_day_or_month_of_utc(quota, wait, caller):
    who, allowances = caller(burst=1000, **{quota: 60}), Allowances()
    assert spend_all(allowances, who, START) == 60
    with pytest.raises(TooMuch) as refused:
        allowances.spend(who, 1, START + timedelta(minutes=1))
    assert refused.value.seconds == (wait - timedelta(minutes=1)).total_seconds()
    assert spend_all(allowances, who, START + wait - timedelta(seconds=1)) == 0
    assert spend_all(allowances, who, START + wait) == 60


def test_the_keys_of_a_member_share_its_allowance(caller, key_of):
    first, allowances = caller(burst=100), Allowances()
    second = caller_of(key_of("look-up", member=Member.objects.get(pk=first.member)))
    assert spend_all(allowances, first, START) == 100
    assert spend_all(allowances, second, START) == 0


def test_what_was_leased_and_not_used_goes_back(caller):
    who, allowances = caller(per_second=50, burst=100, per_day=1000), Allowances()
    allowances.spend(who, 1, START)
    assert Bucket.objects.get().day_used > 1
    allowances.settle(START + timedelta(seconds=3))
    assert (Bucket.objects.get().day_used, Bucket.objects.get().month_used) == (1, 1)
    assert left_of(who, START).day == 999


def test_a_clock_that_goes_back_fills_nothing(caller):
    who, allowances = caller(per_second=10, burst=100), Allowances()
    spend_all(allowances, who, START)
    assert spend_all(allowances, who, START - timedelta(hours=1)) == 0
    assert spend_all(Allowances(), who, START - timedelta(hours=1)) == 0


def test_processes_together_ask_no_more_than_one_would(caller):
    """Leases of four processes, taken in turn: whatever each holds came out of the one bucket."""
    who = caller(per_second=10, burst=100)
    processes = [Allowances() for _ in range(4)]
    total = 0
    for second in range(20):
        for process in processes:
            total += spend_all(process, who, START + timedelta(seconds=second))
    assert total == 100 + 10 * 19


@pytest.mark.django_db(transaction=True)
def test_processes_at_once_ask_no_more(caller, tmp_path, settings):
    """Real ones, each with leases of its own, on a database that they share."""
    who = caller(per_second=1, burst=400)
    database = connection.settings_dict
    url = f"sqlite:///{tmp_path / 'record.sqlite3'}"
    if connection.vendor == "sqlite":  # the tests' own is in the memory of this process
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(tmp_path / "record.sqlite3")])
    else:
        url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    code = textwrap.dedent(
        f"""
        import django; django.setup()
        from datetime import datetime
        from strandline.hotline.accounts.models import ApiKey, Member
        from strandline.hotline.matchservice.allowance import Allowances, TooMuch
        from strandline.hotline.matchservice.standing import Caller, Limits, Standing
        key = ApiKey.objects.get()
        limits = Limits(1, 400, 10**6, 10**7)
        who = Caller(key.pk, key.member_id, False, Standing.State.GOOD, limits)
        mine, times = Allowances(), 0
        now = datetime.fromisoformat("{START.isoformat()}")
        print("ready", flush=True); input()
        while True:
            try: mine.spend(who, 1, now)
            except TooMuch: break
            times += 1
        print(times)
        """
    )
    environment = {
        **os.environ,
        "STRANDLINE_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "strandline.hotline.site.settings",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in running:
        assert process.stdout.readline() == "ready\n"
    spent = [int(process.communicate("\n", timeout=60)[0]) for process in running]
    # One may see 'too much' while another still holds a lease; never more than there is.
    assert 0 < sum(spent) <= 400
    assert spent[0] < 400 or sum(spent) == 400
    assert who.bucket == f"member:{who.member}"


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_calls_costs_few_statements(caller, django_assert_max_num_queries):
    who, allowances = caller(per_second=1000, burst=10_000), Allowances()
    with django_assert_max_num_queries(12):
        for call in range(1000):
            allowances.spend(who, 1, START + timedelta(milliseconds=call))


def test_figures_are_of_keys_and_days_and_of_nothing_else(shelf, ask, key_of, face):
    key = key_of("look-up")
    shelf.add(1, sha256="ab" * 32)
    for _ in range(3):
        assert ask(key, [ITEM, {"sha256": "ab" * 32}]).status_code == 200
    film = {"film": [{"ms": n, "quality": 90, "pdq": "0" * 64} for n in range(5)]}
    assert ask(key, [film]).status_code == 200
    service.allowances.settle()
    row = Usage.objects.get()
    assert (row.calls, row.look_ups, row.listed, row.refused) == (4, 11, 3, 0)
    client = face("partners")
    usage = client.get("/api/v1/usage", headers={"Authorization": f"Bearer {key}"}).json()
    assert usage == {
        "answers": "one-bit",
        "key": "good",
        "calls_today": 4,
        "look_ups_today": 11,
        "listed_today": 3,
        "refused_today": 0,
        "look_ups_this_month": 11,
        "per_second": 200.0,
        "at_once": 5000,
        "day": {"limit": 1_000_000, "used": 11, "left": 999_989},
        "month": {"limit": 20_000_000, "used": 11, "left": 19_999_989},
    }


def test_too_much_is_429_with_the_time_to_wait_and_the_quotas(shelf, ask, key_of, now):
    key = key_of("look-up")
    alarms.agree(member_of_key(key), Limits(1, 10, 100, 1000), by="test", now=now)
    answer = ask(key, [ITEM] * 10)
    assert answer.status_code == 200
    assert answer["RateLimit"] == '"now";r=0, "day";r=90, "month";r=990'
    refused = ask(key, [ITEM] * 8)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 8
    assert refused["RateLimit-Policy"] == '"now";q=10, "day";q=100;w=86400, "month";q=1000'
    assert "1 a second" in refused.json()["detail"]
    assert ask(key, [ITEM] * 11).status_code == 413
    service.allowances.settle()
    assert Usage.objects.get().refused == 2


@pytest.mark.parametrize(
    ("quota", "words", "longest"),
    [
        ("per_day", "Today's quota of 20", 86_400),
        ("per_month", "This month's quota of 20", 31 * 86_400),
    ],
)
def test_a_quota_that_is_used_up_is_429_until_it_begins_anew(
    quota, words, longest, shelf, ask, key_of, now
):
    key = key_of("look-up")
    limits = {"per_second": 1000.0, "burst": 1000, "per_day": 10_000, "per_month": 10_000}
    alarms.agree(member_of_key(key), Limits(**limits | {quota: 20}), by="test", now=now)
    assert ask(key, [ITEM] * 15).status_code == 200
    refused = ask(key, [ITEM] * 15)
    assert refused.status_code == 429
    assert words in refused.json()["detail"]
    assert 1 <= int(refused["Retry-After"]) <= longest
    assert ask(key, [ITEM] * 5).status_code == 200
    assert ask(key, [ITEM]).status_code == 429


def test_a_slowed_key_has_a_tenth_and_leaves_the_others_theirs(caller, key_of):
    first = caller(per_second=10, burst=100)
    key = key_of("look-up", member=Member.objects.get(pk=first.member))
    slowed = caller_of(key)
    standing.Standing.objects.create(key_id=slowed.key, state="slowed")
    slowed, allowances = caller_of(key), Allowances()
    assert spend_all(allowances, slowed, START) == 10
    assert spend_all(allowances, first, START) == 100


def test_a_call_is_authorised_in_one_read(key_of, django_assert_num_queries):
    key = key_of("look-up")
    with django_assert_num_queries(1):
        caller_of(key)


def test_figures_of_the_last_seconds_are_written_when_a_process_ends(key_of, shelf, db):
    """The hook that does it is there, and does nothing in a process that answered nothing."""
    code = textwrap.dedent(
        """
        import django; django.setup()
        from strandline.hotline.matchservice import service
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "strandline.hotline.site.settings"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    key = caller_of(key_of("look-up"))
    service.allowances.count(key, START, look_ups=3, listed=1)
    service._settle_at_the_end()
    assert Usage.objects.get(key=ApiKey.objects.get()).look_ups == 3
