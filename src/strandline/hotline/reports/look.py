"""One look at an address: its page and every picture on it, as facts, deciding nothing.

Both the first capture and every later look see an address this way, along its pathway if it
has one. Only ``fetching`` opens connections and only the sandboxed worker reads what came back.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from strandline.errors import MediaRefused
from strandline.fetching import Answer, Failure
from strandline.hashing import PageFacts, PictureFacts
from strandline.hotline.jobs.tools import Tools
from strandline.hotline.reports.models import ReportedUrl
from strandline.media import Style

#: Pictures of one page that are fetched; a page with more is noted as such.
MOST_PICTURES = 200
#: A whole look ends well within a worker's lease (``jobs.due.LEASE``), in seconds.
MOST_SECONDS = 300
#: Most bytes of pictures held at once.
MOST_BYTES = 256 * 2**20
GONE = (404, 410)


class Outcome(StrEnum):
    """What one look came to, before anything is compared."""

    #: A page or a picture was there.
    SEEN = "seen"
    #: The server, or a page with status 200, says that nothing is there.
    GONE = "gone"
    #: Nothing can be said: the next look may tell.
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class SeenPicture:
    """A picture on the page: what it is, or why it was not had."""

    url: str
    data: bytes
    facts: PictureFacts | None
    #: Set when no picture could be made of the bytes.
    refused: MediaRefused | None = None


@dataclass(frozen=True)
class Sight:
    """What one look showed."""

    outcome: Outcome
    #: In words, for the record.
    reason: str
    status: int | None = None
    final_url: str = ""
    ip: str | None = None
    pictures: tuple[SeenPicture, ...] = ()
    #: Addresses of pictures that could not be fetched, with why.
    missed: tuple[str, ...] = ()
    #: Those of ``missed`` whose server said that nothing is there.
    dead: tuple[str, ...] = ()


def look_at(
    address: ReportedUrl, tools: Tools, styles: Sequence[Style] = (), known: Sequence[str] = ()
) -> Sight:
    """Fetch and examine an address and its pictures; reaches outside, writes nothing.

    ``known`` are addresses of pictures seen there before: they are asked for by themselves too, for
    a page that shows none of them (a login, a check for robots, 'back soon') proves nothing.
    """
    answer = tools.fetcher.fetch(address.url, referrer=address.referrer or None)
    if isinstance(answer, Failure):
        last = answer.hops[-1] if answer.hops else None
        return Sight(
            Outcome.INCONCLUSIVE,
            f"{answer.reason.value}: {answer.message}"[:300],
            status=last.status if last else None,
            ip=last.ip if last else None,
        )
    if answer.status in GONE:
        return _sight(answer, Outcome.GONE, f"status {answer.status}")
    if answer.status != 200:
        return _sight(answer, Outcome.INCONCLUSIVE, f"status {answer.status}")
    if answer.content_type.startswith("image/"):
        picture = _examine(answer.final_url, answer.body, tools, styles)
        return _sight(answer, Outcome.SEEN, "a picture", pictures=(picture,))
    return _read_page(answer, tools, styles, known)


def _read_page(
    answer: Answer, tools: Tools, styles: Sequence[Style], known: Sequence[str]
) -> Sight:
    try:
        page = tools.examiner.page(answer.body, answer.final_url, answer.charset)
    except MediaRefused as refused:
        return _sight(answer, Outcome.INCONCLUSIVE, f"the page is {refused.verdict}")
    urls = list(dict.fromkeys([*page.pictures, *known]))
    pictures, missed, dead = _fetch_pictures(urls, answer.final_url, tools, styles)
    if not page.pictures and not pictures and len(missed) == len(dead) and says_not_found(page):
        return _sight(answer, Outcome.GONE, "the page says that nothing is there (status 200)")
    reason = f"{len(pictures)} of {len(urls)} pictures"
    if missed:
        reason = f"{reason}; missing: {', '.join(missed)}"[:300]
    return _sight(
        answer,
        Outcome.SEEN,
        reason,
        pictures=tuple(pictures),
        missed=tuple(missed),
        dead=tuple(dead),
    )


def _fetch_pictures(
    urls: Sequence[str], page_url: str, tools: Tools, styles: Sequence[Style]
) -> tuple[list[SeenPicture], list[str], list[str]]:
    """The pictures that were had; those that were missed, with why; and which of these are gone."""
    pictures: list[SeenPicture] = []
    missed: list[str] = []
    dead: list[str] = []
    end, room = time.monotonic() + MOST_SECONDS, MOST_BYTES
    for number, url in enumerate(urls[:MOST_PICTURES]):
        if time.monotonic() > end or room <= 0:
            missed.append(f"{len(urls) - number} not fetched: the page takes too long or too much")
            return pictures, missed, dead
        got = tools.fetcher.fetch(url, referrer=page_url)
        if isinstance(got, Failure):
            missed.append(f"{got.reason.value} {url}")
        elif got.status != 200:
            missed.append(f"status {got.status} {url}")
            if got.status in GONE:
                dead.append(missed[-1])
        elif not got.content_type.startswith("image/"):
            missed.append(f"{got.content_type or 'no content type'} {url}")
            if _is_missing_page(got, tools):
                dead.append(missed[-1])
        else:
            pictures.append(_examine(url, got.body, tools, styles))
            room -= len(got.body)
    if len(urls) > MOST_PICTURES:
        missed.append(f"{len(urls) - MOST_PICTURES} more pictures than are fetched")
    return pictures, missed, dead


def _is_missing_page(answer: Answer, tools: Tools) -> bool:
    """Whether a page came instead of a picture, and says that nothing is there."""
    try:
        page = tools.examiner.page(answer.body, answer.final_url, answer.charset)
    except MediaRefused:
        return False
    return not page.pictures and says_not_found(page)


def _examine(url: str, data: bytes, tools: Tools, styles: Sequence[Style]) -> SeenPicture:
    try:
        return SeenPicture(url, data, tools.examiner.picture(data, styles))
    except MediaRefused as refused:
        return SeenPicture(url, data, None, refused)


def _sight(
    answer: Answer,
    outcome: Outcome,
    reason: str,
    *,
    pictures: tuple[SeenPicture, ...] = (),
    missed: tuple[str, ...] = (),
    dead: tuple[str, ...] = (),
) -> Sight:
    return Sight(
        outcome, reason, answer.status, answer.final_url, answer.ip, pictures, missed, dead
    )


#: How pages with status 200 say that nothing is there, in the languages of the largest hosts.
_NOT_FOUND = re.compile(
    r"(^\W*(error\s+)?404\b|\b404 (error|not found)|\bnot found"
    r"|no longer available|does not exist|doesn't exist|has been (removed|deleted)"
    r"|page unavailable|nicht gefunden|existiert nicht|introuvable|n'existe (pas|plus)"
    r"|niet gevonden|bestaat niet|no encontrad[ao]|no existe|non trovat[ao]|não encontrad[ao]"
    r"|не найден[ао]?|удален[ао]?|見つかりません|存在しません|找不到|不存在)",
    re.IGNORECASE,
)


def says_not_found(page: PageFacts) -> bool:
    """Whether a page's own words say that nothing is there."""
    # The text begins with the title in some pages; a number alone counts only at a beginning.
    return bool(_NOT_FOUND.search(page.title) or _NOT_FOUND.search(page.text[:2000].strip()))
