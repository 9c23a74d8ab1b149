"""The witness on the web: a WSGI application for any server."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from strandline.transparency.witness import MAX_REQUEST, Reply, Witness

#: WSGI (PEP 3333).
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    422: "Unprocessable Content",
}


def witness_app(witness: Witness) -> Application:
    """Serve ``POST /add-checkpoint``, ``GET /<origin hash>/checkpoint`` and, for people, ``GET /``.

    It keeps no record of who asks.
    """

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        reply = _answer(witness, environ)
        start_response(
            f"{reply.status} {_REASONS[reply.status]}",
            [
                ("Content-Type", reply.content_type),
                ("Content-Length", str(len(reply.body))),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    return application


def _answer(witness: Witness, environ: Environ) -> Reply:
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    if path == "/add-checkpoint":
        return _add_checkpoint(witness, environ) if method == "POST" else _said(405, "POST here.")
    if method not in {"GET", "HEAD"}:
        return _said(405, "Nothing can be sent here.")
    found = _CHECKPOINT.fullmatch(path)
    if found:
        return witness.latest(found[1])
    if path in {"", "/"}:
        watched = "\n".join(witness.origins)
        return _said(
            200, f"A witness (https://c2sp.org/tlog-witness).\n{witness.vkey}\n\n{watched}"
        )
    return _said(404, "There is nothing here.")


def _add_checkpoint(witness: Witness, environ: Environ) -> Reply:
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        return _said(411, "Say how long the request is.")
    if int(length) > MAX_REQUEST:
        return _said(413, f"A request has at most {MAX_REQUEST} bytes.")
    return witness.add_checkpoint(environ["wsgi.input"].read(int(length)))


def _said(status: int, sentence: str) -> Reply:
    return Reply(status, f"{sentence}\n".encode())
