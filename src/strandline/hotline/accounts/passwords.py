"""Changing one's own password, and making a first one."""

import secrets
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from strandline.hotline.accounts.models import Person
from strandline.hotline.audit import chain
from strandline.hotline.errors import PasswordRefused


def new_password() -> str:
    """A first password, to be told once: 120 random bits."""
    return secrets.token_urlsafe(15)


@transaction.atomic
def change_password(person: Person, *, current: str, new: str, again: str, now: datetime) -> Person:
    """Give oneself another password; every other session of this person ends.

    Raises:
        PasswordRefused: naming the field; the old password stays.
    """
    if not person.check_password(current):
        raise PasswordRefused("current", "This is not your present password.")
    if new != again:
        raise PasswordRefused("again", "The two do not match.")
    try:
        validate_password(new, person)
    except ValidationError as refused:
        raise PasswordRefused("new", " ".join(refused.messages)) from refused
    person.set_password(new)
    person.save(update_fields=["password"])
    chain.record(
        at=now, actor=person.actor, action="accounts.change_password", subject=person.actor
    )
    return person
