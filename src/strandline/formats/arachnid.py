"""Arachnid Shield's answers, kept as files: SHA-1 in base32, PDQ in base64.

Read are an answer to one medium, a list of them, one after another, or ``scanned_hashes`` (PDQ
hashes as names). What the service does not know is not listed, and is told of as a loss.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from strandline.errors import FormatRefused
from strandline.formats import values
from strandline.formats.json_elements import elements, place_of
from strandline.formats.losses import Losses
from strandline.formats.rows import HashRow, Unreadable
from strandline.formats.streams import LIMITS, Limits, Readable, pieces

UNKNOWN = "no-known-match"
_READ = frozenset(
    (
        *("size_bytes", "sha1_base32", "sha256_hex", "pdq_base64", "pdq", "classification"),
        *("match_type", "near_match_details", "timestamp", "scanned_hashes"),
    )
)


def read(
    stream: Readable, losses: Losses, *, limits: Limits = LIMITS
) -> Iterator[HashRow | Unreadable]:
    """Each medium that the service knows, in the file's order, and those near to it.

    Raises FormatRefused, naming the element.
    """
    raw = pieces(stream, limits, any_unicode=True)
    head = next(raw, b"")
    is_list = head.lstrip().startswith(b"[")
    found = elements(chain((head,), raw), "item" if is_list else "", limits, many=not is_list)
    for number, answer in enumerate(found, 1):
        place = place_of(number)
        if not isinstance(answer, dict):
            yield Unreadable(place, "This is not an answer: an object is expected.")
            continue
        if not answer.keys() & _READ:
            yield Unreadable(place, "This is not an answer: it has none of its fields.")
            continue
        for name in answer.keys() - _READ:
            losses.add(name, "is not known and not kept", place)
        yield from _rows(answer, losses, place)


def _rows(answer: dict[str, Any], losses: Losses, place: str) -> Iterator[HashRow | Unreadable]:
    scanned = answer.get("scanned_hashes")
    if isinstance(scanned, dict):
        for pdq, details in scanned.items():
            said = details if isinstance(details, dict) else {}
            yield from _rows({**said, "pdq_base64": pdq, "scanned_hashes": None}, losses, place)
        return
    if answer.get("match_type") == "near":
        # The medium itself is not listed; those it resembles are.
        losses.add("a medium that is only near", "is not kept: the listed ones are", place)
    elif values.text(answer.get("classification")) in {"", UNKNOWN}:
        losses.add("a medium without a known match", "is not kept: nobody listed it", place)
    else:
        yield _row_or_reason(answer, place)
    near = answer.get("near_match_details")
    for detail in near if isinstance(near, list) else ():
        if isinstance(detail, dict):
            if detail.get("timestamp"):
                losses.add("the second of a film", "is not kept", place)
            yield _row_or_reason(detail, place)


def _row_or_reason(answer: dict[str, Any], place: str) -> HashRow | Unreadable:
    try:
        return HashRow(
            sha1=values.base32_sha1(answer.get("sha1_base32"), place),
            sha256=values.digest("sha256", answer.get("sha256_hex"), place),
            pdq=values.base64_pdq(answer.get("pdq_base64") or answer.get("pdq"), place),
            category=values.text(answer.get("classification")),
            size=values.whole_number(answer.get("size_bytes")),
            place=place,
        )
    except FormatRefused as refused:
        return Unreadable(place, refused.message.removeprefix(f"{place}: "))
