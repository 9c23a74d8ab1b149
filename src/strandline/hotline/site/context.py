"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from strandline.hotline.accounts.models import Person
from strandline.hotline.console.menu import menu_of


def hotline(request: HttpRequest) -> dict[str, Any]:
    """The hotline's name and face, and who is signed in, if anybody can be here."""
    user = getattr(request, "user", None)
    person = user if isinstance(user, Person) else None
    return {
        "hotline": settings.HOTLINE,
        "person": person,
        "menu": menu_of(person, request.path) if person else [],
    }
