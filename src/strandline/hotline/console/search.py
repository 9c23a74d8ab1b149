"""The queue and the search, as functions of a few indexed reads each.

A page is read by keyset: it begins after the last row of the page before, never by counting rows.
Every read runs along one of the indexes (state, -priority, id), (site, …), (host, …) or a unique
one, so that its cost does not grow with the record; ``bench/queue.py`` measures that.
"""

import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet

from strandline.errors import AddressRefused
from strandline.fetching import normalise
from strandline.hotline.reports.models import Report, ReportedUrl
from strandline.hotline.reports.states import WAITING_FOR_ANALYSTS, State

PAGE = 50
#: Beyond this a count is told as '1,000+': counting on would cost more than it tells.
MOST_COUNTED = 1000

_REFERENCE = re.compile(r"R-[0-9A-Z-]{4,14}", re.IGNORECASE)
_NUMBER = re.compile(r"(?:address:)?([0-9]{1,18})")


@dataclass(frozen=True)
class Mark:
    """A place in the queue: after the row with this priority and number."""

    priority: int
    id: int

    def __str__(self) -> str:
        return f"{self.priority}.{self.id}"


@dataclass(frozen=True)
class Page:
    """Some rows, and where the next ones begin, if there are any."""

    rows: Sequence[ReportedUrl]
    after: Mark | None


def read_mark(text: str) -> Mark | None:
    """The mark written as ``priority.id``; none for anything else."""
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,18})", text)
    return Mark(int(found[1]), int(found[2])) if found else None


def queue(states: Iterable[State] = WAITING_FOR_ANALYSTS, after: Mark | None = None) -> Page:
    """A page of addresses in these states, most urgent first."""
    # One read per state, merged here: no index holds several states in one order of priority.
    reads = [_read(ReportedUrl.objects.filter(state=state), after) for state in states]
    return _page(heapq.merge(*reads, key=_place))


def search(text: str, states: Sequence[State] = (), after: Mark | None = None) -> Page:
    """Addresses that ``text`` names: a report's reference, an address or its beginning, a host, a
    site, or an address's number; only those in ``states`` if any are given.
    """
    text = text.strip()
    if _REFERENCE.fullmatch(text):
        named = Report.objects.filter(reference=text.upper()).values("address")
        return _page(_read(_in(ReportedUrl.objects.filter(pk__in=named), states), after))
    if number := _NUMBER.fullmatch(text):
        found = ReportedUrl.objects.filter(pk=min(int(number[1]), 2**63 - 1))
        return _page(_read(_in(found, states), after))
    if "/" in text:
        return _by_address(text, states, after)
    host = _host_of(text)
    rows = _read(_in(ReportedUrl.objects.filter(site=host), states), after)
    return _page(rows or _read(_in(ReportedUrl.objects.filter(host=host), states), after))


def count_capped(state: State) -> int:
    """How many addresses are in ``state``, counting no further than one past the cap."""
    rows = ReportedUrl.objects.filter(state=state).order_by("-priority", "id")
    return rows[: MOST_COUNTED + 1].count()


def _by_address(text: str, states: Sequence[State], after: Mark | None) -> Page:
    """The very address first, then those on its host that begin like it."""
    whole = _whole(text)
    exact: list[ReportedUrl] = []
    if whole:
        exact = list(_in(ReportedUrl.objects.filter(url=whole), states))
    on_host = ReportedUrl.objects.filter(host=_host_of(text))
    schemed = [text] if "://" in text else [f"http://{text}", f"https://{text}"]
    begins = Q()
    for beginning in schemed:
        begins |= Q(url__startswith=_lower_host(beginning))
    rows = _read(_in(on_host.filter(begins), states).exclude(url=whole), after)
    page = _page(rows)
    return Page([*exact, *page.rows], page.after) if after is None else page


def _whole(text: str) -> str:
    """The normal form of an address as it may have been typed; empty if it is none."""
    try:
        return normalise(text, allow=settings.HOTLINE.web.allow_networks).url
    except AddressRefused:
        return ""


def _host_of(text: str) -> str:
    """The host in ASCII, lower case, whether ``text`` is an address or a bare name."""
    address = text if "://" in text else f"http://{text}"
    try:
        return normalise(address, allow=settings.HOTLINE.web.allow_networks).host
    except AddressRefused:
        try:
            return (urlsplit(address).hostname or "").lower()
        except ValueError:
            return ""


def _lower_host(beginning: str) -> str:
    """Scheme and host as the record writes them; the path keeps its case."""
    scheme, _, rest = beginning.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


def _in(rows: QuerySet[ReportedUrl], states: Sequence[State]) -> QuerySet[ReportedUrl]:
    return rows.filter(state__in=states) if states else rows


def _read(rows: QuerySet[ReportedUrl], after: Mark | None) -> list[ReportedUrl]:
    """One row more than a page, in the queue's order, beginning after ``after``."""
    ordered = rows.order_by("-priority", "id")
    if after is None:
        return list(ordered[: PAGE + 1])
    # Two reads, each a range of the index: 'or' in one would step over every row of this priority.
    same = list(ordered.filter(priority=after.priority, id__gt=after.id)[: PAGE + 1])
    lower = ordered.filter(priority__lt=after.priority)
    return same + list(lower[: PAGE + 1 - len(same)])


def _place(row: ReportedUrl) -> tuple[int, int]:
    return -row.priority, row.pk


def _page(rows: Iterable[ReportedUrl]) -> Page:
    taken = [row for row, _ in zip(rows, range(PAGE + 1), strict=False)]
    shown = taken[:PAGE]
    more = len(taken) > PAGE
    return Page(shown, Mark(shown[-1].priority, shown[-1].pk) if more else None)
