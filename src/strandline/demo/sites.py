"""What the hosts' sites send: pages and pictures, by the page's conduct, the clock and the mail."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from html import escape

from strandline.demo import hosts
from strandline.demo.conduct import Kind, Outcome, Visit
from strandline.demo.hosts import Page
from strandline.demo.notices import Notices

HTML = "text/html; charset=utf-8"
ENDLESS_BYTES = 2 * 2**30
_BLOCK = b"<!-- " + b"." * (2**16 - 9) + b" -->"


@dataclass(frozen=True)
class Sent:
    """One HTTP answer; ``stream`` is sent chunked after ``body``, without being held in memory."""

    status: int
    content_type: str = HTML
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None


class Sites:
    """Answers requests to every site of the table."""

    def __init__(self, notices: Notices, port: int) -> None:
        self._notices = notices
        self._port = port

    def knows(self, site: str) -> bool:
        """Whether a page is served under this host name."""
        return any(page.site == site for page in hosts.pages())

    def reply(self, site: str, path: str, referrer: str, now: datetime) -> Sent:
        """The answer to GET ``path`` at ``site``."""
        for page in hosts.pages():
            if page.site == site and (path == page.path or path.startswith(page.path + "/")):
                return self._of_page(page, path, referrer, now)
        if path == "/":
            return Sent(200, body=_html(site, "<p>Nothing to see on the front page.</p>"))
        return _says_not_found(404)

    def _of_page(self, page: Page, path: str, referrer: str, now: datetime) -> Sent:
        # A picture is asked for by the page that shows it, or by whoever may see that page.
        own = path != page.path and referrer == page.url(self._port)
        pathway = hosts.PATHWAY_REFERRER if own else referrer
        if path in _files(page, decoy=True):  # the harmless pictures are for everyone
            return _file(page, path, decoy=True)
        outcome = page.conduct.meet(Visit(now, self._notices.about(page), pathway))
        match outcome.kind:
            case Kind.SHOWN | Kind.DECOY:
                return _page_or_file(page, path, decoy=outcome.kind is Kind.DECOY)
            case Kind.GONE | Kind.SAYS_NOT_FOUND:
                return _says_not_found(outcome.status)
            case Kind.UNAVAILABLE:
                body = _html("Service unavailable", "<p>Please try again later.</p>")
                return Sent(503, body=body, headers={"Retry-After": "3600"})
            case Kind.ELSEWHERE:
                return self._elsewhere(page, path, outcome)
            case Kind.ENDLESS:
                blocks = (_BLOCK for _ in range(ENDLESS_BYTES // len(_BLOCK)))
                return Sent(200, stream=blocks)

    def _elsewhere(self, page: Page, path: str, outcome: Outcome) -> Sent:
        target = hosts.page(outcome.to).url(self._port) + path.removeprefix(page.path)
        body = _html("Moved", f'<p>This page is <a href="{escape(target)}">here</a> now.</p>')
        return Sent(outcome.status, body=body, headers={"Location": target})


def _page_or_file(page: Page, path: str, *, decoy: bool) -> Sent:
    if path == page.path:
        return Sent(200, body=_page_html(page, decoy=decoy))
    return _file(page, path, decoy=decoy)


def _file(page: Page, path: str, *, decoy: bool) -> Sent:
    picture = _files(page, decoy=decoy).get(path)
    if picture is None:
        return _says_not_found(404)
    return Sent(200, picture.content_type, picture.data())


@cache
def _files(page: Page, *, decoy: bool) -> dict[str, hosts.Picture]:
    shown = page.decoy if decoy else page.pictures
    return {page.picture_path(n, decoy=decoy): picture for n, picture in enumerate(shown, 1)}


@cache
def _page_html(page: Page, *, decoy: bool) -> bytes:
    """Pictures in the ways that pages carry them: src, a link around it, srcset alone, in turn."""
    figures = []
    for number, path in enumerate(_files(page, decoy=decoy), 1):
        source = escape(path)
        match number % 3:
            case 1:
                figures.append(f'<p><img src="{source}" alt="Picture {number}"></p>')
            case 2:
                figures.append(f'<p><a href="{source}"><img src="{source}" alt=""></a></p>')
            case _:
                figures.append(f'<p><img srcset="{source} 1x" alt="Picture {number}"></p>')
    title = "Garden club" if decoy else page.title
    return _html(title, "\n".join(figures))


def _says_not_found(status: int) -> Sent:
    return Sent(status, body=_html("Not found", "<p>404 Not Found: this page does not exist.</p>"))


def _html(title: str, body: str) -> bytes:
    heading = escape(title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{heading}</title>'
        f"</head>\n<body><h1>{heading}</h1>\n{body}\n</body></html>\n"
    ).encode()
