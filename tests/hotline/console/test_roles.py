"""Who reaches what, as one table: every page of the console, every role, nobody signed in."""

import pytest
from django.urls import URLPattern, get_resolver

from strandline.hotline.accounts.roles import KEY_ROLES, PERMISSIONS, Permission, Role
from strandline.hotline.site.headers import OPEN_VIEWS

pytestmark = pytest.mark.django_db

P = Permission
#: Page, whether it changes something, and what it needs: written out here a second time on purpose.
TABLE = {
    "queue": ("get", "/", P.SEE_QUEUE),
    "claim-next": ("post", "/claim", P.ASSESS),
    "address": ("get", "/addresses/1", P.SEE_QUEUE),
    "claim": ("post", "/addresses/1/claim", P.ASSESS),
    "message": ("post", "/addresses/1/reports/R-AAAA-AAAA/message", P.READ_NOTE),
    "assess": ("get", "/assess/1", P.ASSESS),
    "rendition": ("get", "/assess/1/items/1/blurred", P.ASSESS),
    "contacts": ("get", "/contacts/", P.OPEN_CONTACT),
    "people": ("get", "/people/", P.MANAGE_PEOPLE),
    "change-person": ("post", "/people/1", P.MANAGE_PEOPLE),
    "reset-password": ("post", "/people/1/password", P.MANAGE_PEOPLE),
    "members": ("get", "/members/", P.MANAGE_PEOPLE),
    "add-key": ("post", "/members/1/keys", P.MANAGE_PEOPLE),
    "revoke-key": ("post", "/keys/1/revoke", P.MANAGE_PEOPLE),
    "due-work": ("get", "/work/", P.MANAGE_WORK),
    "retry": ("post", "/work/reports.capture/1/retry", P.MANAGE_WORK),
    "settle-mail": ("post", "/work/mails/1", P.MANAGE_WORK),
    "audit": ("get", "/audit/", P.SEE_AUDIT),
    "verify-chain": ("post", "/audit/verify", P.SEE_AUDIT),
    "own-page": ("get", "/me/", P.SEE_OWN_PAGE),
    "password": ("post", "/me/password", P.SEE_OWN_PAGE),
}


def patterns(resolver=None):
    for pattern in (resolver or get_resolver("strandline.hotline.site.urls.console")).url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from patterns(pattern)


def test_every_page_declares_what_it_needs():
    for pattern in patterns():
        declared = getattr(pattern.callback, "permission", None)
        assert (pattern.name in OPEN_VIEWS) != (declared is not None), pattern


def test_the_table_names_every_page_of_this_room():
    ours = {
        pattern.name
        for pattern in patterns()
        if pattern.callback.__module__.startswith("strandline.hotline.console")
    }
    assert ours - OPEN_VIEWS == set(TABLE)


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_exactly_its_pages(role, at_console):
    client = at_console(role)
    for name, (method, url, permission) in TABLE.items():
        refused = getattr(client, method)(url).status_code == 403
        assert refused == (permission not in PERMISSIONS[role]), (name, role)


@pytest.mark.parametrize("role", KEY_ROLES)
def test_a_key_s_role_reaches_nothing_of_any_room(role, at_console):
    client = at_console(role)
    for pattern in patterns():
        if pattern.name in OPEN_VIEWS:
            continue
        url = "/" + _filled(str(pattern.pattern))
        assert client.get(url).status_code == 403, url
        assert client.post(url).status_code == 403, url


def _filled(route):
    for kind, value in (("int", "1"), ("str", "x"), ("slug", "x"), ("uuid", "x")):
        while f"<{kind}:" in route:
            begin = route.index(f"<{kind}:")
            route = route[:begin] + value + route[route.index(">", begin) + 1 :]
    return route


def test_somebody_who_is_not_signed_in_is_sent_to_the_door(face):
    client = face("console")
    for method, url, _ in TABLE.values():
        answer = getattr(client, method)(url)
        assert answer.status_code == 302
        assert answer.url.startswith("/sign-in?next=")


def test_somebody_whose_access_ended_reaches_nothing_from_the_next_request_on(at_console):
    client = at_console(Role.ADMINISTRATOR)
    assert client.get("/people/").status_code == 200
    client.person.is_active = False
    client.person.save()
    for method, url, _ in TABLE.values():
        answer = getattr(client, method)(url)
        assert answer.status_code == 302
        assert answer.url.startswith("/sign-in")


@pytest.mark.parametrize("role", [role for role in Role if role not in KEY_ROLES])
def test_the_menu_leads_only_where_one_may_go(role, at_console):
    from strandline.hotline.console.menu import home_of, menu_of

    client = at_console(role)
    assert client.get(home_of(client.person)).status_code == 200
    for _, url, _ in menu_of(client.person, "/"):
        assert client.get(url).status_code == 200, url


@pytest.mark.parametrize("face_name", ["public", "partners"])
def test_the_other_faces_have_no_page_of_the_console(face, face_name):
    client = face(face_name)
    for url in ("/sign-in", "/queue", "/work/", "/people/", "/assess/1"):
        assert client.get(url).status_code == 404
