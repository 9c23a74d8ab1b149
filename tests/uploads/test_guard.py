"""An application never sees a listed upload, and sees every other exactly as it was sent."""

import asyncio
import hashlib
import io
from collections.abc import Iterable
from typing import IO, Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strandline.uploads import Finding, Listed, Unavailable, asgi_guard, wsgi_guard

LISTED = b"a listed file"
BOUNDARY = "x0x0x"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


class ByItsBytes:
    """A checker whose list is one file."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.unavailable = False

    def check(self, file: IO[bytes]) -> Finding:
        if self.unavailable:
            raise Unavailable("The list is too old.")
        data = file.read()
        self.seen.append(data)
        return Finding(listed=data == LISTED, sha256=hashlib.sha256(data).hexdigest())


class Site:
    """An application that reads its whole body, behind both guards."""

    def __init__(self, **options: Any) -> None:
        self.checker = ByItsBytes()
        self.told: list[Listed] = []
        self.bodies: list[bytes] = []
        options |= {"on_listed": self.told.append}
        self.wsgi = wsgi_guard(self._wsgi, self.checker, **options)
        self.asgi = asgi_guard(self._asgi, self.checker, **options)

    def _wsgi(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.bodies.append(environ["wsgi.input"].read(length))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"kept"]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"kept"})

    def post(
        self, way: str, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        headers = headers or {"content-type": content_type}
        if way == "wsgi":
            with httpx2.Client(transport=httpx2.WSGITransport(app=self.wsgi)) as client:
                return client.post("http://forum.example/", content=body, headers=headers)

        async def sent() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.asgi)
            async with httpx2.AsyncClient(transport=transport) as client:
                return await client.post("http://forum.example/", content=body, headers=headers)

        return asyncio.run(sent())


def form(*parts: tuple[str, bytes]) -> bytes:
    """A form of (headers, content)."""
    made = b"".join(
        b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), headers.encode(), content)
        for headers, content in parts
    )
    return made + b"--%s--\r\n" % BOUNDARY.encode()


def a_file(content: bytes, name: str = "photo.jpg") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="file"; filename="{name}"', content


def a_field(content: bytes) -> tuple[str, bytes]:
    return 'Content-Disposition: form-data; name="text"', content


@pytest.fixture(params=["wsgi", "asgi"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_listed_file_in_a_form_never_reaches_the_application(way: str) -> None:
    site = Site()
    answer = site.post(way, form(a_field(b"hello"), a_file(b"other"), a_file(LISTED)), FORM)
    assert answer.status_code == 422
    assert answer.text == "This file cannot be accepted.\n"
    assert not site.bodies
    [listed] = site.told
    assert listed.finding.sha256 == hashlib.sha256(LISTED).hexdigest()


def test_the_answer_to_its_sender_says_nothing_of_the_list(way: str) -> None:
    answer = Site().post(way, form(a_file(LISTED)), FORM)
    told = answer.text + str(answer.headers)
    for word in ("entry", "hash", "match", "list", "distance"):
        assert word not in told.lower()


def test_a_listed_file_sent_as_the_body_never_reaches_the_application(way: str) -> None:
    site = Site()
    assert site.post(way, LISTED, "image/jpeg").status_code == 422
    assert site.post(way, LISTED, "application/octet-stream").status_code == 422
    assert not site.bodies


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200_000))
def test_any_other_body_reaches_the_application_unchanged(data: bytes) -> None:
    for way in ("wsgi", "asgi"):
        site = Site()
        assert site.post(way, data, "image/png").text == "kept"
        whole = form(a_field(b"words"), a_file(data))
        # A boundary inside of the file would end it.
        if BOUNDARY.encode() not in data:
            assert site.post(way, whole, FORM).text == "kept"
            assert site.bodies == [data, whole]
            assert data in site.checker.seen


def test_a_body_that_holds_no_files_is_not_looked_at(way: str) -> None:
    site = Site()
    assert site.post(way, b'{"a": 1}', "application/json").text == "kept"
    assert not site.checker.seen


def test_a_part_that_says_it_is_a_picture_is_looked_at_though_it_has_no_name(way: str) -> None:
    site = Site()
    part = ('Content-Disposition: form-data; name="file"\r\nContent-Type: image/png', LISTED)
    assert site.post(way, form(part), FORM).status_code == 422


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name=\"f\"; filename*=UTF-8''a.jpg",
        'form-data; name="f"; filename*0="a.jpg"',
        'form-data; name="f"',
        'form-data; name="f\\\\"; filename="a.jpg"',
        'form-data; name="f"; filename="a.jpg"\r\nContent-Disposition: form-data; name="f"',
        "attachment",
    ],
)
def test_a_picture_is_looked_at_whatever_its_part_calls_itself(way: str, disposition: str) -> None:
    site = Site()
    picture = b"\xff\xd8\xff a listed picture"
    site.checker.check = lambda file: Finding(file.read() == picture, "0" * 64)  # type: ignore[method-assign]
    part = (f"Content-Disposition: {disposition}", picture)
    assert site.post(way, form(part), FORM).status_code in {400, 422}
    assert not site.bodies


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=second; boundary=x0x0x",
        "multipart/form-data; boundary=second; boundary*=utf-8''x0x0x",
        "multipart/form-data; boundary*=utf-8''x0x0x; boundary=second",
        "multipart/form-data; boundary*0=x0x0x",
        'multipart/form-data; boundary="x0x0x',
        "multipart/mixed; boundary=x0x0x",
    ],
)
def test_a_form_whose_boundary_could_be_read_in_two_ways_is_refused(
    way: str, content_type: str
) -> None:
    site = Site()
    assert site.post(way, form(a_file(LISTED)), content_type).status_code == 400
    assert not site.bodies


@pytest.mark.parametrize("line_end", [b"\n", b"\r"])
def test_a_form_that_could_be_cut_in_two_ways_is_refused(way: str, line_end: bytes) -> None:
    hidden = b"words" + line_end + b"--x0x0x" + line_end + line_end + LISTED
    site = Site()
    assert site.post(way, form(a_field(hidden)), FORM).status_code == 400
    assert not site.bodies


def test_a_body_with_parameters_behind_its_type_is_looked_at(way: str) -> None:
    for kind in ("application/octet-stream; charset=binary", "IMAGE/JPEG;x=y"):
        assert Site().post(way, LISTED, kind).status_code == 422


def test_a_compressed_body_is_refused(way: str) -> None:
    site = Site()
    headers = {"content-type": "image/jpeg", "content-encoding": "gzip"}
    assert site.post(way, LISTED, "image/jpeg", headers).status_code == 415
    assert not site.bodies


def test_a_part_in_a_transfer_encoding_is_refused(way: str) -> None:
    site = Site()
    headers, content = a_file(b"YSBsaXN0ZWQgZmlsZQ==")
    body = form((f"{headers}\r\nContent-Transfer-Encoding: base64", content))
    assert site.post(way, body, FORM).status_code == 400
    assert not site.bodies


@pytest.mark.parametrize("cut", [1, 5, 20, 60, 100])
def test_a_form_that_is_cut_off_is_refused_with_a_sentence(way: str, cut: int) -> None:
    site = Site()
    answer = site.post(way, form(a_file(b"something that is long enough"))[:-cut], FORM)
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert "cut off or damaged" in answer.text
        assert not site.bodies
    else:  # only the line end after the closing boundary was missing
        assert cut <= 2


def test_a_form_without_a_boundary_is_refused(way: str) -> None:
    assert Site().post(way, b"--x", "multipart/form-data").status_code == 400


def test_a_body_that_is_too_long_is_refused(way: str) -> None:
    site = Site(max_body=1000)
    assert site.post(way, b"x" * 1001, "image/png").status_code == 413
    assert site.post(way, b"x" * 1000, "image/png").status_code == 200


def test_too_many_files_in_one_form_are_refused(way: str) -> None:
    assert Site().post(way, form(*[a_file(b"x")] * 101), FORM).status_code == 400


def test_while_no_list_can_be_asked_files_are_refused_and_other_pages_work(way: str) -> None:
    site = Site()
    site.checker.unavailable = True
    assert site.post(way, form(a_file(b"x")), FORM).status_code == 503
    assert site.post(way, b"{}", "application/json").status_code == 200
    assert site.bodies == [b"{}"]


def test_a_large_body_is_kept_on_disk_and_arrives_whole(way: str) -> None:
    site = Site()
    data = bytes(range(256)) * 12_000
    assert site.post(way, data, "video/mp4").status_code == 200
    assert site.bodies == [data]


def test_a_wsgi_body_of_unknown_length_is_read_where_the_server_ends_it() -> None:
    site = Site()
    environ = {
        "CONTENT_TYPE": "image/png",
        "wsgi.input": io.BytesIO(LISTED),
        "wsgi.input_terminated": True,
    }
    status: list[str] = []
    site.wsgi(environ, lambda line, headers: status.append(line))
    assert status == ["422 Unprocessable Entity"]


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([FORM, "multipart/form-data; boundary=", FORM[:-1]])
)
def test_rubbish_gives_an_answer_and_never_an_error(data: bytes, content_type: str) -> None:
    answer = Site().post("wsgi", b"--x0x0x\r\n" + data, content_type)
    assert answer.status_code in {200, 400, 422}
