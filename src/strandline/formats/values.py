"""Single values as others write them, read leniently; anything else is None or a FormatRefused.

No message repeats a value: what fails to be a hash may still be most of one.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from strandline.errors import FormatRefused
from strandline.formats.rows import DIGITS, LONGEST_TEXT, MOST_LABELS, Kind

_HEX = re.compile(r"[0-9a-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_DECIMALS = re.compile(r"\d{1,3}(?:,\d{1,3}){143}")
_NET_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_WORDS_TRUE = frozenset({"true", "yes", "y", "1"})
_WORDS_FALSE = frozenset({"false", "no", "n", "0"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Characters of a PhotoDNA value in each of its spellings, and no more.
_LONGEST_PHOTODNA = 144 * 4


def digest(name: str, value: object, place: str) -> str | None:
    """A hex digest in either case; None for an empty one.

    Raises FormatRefused for anything else that is not the digest ``name``.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = value.strip().lower()
        if len(value) == DIGITS[name] and _is_hex(value):
            return value
        if not value:
            return None
    raise FormatRefused(place, f"{name} is not {DIGITS[name]} hexadecimal digits.")


def base32_sha1(value: object, place: str) -> str | None:
    """SHA-1 as 32 characters of base32 (RFC 4648), which is how Arachnid writes it."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and len(value) == 32:
            return base64.b32decode(value, casefold=True).hex()
    except (binascii.Error, ValueError):
        pass
    raise FormatRefused(place, "sha1_base32 is not 32 characters of base32.")


def base64_pdq(value: object, place: str) -> str | None:
    """PDQ as base64 of its 32 bytes; 64 hexadecimal digits are taken too."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) == 64 and _is_hex(value.lower()):
        return value.lower()
    raw = _from_base64(value) if isinstance(value, str) and len(value) <= 44 else None
    if raw is None or len(raw) != 32:
        raise FormatRefused(place, "The PDQ hash is not base64 of 32 bytes.")
    return raw.hex()


def photodna(value: object) -> str | None:
    """288 hex digits from base64 (192 characters), hex, or 144 decimal numbers; else None."""
    if not isinstance(value, str) or len(value) > _LONGEST_PHOTODNA:
        return None
    value = value.strip()
    if len(value) == 288 and _is_hex(value.lower()):
        return value.lower()
    if len(value) == 192 and (raw := _from_base64(value)) is not None and len(raw) == 144:
        return raw.hex()
    if _DECIMALS.fullmatch(value):
        numbers = [int(part) for part in value.split(",")]
        return bytes(numbers).hex() if max(numbers) < 256 else None
    return None


def boolean(value: object) -> bool | None:
    """Yes or no as a boolean, a number or a word; None for anything else."""
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    if isinstance(value, int) and value in {0, 1}:
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS_TRUE:
            return True
        if word in _WORDS_FALSE:
            return False
    return None


def whole_number(value: object, most: int = 2**53 - 1) -> int | None:
    """A number from 0 to ``most``, or its digits; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 16):
            return None
        value = int(digits)
    if isinstance(value, int) and 0 <= value <= most:
        return value
    return None


def moment(value: object) -> datetime | None:
    """ISO 8601, .NET's ``/Date(ms)/`` or seconds since 1970, as UTC; None for anything else.

    A time without a zone is taken for UTC: every format here says that it writes UTC.
    """
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return _EPOCH + timedelta(seconds=value)
        if not isinstance(value, str) or len(value) > 40:
            return None
        if found := _NET_DATE.fullmatch(value.strip()):
            return _EPOCH + timedelta(milliseconds=int(found[1]))
        read = datetime.fromisoformat(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def utc_text(at: datetime, *, timespec: str = "milliseconds") -> str:
    """``2026-01-07T02:31:49.830Z``: always UTC. Raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("A time without a zone cannot be written: nobody could read it back.")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def text(value: object) -> str:
    """One line of at most ``LONGEST_TEXT`` characters, without control characters."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**18 else ""
    said = value if isinstance(value, str) else str(value)[:LONGEST_TEXT]
    if len(said) <= LONGEST_TEXT and said.isprintable():
        return said.strip()
    return " ".join(_CONTROL.sub(" ", said[: 4 * LONGEST_TEXT]).split())[:LONGEST_TEXT].strip()


def words(values: Iterable[object]) -> tuple[str, ...]:
    """Texts without empty ones and repeats, in order, at most ``MOST_LABELS``."""
    kept = dict.fromkeys(said for value in values if (said := text(value)))
    return tuple(kept)[:MOST_LABELS]


def kind_of_media_type(value: object) -> Kind | None:
    """Image or film from ``image/png``, ``Image``, ``video`` …; None for anything else."""
    word = value.strip().lower() if isinstance(value, str) else ""
    if word.startswith(("image", "picture", "photo")):
        return Kind.IMAGE
    if word.startswith(("video", "film", "movie")):
        return Kind.VIDEO
    return None


def _is_hex(value: str) -> bool:
    return _HEX.fullmatch(value) is not None


def _from_base64(value: str) -> bytes | None:
    if not _BASE64.fullmatch(value):
        return None
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
