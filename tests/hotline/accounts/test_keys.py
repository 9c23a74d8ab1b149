"""Members' keys: shown once, kept as a digest, ended at once."""

import pytest
from django.db import IntegrityError, transaction

from strandline.hotline.accounts.models import ApiKey
from strandline.hotline.accounts.roles import Permission, Role
from strandline.hotline.accounts.services import (
    add_key,
    add_member,
    key_for,
    member_of,
    revoke_key,
)
from strandline.hotline.audit.models import AuditEntry
from strandline.hotline.errors import NameRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(now):
    return add_member(name="Example Platform", by="test", now=now)


def test_a_key_opens_its_own_member_and_no_other(member, now):
    other = add_member(name="Another", by="test", now=now)
    keys = {add_key(owner, by="test", now=now): owner for owner in (member, other, member)}
    assert len(keys) == 3
    for key, owner in keys.items():
        assert member_of(key) == owner


def test_a_look_up_key_asks_and_does_not_hold(member, now):
    key = add_key(member, role=Role.LOOK_UP, by="test", now=now)
    assert member_of(key) is None
    assert key_for(key, Permission.READ_LIST) is None
    assert key_for(key, Permission.ASK_MATCHES).member == member
    assert AuditEntry.objects.last().detail["role"] == "look-up"


def test_a_key_is_256_random_bits_and_is_kept_nowhere(member, now):
    key = add_key(member, by="test", now=now)
    assert len(key) == len("slk_") + 43
    row = ApiKey.objects.get()
    assert row.hint == key[:8]
    everything = str(list(ApiKey.objects.values())) + str(list(AuditEntry.objects.values()))
    assert key not in everything
    assert key[8:] not in everything


@pytest.mark.parametrize("typed", ["", "slk_", " ", "slk_" + "A" * 43, "\0", "é"])
def test_anything_else_opens_nothing(typed, member, now):
    add_key(member, by="test", now=now)
    assert member_of(typed) is None


def test_a_part_or_the_digest_of_a_key_opens_nothing(member, now):
    key = add_key(member, by="test", now=now)
    assert member_of(key[:-1]) is None
    assert member_of(key.upper()) is None
    assert member_of(ApiKey.objects.get().digest) is None


def test_a_revoked_key_is_refused_at_once_and_the_others_go_on(member, now):
    first, second = (add_key(member, by="test", now=now) for _ in range(2))
    revoke_key(ApiKey.objects.order_by("pk").first(), by="person:1", now=now)
    assert member_of(first) is None
    assert member_of(second) == member
    assert AuditEntry.objects.last().action == "accounts.revoke_key"


def test_no_key_of_an_inactive_member_works(member, now):
    key = add_key(member, by="test", now=now)
    member.is_active = False
    member.save()
    assert member_of(key) is None


def test_two_members_cannot_share_a_name(member, now):
    with pytest.raises(IntegrityError), transaction.atomic():
        add_member(name=member.name, by="test", now=now)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x07bell"])
def test_a_name_that_cannot_be_one_is_refused(name, now):
    with pytest.raises(NameRefused):
        add_member(name=name, by="test", now=now)
