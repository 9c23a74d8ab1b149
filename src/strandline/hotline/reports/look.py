"""One look at an address: its page and every picture and film on it, as facts, deciding nothing.

Both the first capture and every later look see an address this way, along its pathway if it
has one. Only ``fetching`` opens connections and only the sandboxed worker reads what came back.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from strandline.errors import MediaRefused, NoFilmDecoder
from strandline.fetching import Answer, Failure
from strandline.hashing import FilmFacts, PageFacts, PictureFacts
from strandline.hotline.jobs.tools import FILM_TYPES, Tools
from strandline.hotline.reports.models import ReportedUrl
from strandline.media import Style
from strandline.media.containers import HEAD, is_film

#: Pictures of one page that are fetched; a page with more is noted as such.
MOST_PICTURES = 200
#: The same of films.
MOST_FILMS = 20
#: A whole look ends well within a worker's lease (``jobs.due.LEASE``), in seconds.
MOST_SECONDS = 300
#: Most bytes of pictures and films held at once, but for the last film.
MOST_BYTES = 256 * 2**20
GONE = (404, 410)


class Outcome(StrEnum):
    """What one look came to, before anything is compared."""

    #: A page, a picture or a film was there.
    SEEN = "seen"
    #: The server, or a page with status 200, says that nothing is there.
    GONE = "gone"
    #: Nothing can be said: the next look may tell.
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class SeenPicture:
    """A picture or film on the page: what it is, or why it was not had."""

    url: str
    data: bytes
    facts: PictureFacts | FilmFacts | None
    #: Set when no picture could be made of the bytes.
    refused: MediaRefused | None = None
    #: Whether it was read as a film.
    is_film: bool = False


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
    #: Addresses of pictures and films that could not be fetched, with why.
    missed: tuple[str, ...] = ()
    #: Those of ``missed`` whose server said that nothing is there.
    dead: tuple[str, ...] = ()


def look_at(
    address: ReportedUrl, tools: Tools, styles: Sequence[Style] = (), known: Sequence[str] = ()
) -> Sight:
    """Fetch and examine an address with its pictures and films; reaches outside, writes nothing.

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
    return _look_at_one(answer, tools, styles) or _read_page(answer, tools, styles, known)


def _look_at_one(answer: Answer, tools: Tools, styles: Sequence[Style]) -> Sight | None:
    """What an address that is itself a picture or film showed; none where it may be a page."""
    try:
        picture = _picture_or_film(answer, answer.final_url, tools, styles)
    except NoFilmDecoder as missing:
        return _sight(answer, Outcome.INCONCLUSIVE, missing.message[:300])
    if picture is not None:
        what = "a film" if picture.is_film else "a picture"
        return _sight(answer, Outcome.SEEN, what, pictures=(picture,))
    if _is_named_a_film(answer):
        return _sight(answer, Outcome.INCONCLUSIVE, f"{answer.content_type}, which is no film")
    return None


def _read_page(
    answer: Answer, tools: Tools, styles: Sequence[Style], known: Sequence[str]
) -> Sight:
    try:
        page = tools.examiner.page(answer.body, answer.final_url, answer.charset)
    except MediaRefused as refused:
        return _sight(answer, Outcome.INCONCLUSIVE, f"the page is {refused.verdict}")
    named = list(dict.fromkeys([*page.pictures, *known]))
    films = [url for url in page.films if url not in named]
    urls = [*named[:MOST_PICTURES], *films[:MOST_FILMS]]
    pictures, missed, dead = _fetch_pictures(urls, answer.final_url, tools, styles)
    if len(named) > MOST_PICTURES:
        missed.append(f"{len(named) - MOST_PICTURES} more pictures than are fetched")
    if len(films) > MOST_FILMS:
        missed.append(f"{len(films) - MOST_FILMS} more films than are fetched")
    nothing_named = not page.pictures and not page.films
    if nothing_named and not pictures and len(missed) == len(dead) and says_not_found(page):
        return _sight(answer, Outcome.GONE, "the page says that nothing is there (status 200)")
    what = "pictures and films" if films else "pictures"
    reason = f"{len(pictures)} of {len(named) + len(films)} {what}"
    for film in pictures:
        if film.is_film and film.refused:
            reason = f"{reason}; {film.refused.verdict}: {film.refused.message}"
    if missed:
        reason = f"{reason}; missing: {', '.join(missed)}"
    return _sight(
        answer,
        Outcome.SEEN,
        reason[:300],
        pictures=tuple(pictures),
        missed=tuple(missed),
        dead=tuple(dead),
    )


def _fetch_pictures(
    urls: Sequence[str], page_url: str, tools: Tools, styles: Sequence[Style]
) -> tuple[list[SeenPicture], list[str], list[str]]:
    """What was had; what was missed, with why; and what of this is gone."""
    pictures: list[SeenPicture] = []
    missed: list[str] = []
    dead: list[str] = []
    end, room = time.monotonic() + MOST_SECONDS, MOST_BYTES
    for number, url in enumerate(urls):
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
        else:
            try:
                picture = _picture_or_film(got, url, tools, styles)
            except NoFilmDecoder:
                missed.append(f"no PyAV to read a film with {url}")
                continue
            if picture is not None:
                pictures.append(picture)
                room -= len(got.body)
                continue
            missed.append(f"{got.content_type or 'no content type'} {url}")
            if not _is_named_a_film(got) and _is_missing_page(got, tools):
                dead.append(missed[-1])
    return pictures, missed, dead


def _is_missing_page(answer: Answer, tools: Tools) -> bool:
    """Whether a page came instead of a picture, and says that nothing is there."""
    try:
        page = tools.examiner.page(answer.body, answer.final_url, answer.charset)
    except MediaRefused:
        return False
    return not page.pictures and says_not_found(page)


def _picture_or_film(
    answer: Answer, url: str, tools: Tools, styles: Sequence[Style]
) -> SeenPicture | None:
    """What an answer is; none for one that is neither picture nor film.

    Raises:
        NoFilmDecoder: a film, and it cannot be read here: that is no verdict on it.
    """
    data, kind = answer.body, answer.content_type
    # Servers call films pictures, and anything 'application/octet-stream': the bytes decide.
    film = is_film(data[:HEAD]) if not kind.startswith("video/") else True
    picture = kind.startswith("image/")
    if not picture and not (film and _is_named_a_film(answer)):
        return None
    try:
        facts: PictureFacts | FilmFacts
        if film:
            facts = tools.examiner.film(data, styles, limits=tools.film_limits)
        else:
            facts = tools.examiner.picture(data, styles)
    except NoFilmDecoder:
        raise
    except MediaRefused as refused:
        return SeenPicture(url, data, None, refused, is_film=film)
    return SeenPicture(url, data, facts, is_film=film)


def _is_named_a_film(answer: Answer) -> bool:
    return any(fnmatchcase(answer.content_type, kind) for kind in FILM_TYPES)


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
