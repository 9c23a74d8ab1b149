"""Middleware that looks at uploads before an application does: for WSGI and for ASGI.

A body that can hold files is kept aside, its files are compared, and then the application reads
it as if nothing had been; or it never sees it. Of a body that says it is something else, or does
not say what it is, the first bytes decide; the rest of it is not kept. Pictures inside of JSON,
archives or other documents are not looked at.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any

from strandline.media.containers import HEAD
from strandline.media.signatures import begins_like_media
from strandline.uploads import parts
from strandline.uploads.begun import BegunInput
from strandline.uploads.checking import Checker, Finding, Unavailable

_log = logging.getLogger(__name__)

#: Bytes of the longest body that is taken in.
MAX_BODY = 100 * 2**20
_PIECE = 2**16


@dataclass(frozen=True)
class Listed:
    """A refused upload, for the site's own people: a person decides what follows."""

    finding: Finding
    #: The WSGI environment or ASGI scope of the request: whose it was is the site's to know.
    request: MutableMapping[str, Any]


#: Told of each refused upload before its sender is answered; keep it short.
OnListed = Callable[[Listed], None]

_LISTED = "This file cannot be accepted."
_ENCODED = "Uploads must be sent as they are, not compressed. Nothing was kept."
_NO_LENGTH = "Uploads must say how long they are. Nothing was kept."
_TOO_LONG = "This is too large to be uploaded here. Nothing was kept."
_MALFORMED = "This upload was cut off or damaged on its way. Nothing was kept; please try again."
_NOT_NOW = "Uploads cannot be taken in at the moment. Nothing was kept; please try again later."


@dataclass(frozen=True)
class _Refusal:
    status: HTTPStatus
    sentence: str


def _refusal(
    body: IO[bytes],
    content_type: str,
    checker: Checker,
    on_listed: OnListed,
    request: MutableMapping[str, Any],
) -> _Refusal | None:
    """Look at every file of a body; None when the application may have it."""
    try:
        for file in parts.files_in(body, content_type):
            finding = checker.check(file)
            if finding.listed:
                on_listed(Listed(finding, request))
                return _Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, _LISTED)
    except parts.Malformed:
        return _Refusal(HTTPStatus.BAD_REQUEST, _MALFORMED)
    except Unavailable as error:
        _log.error("Uploads are refused: no list can be asked. %s", error)
        return _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_NOW)
    body.seek(0)
    return None


Environ = MutableMapping[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def wsgi_guard(
    application: WSGI, checker: Checker, *, on_listed: OnListed, max_body: int = MAX_BODY
) -> WSGI:
    """Return a WSGI application that refuses listed files and hands all else to ``application``.

    Bodies above ``max_body`` bytes are refused; while no list can be asked, so are all files.
    """

    def guarded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        content_type = str(environ.get("CONTENT_TYPE", ""))
        look = parts.look(str(environ.get("REQUEST_METHOD", "")), content_type)
        endless = "HTTP_TRANSFER_ENCODING" in environ and _readable(environ) == 0
        if look is parts.Look.NONE or (
            look is parts.Look.HEAD and not endless and not _begins_like_media(environ)
        ):
            return application(environ, start_response)
        body = None
        refusal: _Refusal | None
        if endless:
            refusal = _Refusal(HTTPStatus.LENGTH_REQUIRED, _NO_LENGTH)
        elif _is_encoded(str(environ.get("HTTP_CONTENT_ENCODING", ""))):
            refusal = _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _ENCODED)
        elif (body := _wsgi_body(environ, max_body)) is None:
            refusal = _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LONG)
        else:
            refusal = _refusal(body, content_type, checker, on_listed, environ)
        if refusal is None and body is not None:
            length = body.seek(0, 2)
            body.seek(0)
            environ.update({"wsgi.input": body, "CONTENT_LENGTH": str(length)})
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            return _Closing(application(environ, start_response), body)
        assert refusal is not None
        if body is not None:
            body.close()
        text = f"{refusal.sentence}\n".encode()
        start_response(
            f"{refusal.status.value} {refusal.status.phrase}",
            [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))],
        )
        return [text]

    return guarded


class _Closing:
    """An application's answer, and the body it may read until that is sent."""

    def __init__(self, answer: Iterable[bytes], body: IO[bytes]) -> None:
        self._answer = answer
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Called by the server when it is done (PEP 3333)."""
        self._body.close()
        if (close := getattr(self._answer, "close", None)) is not None:
            close()


def _readable(environ: Environ) -> int | None:
    """Bytes of a body that may be asked for; None: to its end, which the server promises it has.

    Elsewhere not a byte beyond the length, for which one would wait for ever.
    """
    return None if environ.get("wsgi.input_terminated") else _length(environ)


def _length(environ: Environ) -> int:
    try:
        return max(0, int(environ.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def _begins_like_media(environ: Environ) -> bool:
    """Look at the first bytes of a body, and leave it to be read from its beginning."""
    readable = _readable(environ)
    wanted = HEAD if readable is None else min(HEAD, readable)
    source, head = environ["wsgi.input"], b""
    while len(head) < wanted and (piece := source.read(wanted - len(head))):
        head += piece
    ended = len(head) < wanted or wanted == readable
    environ["wsgi.input"] = BegunInput(head, None if ended else source)
    return begins_like_media(head)


def _wsgi_body(environ: Environ, most: int) -> IO[bytes] | None:
    """The request's body, whole; None when it is too long."""
    if _length(environ) > most:
        return None
    readable = _readable(environ)
    body = parts.copy(environ["wsgi.input"], most + 1 if readable is None else readable)
    if body.tell() <= most:
        return body
    body.close()
    return None


Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]


def asgi_guard(
    application: ASGI, checker: Checker, *, on_listed: OnListed, max_body: int = MAX_BODY
) -> ASGI:
    """Return an ASGI application that refuses listed files; see :func:`wsgi_guard`.

    Files are compared in a thread, so that other requests go on meanwhile.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        content_type = _header(scope, b"content-type")
        look = parts.Look.NONE
        if scope["type"] == "http":
            look = parts.look(str(scope.get("method", "")), content_type)
        if look is parts.Look.HEAD:
            begun, like_media = await _begin(receive)
            receive = _after(begun, receive)
            look = parts.Look.WHOLE if like_media else parts.Look.NONE
        if look is parts.Look.NONE:
            await application(scope, receive, send)
            return
        if _is_encoded(_header(scope, b"content-encoding")):
            await _answer(send, _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _ENCODED))
            return
        with parts.spool() as body:
            whole = await _receive_all(receive, body, max_body)
            if whole is None:  # the sender went away
                return
            if not whole:
                refusal: _Refusal | None = _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LONG)
            else:
                refusal = await asyncio.to_thread(
                    _refusal, body, content_type, checker, on_listed, scope
                )
            if refusal is None:
                await application(scope, _again(body, receive), send)
            else:
                await _answer(send, refusal)

    return guarded


def _is_encoded(coding: str) -> bool:
    """Whether an application might unpack the body and see other files than were looked at."""
    return coding.strip().lower() not in {"", "identity"}


def _header(scope: Scope, wanted: bytes) -> str:
    """All values of a header, as WSGI joins them: a second one must not hide."""
    headers: Iterable[tuple[bytes, bytes]] = scope.get("headers", ())
    return ",".join(bytes(value).decode("latin-1") for name, value in headers if name == wanted)


async def _begin(receive: Receive) -> tuple[list[Message], bool]:
    """Receive the first bytes of a body: the messages, and whether they are like a picture's."""
    messages: list[Message] = []
    head = b""
    while len(head) < HEAD:
        messages.append(message := await receive())
        head += message.get("body", b"")[:HEAD]
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    return messages, begins_like_media(head)


def _after(messages: list[Message], receive: Receive) -> Receive:
    """Give these messages once more, and then what the server says."""

    async def message() -> Message:
        return messages.pop(0) if messages else await receive()

    return message


async def _receive_all(receive: Receive, body: IO[bytes], most: int) -> bool | None:
    """Whether the whole body was received; None when it never ended."""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body.write(message.get("body", b""))
        if body.tell() > most:
            return False
        if not message.get("more_body", False):
            return True


def _again(body: IO[bytes], receive: Receive) -> Receive:
    """Give the kept body in pieces, and afterwards what the server says."""
    ended = False

    async def pieces() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        piece = body.read(_PIECE)
        ended = len(piece) < _PIECE
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return pieces


async def _answer(send: Send, refusal: _Refusal) -> None:
    text = f"{refusal.sentence}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
    ]
    await send({"type": "http.response.start", "status": refusal.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": text})
