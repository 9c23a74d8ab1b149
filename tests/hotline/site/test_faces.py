"""Three faces that share code and nothing else."""

import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import path

from strandline.hotline.accounts.access import allow
from strandline.hotline.accounts.roles import Permission, Role
from strandline.hotline.config import Face
from strandline.hotline.site.headers import OPEN_VIEWS
from strandline.hotline.site.urls import console

OUTSIDE = ["public", "partners"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_view_of_staff_exists_outside_the_console(name, pages):
    staff = {page.view for page in pages("console") if page.name not in OPEN_VIEWS}
    assert len(staff) > 5
    for page in pages(name):
        assert not hasattr(page.view, "permission"), page
        assert page.view not in staff, page


@pytest.mark.django_db
@pytest.mark.parametrize("name", OUTSIDE)
def test_the_consoles_addresses_are_not_found_outside_even_for_staff(
    name, face, pages, person, sign_in
):
    inside = sign_in(face("console"), person(Role.MANAGER))
    cookies = inside.cookies
    own = {page.path for page in pages(name)}
    addresses = [page.path for page in pages("console") if page.path not in own]
    client = face(name)
    client.cookies = cookies
    for address in addresses:
        assert client.get(address).status_code in {401, 404}, address


def test_every_console_page_declares_its_permission(pages):
    for page in pages("console"):
        if page.name not in OPEN_VIEWS:
            assert isinstance(getattr(page.view, "permission", None), Permission), page


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role, ids=str)
def test_each_console_page_refuses_whoever_lacks_its_permission(role, face, pages, person, sign_in):
    """The whole table: every page, every role."""
    somebody = person(role)
    client = face("console")
    for page in pages("console"):
        permission = getattr(page.view, "permission", None)
        if permission is None:
            continue
        sign_in(client, somebody)
        for method in (client.get, client.post):
            refused = method(page.path).status_code == 403
            assert refused is not somebody.may(permission), (page, role)


@pytest.mark.django_db
def test_each_console_page_sends_strangers_to_sign_in(face, pages):
    client = face("console")
    for page in pages("console"):
        if hasattr(page.view, "permission"):
            for method in (client.get, client.post):
                answer = method(page.path)
                assert answer.status_code == 302, page
                assert "next=" in answer["Location"], page


def test_sessions_exist_at_the_console_alone(settings):
    for name in Face:
        middleware = settings.MIDDLEWARE_BY_FACE[name]
        has = [entry for entry in middleware if "session" in entry or "auth" in entry.lower()]
        assert bool(has) is (name == Face.CONSOLE)


def undeclared(request):
    return HttpResponse("this must never be seen")


@allow(Permission.SEE_OWN_PAGE)
def declared(request):
    return HttpResponse("declared")


class Undeclared:
    """The console with three more views, none of which anybody thought about."""

    handler404 = "strandline.hotline.site.views.not_found"
    urlpatterns = [
        *console.urlpatterns,
        path("undeclared", undeclared, name="undeclared"),
        path("unnamed", undeclared),
        path("declared", declared, name="declared"),
    ]


@pytest.mark.django_db
def test_a_console_view_that_declares_nothing_does_not_exist(face, settings, person, sign_in):
    client = face("console")
    settings.ROOT_URLCONF = Undeclared
    sign_in(client, person(Role.ADMINISTRATOR))
    assert client.get("/undeclared").status_code == 404
    assert client.get("/unnamed").status_code == 404
    assert client.get("/declared").content == b"declared"


@pytest.mark.parametrize("name", list(Face), ids=str)
def test_a_process_is_the_face_it_was_started_as(name, tmp_path):
    """Each in a process of its own, as they run."""
    program = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "print(settings.ROOT_URLCONF, *settings.MIDDLEWARE, settings.CSRF_COOKIE_NAME)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "STRANDLINE_FACE": name.value},
    )
    assert f"urls.{name.value} " in done.stdout
    assert ("SessionMiddleware" in done.stdout) is (name == Face.CONSOLE)
    assert f"{name.value}-form" in done.stdout


def test_a_face_that_does_not_exist_does_not_start():
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "STRANDLINE_FACE": "everything"},
    )
    assert done.returncode != 0
    assert "everything" in done.stderr


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["public", "console", "partners"])
def test_a_face_says_that_it_is_alive(name, face):
    answer = face(name).get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_no_line_of_a_log_is_written_for_a_request(settings):
    assert settings.LOGGING["loggers"]["django.server"]["handlers"] == []
    assert settings.LOGGING["loggers"]["django.request"]["level"] == "ERROR"


@pytest.mark.parametrize("face", ["public", "console", "partners"])
def test_a_page_that_is_not_there_looks_like_its_face(wear, face):
    from django.test import Client

    wear(face)
    answer = Client().get("/no-such-page")
    if answer.status_code == 404:
        assert f'<body class="{face}">'.encode() in answer.content
