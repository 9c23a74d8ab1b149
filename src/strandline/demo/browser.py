"""A visitor without a script: follows links and fills in forms, as browsers without JavaScript do.

The story drives the site's three faces through this, so that what it proves is what a person gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urljoin

import httpx2
from selectolax.lexbor import LexborHTMLParser, LexborNode

Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Seen:
    """A page as it came."""

    url: str
    status: int
    html: str

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The page's elements."""
        return LexborHTMLParser(self.html)

    @property
    def text(self) -> str:
        """The words of the page's main part."""
        main = self.tree.css_first("main") or self.tree.body
        return " ".join(main.text(separator=" ").split()) if main else ""

    def link(self, containing: str) -> str:
        """The first link whose target holds ``containing``; LookupError when there is none."""
        for node in self.tree.css("a[href]"):
            target = node.attributes["href"] or ""
            if containing in target:
                return urljoin(self.url, target)
        raise LookupError(f"{self.url} has no link to {containing!r}: {self.text[:300]}")


class Browser:
    """One visitor: keeps cookies, follows redirects, sends forms with their hidden fields."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._client = httpx2.Client(follow_redirects=True, trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def open(self, path: str) -> Seen:
        """Load a page."""
        return _seen(self._client.get(urljoin(self.base_url, path)))

    def load(self, path: str) -> tuple[int, str, bytes]:
        """Load anything: its status, its content type, its bytes."""
        answer = self._client.get(urljoin(self.base_url, path))
        return answer.status_code, answer.headers.get("content-type", ""), answer.content

    def submit(self, page: Seen, form: str, fields: Fields, button: str | None = None) -> Seen:
        """Fill in and send the form that the CSS selector ``form`` names.

        ``fields`` replace the form's own values; ``button`` is the ``name=value`` of the button
        pressed. LookupError when the page has no such form.
        """
        node = page.tree.css_first(form)
        if node is None:
            raise LookupError(f"{page.url} ({page.status}) has no {form}: {page.text[:300]}")
        values: dict[str, list[str]] = {}
        for name, value in _own_values(node):
            values.setdefault(name, []).append(value)
        for name, given in fields.items():
            values[name] = [given] if isinstance(given, str) else list(given)
        if button is not None:
            name, _, value = button.partition("=")
            values[name] = [value]
        target = urljoin(page.url, node.attributes.get("action") or page.url)
        body = urlencode([(name, value) for name, some in values.items() for value in some])
        if (node.attributes.get("method") or "get").lower() == "get":
            return _seen(self._client.get(f"{target.partition('?')[0]}?{body}"))
        kind = "application/x-www-form-urlencoded"
        # Referer and Origin, as a browser sends them and the proof of origin demands over TLS.
        headers = {"Content-Type": kind, "Referer": page.url}
        return _seen(self._client.post(target, content=body, headers=headers))


def _own_values(form: LexborNode) -> list[tuple[str, str]]:
    values = []
    for node in form.css("input, textarea, select"):
        attributes = node.attributes
        name, kind = attributes.get("name"), attributes.get("type") or "text"
        if not name or "disabled" in attributes or kind in {"submit", "button", "image"}:
            continue
        if node.tag == "textarea":
            values.append((name, node.text()))
        elif node.tag == "select":
            chosen = node.css_first("option[selected]") or node.css_first("option")
            if chosen is not None:
                value = chosen.attributes.get("value", chosen.text())
                values.append((name, value or ""))
        elif kind not in {"checkbox", "radio"}:
            values.append((name, attributes.get("value") or ""))
        elif "checked" in attributes:
            values.append((name, attributes.get("value", "on") or ""))
    return values


def _seen(answer: httpx2.Response) -> Seen:
    return Seen(str(answer.url), answer.status_code, answer.text)
