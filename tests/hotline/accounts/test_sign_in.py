"""Signing in: waits that grow, answers that do not tell, sign-ins that are written down."""

from datetime import timedelta

import pytest

from strandline.hotline.accounts.attempts import FREE_ATTEMPTS, LONGEST_WAIT
from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import add_person, change_person, sign_in
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import SignInRefused

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """Argon2 is slow on purpose; which hasher is used has a test of its own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def analyst(now):
    return add_person(
        email="Ana@Hotline.Example",
        name="Ana",
        role=Role.ANALYST,
        password=GOOD,
        by="test",
        now=now,
    )


def refused(now, password="wrong", email="ana@hotline.example"):
    with pytest.raises(SignInRefused) as refusal:
        sign_in(email=email, password=password, now=now)
    return refusal.value.message


def test_a_right_password_signs_in_whatever_the_address_case(analyst, now):
    found = sign_in(email="ANA@hotline.EXAMPLE", password=GOOD, now=now)
    assert found == analyst
    assert found.last_login == now
    assert AuditEntry.objects.last().action == "accounts.sign_in"


def test_the_refusal_does_not_tell_what_was_wrong(analyst, now):
    wrong = refused(now)
    assert refused(now, email="nobody@hotline.example") == wrong
    change_person(analyst, role=Role.ANALYST, is_active=False, by="test", now=now)
    assert refused(now, password=GOOD) == wrong


def test_nobody_signs_in_without_a_password_of_their_own(now):
    add_person(
        email="new@hotline.example", name="N", role=Role.ANALYST, password=None, by="t", now=now
    )
    for password in ("", "!", "None"):
        refused(now, password=password, email="new@hotline.example")


def test_wrong_passwords_cost_a_wait_that_doubles_up_to_five_minutes(analyst, now):
    for _ in range(FREE_ATTEMPTS - 1):
        refused(now)
        assert Person.objects.get().locked_until is None
    waits = []
    for _ in range(9):
        refused(now)
        until = Person.objects.get().locked_until
        waits.append(until - now)
        now = until + timedelta(seconds=1)
    assert waits[:4] == [timedelta(minutes=m) for m in (1, 2, 4, 5)]
    assert waits[-1] == LONGEST_WAIT
    assert max(waits) == LONGEST_WAIT == timedelta(minutes=5)


def test_no_refusal_tells_that_an_address_is_known(analyst, now):
    said = {refused(now) for _ in range(FREE_ATTEMPTS + 2)}
    said.add(refused(now, password=GOOD))
    said |= {refused(now, email="nobody@hotline.example") for _ in range(FREE_ATTEMPTS + 2)}
    (only,) = said
    assert "do not fit together" in only
    assert "five minutes" in only


def test_while_waiting_even_the_right_password_is_refused_and_nothing_is_counted(analyst, now):
    for _ in range(FREE_ATTEMPTS):
        refused(now)
    before = Person.objects.get()
    refused(now + timedelta(seconds=30), password=GOOD)
    after = Person.objects.get()
    assert (after.failed_sign_ins, after.locked_until) == (
        before.failed_sign_ins,
        before.locked_until,
    )
    assert sign_in(email=analyst.email, password=GOOD, now=after.locked_until)


def test_a_good_sign_in_forgets_the_wrong_ones(analyst, now):
    for _ in range(FREE_ATTEMPTS - 1):
        refused(now)
    sign_in(email=analyst.email, password=GOOD, now=now)
    assert Person.objects.get().failed_sign_ins == 0
    refused(now)
    assert Person.objects.get().locked_until is None


def test_a_refused_sign_in_is_written_down_without_what_was_typed(analyst, now):
    refused(now, password="my dog's name")
    entry = AuditEntry.objects.last()
    assert (entry.action, entry.subject) == ("accounts.sign_in_refused", analyst.actor)
    assert "dog" not in str(AuditEntry.objects.values())


def test_a_password_that_was_changed_while_it_was_checked_is_refused(analyst, now, monkeypatch):
    from strandline.hotline.accounts import services

    real = services.check_password

    def check_and_meanwhile_change(password, encoded):
        answer = real(password, encoded)
        person = Person.objects.get()
        person.set_password("another " + GOOD)
        person.save()
        return answer

    monkeypatch.setattr(services, "check_password", check_and_meanwhile_change)
    refused(now, password=GOOD)


def test_passwords_are_kept_as_argon2_only(settings, now):
    from strandline.hotline.site import settings as written

    assert written.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    settings.PASSWORD_HASHERS = written.PASSWORD_HASHERS
    somebody = add_person(
        email="b@hotline.example", name="B", role=Role.MANAGER, password=GOOD, by="t", now=now
    )
    assert somebody.password.startswith("argon2$argon2id$")
