"""Reading a web page: its title, text, pictures, films and redirect. Runs in the worker only.

Nothing is fetched and no script runs. Addresses are made absolute and kept as text; whether one
may be fetched is for ``strandline.fetching`` to decide.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from strandline.media.charsets import decode_page

MAX_TITLE = 300  # characters
MAX_TEXT = 20_000  # characters
MAX_PICTURES = 1_000
MAX_FILMS = 100
MAX_ADDRESS = 4_096  # characters

_LOOKED_AT = "img, source, video, a[href], meta[content], link[rel=image_src]"
_PICTURE_NAME = re.compile(r"\.(jpe?g|jfif|png|gif|webp|avif|bmp|tiff?|jp2|ico)$", re.IGNORECASE)
_FILM_NAME = re.compile(
    r"\.(mp4|m4v|mov|qt|webm|mkv|avi|wmv|asf|flv|f4v|mpe?g|m2v|vob|m?ts|ogv|3gp|3g2)$",
    re.IGNORECASE,
)
_FILM_META = {"og:video", "og:video:url", "og:video:secure_url", "twitter:player:stream"}
_PICTURE_META = {"og:image", "og:image:url", "og:image:secure_url", "twitter:image"}
_REFRESH = re.compile(
    r"^\s*[\d.]+(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?[\"']?\s*([^\"'\s]+)", re.IGNORECASE
)
#: One candidate of a srcset: an address without spaces, then an optional size.
_CANDIDATE = re.compile(r"\s*,*\s*(\S*[^\s,])(?:\s+[^,]*)?(?:,|$)")


def read_page(data: bytes, base_url: str, charset: str | None) -> dict[str, Any]:
    """Return title, text, pictures and films (absolute, in order, each once), refresh address."""
    tree = LexborHTMLParser(decode_page(data, charset))
    base = _base(tree, base_url)
    pictures = _distinct(base, _pictures(tree), MAX_PICTURES)
    films = _distinct(base, _films(tree), MAX_FILMS)
    title = tree.css_first("title")
    return {
        "title": _squeezed(title.text() if title else "", MAX_TITLE),
        "refresh": _refresh(tree, base),
        "pictures": pictures,
        "films": films,
        "text": _text(tree),
    }


def _distinct(base: str, addresses: Iterator[str], most: int) -> list[str]:
    found: dict[str, None] = {}
    for address in addresses:
        absolute = _absolute(base, address)
        if absolute and len(found) < most:
            found[absolute] = None
    return list(found)


def _attribute(node: LexborNode, name: str) -> str:
    return (node.attributes.get(name) or "").strip()


def _base(tree: LexborHTMLParser, base_url: str) -> str:
    node = tree.css_first("base[href]")
    declared = _absolute(base_url, _attribute(node, "href")) if node else None
    return declared or base_url


def _absolute(base: str, address: str) -> str | None:
    """Return an http(s) address without its fragment, or None."""
    if not address or len(address) > MAX_ADDRESS:
        return None
    try:
        parts = urlsplit(urljoin(base, address))
    except ValueError:  # such as "http://[": not an address
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return None
    whole = urlunsplit(parts._replace(fragment=""))
    return whole if len(whole) <= MAX_ADDRESS else None


def _pictures(tree: LexborHTMLParser) -> Iterator[str]:
    for node in tree.css(_LOOKED_AT):
        match node.tag:
            case "img":
                yield _attribute(node, "src")
                yield _attribute(node, "data-src")
                yield from _candidates(_attribute(node, "srcset"))
            case "source":
                yield from _candidates(_attribute(node, "srcset"))
            case "video":
                yield _attribute(node, "poster")
            case "a" | "link":
                address = _attribute(node, "href")
                if node.tag == "link" or _PICTURE_NAME.search(re.split("[?#]", address)[0]):
                    yield address
            case "meta":
                name = _attribute(node, "property") or _attribute(node, "name")
                if name.lower() in _PICTURE_META:
                    yield _attribute(node, "content")


def _films(tree: LexborHTMLParser) -> Iterator[str]:
    for node in tree.css("video, video source, a[href], meta[content]"):
        match node.tag:
            case "video" | "source":
                yield _attribute(node, "src")
                yield _attribute(node, "data-src")
            case "a":
                address = _attribute(node, "href")
                if _FILM_NAME.search(re.split("[?#]", address)[0]):
                    yield address
            case "meta":
                name = _attribute(node, "property") or _attribute(node, "name")
                if name.lower() in _FILM_META:
                    yield _attribute(node, "content")


def _candidates(srcset: str) -> Iterator[str]:
    for found in _CANDIDATE.finditer(srcset[: 16 * MAX_ADDRESS]):
        yield found[1]


def _refresh(tree: LexborHTMLParser, base: str) -> str | None:
    for node in tree.css("meta[http-equiv]"):
        if _attribute(node, "http-equiv").lower() == "refresh":
            found = _REFRESH.match(_attribute(node, "content")[:MAX_ADDRESS])
            return _absolute(base, found[1]) if found else None
    return None


def _text(tree: LexborHTMLParser) -> str:
    tree.strip_tags(["script", "style", "template"])
    return _squeezed(tree.body.text(separator=" ") if tree.body else "", MAX_TEXT)


def _squeezed(text: str, limit: int) -> str:
    return " ".join(text[: 4 * limit].split())[:limit]
