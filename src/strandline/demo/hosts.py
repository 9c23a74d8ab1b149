"""The table of the simulated web: who hosts what, where, and how they behave.

Names are under the reserved ``.example``, addresses in 127.64.0.0/16, autonomous systems from the
range for documentation (RFC 5398). The story's expectations can be read off this table; it holds
no judgement of any picture: a page is the ``subject`` of a report, or ``innocent``.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, ip_network

from strandline.demo import pictures
from strandline.demo.conduct import (
    ComesBack,
    Conduct,
    Endless,
    Falters,
    Kind,
    OnlyFrom,
    Outcome,
    Redirects,
    Removes,
    Stays,
)

#: Every host and registry of the simulated web; the only network a fetcher needs to be let into.
NETWORK = "127.64.0.0/16"
#: The Referer that opens the page of the host which hides its page from others.
PATHWAY_REFERRER = "http://threads.quince-forum.example/t/77"


class Standing(StrEnum):
    """What a page is in the story."""

    SUBJECT = "subject"
    INNOCENT = "innocent"


class Contact(StrEnum):
    """Where a network's RDAP answer puts the abuse contact."""

    FLAT = "flat"
    NESTED = "nested"
    MISSING = "missing"


@dataclass(frozen=True)
class Picture:
    """One picture file: the same fields give the same bytes on any host."""

    seed: int
    format: pictures.Format = "jpeg"
    quality: int = 88
    scale: float = 1.0
    broken: bool = False

    def data(self) -> bytes:
        """The file's bytes."""
        return _picture_data(self)

    @property
    def content_type(self) -> str:
        """The media type the server announces."""
        return f"image/{self.format}"


@cache
def _picture_data(picture: Picture) -> bytes:
    if picture.broken:
        return pictures.undecodable(picture.seed)
    return pictures.copy_of(
        picture.seed, format=picture.format, quality=picture.quality, scale=picture.scale
    )


@dataclass(frozen=True)
class Page:
    """One page with its pictures, which live and go with it."""

    key: str
    site: str
    path: str
    title: str
    conduct: Conduct
    pictures: tuple[Picture, ...] = ()
    standing: Standing = Standing.SUBJECT
    #: What visitors get who come the wrong way.
    decoy: tuple[Picture, ...] = ()

    def url(self, port: int) -> str:
        """The page's address on a web that listens on ``port``."""
        return f"http://{self.site}:{port}{self.path}"

    def picture_path(self, number: int, *, decoy: bool = False) -> str:
        """The path of the picture with this number, counted from 1."""
        shown = self.decoy if decoy else self.pictures
        extension = shown[number - 1].format.replace("jpeg", "jpg")
        return f"{self.path}/{'garden' if decoy else 'picture'}-{number}.{extension}"


@dataclass(frozen=True)
class Host:
    """A hosting company with one network, its contact, and the pages it hosts."""

    number: int
    label: str
    country: str
    registry: str
    pages: tuple[Page, ...]
    contact: Contact = Contact.NESTED
    #: The first question about the network is answered 429 with Retry-After.
    busy_at_first: bool = False
    #: Whether the domain registry knows the domain; if not it answers 404.
    domain_listed: bool = True
    #: Follows the link in a notice and answers the form there.
    answers_link: bool = False

    @property
    def domain(self) -> str:
        """The registered domain, e.g. ``alder-hosting.example``."""
        return f"{self.label}.example"

    @property
    def address(self) -> str:
        """The one address all its sites share."""
        return f"127.64.{self.number}.1"

    @property
    def network(self) -> IPv4Network:
        """The /24 around the address."""
        return IPv4Network(ip_network(f"127.64.{self.number}.0/24"))

    @property
    def network_name(self) -> str:
        """The network's name in its registry, e.g. ``ALDER-NET``."""
        return f"{self.label.partition('-')[0].upper()}-NET"

    @property
    def asn(self) -> int:
        """The autonomous system that announces the network."""
        return 64495 + self.number

    @property
    def abuse(self) -> str:
        """The mailbox for complaints."""
        return f"abuse@{self.domain}"

    @property
    def registrar_abuse(self) -> str:
        """The registrar's mailbox; the registrar passes on what concerns this host's domain."""
        return f"abuse@registrar-{'a' if self.number % 2 else 'b'}.example"


def _days(days: int) -> timedelta:
    return timedelta(days=days)


_MISSING_PAGE = Outcome(Kind.SAYS_NOT_FOUND, 200)

HOSTS: tuple[Host, ...] = (
    Host(1, "alder-hosting", "NL", "ripencc", (
        Page("removes-at-first", "gallery.alder-hosting.example", "/a/1", "Alder album",
             Removes(), (Picture(101), Picture(102, "png"), Picture(103, "webp"))),
    )),
    Host(2, "birch-pages", "DE", "ripencc", (
        Page("removes-with-410", "www.birch-pages.example", "/p/7", "Birch pages",
             Removes(after=_days(2), gone=Outcome(Kind.GONE, 410)),
             (Picture(201), Picture(202, "gif"))),
    )),
    Host(3, "cedar-cloud", "US", "arin", (
        Page("removes-at-second", "img.cedar-cloud.example", "/set/31", "Cedar set",
             Removes(at_notice=2), (Picture(301), Picture(302, "webp"), Picture(303, "png"))),
    ), contact=Contact.FLAT),
    Host(4, "dogwood-net", "SC", "afrinic", (
        Page("never-removes", "files.dogwood-net.example", "/view/4", "Dogwood view",
             Stays(), (Picture(401), Picture(402))),
    )),
    Host(5, "elm-share", "FR", "ripencc", (
        Page("moves", "share.elm-share.example", "/s/55", "Elm share",
             Removes(gone=Outcome(Kind.ELSEWHERE, 301, "moved-to")),
             (Picture(501), Picture(502, "png"))),
    )),
    Host(6, "fir-vault", "RO", "ripencc", (
        Page("moved-to", "box.fir-vault.example", "/s/55", "Elm share",
             Removes(), (Picture(501), Picture(502, "png"))),
    )),
    Host(7, "ginkgo-host", "US", "arin", (
        Page("unavailable-at-times", "media.ginkgo-host.example", "/m/70", "Ginkgo media",
             Falters(Removes(after=_days(5))), (Picture(701), Picture(702, "webp"))),
    ), contact=Contact.FLAT, busy_at_first=True),
    Host(8, "hazel-images", "CA", "arin", (
        Page("says-not-found", "pics.hazel-images.example", "/i/8", "Hazel images",
             Removes(gone=_MISSING_PAGE), (Picture(801),)),
    ), contact=Contact.FLAT),
    Host(9, "ivy-boards", "CZ", "ripencc", (
        Page("pathway-only", "board.ivy-boards.example", "/b/9", "Ivy board",
             OnlyFrom(PATHWAY_REFERRER, Removes(after=_days(2))),
             (Picture(901), Picture(902, "png")), decoy=(Picture(951), Picture(952, "png"))),
    )),
    Host(10, "juniper-data", "LV", "ripencc", (
        Page("comes-back", "cdn.juniper-data.example", "/d/10", "Juniper data",
             ComesBack(), (Picture(1001), Picture(1002, "gif"))),
    )),
    Host(11, "katsura-links", "GB", "ripencc", (
        Page("circle", "go.katsura-links.example", "/r/1", "Katsura links",
             Redirects("circle-back")),
        Page("circle-back", "go.katsura-links.example", "/r/2", "Katsura links",
             Redirects("circle")),
    )),
    Host(12, "larch-files", "SG", "apnic", (
        Page("endless", "dl.larch-files.example", "/f/12", "Larch files", Endless()),
    )),
    Host(13, "maple-photos", "SE", "ripencc", (
        Page("one-undecodable", "photos.maple-photos.example", "/x/13", "Maple photos", Removes(),
             (Picture(1301), Picture(1302, broken=True), Picture(1303, "webp"),
              Picture(1304, "png"))),
    ), domain_listed=False),
    Host(14, "nutmeg-archive", "PL", "ripencc", (
        # Byte for byte the first picture of removes-at-first.
        Page("same-bytes", "old.nutmeg-archive.example", "/n/14", "Nutmeg archive",
             Removes(after=_days(3)), (Picture(101),)),
    ), contact=Contact.MISSING),
    Host(15, "oak-mirror", "JP", "apnic", (
        Page("copies", "m.oak-mirror.example", "/mirror/15", "Oak mirror", Removes(),
             (Picture(102, "jpeg", 60, 0.5), Picture(301, "webp", 70, 0.75),
              Picture(201, "png", scale=1.25))),
        Page("more-copies", "m.oak-mirror.example", "/mirror/16", "Oak mirror, second page",
             Removes(), (Picture(801, "jpeg", 75, 0.6), Picture(402, "gif", scale=0.8))),
    ), answers_link=True),
    Host(16, "pine-garden", "IE", "ripencc", (
        Page("innocent", "www.pine-garden.example", "/garden", "Pine garden club", Stays(),
             (Picture(1601), Picture(1602, "png"), Picture(1603, "webp")), Standing.INNOCENT),
        # For whoever opens the console when the story is over.
        Page("waiting-leaves", "www.pine-garden.example", "/leaves", "Pine leaves", Stays(),
             (Picture(1701), Picture(1702, "webp"))),
        Page("waiting-stones", "www.pine-garden.example", "/stones", "Pine stones", Stays(),
             (Picture(1711, "png"), Picture(1712), Picture(1713, "webp"))),
        Page("waiting-clouds", "www.pine-garden.example", "/clouds", "Pine clouds", Stays(),
             (Picture(1721),)),
        Page("waiting-shells", "www.pine-garden.example", "/shells", "Pine shells", Stays(),
             (Picture(1731), Picture(1732, "gif"))),
    )),
)  # fmt: skip


def pages() -> tuple[Page, ...]:
    """Every page, in the table's order."""
    return tuple(page for host in HOSTS for page in host.pages)


def page(key: str) -> Page:
    """The page with this key; KeyError when there is none."""
    return _by_key()[key]


def draw_all() -> None:
    """Draw every picture of the table once; they are kept."""
    for one in pages():
        for picture in (*one.pictures, *one.decoy):
            picture.data()


def host_of(wanted: Page) -> Host:
    """The host of a page of the table."""
    return next(host for host in HOSTS if wanted in host.pages)


@cache
def _by_key() -> dict[str, Page]:
    return {page.key: page for page in pages()}
