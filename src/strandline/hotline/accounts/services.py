"""What can be done with people and keys: add, sign in, revoke."""

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from strandline.hotline.accounts.attempts import count_wrong, forget_wrong, is_waiting
from strandline.hotline.accounts.models import ApiKey, Member, Person
from strandline.hotline.accounts.roles import KEY_ROLES, Permission, Role
from strandline.hotline.audit import chain
from strandline.hotline.errors import NameRefused, SignInRefused

#: Letters of the longest name.
LONGEST_NAME = 120

#: One sentence for every refusal: another one would tell which addresses are known here.
_REFUSED = (
    "This e-mail address and password do not fit together, or there were too many wrong "
    "passwords. In that case wait five minutes."
)


@transaction.atomic
def add_person(
    *, email: str, name: str, role: Role, password: str | None, by: str, now: datetime
) -> Person:
    """Add somebody who works here; without a password they cannot sign in yet."""
    person = Person(email=email.lower(), name=_checked(name), role=role)
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
    """Change what somebody may do, or end their access; effective at their next request.

    Ending access ends every session for good: restoring it later revives none.
    """
    chain.lock()
    person.refresh_from_db()
    if person.is_active and not is_active:
        person.session_round += 1
    person.role = role
    person.is_active = is_active
    person.save(update_fields=["role", "is_active", "session_round"])
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

    After :data:`attempts.FREE_ATTEMPTS` wrong passwords each further one doubles a wait, at most
    :data:`attempts.LONGEST_WAIT`. An unknown address costs the same time as a known one.

    Raises:
        SignInRefused: unknown, wrong, inactive or waiting.
    """
    claimed = Person.objects.filter(email__iexact=email, is_active=True).first()
    if claimed is None:
        make_password(password)
        raise SignInRefused(_REFUSED)
    # A tenth of a second of Argon2: not while every other writer waits.
    right = check_password(password, claimed.password)
    with transaction.atomic():
        chain.lock()
        person = Person.objects.select_for_update().get(pk=claimed.pk)
        waiting = is_waiting(person, now)
        if right and person.password == claimed.password and person.is_active and not waiting:
            return _signed_in(person, now)
        if not waiting:
            count_wrong(person, action="accounts.sign_in_refused", actor="console", now=now)
    raise SignInRefused(_REFUSED)


def _signed_in(person: Person, now: datetime) -> Person:
    forget_wrong(person)
    person.last_login = now
    person.save(update_fields=["failed_sign_ins", "locked_until", "last_login"])
    chain.record(at=now, actor=person.actor, action="accounts.sign_in", subject=person.actor)
    return person


@transaction.atomic
def sign_out(person: Person, *, now: datetime) -> None:
    """Write down that somebody signed out; the session is the caller's to end."""
    chain.record(at=now, actor=person.actor, action="accounts.sign_out", subject=person.actor)


@transaction.atomic
def add_member(*, name: str, by: str, now: datetime) -> Member:
    """Add an organisation that receives the list."""
    member = Member.objects.create(name=_checked(name), added_at=now)
    chain.record(at=now, actor=by, action="accounts.add_member", subject=member.actor)
    return member


@transaction.atomic
def add_key(member: Member, *, by: str, now: datetime, role: Role = Role.MEMBER) -> str:
    """A new API key for ``member``: shown this once, kept only as a digest.

    ``role`` says what it is good for: one of ``roles.KEY_ROLES``.
    """
    assert role in KEY_ROLES, "the other roles are people's"
    key = f"slk_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        member=member, role=role, digest=_digest(key), hint=key[:8], added_at=now
    )
    chain.record(
        at=now,
        actor=by,
        action="accounts.add_key",
        subject=member.actor,
        detail={"key": row.pk, "role": role.value},
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
    """The member whose key this is, if the key may hold the list.

    None when it is unknown, revoked, for look-ups only, or its member inactive.
    """
    row = key_for(key, Permission.READ_LIST)
    return row.member if row else None


def key_for(key: str, permission: Permission) -> ApiKey | None:
    """The row of this key, with its member; none when it is unknown or not good for this."""
    row = ApiKey.objects.select_related("member").filter(digest=_digest(key)).first()
    return row if row is not None and row.may(permission) else None


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise NameRefused(f"A name has 1 to {LONGEST_NAME} letters. Nothing was stored.")
    return name


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
