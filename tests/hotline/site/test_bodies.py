"""What no browser sends is refused by a page of ours, at every face."""

import pytest

from strandline.hotline.site.headers import HEADERS

pytestmark = pytest.mark.django_db
PLAIN = "application/x-www-form-urlencoded"
FACES = {"public": "/report/", "console": "/sign-in", "partners": "/answer/" + "a" * 43}


@pytest.fixture(params=FACES)
def send(request, face):
    """Send a body to a form of each face, with the form's cookie."""
    client = face(request.param, csrf=True)
    client.raise_request_exception = False
    client.cookies[f"{request.param}-form"] = "a" * 32
    return lambda body, kind=PLAIN, **more: client.generic(
        "POST", FACES[request.param], body, content_type=kind, **more
    )


def check(page, status, words):
    assert page.status_code == status
    assert words in page.content.decode()
    assert 'rel="stylesheet"' in page.content.decode(), "a page of ours"
    assert HEADERS.items() <= dict(page.headers).items()


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "latin-1"])
def test_a_form_in_another_charset_is_refused(send, charset):
    check(send(b"a=b", f"{PLAIN}; charset={charset}"), 400, "could not be read")


def test_very_many_fields_are_refused(send):
    check(send("&".join(f"a{n}=b" for n in range(3000)).encode()), 400, "could not be read")


def test_a_foreign_host_is_refused(send, settings):
    settings.ALLOWED_HOSTS = ["strandline.example"]
    check(send(b"a=b", headers={"host": "evil.example"}), 400, "could not be read")


def test_a_large_body_is_refused_unread(send, settings):
    size = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    check(send(b"a=b", CONTENT_LENGTH=size), 413, "Nothing was stored")


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "image/jpeg", "text/plain"])
def test_a_file_is_refused_unread(send, kind):
    check(send(b"a=b", kind), 415, "Nothing was stored")
