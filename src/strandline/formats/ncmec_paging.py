"""How a client walks a server of NCMEC's shape: every page of a window, then the next window.

Entries of a window are in no order of time, so the newest entry seen says nothing about what is
still to come. A client keeps the *end of a window*, and only once its last page was read. Windows
overlap, because a server may file an entry late. Nothing here opens a connection.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

from strandline.errors import FormatRefused
from strandline.formats.losses import Losses
from strandline.formats.ncmec import Page, read_page
from strandline.formats.rows import HashRow, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable
from strandline.formats.values import utc_text

#: Entries of one page that are asked for.
PAGE_SIZE = 1000
MOST_PAGES = 100_000
#: Windows overlap by this much: clocks differ, and a server files what was sent to it later.
OVERLAP = timedelta(hours=1)
#: The first window begins here: the service is younger.
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """A stretch of time of which every entry is asked for."""

    since: datetime
    until: datetime

    @classmethod
    def after(cls, checkpoint: datetime | None, *, now: datetime) -> "Window":
        """The window that follows a checkpoint; the first when there is none yet."""
        since = checkpoint - OVERLAP if checkpoint else BEGINNING
        return cls(since, now.astimezone(UTC))

    @property
    def checkpoint(self) -> datetime:
        """What to keep once the last page of this window was read and taken in, not before."""
        return self.until


def first_address(base: str, window: Window, *, size: int = PAGE_SIZE) -> str:
    """Where the first page of ``window`` is, e.g. ``https://…/v2/entries?from=…&to=…``."""
    query = {"from": utc_text(window.since), "to": utc_text(window.until), "size": size}
    return f"{base.rstrip('/')}/v2/entries?{urlencode(query)}"


def next_address(current: str, given: str) -> str:
    """The next page as a whole address.

    Raises FormatRefused when it is not on the same server and path: a key goes along with it.
    """
    joined = urljoin(current, given)
    here, there = urlsplit(current), urlsplit(joined)
    same_server = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    if not same_server or not there.path.endswith("/entries"):
        raise FormatRefused("paging", "The next page would be somewhere else. It is not fetched.")
    if there.path != here.path:
        # A server behind a prefix writes its pages from its own root.
        joined = here._replace(query=there.query).geturl()
    return joined


def walk(
    get: Callable[[str], Readable],
    base: str,
    window: Window,
    losses: Losses,
    *,
    size: int = PAGE_SIZE,
    limits: Limits = LIMITS,
) -> Iterator[HashRow | Unreadable]:
    """Every entry of the window, page after page until the server names no further one.

    ``get`` fetches one address. Raises FormatRefused for a page that cannot be read and for pages
    that lead back to one another; nothing of the window may be kept then.
    """
    address, seen = first_address(base, window, size=size), set[str]()
    for number in range(1, MOST_PAGES + 1):
        seen.add(address)
        page = Page(losses=losses)
        try:
            yield from read_page(get(address), page, limits=limits)
        except FormatRefused as refused:
            raise FormatRefused(f"page {number}", refused.message) from None
        if not page.next:
            return
        address = next_address(address, page.next)
        if address in seen:
            raise FormatRefused(f"page {number}", "The pages lead in a circle.")
    raise FormatRefused("paging", f"There are more than {MOST_PAGES:,} pages.")
