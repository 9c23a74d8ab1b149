"""The headers of every answer of every face, whatever its status."""

import re

import pytest
from django.http import HttpResponse

from strandline.hotline.accounts.roles import Role
from strandline.hotline.site.headers import HEADERS, POLICY

pytestmark = pytest.mark.django_db
FACES = ["public", "console", "partners"]

#: What must never be in a page under this policy: it would not work, and would look as if it did.
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+\s*=\s*[\"']|javascript:|<iframe|<object",
    re.IGNORECASE,
)


def check(answer, path):
    found = {name: answer.headers.get(name) for name in HEADERS}
    assert found == HEADERS, path
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers
    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        text = answer.content.decode()
        assert not INLINE.search(text), (path, INLINE.search(text))
        assert "http://" not in re.sub(
            r'xmlns="[^"]*"', "", "".join(re.findall(r"<(?:link|img|script)[^>]*>", text))
        )


def test_the_policy_allows_nothing_that_is_not_named():
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert set(rules.values()) <= {"'none'", "'self'"}
    assert "unsafe" not in POLICY
    assert "*" not in POLICY


@pytest.mark.parametrize("name", FACES)
def test_every_page_of_every_face_has_them(name, face, pages):
    client = face(name)
    client.raise_request_exception = False
    statuses = {}
    for page in pages(name):
        for method in ("get", "head", "post", "options"):
            answer = getattr(client, method)(page.path)
            statuses[method, page.path] = answer.status_code
            check(answer, (method, page.path))
    assert len(statuses) >= 8
    assert 500 not in statuses.values(), statuses


@pytest.mark.parametrize("role", Role, ids=str)
def test_every_page_of_the_console_has_them_for_whoever_is_signed_in(
    role, face, pages, person, sign_in
):
    client = face("console")
    client.raise_request_exception = False
    somebody = person(role)
    for page in pages("console"):
        sign_in(client, somebody)
        answer = client.get(page.path)
        check(answer, page.path)
        assert answer.status_code != 500, page.path


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("path", ["/no-such-page", "/no/such/page/", "/%00", "/static/none.css"])
def test_a_missing_page_has_them(name, path, face):
    answer = face(name).get(path)
    assert answer.status_code == 404
    check(answer, path)


@pytest.mark.parametrize("name", FACES)
def test_a_broken_page_has_them_and_tells_nothing(name, face, monkeypatch, caplog):
    from strandline.hotline.site import views

    class Broken:
        def cursor(self):
            raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(views, "connection", Broken())
    client = face(name)
    client.raise_request_exception = False
    answer = client.get("/healthz")
    assert answer.status_code == 500
    check(answer, "/healthz")
    page = answer.content.decode()
    assert "Something broke on our side" in page
    assert "secret of the inside" not in page
    assert "Traceback" not in page


@pytest.mark.parametrize("name", FACES)
def test_a_request_for_another_host_is_refused_with_them(name, face):
    answer = face(name).get("/healthz?", headers={"host": "evil.example"})
    # healthz does not look at the host; a redirecting or absolute page would.
    check(answer, "/healthz")


@pytest.mark.parametrize("name", ["public", "console"])
def test_a_form_without_its_proof_of_origin_does_nothing_and_says_so(name, face, pages):
    client = face(name, csrf=True)

    def send(path):
        return client.post(
            path, "address=https://example.com/", content_type="application/x-www-form-urlencoded"
        )

    form = next(page for page in pages(name) if send(page.path).status_code == 403)
    answer = send(form.path)
    check(answer, form.path)
    assert "Nothing was sent" in answer.content.decode()


@pytest.mark.parametrize("name", FACES)
def test_https_is_pinned_where_it_is_used(name, face):
    client = face(name)
    assert "Strict-Transport-Security" not in client.get("/healthz").headers
    secure = client.get("/healthz", secure=True)
    assert "max-age=63072000" in secure["Strict-Transport-Security"]


@pytest.mark.parametrize("name", FACES)
def test_static_files_alone_may_be_cached(name, face):
    answer = face(name).get("/static/site/strandline.css")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")
    assert answer["Content-Security-Policy"] == POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    answer.close()


@pytest.mark.parametrize("name", ["public", "partners"])
def test_no_cookie_is_set_but_the_forms_own(name, face, pages):
    client = face(name)
    for page in pages(name):
        for cookie in client.get(page.path).cookies.values():
            assert cookie.key == f"{name}-form"
            assert cookie["httponly"]
            assert cookie["samesite"] == "Strict"


def test_the_middleware_outside_everything_is_the_one_that_sets_them(settings):
    for middleware in settings.MIDDLEWARE_BY_FACE.values():
        if middleware:
            assert middleware[0] == "strandline.hotline.site.headers.security_headers"
    assert HttpResponse().headers.get("Content-Security-Policy") is None
