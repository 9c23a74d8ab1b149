"""NCMEC hash sharing, version 2: the XML of one page of entries, streamed.

Shape: ``queryResult`` with ``images``, ``videos`` and ``paging``. Entries are not in order of time:
see :mod:`strandline.formats.ncmec_paging` before keeping a point to go on from. No DTD, entity or
outside address is ever followed, because none is ever read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, cast

from lxml import etree

from strandline.errors import FormatRefused
from strandline.formats import values
from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow, Kind, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable, pieces

NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"
_KINDS = {
    "image": (Kind.IMAGE, False),
    "video": (Kind.VIDEO, False),
    "deletedImage": (Kind.IMAGE, True),
    "deletedVideo": (Kind.VIDEO, True),
}
_DIGESTS = frozenset({"md5", "sha1", "sha256", "pdq"})
_OWN_FIELDS = frozenset({"member", "timestamp", "id", "classification", "fingerprints"})
_GROUP_TAGS = frozenset({f"{{{NAMESPACE}}}images", f"{{{NAMESPACE}}}videos"})
_ROOT = f"{{{NAMESPACE}}}queryResult"
_WATCHED_TAGS = _GROUP_TAGS | {f"{{{NAMESPACE}}}{name}" for name in _KINDS}
_WATCHED = (_ROOT, f"{{{NAMESPACE}}}next", *_WATCHED_TAGS)
#: What may stand before the root element, and how much of it is looked at.
_PROLOG = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_LONGEST_PROLOG = 1 << 16
_READABLE_AS_UTF8 = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})


#: lxml has no public name for the type of its elements.
Node: TypeAlias = etree._Element  # noqa: SLF001


@dataclass
class Page:
    """What a page says besides its entries; complete once every row was read."""

    #: Address of the next page as the server wrote it; empty on the last.
    next: str = ""
    #: The latest change the server counts in this page; None where it does not say.
    latest: datetime | None = None
    losses: Losses = field(default_factory=Losses)


def read_page(
    stream: Readable, page: Page, *, limits: Limits = LIMITS
) -> Iterator[HashRow | Unreadable]:
    """Each entry of one page, in the file's order; ``page`` is filled on the way.

    Raises FormatRefused, naming line and element, when the file is no such page: what was given
    before that must not be kept.
    """
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=_WATCHED,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    walk = _Walk(page, limits)
    since = parts = 0
    try:
        for piece in undeclared(pieces(stream, limits)):
            parser.feed(piece)
            before = walk.count
            yield from walk.take(parser)
            if walk.count > before:
                since = parts = 0
            since, parts = since + len(piece), parts + piece.count(b"<")
            if since > limits.element_bytes or parts > limits.element_parts:
                raise FormatRefused(
                    walk.place(), "One element is too large, or has too many parts."
                )
        parser.close()
        yield from walk.take(parser)
    except etree.XMLSyntaxError as error:
        line = f"line {error.lineno}" if error.lineno else walk.place()
        raise FormatRefused(line, f"This is not well-formed XML {_said(error)}.") from None
    walk.check_complete()


def read(
    stream: Readable, losses: Losses, *, limits: Limits = LIMITS
) -> Iterator[HashRow | Unreadable]:
    """The entries of one page kept as a file; a further page that it names is a loss."""
    page = Page(losses=losses)
    yield from read_page(stream, page, limits=limits)
    if page.next:
        losses.add("paging", "names a further page, which is not in this file", "the end")


class _Walk:
    """Turns the parser's events into rows, and lets go of every element once it is read."""

    def __init__(self, page: Page, limits: Limits) -> None:
        self.page = page
        self.limits = limits
        self.count = 0
        self._rooted = False
        self._ended = False

    def place(self, element: Node | None = None) -> str:
        line = f", line {element.sourceline}" if element is not None and element.sourceline else ""
        return f"element {self.count + 1}{line}"

    def take(self, parser: "etree.XMLPullParser") -> Iterator[HashRow | Unreadable]:
        events = cast("Iterator[tuple[str, Node]]", parser.read_events())
        for event, element in events:
            name, parent = _local(element), element.getparent()
            if event == "start":
                self._begin(name, element, parent)
            elif parent is None:
                self._forget(element)
                self._ended = True
            elif name in _KINDS and parent.tag in _GROUP_TAGS:
                yield self._entry(name, element)
                self._forget_before(element)
            elif name == "next" and _local(parent) == "paging":
                self.page.next = (element.text or "").strip()
            elif element.tag in _GROUP_TAGS:
                self._forget(element)

    def _begin(self, name: str, element: Node, parent: Node | None) -> None:
        if name == "queryResult" and parent is None:
            self._rooted = True
        elif not self._rooted:
            raise FormatRefused(
                self.place(element), f"The file does not begin with <queryResult> of {NAMESPACE}."
            )
        elif element.tag in _GROUP_TAGS:
            at = values.moment(element.get("maxTimestamp"))
            if at and (self.page.latest is None or at > self.page.latest):
                self.page.latest = at

    def _entry(self, name: str, element: Node) -> HashRow | Unreadable:
        place = self.place(element)
        self.count += 1
        if self.count > self.limits.max_rows:
            raise FormatRefused(place, f"More than {self.limits.max_rows:,} entries.")
        kind, withdrawn = _KINDS[name]
        try:
            return _row(element, kind, place, self.page.losses, withdrawn=withdrawn)
        except FormatRefused as refused:
            return Unreadable(place, refused.message.removeprefix(f"{place}: "))

    def _forget_before(self, element: Node) -> None:
        """Empty an entry that was read; what stood unread before it is a loss."""
        element.clear()
        parent = element.getparent()
        if parent is not None:
            while (before := element.getprevious()) is not None:
                self._lose(before)
                del parent[0]

    def _forget(self, parent: Node) -> None:
        for child in parent:
            self._lose(child)
        parent.clear()

    def _lose(self, element: Node) -> None:
        if element.tag not in _WATCHED_TAGS and _local(element) != "paging":
            name = _local(element)[:60]
            self.page.losses.add(f"<{name}>", "is not known and not kept", self.place(element))

    def check_complete(self) -> None:
        if not self._ended:
            raise FormatRefused(
                self.place(), f"The file is no <queryResult> of {NAMESPACE}, or ends too early."
            )


def _row(element: Node, kind: Kind, place: str, losses: Losses, *, withdrawn: bool) -> HashRow:
    said: dict[str, str | None] = {}
    contributor = ""
    for part in element:
        name = _local(part)
        if name == "fingerprints":
            for hashed in part:
                _fingerprint(hashed, said, place, losses)
        elif name == "member":
            contributor = values.text(f"{part.get('id', '')} {part.text or ''}")
        elif name in _OWN_FIELDS:
            said[name] = part.text
        else:
            losses.add(f"<{name[:60]}>", "is not kept", place)
    stamp = said.get("timestamp")
    changed = values.moment(stamp)
    if stamp and changed is None:
        losses.add("<timestamp>", "is not a time and is not kept", place)
    return HashRow(
        sha256=values.digest("sha256", said.get("sha256"), place),
        sha1=values.digest("sha1", said.get("sha1"), place),
        md5=values.digest("md5", said.get("md5"), place),
        pdq=values.digest("pdq", said.get("pdq"), place),
        photodna=said.get("pdna"),
        kind=kind,
        category=values.text(said.get("classification")),
        source_id=values.text(said.get("id")),
        contributor=contributor,
        changed=changed,
        withdrawn=withdrawn,
        place=place,
    )


def _fingerprint(element: Node, said: dict[str, str | None], place: str, losses: Losses) -> None:
    name = _local(element)
    if name in _DIGESTS:
        said[name] = element.text
    elif name == "pdna":
        said[name] = values.photodna(element.text)
        if said[name] is None and element.text:
            losses.add("<pdna>", "is not 144 bytes and is not kept", place)
    elif element.get("href"):
        losses.add(f"<{name[:60]}>", "stands at an address of its own and is not fetched", place)
    else:
        losses.add(f"<{name[:60]}>", "is not kept", place)


def _local(element: Node) -> str:
    tag = str(element.tag)
    return tag[tag.rfind("}") + 1 :]


def undeclared(raw: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, once it is certain that the root element comes before any declaration."""
    head = b""
    for piece in raw:
        head += piece
        after = _after_prolog(head)
        if after is not None:
            break
        if len(head) > _LONGEST_PROLOG:
            raise FormatRefused("line 1", "What stands before the first element is too long.")
    else:
        raise FormatRefused("line 1", "There is no XML here.")
    rest = head[after : after + 2]
    if not rest.startswith(b"<"):
        raise FormatRefused("line 1", "There is no XML here.")
    if rest == b"<!":
        line = head.count(b"\n", 0, after) + 1
        raise FormatRefused(
            f"line {line}",
            "The file declares a document type. None is needed, and none is read.",
        )
    declared = _ENCODING.match(head)
    if declared and declared[1].lower() not in _READABLE_AS_UTF8:
        raise FormatRefused("line 1", "The file is not UTF-8; save it as UTF-8.")
    yield head
    yield from raw


def _after_prolog(head: bytes) -> int | None:
    """Where the first thing begins that is no blank, comment or instruction; None: not yet."""
    found = _PROLOG.match(head)
    after = found.end() if found else 0
    begun = head[after : after + 4]
    if len(begun) < 2 or (begun.startswith((b"<?", b"<!-")) or begun == b"<!"):
        return None
    return after


def _said(error: etree.XMLSyntaxError) -> str:
    """What is wrong by the parser's name for it: its sentences repeat what stands in the file."""
    last = getattr(error.error_log, "last_error", None)
    name = str(last.type_name) if last else ""
    return f"({name.removeprefix('ERR_').replace('_', ' ').lower()})" if name else ""
