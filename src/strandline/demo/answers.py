"""A host that answers: opens the link it finds in a notice and sends the form there.

Only loopback addresses are followed, so that no mail of the demonstration can make it talk to a
machine outside.
"""

import http.client
import http.cookiejar
import json
import logging
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from ipaddress import ip_address
from pathlib import Path

_log = logging.getLogger(__name__)

_SECONDS = 10
_MAX_PAGE = 2**20


@dataclass(frozen=True)
class Answered:
    """What became of one link."""

    url: str
    status: int
    #: Why no answer could be given; '' when it was.
    error: str = ""

    def append_to(self, path: Path) -> None:
        """Add a line to a file of JSON lines."""
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self)) + "\n")


def answer_notice(text: str, *, answer: str = "removed", comment: str = "") -> Answered | None:
    """Send the first answer form that a link in ``text`` leads to; None when none does.

    ``answer`` is one of removed, not-ours, need-time.
    """
    failure = None
    for url in links(text):
        try:
            answered = _answer(url, answer, comment)
        except (OSError, http.client.HTTPException) as error:  # unreachable, too slow, no HTTP
            _log.warning("The link %s in a notice could not be answered: %s", url, error)
            failure = Answered(url, 0, str(error))
            continue
        if answered is not None:
            return answered
    return failure


def links(text: str) -> list[str]:
    """The loopback links of a text, in order, each once."""
    found = (url.rstrip(".,;)>") for url in re.findall(r"https?://[^\s<>\"']+", text))
    return [url for url in dict.fromkeys(found) if is_loopback(url)]


def is_loopback(url: str) -> bool:
    """Whether this is a web address whose host is a loopback address, or ``localhost``."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
    return here and parts.scheme in {"http", "https"}


class _LoopbackOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917 - the base class's signature
        if not is_loopback(newurl):
            raise urllib.error.URLError(f"redirected away from this machine, to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _answer(url: str, answer: str, comment: str) -> Answered | None:
    """One form, with the cookie and the token of Django's protection against forged requests."""
    opener = urllib.request.build_opener(
        # No proxy: an environment's proxy would take the request off this machine.
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        _LoopbackOnly(),
    )
    with opener.open(url, timeout=_SECONDS) as response:
        form = _Form()
        form.feed(response.read(_MAX_PAGE).decode("utf-8", "replace"))
        here = response.url
    if "answer" not in form.names:
        return None
    fields = form.hidden | {"answer": answer, "comment": comment}
    target = urllib.parse.urljoin(here, form.action)
    if not is_loopback(target):
        return Answered(url, 0, f"the form leads away from this machine, to {target}")
    request = urllib.request.Request(  # noqa: S310 - loopback http(s) only, checked above
        target, urllib.parse.urlencode(fields).encode(), {"Referer": here}
    )
    with opener.open(request, timeout=_SECONDS) as response:
        return Answered(url, response.status)


class _Form(HTMLParser):
    """The form of a page that asks for an answer; its other forms are passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.names: set[str] = set()
        self._found = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the fields of the form at hand."""
        values = {name: value or "" for name, value in attrs}
        if self._found:
            return
        if tag == "form":
            self.action, self.hidden, self.names = values.get("action", ""), {}, set()
        elif tag in {"input", "select", "textarea", "button"} and "name" in values:
            self.names.add(values["name"])
            if values.get("type") == "hidden":
                self.hidden[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """A form that asks for an answer is the one that is meant."""
        self._found = self._found or (tag == "form" and "answer" in self.names)
