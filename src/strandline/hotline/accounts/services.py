"""What can be done with people and keys: add, sign in, revoke."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from strandline.hotline.accounts.models import ApiKey, Member, Person
from strandline.hotline.accounts.roles import Role
from strandline.hotline.audit import chain
from strandline.hotline.errors import SignInRefused

#: Wrong passwords allowed before each further one costs a wait.
FREE_ATTEMPTS = 5
#: The longest wait after a wrong password.
LONGEST_WAIT = timedelta(hours=1)

_WRONG = "This e-mail address and password do not fit together."


@transaction.atomic
def add_person(
    *, email: str, name: str, role: Role, password: str | None, by: str, now: datetime
) -> Person:
    """Add somebody who works here; without a password they cannot sign in yet."""
    person = Person(email=email.lower(), name=name, role=role)
    if password is None:
        person.set_unusable_password()
    else:
        person.set_password(password)
    person.save()
    chain.record(
        at=now,
        actor=by,
        action="accounts.add_person",
        subject=f"person:{person.pk}",
        detail={"role": role.value},
    )
    return person


@transaction.atomic
def change_person(person: Person, *, role: Role, is_active: bool, by: str, now: datetime) -> Person:
    """Change what somebody may do, or end their access; effective at their next request."""
    person.role = role
    person.is_active = is_active
    person.save(update_fields=["role", "is_active"])
    chain.record(
        at=now,
        actor=by,
        action="accounts.change_person",
        subject=f"person:{person.pk}",
        detail={"role": role.value, "is_active": is_active},
    )
    return person


def sign_in(*, email: str, password: str, now: datetime) -> Person:
    """The person these credentials belong to.

    After :data:`FREE_ATTEMPTS` wrong passwords each further one doubles a wait, at most
    :data:`LONGEST_WAIT`. An unknown address costs the same time as a known one.

    Raises:
        SignInRefused: unknown, wrong, inactive or waiting.
    """
    claimed = Person.objects.filter(email__iexact=email, is_active=True).first()
    if claimed is None:
        make_password(password)
        raise SignInRefused(_WRONG)
    # A tenth of a second of Argon2: not while every other writer waits.
    right = check_password(password, claimed.password)
    with transaction.atomic():
        chain.lock()
        person = Person.objects.select_for_update().get(pk=claimed.pk)
        waiting = person.locked_until is not None and person.locked_until > now
        if right and person.password == claimed.password and person.is_active and not waiting:
            return _signed_in(person, now)
        refusal = _WRONG
        if waiting:
            assert person.locked_until is not None
            minutes = int((person.locked_until - now).total_seconds() // 60) + 1
            refusal = f"Too many wrong passwords. Try again in {minutes} minutes."
        else:
            _count_failure(person, now)
    raise SignInRefused(refusal)


def _signed_in(person: Person, now: datetime) -> Person:
    person.failed_sign_ins = 0
    person.locked_until = None
    person.last_login = now
    person.save(update_fields=["failed_sign_ins", "locked_until", "last_login"])
    chain.record(at=now, actor=person.actor, action="accounts.sign_in", subject=person.actor)
    return person


def _count_failure(person: Person, now: datetime) -> None:
    person.failed_sign_ins += 1
    if person.failed_sign_ins >= FREE_ATTEMPTS:
        doublings = min(person.failed_sign_ins - FREE_ATTEMPTS, 10)
        person.locked_until = now + min(timedelta(minutes=2**doublings), LONGEST_WAIT)
    person.save(update_fields=["failed_sign_ins", "locked_until"])
    chain.record(
        at=now,
        actor="console",
        action="accounts.sign_in_refused",
        subject=person.actor,
        detail={"failed": person.failed_sign_ins},
    )


@transaction.atomic
def add_member(*, name: str, by: str, now: datetime) -> Member:
    """Add an organisation that receives the list."""
    member = Member.objects.create(name=name, added_at=now)
    chain.record(at=now, actor=by, action="accounts.add_member", subject=member.actor)
    return member


@transaction.atomic
def add_key(member: Member, *, by: str, now: datetime) -> str:
    """A new API key for ``member``: shown this once, kept only as a digest."""
    key = f"slk_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(member=member, digest=_digest(key), hint=key[:8], added_at=now)
    chain.record(
        at=now,
        actor=by,
        action="accounts.add_key",
        subject=member.actor,
        detail={"key": row.pk},
    )
    return key


@transaction.atomic
def revoke_key(key: ApiKey, *, by: str, now: datetime) -> None:
    """End a key; its next call is refused."""
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    chain.record(
        at=now,
        actor=by,
        action="accounts.revoke_key",
        subject=key.member.actor,
        detail={"key": key.pk},
    )


def member_of(key: str) -> Member | None:
    """The member this key belongs to; none when it is unknown, revoked or its member inactive."""
    row = (
        ApiKey.objects.select_related("member")
        .filter(digest=_digest(key), revoked_at=None, member__is_active=True)
        .first()
    )
    return row.member if row else None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
