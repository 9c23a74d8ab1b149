"""Reading what a member asks: strictly, item by item, and quickly for a thousand items.

A fault of one item is told with that item and costs the others nothing. Every hash must be whole:
there is no asking by a beginning, or by anything else that would let the list be read out.
"""

import json
from typing import Any, NamedTuple

from strandline.errors import StrandlineError
from strandline.hashing import MIN_QUALITY
from strandline.lists.published.classes import Column
from strandline.lists.published.events import WIDTHS

MOST_ITEMS = 1_000
#: Frames of all films of one call.
MOST_FRAMES = 3_000
LONGEST_ID = 100
DIGESTS = (Column.SHA256, Column.SHA1, Column.MD5)
_FIELDS = frozenset({"id", "sha256", "sha1", "md5", "pdq", "quality", "film"})
_FRAME_FIELDS = frozenset({"ms", "quality", "pdq"})
_LATEST = 2**32


class AskedWrong(StrandlineError):
    """A call that cannot be read as a whole; nothing was looked up."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Hash(NamedTuple):
    """A perceptual hash that is compared."""

    raw: bytes
    #: Of a film's frame: milliseconds from the beginning.
    ms: int | None


class Item(NamedTuple):
    """One thing that is asked about."""

    #: What the member calls it.
    id: str | None
    #: What is wrong with it; empty when it can be looked up.
    fault: str = ""
    #: Bytes of each digest.
    digests: tuple[tuple[Column, bytes], ...] = ()
    #: The picture's, or those of the film's frames, too plain ones left out.
    hashes: tuple[Hash, ...] = ()
    #: There were perceptual hashes, and every one is too plain to be compared.
    too_plain: bool = False
    film: bool = False
    #: Look-ups that this counts for: one, or one for each frame.
    cost: int = 1

    @property
    def compared(self) -> bool:
        """Whether there is anything to look up."""
        return bool(self.digests or self.hashes)


class _Fault(Exception):
    """Why an item cannot be looked up."""


def read(body: bytes) -> list[Item]:
    """The items of a call's body, in order.

    Raises:
        AskedWrong: it is no JSON, of another shape, or asks too much at once.
    """
    given = _json(body)
    if not isinstance(given, dict) or set(given) != {"items"}:
        raise AskedWrong(422, 'A call is {"items": [ … ]} and nothing else. Nothing was looked up.')
    items = given["items"]
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ITEMS:
        raise AskedWrong(
            422, f'"items" is a list of 1 to {MOST_ITEMS:,} items. Nothing was looked up.'
        )
    if _frames(items) > MOST_FRAMES:
        raise AskedWrong(
            422,
            f"The films of one call have at most {MOST_FRAMES:,} frames together. "
            "Nothing was looked up: send fewer at once.",
        )
    return [_item(each) for each in items]


def _frames(items: list[object]) -> int:
    """Frames of all films, faulty ones too: nothing of a call that has too many is looked at."""
    films = (each.get("film") for each in items if isinstance(each, dict))
    return sum(len(film) for film in films if isinstance(film, list))


def _json(body: bytes) -> object:
    if not body:
        raise AskedWrong(400, "The call has no body. Send JSON, with its length declared.")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise AskedWrong(
            400, "The body is nested too deeply to be a call. Nothing was looked up."
        ) from None
    except ValueError:
        # Not its text: it would quote what was sent.
        raise AskedWrong(400, "The body is not JSON in UTF-8. Nothing was looked up.") from None


def _no_number(text: str) -> object:
    raise ValueError(text)


def _item(given: object) -> Item:
    if not isinstance(given, dict):
        return Item(None, "An item is an object with hashes.")
    name = given.get("id")
    if name is not None and not (isinstance(name, str) and len(name) <= LONGEST_ID):
        return Item(None, f'"id" is a text of at most {LONGEST_ID} characters.')
    try:
        return _read_item(name, given)
    except _Fault as fault:
        return Item(name, str(fault))


def _read_item(name: str | None, given: dict[str, Any]) -> Item:
    if not given.keys() <= _FIELDS:
        raise _Fault(
            f"{_unknown(given, _FIELDS)} is not a field of an item. Only hashes are taken, "
            "never pictures, addresses or names."
        )
    digests = tuple(
        (column, _hash(given[column.value], column))
        for column in DIGESTS
        if given.get(column.value) is not None
    )
    pdq, film = given.get("pdq"), given.get("film")
    if film is not None:
        if pdq is not None:
            raise _Fault('An item is a picture with "pdq" or a "film", not both.')
        hashes = _film(film)
        return Item(name, "", digests, hashes, not hashes, film=True, cost=len(film))
    if pdq is not None:
        raw = _hash(pdq, Column.PDQ)
        if _quality(given) < MIN_QUALITY:
            return Item(name, "", digests, too_plain=True)
        return Item(name, "", digests, (Hash(raw, None),))
    if given.get("quality") is not None:
        raise _Fault('"quality" is the quality of "pdq", which is missing.')
    if not digests:
        raise _Fault('An item needs at least one of "sha256", "sha1", "md5", "pdq" and "film".')
    return Item(name, "", digests)


def _film(film: object) -> tuple[Hash, ...]:
    if not isinstance(film, list) or not 1 <= len(film) <= MOST_FRAMES:
        raise _Fault(f'"film" is a list of 1 to {MOST_FRAMES:,} frames.')
    hashes = []
    for number, frame in enumerate(film, 1):
        try:
            kept = _frame(frame)
        except _Fault as fault:
            raise _Fault(f"Frame {number}: {fault}") from None
        if kept is not None:
            hashes.append(kept)
    return tuple(hashes)


def _frame(frame: object) -> Hash | None:
    """One frame; none when it is too plain to be compared."""
    if not isinstance(frame, dict) or frame.keys() != _FRAME_FIELDS:
        raise _Fault('it needs "ms", "quality" and "pdq", and nothing else.')
    ms = frame["ms"]
    if type(ms) is not int or not 0 <= ms < _LATEST:
        raise _Fault('"ms" is a whole number of milliseconds from the beginning.')
    raw = _hash(frame["pdq"], Column.PDQ)
    return Hash(raw, ms) if _quality(frame) >= MIN_QUALITY else None


def _hash(text: object, column: Column) -> bytes:
    """The bytes of a whole hash."""
    width = WIDTHS[column]
    if isinstance(text, str) and len(text) == 2 * width:
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raw = b""
        if len(raw) == width:  # shorter when there were spaces
            return raw
    raise _Fault(f'"{column}" is {2 * width} hexadecimal digits: a whole hash, never a part.')


def _quality(given: dict[str, Any]) -> int:
    quality = given.get("quality")
    if type(quality) is not int or not 0 <= quality <= 100:
        raise _Fault('"quality" is a whole number of 0 to 100, and goes with every "pdq".')
    return quality


def _unknown(given: dict[str, Any], known: frozenset[str]) -> str:
    """The first unknown name, as far as it can be shown."""
    return json.dumps(min(given.keys() - known)[:40])
