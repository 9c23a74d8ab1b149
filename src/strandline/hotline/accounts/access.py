"""The guard in front of every console page: no permission declared, no page."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from strandline.hotline.accounts.models import Person
from strandline.hotline.accounts.roles import Permission

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request that the guard let through: its user is a person."""

    user: Person


def allow(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let only people through whose role carries ``permission``.

    Somebody who is not signed in is sent to sign in; somebody else gets a page with status 403.
    The view carries its permission as ``.permission``, so that tests can read the whole table.
    """

    def guard(
        view: Callable[Concatenate[StaffRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not isinstance(request.user, Person) or not request.user.is_active:
                return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.path})}")
            if not request.user.may(permission):
                return refuse(request, permission)
            return view(cast("StaffRequest", request), *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def refuse(request: HttpRequest, permission: Permission) -> HttpResponse:
    """The page for somebody whose role does not reach."""
    return render(request, "site/not-allowed.html", {"permission": permission}, status=403)
