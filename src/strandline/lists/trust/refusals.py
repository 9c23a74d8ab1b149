"""What the TUF client's errors mean, for the person whose list was not updated."""

import re
from datetime import UTC, datetime

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    UnsignedMetadataError,
)

_ROLE = re.compile(r"root|timestamp|snapshot|targets")
_ROOT_EXPIRED = (
    "The publisher's root of trust has expired: its holders have to renew it. (The clock says "
    "{clock}.)"
)
_EXPIRED = (
    "The publisher's newest statement ({role}) has expired. Either nothing was published for too "
    "long, or somebody holds back what is newer, or this computer's clock, which says {clock}, is "
    "ahead."
)
_OLDER = (
    "The publisher offers an older {role} than was seen before ({text}): an old copy is being "
    "served, by mistake or to hide what changed."
)
_UNSIGNED = "The file {role}.json is not signed by enough of the keys that must sign it ({text})."
_MIXED = (
    "The signed files do not belong together: one is not the file that another names. Two states "
    "of the list were mixed, or a file was altered."
)
_TOO_LONG = (
    "A signed file is longer than it may be, or than the file that names it says. The rest was not "
    "read."
)
_MISSING = "A signed file is missing where the list is published. {text}"
_ELSE = "The signed files cannot be believed: {text}."

_SAID: tuple[tuple[type[Exception], str], ...] = (
    (BadVersionNumberError, _OLDER),
    (UnsignedMetadataError, _UNSIGNED),
    (LengthOrHashMismatchError, _MIXED),
    (DownloadLengthMismatchError, _TOO_LONG),
    (DownloadHTTPError, _MISSING),
    (ExpiredMetadataError, _EXPIRED),
    (Exception, _ELSE),
)


def sentence(error: Exception, now: datetime) -> str:
    """What happened; the library's own words name files and versions."""
    text = str(error)
    named = _ROLE.search(text)
    role = named[0] if named else "metadata"
    said = next(said for kind, said in _SAID if isinstance(error, kind))
    if said is _EXPIRED and role == "root":
        said = _ROOT_EXPIRED
    return said.format(role=role, text=text, clock=shown(now))


def shown(moment: datetime) -> str:
    """A time as sentences give it: ``2026-03-01 12:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
