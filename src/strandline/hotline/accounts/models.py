"""Tables of people, member organisations and their keys."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from strandline.hotline.accounts.roles import Permission, Role, allowed

_SESSION_SALT = "strandline.hotline.accounts.session"


class People(BaseUserManager["Person"]):
    """Looking people up by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        """The person who signs in as ``username``."""
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who works here."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    #: Wrong passwords since the last good one; they lengthen the wait.
    failed_sign_ins = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    #: Part of what every session of this person must fit: raising it ends them all.
    session_round = models.PositiveIntegerField(default=0)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[People] = People()

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """How the audit chain names this person."""
        return f"person:{self.pk}"

    def get_session_auth_hash(self) -> str:
        """What a session must carry: it changes with the password and with ``session_round``."""
        text = f"{self.session_round}:{self.password}"
        return salted_hmac(_SESSION_SALT, text, algorithm="sha256").hexdigest()

    def may(self, permission: Permission) -> bool:
        """Whether this person's role carries ``permission``."""
        return self.is_active and allowed(self.role, permission)


class Member(models.Model):
    """An organisation that receives the list."""

    name = models.CharField(max_length=120, unique=True)
    is_active = models.BooleanField(default=True)
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """How the audit chain names this member."""
        return f"member:{self.pk}"


class ApiKey(models.Model):
    """A member's key. Only its SHA-256 is kept: the key itself is 256 random bits."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="keys")
    #: One of ``roles.KEY_ROLES``: what the key is good for.
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.MEMBER)
    digest = models.CharField(max_length=64, unique=True)
    #: The first characters, to tell keys apart on a page.
    hint = models.CharField(max_length=12)
    added_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.member} {self.hint}…"

    def may(self, permission: Permission) -> bool:
        """Whether this key is good for ``permission``."""
        return self.revoked_at is None and self.member.is_active and allowed(self.role, permission)
