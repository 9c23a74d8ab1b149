"""Changing one's own password, and making a first or another one."""

import secrets
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from strandline.hotline.accounts.attempts import count_wrong, forget_wrong, is_waiting
from strandline.hotline.accounts.models import Person
from strandline.hotline.audit import chain
from strandline.hotline.errors import PasswordRefused


def new_password() -> str:
    """A first password, to be told once: 120 random bits."""
    return secrets.token_urlsafe(15)


def change_password(person: Person, *, current: str, new: str, again: str, now: datetime) -> Person:
    """Give oneself another password; every other session of this person ends.

    A wrong present password counts as one at the door does, and costs the same waits.

    Raises:
        PasswordRefused: naming the field; the old password stays.
    """
    # Argon2 is slow on purpose: not while every other writer waits.
    right = check_password(current, person.password)
    with transaction.atomic():
        chain.lock()
        person = Person.objects.select_for_update().get(pk=person.pk)
        waiting = is_waiting(person, now)
        if not right and not waiting:
            action = "accounts.change_password_refused"
            count_wrong(person, action=action, actor=person.actor, now=now)
    if waiting:
        said = "There were too many wrong passwords. Wait five minutes, then try again."
        raise PasswordRefused("current", said)
    if not right:
        raise PasswordRefused("current", "This is not your present password.")
    return _change(person, new=new, again=again, now=now)


def _change(person: Person, *, new: str, again: str, now: datetime) -> Person:
    if new != again:
        raise PasswordRefused("again", "The two do not match.")
    try:
        validate_password(new, person)
    except ValidationError as refused:
        raise PasswordRefused("new", " ".join(refused.messages)) from refused
    checked = person.password
    encoded = make_password(new)
    with transaction.atomic():
        chain.lock()
        person.refresh_from_db()
        if person.password != checked:
            raise PasswordRefused("current", "Your password was changed meanwhile; sign in again.")
        forget_wrong(person)
        person.password = encoded
        person.save(update_fields=["password", "failed_sign_ins", "locked_until"])
        chain.record(
            at=now, actor=person.actor, action="accounts.change_password", subject=person.actor
        )
    return person


def reset_password(person: Person, *, by: str, now: datetime) -> str:
    """Another password for somebody who forgot theirs, to be told once.

    It ends every session of theirs and the wait after wrong passwords; it restores no access.
    """
    password = new_password()
    encoded = make_password(password)
    with transaction.atomic():
        chain.lock()
        person.refresh_from_db()
        forget_wrong(person)
        person.session_round += 1
        person.password = encoded
        person.save(update_fields=["password", "session_round", "failed_sign_ins", "locked_until"])
        chain.record(at=now, actor=by, action="accounts.reset_password", subject=person.actor)
    return password
