"""A picture is looked at whatever type its sender gives it; other bodies are not kept."""

import asyncio
import io
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listed_photograph import jpeg
from strandline.uploads import Finding, HeldList, asgi_guard, wsgi_guard
from strandline.uploads.begun import BegunInput
from strandline.uploads.parts import Look, look

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
OTHER_TYPES = ["", "text/plain", "application/pdf", "application/x-anything; a=b", "nonsense"]


class ListsThePicture:
    """A checker whose list is one picture."""

    def __init__(self, listed: bytes = PICTURE) -> None:
        self.listed = listed
        self.seen: list[bytes] = []

    def check(self, file: Any) -> Finding:
        self.seen.append(file.read())
        return Finding(listed=self.seen[-1] == self.listed, sha256="0" * 64)


class Site:
    """An application behind both guards, which keeps what it reads."""

    def __init__(self, checker: Any = None, **options: Any) -> None:
        self.checker = checker or ListsThePicture()
        self.bodies: list[bytes] = []
        options |= {"on_listed": lambda listed: None}
        self.wsgi = wsgi_guard(self._wsgi, self.checker, **options)
        self.asgi = asgi_guard(self._asgi, self.checker, **options)

    def _wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [])
        return [b"kept"]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"kept"})

    def send(
        self, way: str, body: bytes, content_type: str, method: str = "POST", **headers: str
    ) -> int:
        headers |= {"content-type": content_type} if content_type else {}
        if way == "wsgi":
            with httpx2.Client(transport=httpx2.WSGITransport(app=self.wsgi)) as client:
                sent = client.request(method, "http://x.example/", content=body, headers=headers)
            return sent.status_code

        async def answered() -> int:
            transport = httpx2.ASGITransport(app=self.asgi)
            async with httpx2.AsyncClient(transport=transport) as client:
                sent = await client.request(
                    method, "http://x.example/", content=body, headers=headers
                )
            return sent.status_code

        return asyncio.run(answered())


@pytest.fixture(params=["wsgi", "asgi"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_a_listed_picture_of_any_other_type_never_reaches_the_application(
    way: str, content_type: str, method: str
) -> None:
    site = Site()
    assert site.send(way, PICTURE, content_type, method) == 422
    assert not site.bodies
    assert site.checker.seen == [PICTURE]


def test_a_real_photograph_on_a_real_list_is_refused_as_plain_text(
    way: str, holding: Any, photographs: Any
) -> None:
    checker = HeldList(holding.directory)
    try:
        site = Site(checker)
        smaller = jpeg(photographs[0].resize((300, 300)), 60)
        assert site.send(way, smaller, "text/plain") == 422
        assert not site.bodies
    finally:
        checker.close()


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 300_000])
@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_what_is_no_picture_reaches_the_application_unchanged_and_unseen(
    way: str, content_type: str, size: int
) -> None:
    site = Site(max_body=1000)
    body = (b"%PDF-1.7 words " * 20_001)[:size]
    assert site.send(way, body, content_type) == 200
    assert site.bodies == [body]
    assert not site.checker.seen


def test_a_picture_that_is_not_listed_reaches_the_application_whole(way: str) -> None:
    site = Site()
    assert site.send(way, PICTURE + b"more", "text/plain") == 200
    assert site.bodies == [PICTURE + b"more"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
        "application/x-www-form-urlencoded",
    ],
)
def test_json_and_forms_without_files_are_left_alone(way: str, content_type: str) -> None:
    site = Site()
    assert site.send(way, PICTURE, content_type) == 200
    assert site.bodies == [PICTURE]
    assert not site.checker.seen


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json,image/jpeg", Look.WHOLE),
        ("application/json, text/plain", Look.HEAD),
        ("text/plain,multipart/form-data; boundary=x", Look.WHOLE),
        ("application/jsonp", Look.HEAD),
        ("APPLICATION/JSON", Look.NONE),
    ],
)
def test_a_second_type_does_not_hide_behind_the_first(content_type: str, expected: Look) -> None:
    assert look("POST", content_type) is expected


def test_a_picture_that_is_too_long_is_refused_whatever_its_type(way: str) -> None:
    site = Site(max_body=1000)
    assert site.send(way, PICTURE, "text/plain") == 413
    assert not site.bodies


def test_a_picture_that_says_it_is_compressed_is_refused(way: str) -> None:
    assert Site().send(way, PICTURE, "text/plain", **{"content-encoding": "gzip"}) == 415


def test_a_body_that_is_asked_with_another_method_is_left_alone(way: str) -> None:
    site = Site()
    assert site.send(way, PICTURE, "text/plain", "QUERY") == 200
    assert not site.checker.seen


def test_over_asgi_no_more_than_the_first_bytes_are_received_before_the_application_is() -> None:
    received, begun_after = 0, None

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"words" * 100, "more_body": received < 50}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal begun_after
        begun_after = received
        while (await receive())["more_body"]:
            pass

    guarded = asgi_guard(application, ListsThePicture(), on_listed=lambda listed: None)
    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"text/plain")]}
    asyncio.run(guarded(scope, receive, None))  # type: ignore[arg-type]
    assert begun_after == 3
    assert received == 50


def test_over_asgi_a_picture_in_small_pieces_is_put_together() -> None:
    pieces = [PICTURE[at : at + 7] for at in range(0, len(PICTURE), 7)]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "headers": []}
    asyncio.run(Site().asgi(scope, receive, send))
    assert sent[0]["status"] == 422


def test_over_asgi_a_sender_who_goes_away_is_told_to_the_application() -> None:
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        told.append(await receive())

    guarded = asgi_guard(application, ListsThePicture(), on_listed=lambda listed: None)
    asyncio.run(guarded({"type": "http", "method": "POST", "headers": []}, receive, None))  # type: ignore[arg-type]
    assert told == [{"type": "http.disconnect"}]


class Counting(io.BytesIO):
    """Knows how much of it was asked for."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.asked += len(found)
        return found


def test_over_wsgi_no_more_than_the_first_bytes_are_read_before_the_application_is() -> None:
    body = Counting(b"words " * 100_000)
    asked: list[int] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        asked.append(body.asked)
        assert environ["wsgi.input"].read(600_000) == body.getvalue()
        return []

    guarded = wsgi_guard(application, ListsThePicture(), on_listed=lambda listed: None)
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "600000", "wsgi.input": body}
    guarded(environ, lambda *_: None)
    assert asked == [1024]


@pytest.mark.parametrize("content_type", ["text/plain", "image/jpeg"])
def test_over_wsgi_a_body_in_chunks_without_an_end_that_is_known_is_refused(
    content_type: str,
) -> None:
    site, status = Site(), []
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content_type,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(PICTURE),
    }
    site.wsgi(environ, lambda line, headers: status.append(line))
    assert status == ["411 Length Required"]
    site.wsgi(environ | {"wsgi.input_terminated": True}, lambda line, headers: status.append(line))
    assert status[1:] == ["422 Unprocessable Entity"]


@settings(max_examples=300, deadline=None)
@given(
    st.text("ab\n", max_size=40).map(str.encode),
    st.integers(0, 40),
    st.lists(
        st.tuples(
            st.sampled_from(["read", "readline", "readlines", "iterate"]),
            st.none() | st.integers(-1, 12),
        ),
        max_size=12,
    ),
)
def test_a_body_begun_reads_as_if_nothing_had_been_read(
    body: bytes, begun: int, calls: list[tuple[str, int | None]]
) -> None:
    whole, rest = io.BytesIO(body), io.BytesIO(body)
    again = BegunInput(rest.read(begun), rest if begun < len(body) else None)
    for name, size in calls:
        if name == "iterate":
            assert next(iter(again), b"") == next(whole, b"")
        else:
            assert getattr(again, name)(size) == getattr(whole, name)(size)
    assert again.read() == whole.read()
