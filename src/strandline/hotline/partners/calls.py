"""What every call of the partners' API shares: whose it is, and how a refusal reads."""

from typing import cast

from django.http import HttpRequest
from ninja import Schema

from strandline.hotline.accounts.models import Member


class Problem(Schema):
    """Why a call was not answered, for the person who reads it."""

    detail: str


def caller(request: HttpRequest) -> Member:
    """The member whose key the call bears."""
    return cast("Member", getattr(request, "auth"))  # noqa: B009 - set by ninja, unknown to Django
