"""Passwords: one's own, one that was forgotten, and the sessions that end with them."""

import pytest

from strandline.hotline.accounts.attempts import FREE_ATTEMPTS, LONGEST_WAIT
from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.passwords import change_password, reset_password
from strandline.hotline.accounts.roles import Role
from strandline.hotline.accounts.services import change_person, sign_in
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import PasswordRefused, SignInRefused

pytestmark = pytest.mark.django_db
OLD, NEW = "seven quiet starfish at noon", "eleven loud herring gulls"


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def analyst(person):
    return person(Role.ANALYST, password=OLD)


def change(somebody, now, current=OLD):
    return change_password(somebody, current=current, new=NEW, again=NEW, now=now)


def test_a_wrong_present_password_counts_and_is_written_down(analyst, now):
    for number in range(1, FREE_ATTEMPTS + 1):
        with pytest.raises(PasswordRefused, match="not your present"):
            change(analyst, now, current="wrong")
        entry = AuditEntry.objects.last()
        assert (entry.action, entry.actor) == ("accounts.change_password_refused", analyst.actor)
        assert entry.detail == {"failed": number}
    with pytest.raises(PasswordRefused, match="too many") as refusal:
        change(analyst, now)
    assert refusal.value.field == "current"
    with pytest.raises(SignInRefused):
        sign_in(email=analyst.email, password=OLD, now=now)
    changed = change(analyst, now + LONGEST_WAIT)
    assert (changed.failed_sign_ins, changed.locked_until) == (0, None)
    assert changed.check_password(NEW)


def test_a_forgotten_password_is_replaced_and_the_wait_is_over(analyst, now):
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(SignInRefused):
            sign_in(email=analyst.email, password="forgotten", now=now)
    before = analyst.get_session_auth_hash()
    password = reset_password(analyst, by="person:9", now=now)
    entry = AuditEntry.objects.last()
    assert (entry.action, entry.actor) == ("accounts.reset_password", "person:9")
    assert entry.subject == analyst.actor
    assert password not in str(AuditEntry.objects.values())
    assert len(password) >= 20
    found = sign_in(email=analyst.email, password=password, now=now)
    assert found.get_session_auth_hash() != before
    with pytest.raises(SignInRefused):
        sign_in(email=analyst.email, password=OLD, now=now)


def test_a_new_password_restores_no_access(analyst, now):
    change_person(analyst, role=Role.ANALYST, is_active=False, by="test", now=now)
    password = reset_password(analyst, by="test", now=now)
    with pytest.raises(SignInRefused):
        sign_in(email=analyst.email, password=password, now=now)


def test_sessions_end_with_access_and_not_with_a_change_of_role(analyst, now):
    begun = analyst.get_session_auth_hash()
    change_person(analyst, role=Role.MANAGER, is_active=True, by="test", now=now)
    assert Person.objects.get(pk=analyst.pk).get_session_auth_hash() == begun
    for is_active in (False, True):
        change_person(analyst, role=Role.MANAGER, is_active=is_active, by="test", now=now)
        assert Person.objects.get(pk=analyst.pk).get_session_auth_hash() != begun
