"""A small forum in one file: people post pictures, and listed ones never reach it.

    python examples/small_forum.py MEMBER_DIR

The part that matters is the last function: a few lines put the guard before any WSGI application.
"""

import html
import sys
from collections.abc import Callable, Iterable
from email.message import Message
from typing import Any
from wsgiref.simple_server import make_server

from python_multipart import parse_form

from strandline.uploads import HeldList, Listed, wsgi_guard

Start = Callable[[str, list[tuple[str, str]]], Any]


class Forum:
    """Posts in memory: a title and a picture each."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, bytes]] = []

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Show the posts, show one picture, or take in a post."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST":
            self._take_in(environ)
            return _answer(start, "303 See Other", "", location="/")
        if path.startswith("/picture/") and path[9:].isdecimal():
            number = int(path[9:])
            if number < len(self.posts):
                start("200 OK", [("Content-Type", "image/jpeg")])
                return [self.posts[number][1]]
        return _answer(start, "200 OK", self._page())

    def _take_in(self, environ: dict[str, Any]) -> None:
        fields: dict[bytes, bytes] = {}
        pictures: list[bytes] = []

        def keep(file: Any) -> None:
            file.file_object.seek(0)
            pictures.append(file.file_object.read())
            file.close()

        headers = {
            "Content-Type": environ["CONTENT_TYPE"].encode(),
            "Content-Length": environ["CONTENT_LENGTH"].encode(),
        }
        parse_form(
            headers,
            environ["wsgi.input"],
            lambda field: fields.update({field.field_name: field.value or b""}),
            keep,
        )
        title = fields.get(b"title", b"").decode("utf-8", "replace")[:200]
        self.posts += [(title, picture) for picture in pictures if picture]

    def _page(self) -> str:
        shown = "".join(
            f'<article><h2>{html.escape(title)}</h2><img src="/picture/{number}" alt=""></article>'
            for number, (title, _) in enumerate(self.posts)
        )
        return (
            "<!doctype html><html lang=en><title>A small forum</title><h1>A small forum</h1>"
            "<form method=post enctype=multipart/form-data>"
            "<label>Title <input name=title></label> "
            "<label>Picture <input type=file name=picture accept='image/*'></label> "
            f"<button>Post</button></form>{shown}"
        )


def _answer(start: Start, status: str, page: str, location: str = "") -> Iterable[bytes]:
    headers = Message()
    headers["Content-Type"] = "text/html; charset=utf-8"
    if location:
        headers["Location"] = location
    start(status, [(name, str(value)) for name, value in headers.items()])
    return [page.encode()]


def tell_moderators(listed: Listed) -> None:
    """Put an attempt where people look; here, on the terminal. Nobody is blocked by a program."""
    print(f"An upload matched {', '.join(listed.finding.entries)}: please look.", file=sys.stderr)


def guarded_forum(member_directory: str, forum: Forum) -> Any:
    """The forum behind the guard: these lines are all that a site has to add."""
    held = HeldList(member_directory)
    return wsgi_guard(forum, held, on_listed=tell_moderators, max_body=20 * 2**20)


if __name__ == "__main__":
    with make_server("127.0.0.1", 8090, guarded_forum(sys.argv[1], Forum())) as server:
        print("http://127.0.0.1:8090/")
        server.serve_forever()
